"""RNA genes of records while genes of proteins are looked for: what the profiles of a model find in the sequence."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genoformer.annotation.models import RNA_KINDS, RnaGene
from genoformer.annotation.read_bed import merge_intervals
from genoformer.applications.genes.kept_tracks import ORIGIN_MARGIN_BP
from genoformer.decoding.masking import mostly_inside, open_intervals
from genoformer.decoding.options import CallOptions
from genoformer.decoding.rna.call import RnaCall
from genoformer.decoding.rna.finder import RnaFinder
from genoformer.decoding.rna.transfer import trna_product


def profiles_of(finder: Any) -> RnaFinder | None:
    """The profiles of a finder's model; None where it has none."""
    return getattr(finder, "rna", None)


@dataclass(frozen=True)
class RnaGenes:
    """The RNA genes of records.

    Attributes:
        profiles: What reads the sequence; None finds nothing.
        shift: Of the coordinates of what is looked at, see ``kept_tracks.KeptTracks``.
    """

    profiles: RnaFinder | None
    shift: int = 0
    _kept: dict[int, list[RnaCall]] = field(default_factory=dict, repr=False)

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
            found = [] if self.profiles is None else self.profiles.calls(codes, circular=options.circular)
        if keep:
            self._kept[number] = found
        return found

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
