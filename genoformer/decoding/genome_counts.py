"""What is counted in the confident genes of a genome: hexamers, start codons, and the bases and motifs around starts.

Counts of several records add up.
"""

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field

import numba
import numpy as np

from genoformer.decoding.binding_site import SITE_FIRST, WINDOW_BP
from genoformer.decoding.orfs import EDGE_START

N_HEXAMERS = 4**6
N_MOTIFS = 4**5
CONTEXT = (-24, 30)
"""Bases around a start, from its first base; 0-based, half-open."""
MOTIF_FIRST, MOTIF_LAST = -20, -8
"""Where the five bases of a binding site may begin, from the first base of the start."""


@dataclass
class GenomeCounts:
    """Counts that statistics are made of; ``+`` adds records.

    Attributes:
        coding: In-frame hexamers of confident genes, [4096].
        background: Hexamers at every position of both strands, [4096].
        kinds: Start codons of confident genes, [65].
        context: Bases around starts, row 0 chosen, row 1 the other start codons of the same frames, [2, W, 4].
        motifs: Windows before a start that hold each 5-mer, chosen and others, [2, 1024].
        windows: Windows counted, chosen and others, [2].
        upstream: Base codes before confident genes, from ``SITE_FIRST`` on, 4 where there is none, [N, 18].
        network: Evidence of the model on the codons of confident genes, and how many these are, float64 [2].
    """

    coding: np.ndarray
    background: np.ndarray
    kinds: np.ndarray
    context: np.ndarray
    motifs: np.ndarray
    windows: np.ndarray
    upstream: np.ndarray
    network: np.ndarray = field(default_factory=lambda: np.zeros(2))

    @classmethod
    def zero(cls) -> "GenomeCounts":
        """Counts of nothing."""
        return cls(
            coding=np.zeros(N_HEXAMERS, np.int64),
            background=np.zeros(N_HEXAMERS, np.int64),
            kinds=np.zeros(EDGE_START + 1, np.int64),
            context=np.zeros((2, CONTEXT[1] - CONTEXT[0], 4), np.int64),
            motifs=np.zeros((2, N_MOTIFS), np.int64),
            windows=np.zeros(2, np.int64),
            upstream=np.empty((0, WINDOW_BP), np.uint8),
        )

    def __add__(self, other: "GenomeCounts") -> "GenomeCounts":
        return add_up((self, other))

    @property
    def gc(self) -> float:
        """GC content of the sequence; .5 where there is none."""
        by_base = self.background.reshape(4, -1).sum(axis=1)
        return float(by_base[1:3].sum() / by_base.sum()) if by_base.any() else 0.5

    def tables(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """All counts, in the order of the attributes."""
        return (self.coding, self.background, self.kinds, self.context, self.motifs, self.windows)


def add_up(parts: Iterable[GenomeCounts]) -> GenomeCounts:
    """The sum of any number of counts, each looked at once: a million records take no more than their own time."""
    total, upstream = GenomeCounts.zero(), bytearray()
    for part in parts:
        for table, more in zip(total.tables(), part.tables(), strict=True):
            table += more
        upstream += part.upstream.tobytes()
        total.network += part.network
    total.upstream = np.frombuffer(upstream, np.uint8).reshape(-1, WINDOW_BP)
    return total


def count_genes(
    codes: np.ndarray, candidates: np.ndarray, chosen: np.ndarray, background: np.ndarray | None = None
) -> GenomeCounts:
    """Counts of one record.

    Args:
        codes: uint8 base codes, forward strand, shape [L].
        candidates: Rows of ``CANDIDATE_DTYPE``.
        chosen: Rows that are confident genes; the other starts of their frames are what they are compared with.
        background: Of the record, where it was counted before.
    """
    counts = GenomeCounts.zero()
    if background is None:
        _count_background(codes, counts.background)
        counts.background += counts.background[_reverse_complement_hexamers()]
    else:
        counts.background = background
    is_chosen = np.zeros(len(candidates), np.bool_)
    is_chosen[chosen] = True
    of_gene = np.isin(candidates["orf"], candidates["orf"][chosen])
    of_gene &= candidates["kind"] != EDGE_START
    _count_starts(codes, *columns(candidates, of_gene), is_chosen[of_gene], *counts.tables())
    first, strand, _, _ = columns(candidates, of_gene & is_chosen)
    counts.upstream = np.empty((len(first), WINDOW_BP), np.uint8)
    copy_upstream(codes, first, strand, counts.upstream)
    counts.network = np.array([candidates[name][chosen].sum(dtype=np.float64) for name in ("codon_sum", "n_codons")])
    return counts


def columns(
    candidates: np.ndarray, rows: np.ndarray | slice = slice(None)
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """First base in reading direction, strand, start codon and number of codons of each row, or of some rows."""
    start, end, strand, kind, n_codons = (
        candidates[name][rows] for name in ("start", "end", "strand", "kind", "n_codons")
    )
    first = np.where(strand > 0, start, end - 1)
    return first, strand.astype(np.int64), kind.astype(np.int64), n_codons


@functools.cache
def _reverse_complement_hexamers() -> np.ndarray:
    numbers = np.arange(N_HEXAMERS)
    place = np.arange(6)[:, None]
    return ((3 - (numbers >> 2 * place & 3)) << 2 * (5 - place)).sum(axis=0)


@numba.njit(cache=True, nogil=True)
def word_at(codes, position, strand, n):
    """Number of the ``n`` bases read from ``position`` along the strand; -1 beyond an end or at an unknown base."""
    value = 0
    for i in range(n):
        at = position + strand * i
        if at < 0 or at >= len(codes) or codes[at] > 3:
            return -1
        value = value * 4 + np.int64(codes[at] if strand > 0 else 3 - codes[at])
    return value


@numba.njit(cache=True, nogil=True)
def _count_background(codes, background):
    value, known = 0, 0
    for code in codes:
        known = known + 1 if code < 4 else 0
        value = (value * 4 + np.int64(code & 3)) & 4095
        if known >= 6:
            background[value] += 1


@numba.njit(cache=True, nogil=True)
def _count_starts(codes, first, strand, kind, n_codons, chosen, coding, background, kinds, context, motifs, windows):
    seen = np.zeros(len(motifs[0]), np.int64)
    for row in range(len(first)):
        side = 0 if chosen[row] else 1
        if chosen[row]:
            kinds[kind[row]] += 1
            for i in range(n_codons[row] - 1):
                word = word_at(codes, first[row] + 3 * i * strand[row], strand[row], 6)
                if word >= 0:
                    coding[word] += 1
        windows[side] += 1
        for i in range(context.shape[1]):
            base = word_at(codes, first[row] + (i + CONTEXT[0]) * strand[row], strand[row], 1)
            if base >= 0:
                context[side, i, base] += 1
        for i in range(MOTIF_FIRST, MOTIF_LAST + 1):
            word = word_at(codes, first[row] + i * strand[row], strand[row], 5)
            if word >= 0 and seen[word] != row + 1:
                seen[word] = row + 1
                motifs[side, word] += 1


@numba.njit(cache=True, nogil=True)
def copy_upstream(codes, first, strand, out):
    for row in range(len(first)):
        for i in range(WINDOW_BP):
            base = word_at(codes, first[row] + (SITE_FIRST + i) * strand[row], strand[row], 1)
            out[row, i] = base if base >= 0 else 4
