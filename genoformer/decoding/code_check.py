"""Do the genes found speak for another genetic code: one in which UGA is no stop.

Read with code 11, a gene of Mycoplasma falls to pieces at its tryptophan codons: each piece ends at UGA, and the next
one begins behind it in the same frame. In a genome of code 11 a neighbour behind UGA is in the same frame as seldom as
behind the other stops.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.sequence.alphabet import encode_bases

CONTINUED_WITHIN_BP = 150
FEW_GENES = 64
"""Of so many all pairs are looked at: a contig is done in one look."""
MIN_GENES = 40
"""Fewer genes that end at UGA are not enough to tell."""
CONTINUED_SHARE, TIMES_OTHERS = 0.35, 2.0
"""More than this share of them continued, and this many times the share of other stops, speaks for another code.

Half a megabase of M. mycoides read with code 11: .44 behind UGA, .16 behind other stops; of H. influenzae: .11, .20.
"""


@dataclass
class StopCounts:
    """Genes by stop codon, and how many of them the next gene continues in the same frame.

    Attributes:
        uga: Genes that end at UGA.
        uga_continued: Those with a gene behind them in the same frame.
        others: Genes that end at another stop codon.
        others_continued: The same of these.
    """

    uga: int = 0
    uga_continued: int = 0
    others: int = 0
    others_continued: int = 0

    def add(self, codes: np.ndarray, genes: Sequence[Gene]) -> None:
        """Count the genes of one record.

        Args:
            codes: uint8 base codes, forward strand, shape [L].
            genes: Of the record; those over an origin or without a stop codon are left out.
        """
        whole = [gene for gene in genes if gene.end <= len(codes) and not gene.partial_3]
        for strand, stop in (("+", "TGA"), ("-", "TCA")):
            own = [gene for gene in whole if gene.strand == strand]
            if not own:
                continue
            ends = np.array([g.end if strand == "+" else -g.start for g in own], np.int64)
            begins = np.sort(np.array([g.start if strand == "+" else -g.end for g in own], np.int64))
            stops = np.array([codes[g.end - 3 : g.end] if strand == "+" else codes[g.start : g.start + 3] for g in own])
            is_uga = (stops.reshape(-1, 3) == encode_bases(stop)).all(axis=1)
            continued = _has_next_in_frame(ends, begins)
            self.uga += int(is_uga.sum())
            self.others += int((~is_uga).sum())
            self.uga_continued += int((is_uga & continued).sum())
            self.others_continued += int((~is_uga & continued).sum())

    def speaks_against(self) -> bool:
        """Whether UGA is most likely no stop in this genome."""
        if self.uga < MIN_GENES:
            return False
        share, others = self.uga_continued / self.uga, self.others_continued / max(self.others, 1)
        return share > CONTINUED_SHARE and share > TIMES_OTHERS * others


def _has_next_in_frame(ends: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """True where a gene begins behind ``ends`` within reach and in the same frame; ``begins`` is sorted. bool [N]."""
    if len(ends) <= FEW_GENES:
        gaps = begins - ends[:, None]
        return ((gaps >= 0) & (gaps <= CONTINUED_WITHIN_BP) & (gaps % 3 == 0)).any(axis=1)
    found = np.zeros(len(ends), bool)
    for gap in range(0, CONTINUED_WITHIN_BP + 1, 3):
        at = np.searchsorted(begins, ends + gap)
        found |= (at < len(begins)) & (begins[np.minimum(at, len(begins) - 1)] == ends + gap)
    return found
