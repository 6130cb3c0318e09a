"""RNA genes of records while genes of proteins are looked for.

They come from the profiles of a model, which read the sequence, or from its outputs, of which the model pass keeps what
is needed.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from genoformer.annotation.models import RNA_KINDS, RnaGene
from genoformer.annotation.read_bed import merge_intervals
from genoformer.applications.genes.kept_tracks import ORIGIN_MARGIN_BP, KeptTracks, OnPiece
from genoformer.decoding.masking import mostly_inside, open_intervals
from genoformer.decoding.options import CallOptions
from genoformer.decoding.rna.finder import RnaFinder
from genoformer.decoding.rna.transfer import trna_product
from genoformer.decoding.rna_genes import RnaCall, call_rna_genes, kept_runs
from genoformer.inference.tracks import STRANDS, STRETCH_FILES, HeldSteps, TrackStore

CHANNELS = ("rrna", "trna")
"""Outputs of a model that finds RNA genes, see ``tasks.gene_structure``."""


def profiles_of(finder: Any) -> RnaFinder | None:
    """The profiles of a finder's model; None where it has none."""
    return getattr(finder, "rna", None)


def reads_outputs(finder: Any) -> bool:
    """Whether RNA genes come from the outputs of a finder's model: it has some, and no profiles, which see far more."""
    return set(CHANNELS) <= set(finder.channels) and profiles_of(finder) is None


def finds_rna(finder: Any) -> bool:
    """Whether a finder looks for RNA genes."""
    return reads_outputs(finder) or profiles_of(finder) is not None


class KeptStretches(KeptTracks):
    """Keeps stretches of records in which the model sees RNA genes."""

    files = STRETCH_FILES

    @property
    def columns(self) -> list[int]:
        """The outputs that are kept: those of RNA genes."""
        return [self.finder.channels.index(name) for name in CHANNELS]

    def add(self, number: int, start: int, steps: np.ndarray) -> None:
        """Keep the stretches among bases of a record from ``start`` on, uint8 [4, n]."""
        for begin, finish in kept_runs(steps):
            self.kept.add(number, start + begin, steps[:, begin:finish])


@dataclass(frozen=True)
class KeptOutputs:
    """Several that keep outputs of bases as one; used as each of them is."""

    parts: tuple[Any, ...]

    @property
    def kept(self) -> "KeptOutputs":
        """Where they are kept."""
        return self

    def of(self, number: int, codes: np.ndarray, options: CallOptions, owned_from: int) -> OnPiece:
        """What is called with the outputs of one record."""
        keepers = [part.of(number, codes, options, owned_from) for part in self.parts]

        def keep(start: int, end: int, logits: np.ndarray) -> None:
            for each in keepers:
                each(start, end, logits)

        return keep

    def flush(self) -> list[str]:
        """Put on disk what was gathered; names of the files."""
        return [name for part in self.parts for name in part.kept.flush()]

    def is_intact(self, name: str) -> bool:
        """Whether a file is there and as it was written."""
        return all(part.kept.is_intact(name) for part in self.parts)

    def keep(self, names: set[str]) -> None:
        """Keep these files of an interrupted run, and no others."""
        for part in self.parts:
            part.kept.keep(names)


@dataclass(frozen=True)
class RnaGenes:
    """The RNA genes of records.

    Attributes:
        store: What a model pass has kept; None where no outputs are read.
        shift: Of its coordinates, as in ``KeptStretches``.
        profiles: What reads the sequence instead.
    """

    store: TrackStore | HeldSteps | None
    shift: int = 0
    profiles: RnaFinder | None = None
    _kept: dict[int, list[RnaCall]] = field(default_factory=dict, repr=False)

    @classmethod
    def in_folders(cls, finder: Any, folders: list[Path], shift: int) -> "RnaGenes":
        """By the profiles of a finder, or by what passes have kept in files."""
        store = TrackStore(*folders, files=STRETCH_FILES) if reads_outputs(finder) else None
        return cls(store, shift, profiles_of(finder))

    def calls(self, number: int, codes: np.ndarray, options: CallOptions, *, keep: bool = False) -> list[RnaCall]:
        """The genes of a record, in coordinates of the stretch that is looked at.

        Args:
            number: Of the record in the input.
            codes: uint8 base codes of the stretch, [L].
            options: Circular or not.
            keep: The record will be asked for again.
        """
        found = self._kept.pop(number, None)
        if found is None:
            found = self._calls(number, codes, options.circular)
        if keep:
            self._kept[number] = found
        return found

    def _calls(self, number: int, codes: np.ndarray, circular: bool) -> list[RnaCall]:
        if self.profiles is not None:
            return self.profiles.calls(codes, circular=circular)
        if self.store is None:
            return []
        rows = [self.store.pieces(number, row) for row in range(len(STRANDS) * len(CHANNELS))]
        pieces = (
            (parts[0][0] - self.shift, np.stack([steps for _, steps in parts])) for parts in zip(*rows, strict=True)
        )
        return call_rna_genes(pieces, length=len(codes) if circular else None)

    def placed(self, record_id: str, calls: list[RnaCall], genetic_code: int) -> list[RnaGene]:
        """The same genes in coordinates of their record; a genetic code says what tRNAs carry."""
        return [
            RnaGene(
                record_id, call.start + self.shift, call.end + self.shift, "+" if call.strand > 0 else "-", call.kind,
                product=trna_product(call.anticodon, genetic_code) if call.anticodon else call.product,
                score=call.score,
            )
            for call in calls
        ]  # fmt: skip


def without_rna(rows: np.ndarray, calls: list[RnaCall], codes: np.ndarray, options: CallOptions) -> np.ndarray:
    """Candidates that do not lie in RNA genes: those of which at most half does, on either strand.

    Args:
        rows: Candidates in coordinates of the record's opened form.
        calls: RNA genes of the record.
        codes: uint8 base codes of the record, [L].
        options: Circular or not.
    """
    if not calls or not len(rows):
        return rows
    intervals = merge_intervals(np.array([(call.start, call.end) for call in calls], np.int64))
    if options.circular:
        intervals = open_intervals(intervals, length=len(codes), margin=min(ORIGIN_MARGIN_BP, len(codes)))
    return rows[~mostly_inside(rows["start"], rows["end"], intervals)]


class RnaTally:
    """Counts RNA genes.

    Args:
        is_asked: Such genes are looked for.
    """

    def __init__(self, is_asked: bool) -> None:
        self.is_asked = is_asked
        self.counts = dict.fromkeys(RNA_KINDS, 0)

    def add(self, genes: list[RnaGene]) -> dict[str, Any]:
        """Count the genes of one record; gives what writers are told of them."""
        for gene in genes:
            self.counts[gene.kind] += 1
        return {"rna_genes": genes} if self.is_asked else {}

    def summary(self) -> dict[str, Any]:
        """What ``summary.json`` says; nothing for models without."""
        return {"rna_genes": self.counts} if self.is_asked else {}
