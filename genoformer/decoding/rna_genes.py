"""Genes of rRNA and tRNA from what a model says of every base: the best path over stretches in which it says something.

A base in which no output reaches ``LEAST_STEP`` says that there is no gene. So what the model pass keeps is small, and
what a stretch gives depends on its bases alone, however the pass was divided. Each strand has a path of its own:
between genes, or in an rRNA or a tRNA gene. Lengths of tRNA genes have a cost, so that two neighbours come apart where
the outputs between them dip; lengths of rRNA genes differ too much for that, and only have a least one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numba
import numpy as np

from genoformer.annotation.models import RNA_KINDS

STEPS = 255
LEAST_STEP = 26
"""A probability of a tenth, in steps of 1/255: below it in every output a base says no."""
JOIN_BP = 32
"""Stretches further apart than this have nothing to do with each other: a path through so many bases that say no costs
far more than a second gene."""
LONGEST_STRETCH_BP = 100_000
"""Longer ones are cut, so that memory does not follow a model that sees RNA everywhere; no operon is half as long."""
MOST_ODDS = 4.0
"""A base counts no more than this, natural logarithm: neighbours say nearly the same, and are not so many witnesses."""
GENE_COST = 6.0
"""What a gene must be worth."""
SHORTEST_RRNA_BP = 60
"""Of 5S rRNA, the shortest one, half: the ends of a contig cut genes."""
SHORTEST_TRNA_BP, LONGEST_TRNA_BP = 40, 220
"""Of a piece at the end of a contig; of archaeal genes with an intron."""
USUAL_TRNA_BP = (65, 100)
TRNA_COSTS = (0.2, 0.1)
"""For each base less, and for each base more than usual: two genes a few bases apart come apart at a dip, an archaeal
gene with an intron stays one where there is none, up to 160 bases."""

Stretch = tuple[int, np.ndarray]
"""First base, and steps of both strands and kinds, uint8 [4, n]: rRNA and tRNA of "+", then of "-"."""


@dataclass(frozen=True)
class RnaCall:
    """A gene of rRNA or tRNA; 0-based, half-open, forward coordinates.

    Attributes:
        start: First base.
        end: One past the last.
        strand: 1 or -1.
        kind: ``models.RRNA_KIND`` or ``models.TRNA_KIND``.
        score: Mean probability of its bases; of a gene that a profile has found, its probability.
        product: What an rRNA is called, "" if nothing says which it is.
        anticodon: Of a tRNA, three letters, "" if nothing says which.
    """

    start: int
    end: int
    strand: int
    kind: str
    score: float
    product: str = ""
    anticodon: str = ""


def kept_runs(steps: np.ndarray) -> list[tuple[int, int]]:
    """Where bases say something, neighbours less than ``JOIN_BP`` apart as one: (start, end), ascending.

    Args:
        steps: uint8 [4, n].
    """
    says = np.flatnonzero((steps >= LEAST_STEP).any(axis=0))
    if len(says) == 0:
        return []
    cuts = np.flatnonzero(np.diff(says) > JOIN_BP)
    starts, ends = says[np.concatenate(([0], cuts + 1))], says[np.concatenate((cuts, [len(says) - 1]))] + 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def stretches(pieces: Iterable[Stretch]) -> Iterator[Stretch]:
    """Pieces joined to whole stretches that say something.

    Args:
        pieces: By start; they may overlap, then they say the same of each base.
    """
    held: list[Stretch] = []
    reach = 0
    for start, steps in pieces:
        if held and start - reach >= JOIN_BP:
            yield from _runs_of(*_joined(held, reach))
            held = []
        held.append((start, steps))
        reach = max(reach, start + steps.shape[1])
        while reach - held[0][0] > LONGEST_STRETCH_BP:
            first, joined = _joined(held, reach)
            yield from _runs_of(first, joined[:, :LONGEST_STRETCH_BP])
            held = [(first + LONGEST_STRETCH_BP, joined[:, LONGEST_STRETCH_BP:])]
    if held:
        yield from _runs_of(*_joined(held, reach))


def _joined(held: list[Stretch], reach: int) -> Stretch:
    """Pieces as one, up to a base."""
    first = held[0][0]
    joined = np.zeros((4, reach - first), np.uint8)
    for start, steps in held:
        joined[:, start - first : start - first + steps.shape[1]] = steps
    return first, joined


def _runs_of(first: int, joined: np.ndarray) -> Iterator[Stretch]:
    # What a base says that was kept only because of its neighbours depends on how the pass was divided.
    joined[:, (joined < LEAST_STEP).all(axis=0)] = 0
    for low, high in kept_runs(joined):
        yield first + low, joined[:, low:high]


def call_rna_genes(pieces: Iterable[Stretch], *, length: int | None = None) -> list[RnaCall]:
    """Genes of one record, by start.

    Args:
        pieces: What the model pass kept, as for ``stretches``.
        length: Of a circular record, in bp: a stretch over its origin is one, and its genes end behind the length;
            None for a linear one.
    """
    found = list(_closed(stretches(pieces), length) if length else stretches(pieces))
    calls = [call for start, steps in found for call in _calls(start, steps)]
    if length:
        calls = [_inside(call, length) for call in calls]
    return sorted(calls, key=lambda call: (call.start, call.end, call.strand, call.kind))


def _closed(found: Iterable[Stretch], length: int) -> Iterator[Stretch]:
    """Stretches of a circle: the first one is put behind the last one where they meet over the origin."""
    waiting = list(found)
    if len(waiting) > 1 and waiting[0][0] + length - (waiting[-1][0] + waiting[-1][1].shape[1]) < JOIN_BP:
        (start, steps), *middle, last = waiting
        yield from middle
        yield from stretches([last, (start + length, steps)])
    else:
        yield from waiting


def _inside(call: RnaCall, length: int) -> RnaCall:
    if call.start < length:
        return call
    return RnaCall(call.start - length, call.end - length, call.strand, call.kind, call.score)


def _calls(first: int, steps: np.ndarray) -> Iterator[RnaCall]:
    """Genes of one stretch."""
    shares = steps.astype(np.float64) / STEPS
    odds = np.log((steps + 0.5) / (STEPS + 0.5 - steps)).clip(-MOST_ODDS, MOST_ODDS)
    for row, strand in ((0, 1), (2, -1)):
        for start, end, kind in best_path(odds[row], odds[row + 1]):
            score = float(shares[row + kind, start:end].mean())
            yield RnaCall(first + start, first + end, strand, RNA_KINDS[kind], score)


def best_path(rrna: np.ndarray, trna: np.ndarray) -> list[tuple[int, int, int]]:
    """The genes of one strand that are worth most together.

    Args:
        rrna: Log-odds that a base lies in an rRNA gene, [n].
        trna: The same of tRNA.

    Returns:
        Start, end and number of the kind (0: rRNA), ascending.
    """
    lengths = np.arange(LONGEST_TRNA_BP + 1)
    low, high = USUAL_TRNA_BP
    costs = TRNA_COSTS[0] * (low - lengths).clip(0) + TRNA_COSTS[1] * (lengths - high).clip(0)
    sums = [np.concatenate(([0.0], np.cumsum(odds, dtype=np.float64))) for odds in (rrna, trna)]
    starts, kinds = _trace(sums[0], sums[1], costs, GENE_COST, SHORTEST_RRNA_BP, SHORTEST_TRNA_BP)
    found, at = [], len(rrna)
    while at > 0:
        if kinds[at] >= 0:
            found.append((int(starts[at]), at, int(kinds[at])))
        at = int(starts[at])
    return found[::-1]


@numba.njit(cache=True, nogil=True)
def _trace(rrna, trna, length_costs, gene_cost, shortest_rrna, shortest_trna):
    """Where the last step of the best path to each place begins, and the kind of the gene that it is, -1 for none.

    ``rrna`` and ``trna`` are sums of log-odds before each place, [n + 1].
    """
    n = len(rrna)
    best, starts, kinds = np.zeros(n), np.zeros(n, np.int64), np.full(n, -1, np.int64)
    opened, opened_at = -np.inf, 0  # the best place for an rRNA gene that is long enough to have begun there
    for at in range(1, n):
        best[at], starts[at] = best[at - 1], at - 1
        begin = at - shortest_rrna
        if begin >= 0:
            if best[begin] - rrna[begin] > opened:
                opened, opened_at = best[begin] - rrna[begin], begin
            worth = opened + rrna[at] - gene_cost
            if worth > best[at]:
                best[at], starts[at], kinds[at] = worth, opened_at, 0
        for length in range(shortest_trna, min(len(length_costs) - 1, at) + 1):
            begin = at - length
            worth = best[begin] + trna[at] - trna[begin] - length_costs[length] - gene_cost
            if worth > best[at]:
                best[at], starts[at], kinds[at] = worth, begin, 1
    return starts, kinds
