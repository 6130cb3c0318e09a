"""What a scan for genes with introns keeps: tables that stay, and every hypothesis that is alive."""

from typing import NamedTuple

import numpy as np

NEVER = -np.inf
# Columns of a node: exon (start, end), the node before it, start of the untranslated region, what it is (bits).
N_START, N_END, N_BEFORE, N_LEFT, N_BITS = range(5)
MINUS, FIRST, LAST, CUT_LOW, CUT_HIGH, GENE_END = 1, 2, 4, 8, 16, 32
"""Bits of a node: strand; first and last exon of a gene, low to high; that exon is cut off by the record's end.
GENE_END is no exon, but the place where a gene with its untranslated region ends."""
PHASE_SHIFT = 8
"""From this bit on: bases of the codon that lie before the exon, low to high."""

N_CLASSES = 8
X_POS, X_BEFORE, X_LEFT, X_KIND = range(4)
ENTERED, BEGUN, CUT = range(3)
"""How an exon begins, and in the same order how it ends."""
D_POS, D_NODE, D_CLASS, D_PAIR = range(4)


class Tables(NamedTuple):
    """What does not change along a record.

    Attributes:
        exon_logs: float64 [2, 3, 3, n]: by strand, how the exon begins (entered from an intron, begins coding sequence,
            cut off), how it ends (left for an intron, ends coding sequence, cut off), and length.
        exon_slope: Added for each base beyond the table.
        intron_logs: float64 [n].
        intron_slope: Added for each base beyond the table.
        stops: bool [2, 5, 5, 5]: triplets that are stop codons, low to high.
        classes: int64 [2, 3, 25]: by strand, bases of the codon read (0, 1, 2) and these bases, the class.
        blocked: bool [2, 3, 8, 25]: which two bases behind the intron make a stop codon with each class.
        costs: float64 [4]: gene, intron, untranslated region, edge.
    """

    exon_logs: np.ndarray
    exon_slope: float
    intron_logs: np.ndarray
    intron_slope: float
    stops: np.ndarray
    classes: np.ndarray
    blocked: np.ndarray
    costs: np.ndarray


class State(NamedTuple):
    """Every hypothesis that is alive; arrays that the scan changes in place.

    Attributes:
        value: float64 [17]: intergenic; before and behind coding sequence (2 strands each); sums of coding scores by
            strand and frame (6); sums of intron scores by strand and phase (6).
        link: int64 [7]: node of intergenic; before coding sequence: node, start (2 × 2); behind it: node (2).
        exon_value: float64 [2, 3, cap]: open exons by strand and frame, in order of their starts.
        exon_link: int64 [2, 3, cap, 4].
        exon_range: int64 [2, 3, 2]: which of them are in use.
        far_exon_value: float64 [2, 3, 3]: the best that is longer than the table, by how it begins.
        far_exon_link: int64 [2, 3, 3, 4].
        intron_value: float64 [2, 3, cap]: open introns by strand and phase.
        intron_link: int64 [2, 3, cap, 4].
        intron_range: int64 [2, 3, 2].
        far_intron_value: float64 [2, 3, 8, 2]: the best that is longer than the table, by class and pair.
        far_intron_link: int64 [2, 3, 8, 2].
    """

    value: np.ndarray
    link: np.ndarray
    exon_value: np.ndarray
    exon_link: np.ndarray
    exon_range: np.ndarray
    far_exon_value: np.ndarray
    far_exon_link: np.ndarray
    intron_value: np.ndarray
    intron_link: np.ndarray
    intron_range: np.ndarray
    far_intron_value: np.ndarray
    far_intron_link: np.ndarray


BEFORE, BEHIND, CODING_SUM, INTRON_SUM = 1, 3, 5, 11
L_BEFORE, L_BEFORE_START, L_BEHIND = 1, 3, 5


def new_state(tables: Tables, start: int) -> State:
    """A scan that begins at base ``start``: intergenic, or in the middle of a gene that is cut off there."""
    exon_cap, intron_cap = 3 * tables.exon_logs.shape[-1] + 16, 2 * len(tables.intron_logs) + 16
    state = State(
        value=np.zeros(17),
        link=np.full(7, -1, dtype=np.int64),
        exon_value=np.empty((2, 3, exon_cap)),
        exon_link=np.empty((2, 3, exon_cap, 4), dtype=np.int64),
        exon_range=np.zeros((2, 3, 2), dtype=np.int64),
        far_exon_value=np.full((2, 3, 3), NEVER),
        far_exon_link=np.full((2, 3, 3, 4), -1, dtype=np.int64),
        intron_value=np.empty((2, 3, intron_cap)),
        intron_link=np.empty((2, 3, intron_cap, 4), dtype=np.int64),
        intron_range=np.zeros((2, 3, 2), dtype=np.int64),
        far_intron_value=np.full((2, 3, N_CLASSES, 2), NEVER),
        far_intron_link=np.full((2, 3, N_CLASSES, 2), -1, dtype=np.int64),
    )
    state.value[BEFORE:CODING_SUM] = NEVER
    cut = tables.costs[0] + tables.costs[3]
    state.far_intron_value[:, :, 0, 0] = cut + tables.costs[1] - tables.intron_slope * start
    for strand in (0, 1):
        for frame in range(3):
            state.exon_value[strand, frame, 0] = cut
            state.exon_link[strand, frame, 0] = (start, -1, start, CUT)
            state.exon_range[strand, frame] = (0, 1)
    return state
