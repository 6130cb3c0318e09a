"""The LightningDataModule of secondary structure: coding sequences with a state for each codon, from a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from genoformer.annotation.rewrite_coding import rewrite_coding
from genoformer.batches.structures import EvaluationStructures, TrainingStructures, collate_structures
from genoformer.errors import DataError, WarningLog
from genoformer.labels.tables import LabelledSequence, TableColumns, read_label_table
from genoformer.sequence.alphabet import N_CODE
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.tasks.codon_structure import IGNORED, UNKNOWN_STATE, CodonOptions, encode_states
from genoformer.training.codon_settings import CODON_BP, check_codon_reading, codon_rewriting
from genoformer.training.labelled_data import LabelledData, as_list
from genoformer.training.settings import LabelSplit, Loader, ModelReading, SequenceAugmentation, check_crop
from genoformer.training.structure_data import evaluation_structures, training_structures


@dataclass(frozen=True)
class CodonSamples:
    """Makes samples of coding sequences.

    Attributes:
        codes: Base codes of each, in frame.
        states: Numbers of the states of each, int8 [T], ``IGNORED`` where unknown.
        tokenizer: The model's tokenizer.
        crop_codons: Longest stretch in training.
        masked: Share of the codons that training reads as unknown.
        rewriting: Settings of ``rewrite_coding``; None leaves the codons as they are.
    """

    codes: Sequence[np.ndarray]
    states: Sequence[np.ndarray]
    tokenizer: KmerTokenizer
    crop_codons: int
    masked: float = 0.0
    rewriting: dict | None = None

    def __call__(self, number: int, generator: np.random.Generator | None) -> dict[str, np.ndarray]:
        """Sample of one sequence, whole without a generator; see ``batches.structure_dataset``."""
        codes, states = self.codes[number], self.states[number]
        if generator is not None:
            start = int(generator.integers(0, max(0, len(states) - self.crop_codons) + 1))
            states = states[start : start + self.crop_codons]
            codes = codes[CODON_BP * start : CODON_BP * (start + len(states))]
            if self.rewriting:
                codes = rewrite_coding(codes, **self.rewriting, generator=generator)
            hidden = np.repeat(generator.random(len(states)) < self.masked, CODON_BP)
            codes = np.where(hidden, np.uint8(N_CODE), codes)
        return {"token_ids": self.tokenizer.encode(codes), "labels": states}


class CodonData(LabelledData):
    """Coding sequences with states.

    Args:
        labels: Table, tab- or comma-separated with a header line, or a list of them.
        columns: Columns of the table; the label is the states, one letter per codon, "-" where unknown.
        split: How the parts are found.
        loader: How sequences become batches.
        augment: What training changes.
        genetic_code: NCBI number for drawing codons anew; 1 is right wherever 11 is.
        crop_codons: Longest stretch in training.

    Raises:
        UsageError: If a number is out of range.
    """

    def __init__(
        self,
        labels: str | list[str] | None = None,
        columns: TableColumns = TableColumns("states", "dna", "id"),
        split: LabelSplit = LabelSplit(),
        loader: Loader = Loader(batch_size=8),
        augment: SequenceAugmentation = SequenceAugmentation(),
        genetic_code: int = 1,
        crop_codons: int = 256,
    ) -> None:
        super().__init__([as_list(labels)], split, loader)
        check_crop(crop_codons, "crop_codons")
        self.columns, self.crop_codons, self.masked = columns, crop_codons, augment.masked
        self.rewriting = codon_rewriting(augment.synonymous, augment.substituted, genetic_code)
        self.channels: list[str] = []

    def bind(self, reading: ModelReading, *, seed: int = 0, work_dir: str | Path = ".") -> Self:
        """Read as a model does; UsageError if its tokens are no codons."""
        check_codon_reading(reading)
        self.options = CodonOptions(**reading.options)
        self.collate = partial(collate_structures, ignored=IGNORED)
        return super().bind(reading, seed=seed, work_dir=work_dir)

    def read(self, log: WarningLog) -> list[LabelledSequence]:
        """Sequences with their states; DataError where these do not fit the codons."""
        (paths,) = self.inputs
        found = read_label_table(paths, self.columns, [], log)
        for example in found:
            if len(example.codes) != CODON_BP * len(example.label):
                raise DataError(
                    "CODONS-001", f"{len(example.label)} states for {len(example.codes)} bases; a codon has one.",
                    where=example.where,
                )  # fmt: skip
        self.channels = sorted({letter for example in found for letter in example.label} - {UNKNOWN_STATE})
        if len(self.channels) < 2:
            raise DataError("CODONS-002", f"there is no more than one state: {self.channels}.", where=paths[0])
        return [example for example in found if self._is_short(example, log)]

    def _is_short(self, example: LabelledSequence, log: WarningLog) -> bool:
        is_short = len(example.codes) <= self.options.max_bp
        if not is_short:
            log.add("CODONS-101", f"{example.where}: {len(example.codes):,} bases are too many; it is left out.")
        return is_short

    def build_samples(self, sequences: Sequence[LabelledSequence], *, is_training: bool) -> CodonSamples:
        """Samples of some sequences."""
        codes = [sequence.codes for sequence in sequences]
        states = [encode_states(sequence.label, tuple(self.channels)) for sequence in sequences]
        shares = (self.masked, self.rewriting) if is_training else (0.0, None)
        return CodonSamples(codes, states, self.tokenizer, self.crop_codons, *shares)

    def training_samples(self, batch_size: int) -> TrainingStructures:
        """Samples of the training part; ValueError if they do not fill a batch."""
        return training_structures(self, batch_size)

    def evaluation_samples(self, part: str) -> EvaluationStructures:
        """Every sequence of a part once, whole."""
        return evaluation_structures(self, part)
