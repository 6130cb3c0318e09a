"""Alternative transcripts: the next best chains of coding parts in the place of a gene, all other genes as they are.

A gene's room reaches from the gene before it to the one behind it, at most ``REACH_BP`` beyond the gene's own ends. An
alternative is a whole gene in that room, from start to stop codon, on the same strand, with another chain of coding
parts, at least one base of which is the same base of a codon as in the gene; it is worse than the gene by at most
``MARGIN``, and better than no gene. The best N are found exactly, in order: how good each beginning can become is known
(``completions``), and the beginning that promises most is continued first.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from genoformer.decoding.introns.completions import Room, complete, open_until
from genoformer.decoding.introns.evidence import BEGIN, ENTER, FINISH, LEAVE
from genoformer.decoding.introns.kept_scores import KeptScores, ScoredWindow
from genoformer.decoding.introns.state import BEGUN, ENTERED, NEVER, Tables

MARGIN = 10.0
"""How much worse an alternative may be, in log-odds as the decoder adds them up."""
REACH_BP = 5_000
"""How far beyond the ends of a gene its alternatives may reach."""
PATIENCE_BP = 250_000
"""Where so many bases behind a gene no other one is certain, none lies beside it."""

Parts = tuple[tuple[int, int], ...]


class Alternatives:
    """Adds their alternatives to the rows of genes, while a stretch is decoded.

    Args:
        tables: Of the decoder.
        kept: What the stretch was scored with, as far as it was scored.
        codes: uint8 base codes of the record up to the end of the stretch.
        start: First base of the stretch.
        n: Alternatives of a gene, at most.
        margin: See ``MARGIN``.
    """

    def __init__(
        self, tables: Tables, kept: KeptScores, codes: np.ndarray, start: int, n: int, margin: float = MARGIN
    ) -> None:
        self._tables, self._kept, self._codes, self._end = tables, kept, codes, len(codes)
        self._n, self._margin = n, margin
        self._before = start
        self._waiting: list[np.ndarray] = []

    def fill(self, genes: Iterable[np.ndarray], reached: int) -> Iterator[np.ndarray]:
        """Genes whose neighbours are known, in order, each with its alternatives behind it.

        Args:
            genes: Rows of ``PART_DTYPE`` of genes behind all those given before.
            reached: One behind the last base that was kept.
        """
        self._waiting += genes
        while self._waiting:
            rows = self._waiting[0]
            start, end = int(rows["low"][0]), int(rows["high"][0])
            if len(self._waiting) > 1:
                limit = int(self._waiting[1]["low"][0])
            elif reached >= self._end or reached > end + PATIENCE_BP:
                limit = self._end
            else:
                return
            low, high = max(self._before, start - REACH_BP), min(limit, end + REACH_BP)
            self._before = end
            yield np.concatenate([rows, *self._alternatives(rows, low, high)])
            self._waiting.pop(0)

    def _alternatives(self, rows: np.ndarray, low: int, high: int) -> Iterator[np.ndarray]:
        """Rows of each alternative of a gene, best first; none of one that the record cuts off."""
        if rows["cut_low"][0] or rows["cut_high"][0] or not self._kept.has(low):
            return
        strand = 0 if rows["strand"][0] == 1 else 1
        window = self._kept.window(low, high + 1)
        room = make_room(self._tables, window, self._codes, strand)
        own = tuple((int(start) - low, int(end) - low) for start, end in zip(rows["start"], rows["end"], strict=True))
        n = 0
        for loss, parts in best_chains(self._tables, room, self._margin):
            if parts == own or not share_codons(parts, own):
                continue
            n += 1
            yield _rows_of(rows, room, window, parts, n, loss)
            if n == self._n:
                return


def _rows_of(
    gene: np.ndarray, room: Room, window: ScoredWindow, parts: Parts, number: int, loss: float
) -> np.ndarray:  # fmt: skip
    """Rows of an alternative: those of its gene with other places; nothing is known of its ends."""
    rows = np.repeat(gene[:1], len(parts))
    rows["transcript"], rows["score"] = number, gene["score"][0] - loss
    rows["start"], rows["end"] = np.array(parts).T + window.start
    rows["codon_evidence"] = rows["low_margin"] = rows["high_margin"] = NEVER
    first, last = parts[0][0], parts[-1][1]
    emit = window.emit[room.strand, 6]
    rows["low"] = window.start + first - _untranslated_bp(emit[:first][::-1], room.before[first])
    rows["high"] = window.start + last + _untranslated_bp(emit[last:-1], room.behind[last])
    return rows


def _untranslated_bp(emit: np.ndarray, gain: float) -> int:
    """Length of the best untranslated region, away from the coding sequence; 0 where none gains anything."""
    return 0 if gain == 0 else int(np.argmax(np.cumsum(emit))) + 1


def make_room(tables: Tables, window: ScoredWindow, codes: np.ndarray, strand: int) -> Room:
    """What genes on a strand are scored with.

    Args:
        tables: Of the decoder.
        window: Scores; its last boundary lies behind its last base.
        codes: uint8 base codes of the record up to the end of the stretch.
        strand: 0 for "+", 1 for "-".
    """
    n, start = window.pairs.shape[2], window.start
    emit, places = window.emit[strand], np.arange(n)
    by_frame = np.stack([emit[(places - frame) % 3, places] for frame in range(3)])
    bases = np.full(n + 5, 4, np.int64)  # from three before the first boundary on
    low, high = max(0, start - 3), min(len(codes), start + n + 2)
    bases[low - start + 3 : high - start + 3] = np.minimum(codes[low:high], 4)
    # Two bases behind a boundary count as known only where both are there, as in the scan.
    following = np.where(start + places + 1 < len(codes), 5 * bases[3 : n + 3] + bases[4 : n + 4], 24)
    read = np.stack([np.zeros(n, np.int64), bases[2 : n + 2], 5 * bases[1 : n + 1] + bases[2 : n + 2]])
    return Room(
        strand=strand,
        sites=np.ascontiguousarray(window.sites[strand]),
        pairs=np.ascontiguousarray(window.pairs[strand]),
        coding=_sums(by_frame),
        introns=_sums(emit[3:6]),
        before=_untranslated(tables, emit[6, :-1]),
        behind=_untranslated(tables, emit[6, :-1][::-1])[::-1].copy(),
        stops=_next_stops(tables.stops[strand, bases[:n], bases[1 : n + 1], bases[2 : n + 2]] & (start + places >= 3)),
        classes=np.stack([tables.classes[strand, phase, read[phase]] for phase in range(3)]),
        following=following,
    )


def _sums(values: np.ndarray) -> np.ndarray:
    """Sums over what lies before each boundary, [..., n]; the last base lies behind the last boundary."""
    return np.pad(np.cumsum(values[:, :-1], axis=1), ((0, 0), (1, 0)))


def _untranslated(tables: Tables, emit: np.ndarray) -> np.ndarray:
    """What the best untranslated region that ends at each boundary gains, 0 where none does, [n]."""
    sums = np.pad(np.cumsum(emit), (1, 0))
    lowest = np.minimum.accumulate(sums)
    gains = np.zeros(len(sums))
    gains[1:] = np.maximum(tables.costs[2] + sums[1:] - lowest[:-1], 0.0)
    return gains


def _next_stops(ends: np.ndarray) -> np.ndarray:
    """For each boundary the next one of its frame where a stop codon ends, int64 [n]."""
    n = len(ends)
    found = np.where(ends, np.arange(n), n)
    for frame in range(3):
        found[frame::3] = np.minimum.accumulate(found[frame::3][::-1])[::-1]
    return found


def best_chains(tables: Tables, room: Room, margin: float) -> Iterator[tuple[float, Parts]]:
    """Chains of coding parts of whole genes in a room, best first, with what they lose to the best.

    Args:
        tables: Of the decoder.
        room: Where they lie; parts count from its first boundary.
        margin: Those that lose more are left out, and those that are no better than no gene.
    """
    begun, entered, left = complete(tables, room)
    starts = np.flatnonzero(begun > NEVER)
    scores = tables.costs[0] + room.before[starts] + room.sites[BEGIN, starts]
    promised = scores + begun[starts]
    best = float(promised.max(initial=NEVER))
    floor = max(best - margin, 0.0)
    grow = _Growth(tables, room, entered, left, floor)
    # What a beginning promises, its boundaries, whether it is whole, its score, bases of the codon read so far.
    heap = [
        (-promise, (k,), False, score, 0) for promise, k, score in _lists(promised, starts, scores) if promise > floor
    ]
    heapq.heapify(heap)
    while heap:
        _, places, is_whole, score, read = heapq.heappop(heap)
        if is_whole:
            yield max(best - score, 0.0), tuple(zip(places[::2], places[1::2], strict=True))
            continue
        more = grow.exon(places, score, read) if len(places) % 2 else grow.intron(places, score, read)
        for one in more:
            heapq.heappush(heap, one)


class _Growth:
    """Continues beginnings of genes by one boundary.

    Args:
        tables: Of the decoder.
        room: Where the genes lie.
        entered, left: From ``complete``.
        floor: What promises no more is left out.
    """

    def __init__(self, tables: Tables, room: Room, entered: np.ndarray, left: np.ndarray, floor: float) -> None:
        self._tables, self._room, self._entered, self._left, self._floor = tables, room, entered, left, floor
        self._leaves, self._finishes, self._enters = (
            np.flatnonzero(room.sites[kind] > NEVER) for kind in (LEAVE, FINISH, ENTER)
        )

    def exon(self, places: tuple[int, ...], score: float, read: int) -> Iterator[tuple]:
        """With the end of the exon that is open."""
        room, tables, k = self._room, self._tables, places[-1]
        frame, kind = (k - read) % 3, BEGUN if len(places) == 1 else ENTERED
        limit = open_until(room, kind, frame, k)
        here = score - room.coding[frame, k]
        ends = _between(self._leaves, k, limit)
        phases = (ends - frame) % 3
        scores = here + room.coding[frame, ends] + room.sites[LEAVE, ends] + tables.costs[1]
        scores += self._lengths(kind, ENTERED, ends - k)
        yield from self._kept(places, ends, False, scores, scores + self._left[phases, ends], phases)
        ends = _between(self._finishes, k, limit + 1)
        ends = ends[ends % 3 == frame]
        scores = here + room.coding[frame, ends] + room.sites[FINISH, ends] + room.behind[ends]
        scores += self._lengths(kind, BEGUN, ends - k)
        yield from self._kept(places, ends, True, scores, scores, np.zeros(len(ends), np.int64))

    def intron(self, places: tuple[int, ...], score: float, read: int) -> Iterator[tuple]:
        """With the end of the intron that is open."""
        room, tables, k = self._room, self._tables, places[-1]
        ends = _between(self._enters, k, room.sites.shape[1])
        blocked = tables.blocked[room.strand, read, room.classes[read, k]]
        ends = ends[(room.pairs[1, ends] == room.pairs[0, k]) & ~blocked[room.following[ends]]]
        last = len(tables.intron_logs) - 1
        lengths = ends - k
        scores = score + room.introns[read, ends] - room.introns[read, k] + room.sites[ENTER, ends]
        scores += tables.intron_logs[np.minimum(lengths, last)] + tables.intron_slope * np.maximum(lengths - last, 0)
        promised = scores + self._entered[read, ends]
        yield from self._kept(places, ends, False, scores, promised, np.full(len(ends), read))

    def _lengths(self, kind: int, ends: int, lengths: np.ndarray) -> np.ndarray:
        logs, slope = self._tables.exon_logs[self._room.strand, kind, ends], self._tables.exon_slope
        last = len(logs) - 1
        return logs[np.minimum(lengths, last)] + slope * np.maximum(lengths - last, 0)

    def _kept(
        self, places: tuple[int, ...], ends: np.ndarray, is_whole: bool, scores: np.ndarray, promised: np.ndarray,
        read: np.ndarray,
    ) -> Iterator[tuple]:  # fmt: skip
        for promise, end, score, phase in _lists(promised, ends, scores, read):
            if promise > self._floor:
                yield -promise, (*places, end), is_whole, score, phase


def _between(places: np.ndarray, after: int, before: int) -> np.ndarray:
    """Those of sorted places that lie behind one boundary and before another."""
    return places[np.searchsorted(places, after, "right") : np.searchsorted(places, before, "left")]


def _lists(*arrays: np.ndarray) -> Iterator[tuple]:
    return zip(*(array.tolist() for array in arrays), strict=True)


def share_codons(one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]) -> bool:
    """Whether any base is the same base of a codon in two whole genes of one strand."""
    framed = [list(_with_frames(parts)) for parts in (one, other)]
    return any(
        max(start, low) < min(end, high) and frame == other_frame
        for start, end, frame in framed[0]
        for low, high, other_frame in framed[1]
    )


def _with_frames(parts: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    read = 0
    for start, end in parts:
        yield start, end, (start - read) % 3
        read += end - start
