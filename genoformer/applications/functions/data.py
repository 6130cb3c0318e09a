"""The LightningDataModule of sequence-level tasks: a label table to parts, parts to samples."""

from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from genoformer.batches.tables import EvaluationSequences, TrainingSequences, collate_views
from genoformer.errors import UsageError, WarningLog
from genoformer.labels.genes import read_labelled_genes
from genoformer.labels.ontology import Ontology, read_obo
from genoformer.labels.tables import LabelledSequence, TableColumns, read_label_table, read_labelled_fasta
from genoformer.labels.terms import describe_terms, with_implied_terms
from genoformer.labels.values import check_examples, encode_labels, find_classes, split_terms
from genoformer.tasks.function import FunctionOptions
from genoformer.tasks.options import read_options
from genoformer.training.codon_settings import codon_rewriting
from genoformer.training.labelled_data import LabelledData, as_list
from genoformer.training.settings import LabelSplit, Loader, ModelReading, SequenceAugmentation


class TableData(LabelledData):
    """Sequences with labels: from a table, a table and FASTA files, or FASTA headers.

    Args:
        labels: Table, tab- or comma-separated with a header line, or a list of them; without one the labels stand in
            the FASTA headers.
        fasta: FASTA file or files with the sequences, when no column of the table and no annotation holds them.
        annotation: GenBank, GFF3 or GTF file or files instead of a table: the coding sequences of their genes, with an
            attribute as label (columns.label: EC_number, Ontology_term, product); columns.group is "file" or "contig".
        columns: Columns of the table, or keys in the FASTA headers.
        label_level: Parts of a label of an annotation that count, 1 of 2.7.1.1; all by default.
        unlabelled: Label of genes without the attribute; by default they are left out.
        label_separator: Between the terms of a multi-label row.
        classes: Classes or terms, in the order of the outputs; by default all that occur, sorted.
        min_examples: Classes on fewer sequences are no classes; their rows are left out.
        ontology: OBO file: labels of kind multilabel are its terms, and each brings along what it implies.
        split: How the parts are found.
        loader: How sequences become batches.
        augment: What training changes.
        genetic_code: NCBI number for drawing codons anew; 1 is right wherever 11 is.
        balance: Draw sequences of rare classes more often in training: 1 draws all classes alike, 0.5 in proportion to
            the square roots of their sizes; by default in proportion to these.

    Raises:
        UsageError: If a number is out of range.
    """

    def __init__(
        self,
        labels: str | list[str] | None = None,
        fasta: str | list[str] | None = None,
        annotation: str | list[str] | None = None,
        columns: TableColumns = TableColumns(),
        label_level: int | None = None,
        unlabelled: str | None = None,
        label_separator: str = ";",
        classes: list[str] | None = None,
        min_examples: int = 1,
        ontology: str | None = None,
        split: LabelSplit = LabelSplit(),
        loader: Loader = Loader(batch_size=32),
        augment: SequenceAugmentation = SequenceAugmentation(),
        genetic_code: int = 1,
        balance: float | None = None,
    ) -> None:
        self.paths, self.fasta, self.annotation = as_list(labels), as_list(fasta), as_list(annotation)
        super().__init__([self.annotation, self.paths, self.fasta], split, loader, others=as_list(ontology))
        if min_examples < 1:
            raise UsageError("CONFIG-009", f"must be at least 1, found {min_examples}.", where="data.min_examples")
        if balance is not None and not 0 <= balance <= 1:
            raise UsageError("CONFIG-009", f"expected a number from 0 to 1, found {balance}.", where="data.balance")
        self.balance = balance or 0.0
        self.columns, self.label_level, self.unlabelled = columns, label_level, unlabelled
        self.ontology_path = ontology
        self.ontology: dict = {}
        self._graph: Ontology | None = None
        self.wanted_classes, self.separator, self.min_examples = classes, label_separator, min_examples
        self.masked = augment.masked
        self.rewriting = codon_rewriting(augment.synonymous, augment.substituted, genetic_code)
        self.channels: list[str] = []
        self.targets: dict[str, np.ndarray] = {}
        self.scale = (0.0, 1.0)

    def bind(self, reading: ModelReading, *, seed: int = 0, work_dir: str | Path = ".") -> Self:
        """Read as a model does; UsageError if its labels can have no ontology, or are no classes to balance."""
        self.options = read_options(FunctionOptions, reading.options, reading.task)
        if self.ontology_path and self.options.kind != "multilabel":
            message = f"an ontology needs labels of kind multilabel, not {self.options.kind}."
            raise UsageError("CONFIG-018", message, where="data.ontology")
        if self.balance and self.options.kind != "multiclass":
            message = f"only classes can be balanced, not labels of kind {self.options.kind}."
            raise UsageError("CONFIG-016", message, where="data.balance")
        self.both_strands = self.options.strands == "average"
        self.collate = partial(collate_views, n_global_tokens=reading.n_global_tokens)
        return super().bind(reading, seed=seed, work_dir=work_dir)

    def read(self, log: WarningLog) -> list[LabelledSequence]:
        """Sequences whose label is one of the classes, which are found here unless they were named."""
        kind = self.options.kind
        sequences = [self._cut(sequence, log) for sequence in self.read_labelled(kind, log)]
        ontology = read_obo(self.ontology_path) if self.ontology_path else None
        if ontology is not None:
            sequences = with_implied_terms(sequences, ontology, self.separator, log)
        self.channels = self.wanted_classes or find_classes(
            sequences, kind, separator=self.separator, min_examples=self.min_examples, value_name=self.columns.label
        )
        if ontology is not None:
            self.ontology, self._graph = describe_terms(self.channels, ontology), ontology
        if self.wanted_classes is None and kind == "multiclass":
            sequences = [sequence for sequence in sequences if sequence.label in self.channels]
        return sequences

    def encode_parts(self, log: WarningLog) -> None:
        """Turn labels into numbers; DataError where there are too few to learn from."""
        kind = self.options.kind
        if kind == "multilabel" and self.wanted_classes is None:
            self._leave_out_unseen(log)
        # A term that is too rare to be an output leaves the other labels of its sequence as they are.
        strict = self.wanted_classes is not None
        self.targets = {
            part: encode_labels(members, kind, self.channels, separator=self.separator, strict=strict)
            for part, members in self.parts.items()
        }
        if kind == "regression":
            self._standardise()
        check_examples(
            self.targets["train"], kind, self.channels, ", ".join(self.annotation or self.paths or self.fasta)
        )

    def _leave_out_unseen(self, log: WarningLog) -> None:
        """Terms of other parts alone are no outputs: nothing says what has them."""
        rows = [split_terms(sequence.label, "multilabel", self.separator) for sequence in self.parts["train"]]
        seen = {term for row in rows for term in row}
        unseen = [term for term in self.channels if term not in seen]
        for term in unseen:
            log.add("LABELS-110", f'no sequence of the training part has the term "{term}"; it is no output.')
        self.channels = [term for term in self.channels if term in seen] or self.channels
        if unseen and self._graph is not None:
            self.ontology = describe_terms(self.channels, self._graph)

    def _standardise(self) -> None:
        """Numbers as distances from the training mean in its standard deviations."""
        values = self.targets["train"]
        self.scale = float(values.mean()), float(values.std()) or 1.0
        self.targets = {part: (values - self.scale[0]) / self.scale[1] for part, values in self.targets.items()}

    def read_labelled(self, kind: str, log: WarningLog) -> list[LabelledSequence]:
        """All sequences that have a label, whatever it is and however long they are; needs no ``bind``.

        Args:
            kind: Of labels.
            log: Counts what is left out.
        """
        if self.annotation:
            return read_labelled_genes(
                self.annotation, self.fasta, self.columns, level=self.label_level, unlabelled=self.unlabelled,
                separator=self.separator, is_one=kind != "multilabel", log=log,
            )  # fmt: skip
        if self.paths:
            return read_label_table(self.paths, self.columns, self.fasta, log)
        return read_labelled_fasta(self.fasta, self.columns.label, self.columns.group, log)

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
            seed=self.seed, batch_size=batch_size, both_strands=self.both_strands, masked=self.masked,
            rewriting=self.rewriting, weights=self._weights(),
        )  # fmt: skip

    def _weights(self) -> np.ndarray | None:
        """How often each training sequence is drawn; None where all are alike."""
        if not self.balance:
            return None
        counts = np.bincount(self.targets["train"], minlength=len(self.channels))
        return counts[self.targets["train"]] ** -self.balance

    def evaluation_samples(self, part: str) -> EvaluationSequences:
        """Every sequence of a part once, in all its views."""
        codes = [sequence.codes for sequence in self.parts[part]]
        return EvaluationSequences(codes, self.targets[part], self.tokenizer, both_strands=self.both_strands)
