"""The LightningDataModule of secondary structure: coding sequences with a state for each codon, from a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genoformer.annotation.rewrite_coding import rewrite_coding
from genoformer.errors import DataError, WarningLog
from genoformer.labels.tables import LabelledSequence, TableColumns, read_label_table
from genoformer.sequence.alphabet import N_CODE
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.tasks.codon_structure import IGNORED, UNKNOWN_STATE, CodonOptions, encode_states
from genoformer.training.codon_settings import CODON_BP, check_codon_settings, codon_rewriting
from genoformer.training.structure_data import StructureData


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


class CodonData(StructureData):
    """Coding sequences with states.

    Args:
        labels: Table, tab- or comma-separated with a header line, or a list of them.
        label_column: Column of the states, one letter per codon; "-" is unknown.
        sequence_column: Column of the bases.
        id_column: Column of the ids.
        group_column: Column of what must not be divided (family, cluster).
        split: File with id and part (train, validation, test) in each line, in place of the four that follow.
        by: "random", "group" or "column", see docs/tasks/function.md.
        validation: Fraction of the sequences, or names of groups.
        test: The same for the test part; nothing by default.
        split_seed: Decides random parts.
        batch_size: Sequences of one step of one process.
        samples_per_epoch: Sequences between two validations; by default all of them once.
        num_workers: Processes that load; 0 is fastest on a CPU.
        seed: Decides order and augmentation.
        crop_codons: Longest stretch in training.
        masked: Share of the codons that training reads as unknown.
        synonymous: Share of the codons that training draws anew among synonyms.
        substituted: Largest share of the codons for which training draws a similar amino acid.
        genetic_code: NCBI number for these draws; 1 is right wherever 11 is.
        k: Bases per token; follows model.k.
        stride: Bases that each token owns; follows model.stride.
        options: Settings of the task; follow model.options.
        n_global_tokens: Follows model.encoder; none are possible here.
        work_dir: Folder of the run.

    Raises:
        UsageError: If a number is out of range, or tokens are no codons.
    """

    def __init__(
        self,
        labels: str | list[str] | None = None,
        label_column: str = "states",
        sequence_column: str = "dna",
        id_column: str = "id",
        group_column: str | None = None,
        split: str | None = None,
        by: str = "random",
        validation: float | list[str] = 0.1,
        test: float | list[str] | None = None,
        split_seed: int = 0,
        batch_size: int = 8,
        samples_per_epoch: int | None = None,
        num_workers: int = 0,
        seed: int = 0,
        crop_codons: int = 256,
        masked: float = 0.0,
        synonymous: float = 0.0,
        substituted: float = 0.0,
        genetic_code: int = 1,
        k: int = 3,
        stride: int = 3,
        options: dict[str, bool | int | float | str] | None = None,
        n_global_tokens: int = 0,
        work_dir: str = ".",
    ) -> None:
        how = {"by": by, "validation": validation, "test": test, "seed": split_seed, "file": split}
        check_codon_settings(
            "codon_structure", k=k, stride=stride, n_global_tokens=n_global_tokens, crop_codons=crop_codons,
            shares=(masked, synonymous, substituted),
        )  # fmt: skip
        super().__init__(
            labels, how, KmerTokenizer(k=k, stride=stride), batch_size=batch_size,
            samples_per_epoch=samples_per_epoch, num_workers=num_workers, seed=seed, ignored=IGNORED,
        )  # fmt: skip
        self.columns = TableColumns(label_column, sequence_column, id_column, group_column)
        self.options = CodonOptions(**(options or {}))
        self.crop_codons, self.masked = crop_codons, masked
        self.rewriting = codon_rewriting(synonymous, substituted, genetic_code)
        self.channels: list[str] = []

    def read(self, log: WarningLog) -> list[LabelledSequence]:
        """Sequences with their states; DataError where these do not fit the codons."""
        found = read_label_table(self.paths, self.columns, [], log)
        for example in found:
            if len(example.codes) != CODON_BP * len(example.label):
                raise DataError(
                    "CODONS-001", f"{len(example.label)} states for {len(example.codes)} bases; a codon has one.",
                    where=example.where,
                )  # fmt: skip
        self.channels = sorted({letter for example in found for letter in example.label} - {UNKNOWN_STATE})
        if len(self.channels) < 2:
            raise DataError("CODONS-002", f"there is no more than one state: {self.channels}.", where=self.paths[0])
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
