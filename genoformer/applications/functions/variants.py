"""What variants change about the outputs of a model of whole sequences: records, or the genes of an annotation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.applications.functions.caller import FunctionCaller
from genoformer.bundle.folder import Bundle
from genoformer.errors import UsageError, WarningLog
from genoformer.inference.interface import OnBases, Speed
from genoformer.sequence.alphabet import N_CODE
from genoformer.sequence.records import Record
from genoformer.variants.alleles import Change
from genoformer.variants.consequences import GeneIndex, changed_bases
from genoformer.variants.interface import Genome, ModelSays, VariantOptions
from genoformer.variants.reports import OutputChange

ALL_TOLD = 20
"""Models with more outputs than this tell only those that change enough, and always the one that changes most."""

Pair = tuple[str, np.ndarray, np.ndarray]
"""Name of a sequence, its bases, and those with a change."""


@dataclass
class FunctionVariants:
    """A model of whole sequences; see ``variants.interface.VariantModel``.

    Attributes:
        caller: The model.
        options: What the user decides.
    """

    caller: FunctionCaller
    options: VariantOptions
    _genome: Genome | None = None
    _known: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def from_bundle(cls, bundle: Bundle, speed: Speed, options: VariantOptions) -> Self:
        """Make ready; DataError if the model was not calibrated."""
        caller = FunctionCaller.from_bundle(bundle, speed)
        _ = caller.calibration
        return cls(caller, options)

    @property
    def precision(self) -> str:
        return self.caller.precision

    def needed_bytes(self, n_bases: int) -> int:
        """Nothing is kept."""
        return 0

    def prepare(self, genome: Genome, work: Path, on_bases: OnBases, warnings: WarningLog) -> None:
        """Check that the model can read what there is; see ``VariantModel``.

        Raises:
            UsageError: If a record is longer than the model reads, and there is no annotation.
        """
        self._genome = genome
        for _, record in genome.read():
            if genome.genes is None and len(record) > self.caller.max_bp:
                message = (
                    f'record "{record.id}" has {len(record):,} bases; the model reads up to {self.caller.max_bp:,}.'
                )
                fix = "Give --annotation: then the coding sequences of its genes are looked at."
                raise UsageError("VARIANTS-014", message, where="--model", fix=fix)
            on_bases(len(record))

    def genes(self, number: int, record: Record) -> list[Gene]:
        """None: the model finds no genes."""
        return []

    def judge(self, number: int, record: Record, changes: Sequence[Change]) -> Iterator[ModelSays]:
        """The change of each output; see ``VariantModel``."""
        index = self._index(record)
        pairs = [list(self._pairs(record, index, change)) for change in changes]
        self._look(pair for of_one in pairs for pair in of_one)
        after = self._numbers([changed for of_one in pairs for _, _, changed in of_one])
        at = 0
        for of_one in pairs:
            told: list[OutputChange] = []
            for name, _, _ in of_one:
                told += self._told(name, self._known[name], after[at])
                at += 1
            yield ModelSays(outputs=tuple(told))

    def _index(self, record: Record) -> GeneIndex | None:
        if self._genome is None or self._genome.genes is None:
            return None
        code = self.options.genetic_code or self.caller.bundle.config.genetic_code
        genes = self._genome.genes.get(record.id, [])
        self._known = {}
        return GeneIndex(genes, record.codes, code, self.options.is_circular(record))

    def _pairs(self, record: Record, index: GeneIndex | None, change: Change) -> Iterator[Pair]:
        """Sequences that a change is in."""
        if index is None:
            yield record.id, record.codes, change.applied_to(record.codes)
            return
        for coding, turn in index.around(change.start, change.end):
            bases = changed_bases(change.shifted(turn), coding)
            if bases is not None:
                yield coding.name, coding.bases, bases

    def _look(self, pairs: Iterator[Pair]) -> None:
        """Ask the model about sequences of the reference that it was not asked about yet."""
        missing = {name: bases for name, bases, _ in pairs if name not in self._known}
        self._known |= dict(zip(missing, self._numbers(list(missing.values())), strict=True))

    def _numbers(self, sequences: list[np.ndarray]) -> np.ndarray:
        """Probabilities, or numbers in the units of the labels, float64 [n, C]; of an empty sequence as of one N."""
        if not sequences:
            return np.empty((0, len(self.caller.task.channels)))
        read = [bases if len(bases) else np.full(1, N_CODE, np.uint8) for bases in sequences]
        return self.caller.probabilities(self.caller.outputs(read))

    def _told(self, name: str, before: np.ndarray, after: np.ndarray) -> Iterator[OutputChange]:
        change = np.abs(after - before)
        channels = self.caller.task.channels
        is_told = np.full(len(channels), True) if len(channels) <= ALL_TOLD else change >= self.options.min_change
        is_told[int(change.argmax())] = True
        for i in np.flatnonzero(is_told):
            yield OutputChange(name, channels[i], float(before[i]), float(after[i]))
