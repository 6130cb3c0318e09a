"""The LightningDataModule of sequence-level tasks: a label table to parts, parts to samples."""

import hashlib
import json
import sys
from functools import partial

import numpy as np

from genoformer.batches.tables import EvaluationSequences, TrainingSequences, collate_views
from genoformer.errors import UsageError, WarningLog
from genoformer.files import sha256_file
from genoformer.labels.genes import read_labelled_genes
from genoformer.labels.ontology import Ontology, read_obo
from genoformer.labels.splits import split_labelled
from genoformer.labels.tables import LabelledSequence, TableColumns, read_label_table, read_labelled_fasta
from genoformer.labels.terms import describe_terms, with_implied_terms
from genoformer.labels.values import check_examples, encode_labels, find_classes
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.tasks.function import FunctionOptions
from genoformer.tasks.options import read_options
from genoformer.training.codon_settings import codon_rewriting
from genoformer.training.labelled_data import LabelledData, as_list, require_files


class TableData(LabelledData):
    """Sequences with labels: from a table, a table and FASTA files, or FASTA headers.

    Args:
        labels: Table, tab- or comma-separated with a header line, or a list of them; without one the labels stand in
            the FASTA headers.
        fasta: FASTA file or files with the sequences, when no column of the table and no annotation holds them.
        annotation: GenBank, GFF3 or GTF file or files instead of a table: the coding sequences of their genes, with an
            attribute as label (label_column: EC_number, Ontology_term, product); group_column is "file" or "contig".
        label_level: Parts of such a label that count, 1 of 2.7.1.1; all by default.
        unlabelled: Label of genes without the attribute; by default they are left out.
        label_column: Column, or header key, of the label.
        sequence_column: Column of the bases.
        id_column: Column of the ids; by default lines are numbered.
        group_column: Column, or header key, of what must not be divided (chromosome, species, cluster), or with
            by="column" of the name of the part. "file" is the name of the file.
        columns: Names of all columns, for files without header line.
        classes: Classes or terms, in the order of the outputs; by default all that occur, sorted.
        label_separator: Between the terms of a multi-label row.
        ontology: OBO file: labels of kind multilabel are its terms, and each brings along what it implies.
        min_examples: Classes on fewer sequences are no classes; their rows are left out.
        by: "random", "group" or "column".
        validation: Fraction of the sequences, or names of groups.
        test: The same for the test part; nothing by default.
        fraction_of_sequences: With by="group", a fraction takes sequences of the groups that are not named, not groups.
        keep_copies: Equal sequences may stay in one part; by default one of them is kept.
        split_seed: Decides random parts.
        batch_size: Sequences of one step of one process.
        samples_per_epoch: Sequences between two validations; by default all of them once.
        num_workers: Processes that load; 0 is fastest on a CPU.
        seed: Decides order and augmentation.
        masked: Share of the bases that training reads as unknown.
        synonymous: Share of the codons that training draws anew among synonyms; sequences must be in reading frame.
        substituted: Largest share of the codons for which training draws a similar amino acid.
        genetic_code: NCBI number for these draws; 1 is right wherever 11 is.
        k: Bases per token; follows model.k.
        stride: Bases that each token owns; follows model.stride.
        options: Settings of the task; follow model.options.
        n_global_tokens: Global tokens in front of each sequence; follows model.encoder.
        work_dir: Folder of the run.

    Raises:
        UsageError: If a number is out of range.
    """

    linked = ("k", "stride", "options")

    def __init__(
        self,
        labels: str | list[str] | None = None,
        fasta: str | list[str] | None = None,
        annotation: str | list[str] | None = None,
        label_level: int | None = None,
        unlabelled: str | None = None,
        label_column: str = "label",
        sequence_column: str | None = None,
        id_column: str | None = None,
        group_column: str | None = None,
        columns: list[str] | None = None,
        classes: list[str] | None = None,
        label_separator: str = ";",
        ontology: str | None = None,
        min_examples: int = 1,
        by: str = "random",
        validation: float | list[str] = 0.1,
        test: float | list[str] | None = None,
        fraction_of_sequences: bool = False,
        keep_copies: bool = False,
        split_seed: int = 0,
        batch_size: int = 32,
        samples_per_epoch: int | None = None,
        num_workers: int = 0,
        seed: int = 0,
        masked: float = 0.0,
        synonymous: float = 0.0,
        substituted: float = 0.0,
        genetic_code: int = 1,
        k: int = 6,
        stride: int = 1,
        options: dict[str, bool | int | float | str] | None = None,
        n_global_tokens: int = 0,
        work_dir: str = ".",
    ) -> None:
        super().__init__(
            KmerTokenizer(k=k, stride=stride), partial(collate_views, n_global_tokens=n_global_tokens),
            batch_size=batch_size, samples_per_epoch=samples_per_epoch, num_workers=num_workers, seed=seed,
        )  # fmt: skip
        _check_numbers(masked=masked, synonymous=synonymous, substituted=substituted)
        if min_examples < 1:
            raise UsageError("CONFIG-009", f"min_examples is at least 1, found {min_examples}.", where="data")
        self.paths, self.fasta, self.annotation = as_list(labels), as_list(fasta), as_list(annotation)
        self.label_level, self.unlabelled = label_level, unlabelled
        self.columns = TableColumns(
            label_column, sequence_column, id_column, group_column, tuple(columns) if columns else None
        )
        self.ontology_path, self.ontology = ontology, {}
        self.wanted_classes, self.separator, self.min_examples = classes, label_separator, min_examples
        self.split = {"by": by, "validation": validation, "test": test, "seed": split_seed}
        self.split |= {"fraction_of_sequences": fraction_of_sequences, "keep_copies": keep_copies}
        self.masked, self.rewriting = masked, codon_rewriting(synonymous, substituted, genetic_code)
        self.options = read_options(FunctionOptions, options, "function")
        self.channels: list[str] = []
        self.targets: dict[str, np.ndarray] = {}
        self.scale = (0.0, 1.0)

    def input_digest(self) -> str:
        """SHA-256 of the contents of the input files.

        Raises:
            UsageError: If there is no input.
            MissingFileError: If a file is not there.
        """
        if not (self.paths or self.fasta or self.annotation):
            raise UsageError("LABELS-001", "no labels are given.", where="data.labels", fix="Give --data.labels FILE.")
        others = [self.ontology_path] if self.ontology_path else []
        require_files([*self.paths, *self.fasta, *self.annotation, *others])
        digests = [[sha256_file(path) for path in paths] for paths in (self.paths, self.fasta, self.annotation, others)]
        return hashlib.sha256(json.dumps(digests).encode()).hexdigest()

    def setup(self, stage: str | None = None) -> None:
        """Read the sequences, divide them and turn labels into numbers."""
        if self.parts:
            return
        self.input_digest()
        log, kind = WarningLog(), self.options.kind
        sequences = [self._cut(sequence, log) for sequence in self._read(log)]
        ontology = self._read_ontology()
        if ontology is not None:
            sequences = with_implied_terms(sequences, ontology, self.separator, log)
        self.channels = self.wanted_classes or find_classes(
            sequences, kind, separator=self.separator, min_examples=self.min_examples, value_name=self.columns.label
        )
        if ontology is not None:
            self.ontology = describe_terms(self.channels, ontology)
        if self.wanted_classes is None and kind == "multiclass":
            sequences = [sequence for sequence in sequences if sequence.label in self.channels]
        both_strands = self.options.strands == "average"
        numbers = split_labelled(sequences, **self.split, both_strands=both_strands, log=log)
        # A term that is too rare to be an output leaves the other labels of its sequence as they are.
        strict = self.wanted_classes is not None
        for part, chosen in numbers.items():
            self.parts[part] = [sequences[i] for i in chosen]
            self.targets[part] = encode_labels(
                self.parts[part], kind, self.channels, separator=self.separator, strict=strict
            )
        if kind == "regression":
            self._standardise()
        self.training_set()
        check_examples(
            self.targets["train"], kind, self.channels, ", ".join(self.annotation or self.paths or self.fasta)
        )
        for line in log.lines():
            print(f"genoformer: {line}", file=sys.stderr)

    def _standardise(self) -> None:
        """Numbers as distances from the training mean in its standard deviations."""
        values = self.targets["train"]
        self.scale = float(values.mean()), float(values.std()) or 1.0
        self.targets = {part: (values - self.scale[0]) / self.scale[1] for part, values in self.targets.items()}

    def _read(self, log: WarningLog) -> list[LabelledSequence]:
        if self.annotation:
            return read_labelled_genes(
                self.annotation, self.fasta, self.columns, level=self.label_level, unlabelled=self.unlabelled,
                separator=self.separator, is_one=self.options.kind != "multilabel", log=log,
            )  # fmt: skip
        if self.paths:
            return read_label_table(self.paths, self.columns, self.fasta, log)
        return read_labelled_fasta(self.fasta, self.columns.label, self.columns.group, log)

    def _read_ontology(self) -> Ontology | None:
        if self.ontology_path and self.options.kind != "multilabel":
            raise UsageError(
                "CONFIG-018", f"an ontology needs labels of kind multilabel, not {self.options.kind}.",
                where="data.ontology",
            )  # fmt: skip
        return read_obo(self.ontology_path) if self.ontology_path else None

    def _cut(self, sequence: LabelledSequence, log: WarningLog) -> LabelledSequence:
        limit = self.options.max_bp
        if len(sequence.codes) <= limit:
            return sequence
        log.add("LABELS-104", f"{sequence.where}: {len(sequence.codes):,} bp; the first {limit:,} are read.")
        return LabelledSequence(sequence.id, sequence.codes[:limit], sequence.label, sequence.group, sequence.where)

    def training_samples(self, batch_size: int) -> TrainingSequences:
        """Samples of the training part; ValueError if they do not fill a batch."""
        return TrainingSequences(
            [sequence.codes for sequence in self.parts["train"]], self.targets["train"], self.tokenizer,
            seed=self.seed, batch_size=batch_size, both_strands=self.options.strands == "average", masked=self.masked,
            rewriting=self.rewriting,
        )  # fmt: skip

    def evaluation_samples(self, part: str) -> EvaluationSequences:
        """Every sequence of a part once, in all its views."""
        codes = [sequence.codes for sequence in self.parts[part]]
        both_strands = self.options.strands == "average"
        return EvaluationSequences(codes, self.targets[part], self.tokenizer, both_strands=both_strands)

    def card_lines(self) -> list[str]:
        """What the model card says of the data."""
        described = ", ".join(f"{name} {value}" for name, value in self.split.items() if value)
        return self.describe_parts(self.annotation or self.paths or self.fasta, described)


def _check_numbers(**shares: float) -> None:
    for name, value in shares.items():
        if not 0.0 <= value < 1.0:
            raise UsageError(
                "CONFIG-009", f"expected a share of at least 0 and below 1, found {value}.", where=f"data.{name}"
            )
