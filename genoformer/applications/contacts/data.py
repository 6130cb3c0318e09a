"""The LightningDataModule of contacts: coding sequences with structure files."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from genoformer.annotation.rewrite_coding import rewrite_coding
from genoformer.batches.structures import EvaluationStructures, TrainingStructures, collate_structures
from genoformer.errors import WarningLog
from genoformer.labels.tables import LabelledSequence, TableColumns, read_label_table
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.structures.contact_labels import read_contacts
from genoformer.structures.contacts import UNKNOWN
from genoformer.tasks.contacts import ContactOptions
from genoformer.training.codon_settings import CODON_BP, check_codon_reading, codon_rewriting
from genoformer.training.labelled_data import LabelledData, as_list
from genoformer.training.settings import CodonAugmentation, LabelSplit, Loader, ModelReading, check_crop
from genoformer.training.structure_data import evaluation_structures, training_structures


@dataclass(frozen=True)
class ContactSamples:
    """Makes samples of coding sequences.

    Attributes:
        codes: Base codes of each, in frame.
        labels: Contacts of each, int8 [T, T].
        tokenizer: The model's tokenizer.
        crop_codons: Longest stretch in training.
        rewriting: Settings of ``rewrite_coding``; None leaves the codons as they are.
    """

    codes: Sequence[np.ndarray]
    labels: Sequence[np.ndarray]
    tokenizer: KmerTokenizer
    crop_codons: int
    rewriting: dict | None = None

    def __call__(self, number: int, generator: np.random.Generator | None) -> dict[str, np.ndarray]:
        """Sample of one sequence, whole without a generator; see ``batches.structure_dataset``."""
        codes, labels = self.codes[number], self.labels[number]
        if generator is not None:
            start = int(generator.integers(0, max(0, len(labels) - self.crop_codons) + 1))
            end = min(len(labels), start + self.crop_codons)
            codes, labels = codes[CODON_BP * start : CODON_BP * end], labels[start:end, start:end]
            if self.rewriting:
                codes = rewrite_coding(codes, **self.rewriting, generator=generator)
        return {"token_ids": self.tokenizer.encode(codes), "labels": labels}


class ContactData(LabelledData):
    """Coding sequences with the structures of their proteins.

    Args:
        labels: Table, tab- or comma-separated with a header line, or a list of them.
        columns: Columns of the table; the label is the structure: FILE:CHAIN, PDB or mmCIF, relative to the table. The
            bases are in frame.
        split: How the parts are found.
        loader: How sequences become batches.
        augment: What training changes.
        genetic_code: NCBI number of the sequences.
        crop_codons: Longest stretch in training.

    Raises:
        UsageError: If a number is out of range.
    """

    def __init__(
        self,
        labels: str | list[str] | None = None,
        columns: TableColumns = TableColumns("structure", "dna", "id"),
        split: LabelSplit = LabelSplit(),
        loader: Loader = Loader(batch_size=4),
        augment: CodonAugmentation = CodonAugmentation(),
        genetic_code: int = 1,
        crop_codons: int = 128,
    ) -> None:
        super().__init__([as_list(labels)], split, loader)
        check_crop(crop_codons, "crop_codons")
        self.columns, self.crop_codons, self.genetic_code = columns, crop_codons, genetic_code
        self.rewriting = codon_rewriting(augment.synonymous, augment.substituted, genetic_code)
        self.channels = ["contact"]
        self.contacts: dict[str, np.ndarray] = {}

    def bind(self, reading: ModelReading, *, seed: int = 0, work_dir: str | Path = ".") -> Self:
        """Read as a model does; UsageError if its tokens are no codons."""
        check_codon_reading(reading)
        self.options = ContactOptions(**reading.options)
        self.collate = partial(collate_structures, ignored=UNKNOWN)
        return super().bind(reading, seed=seed, work_dir=work_dir)

    def read(self, log: WarningLog) -> list[LabelledSequence]:
        """Sequences whose structures fit; DataError where one does not, or is not there."""
        (paths,), found = self.inputs, []
        for path in paths:
            for example in read_label_table([path], self.columns, [], log):
                if len(example.codes) > self.options.max_bp:
                    message = f"{example.where}: {len(example.codes):,} bases are too many; it is left out."
                    log.add("CONTACTS-101", message)
                    continue
                self.contacts[example.id] = read_contacts(example, Path(path).parent, self.genetic_code)
                found.append(example)
        return found

    def build_samples(self, sequences: Sequence[LabelledSequence], *, is_training: bool) -> ContactSamples:
        """Samples of some sequences."""
        codes = [sequence.codes for sequence in sequences]
        labels = [self.contacts[sequence.id] for sequence in sequences]
        rewriting = self.rewriting if is_training else None
        return ContactSamples(codes, labels, self.tokenizer, self.crop_codons, rewriting)

    def training_samples(self, batch_size: int) -> TrainingStructures:
        """Samples of the training part; ValueError if they do not fill a batch."""
        return training_structures(self, batch_size)

    def evaluation_samples(self, part: str) -> EvaluationStructures:
        """Every sequence of a part once, whole."""
        return evaluation_structures(self, part)
