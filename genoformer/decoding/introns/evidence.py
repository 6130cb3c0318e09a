"""Outputs of the model and bases → scores of every base and boundary, as the path over both strands adds them up.

A record is scanned from low to high coordinates on both strands at once. On "-" a gene therefore begins with its stop
codon, and the mirrored rules hold. A boundary ``i`` lies before base ``i``. For either strand there are four kinds of
boundary: coding sequence begins, ends, is left for an intron, is entered from an intron, each low to high.
"""

from dataclasses import dataclass

import numpy as np

from genoformer.annotation.genetic_code import GeneticCode
from genoformer.decoding.introns.motifs import Motifs
from genoformer.decoding.introns.weights import SITE_KINDS, IntronDecoder

BEGIN, FINISH, LEAVE, ENTER = range(4)
START, STOP, DONOR, ACCEPTOR = 8, 9, 10, 11
"""Channels of the model; 0 to 7 are the states."""

LOOKAHEAD_BP = 3
"""Scores of a boundary need outputs of up to three bases on both sides."""

CLIP = 8.0
"""Log-odds of one base are cut to this: no base alone outweighs ten others."""

_A, _C, _G, _T = range(4)
# Kind of intron by the two bases at its low end and at its high end; on "-" they are the complement of the other end.
_LOW = (((_G, _T, 0, 0), (_G, _C, 0, 1), (_A, _T, 1, 2)), ((_C, _T, 0, 0), (_G, _T, 1, 0)))
_HIGH = (((_A, _G, 0, 0), (_A, _C, 1, 0)), ((_A, _C, 0, 0), (_G, _C, 0, 1), (_A, _T, 1, 2)))
"""For each strand: first base, second base, which ends fit together, and the kind (of ``SITE_KINDS``) that counts here:
the donor's end names it."""


@dataclass(frozen=True)
class Evidence:
    """Scores of the bases and boundaries ``[start, end)`` of a record.

    Attributes:
        emit: float64 [2, 7, n]: by strand, coding by bases of the codon read so far (3), intron by bases of the codon
            read before it (3), untranslated; all low to high.
        sites: float64 [2, 4, n]: by strand and kind of boundary; −inf where the bases forbid it.
        pairs: uint8 [2, 2, n]: which low and high ends of introns fit together, by strand, (leave, enter).
    """

    emit: np.ndarray
    sites: np.ndarray
    pairs: np.ndarray


def collect_evidence(
    codes: np.ndarray, logits: np.ndarray, offset: int, start: int, end: int, decoder: IntronDecoder, code: GeneticCode
) -> Evidence:
    """Scores of bases and boundaries ``[start, end)``.

    Args:
        codes: uint8 base codes of the whole record, forward strand, [L].
        logits: Outputs in forward coordinates, [2, n, 12], row 0 "+"; what is missing within ``LOOKAHEAD_BP`` of a
            boundary counts as the record's end.
        offset: Position of the first column of ``logits``.
        start: First base.
        end: One behind the last; one more than the record has for the boundary behind its last base.
        decoder: Weights.
        code: Genetic code.
    """
    weights, n = decoder.weights, end - start
    inside = logits[:, start - offset : end - offset]
    inside = np.pad(inside, ((0, 0), (0, n - inside.shape[1]), (0, 0)))
    odds = np.clip(inside[..., 1:8] - inside[..., :1], -CLIP, CLIP).astype(np.float64).transpose(0, 2, 1)  # [2, 7, n]
    emit = np.empty((2, 7, n))
    emit[0, :6] = odds[0, 1:7]
    emit[1, :6] = odds[1, [3, 2, 1, 4, 6, 5]]
    emit[:, :6] *= weights.state
    emit[:, 6] = weights.utr * odds[:, 0]
    signal = _Signals(logits, offset, start, end)
    sites = np.full((2, 4, n), -np.inf)
    triplets = _triplets(codes, start, end)  # those that begin at each boundary from start - 3 on
    ahead, behind = triplets[3:], triplets[:-3]
    rc = _reverse_complement_triplets()
    starts, stops = _with_unknown(code.start_mask), _with_unknown(code.stop_mask)
    starts &= _with_unknown(_atg_mask())
    w = weights.signal
    _fill(sites[0, BEGIN], starts[ahead], w * signal(0, START, 0))
    _fill(sites[0, FINISH], stops[behind], w * signal(0, STOP, -3))
    _fill(sites[1, BEGIN], stops[rc[ahead]], w * signal(1, STOP, 2))
    _fill(sites[1, FINISH], starts[rc[behind]], w * signal(1, START, -1))
    if decoder.motifs is not None:
        _add_codons(emit, triplets, rc, weights.codon * decoder.motifs.codons)
        for strand, kind in ((0, BEGIN), (1, FINISH)):
            _add_motif(sites[strand, kind], codes, start, weights.start_motif, decoder.motifs, "start", strand)
    pairs = np.zeros((2, 2, n), dtype=np.uint8)
    low_channel, high_channel = ((DONOR, 0), (ACCEPTOR, -1)), ((ACCEPTOR, 0), (DONOR, -1))
    for strand in (0, 1):
        for kind, table, shift, where in (
            (LEAVE, _LOW[strand], 0, low_channel[strand]),
            (ENTER, _HIGH[strand], -2, high_channel[strand]),
        ):
            first, second = _bases(codes, start + shift, n), _bases(codes, start + shift + 1, n)
            score = weights.splice * signal(strand, *where)
            for a, b, pair, site in table:
                found = (first == a) & (second == b)
                _fill(sites[strand, kind], found, score + weights.rare_site * decoder.sites[SITE_KINDS[site]])
                pairs[strand, kind - LEAVE][found] = pair
            if decoder.motifs is not None:
                name = "donor" if where[0] == DONOR else "acceptor"
                _add_motif(sites[strand, kind], codes, start, weights.motif, decoder.motifs, name, strand)
    return Evidence(emit, sites, pairs)


def _add_codons(emit: np.ndarray, triplets: np.ndarray, rc: np.ndarray, scores: np.ndarray) -> None:
    """Add the score of each codon, as if no intron split it, where its last base is read, low to high."""
    ends = triplets[1 : 1 + emit.shape[2]]
    emit[0, 2] += scores[ends]
    emit[1, 2] += scores[rc[ends]]


def _add_motif(
    row: np.ndarray, codes: np.ndarray, start: int, weight: float, motifs: Motifs, name: str, strand: int
) -> None:
    """Add the scores of a kind of site wherever the bases allow one."""
    places = np.flatnonzero(row > -np.inf)
    if weight and len(places):
        row[places] += weight * motifs.score(codes, places + start, name, is_minus=strand == 1)


class _Signals:
    """Signal outputs at a distance from each boundary; beyond the record they say nothing."""

    def __init__(self, logits: np.ndarray, offset: int, start: int, end: int) -> None:
        self._logits, self._first, self._n = logits, start - offset, end - start

    def __call__(self, strand: int, channel: int, shift: int) -> np.ndarray:
        places = self._first + shift + np.arange(self._n)
        known = (places >= 0) & (places < self._logits.shape[1])
        values = self._logits[strand, np.where(known, places, 0), channel].astype(np.float64)
        return np.where(known, np.clip(values, -10.0, 10.0), 0.0)


def _fill(row: np.ndarray, where: np.ndarray, values: np.ndarray) -> None:
    row[where] = values[where]


def _bases(codes: np.ndarray, first: int, n: int) -> np.ndarray:
    """Codes ``[first, first + n)``, 4 for what is unknown or outside the record, int64 [n]."""
    found = np.full(n, 4, dtype=np.int64)
    low, high = max(0, first), min(len(codes), first + n)
    if low < high:
        found[low - first : high - first] = np.minimum(codes[low:high], 4)
    return found


def _triplets(codes: np.ndarray, start: int, end: int) -> np.ndarray:
    """Number of the triplet that begins at each of ``[start - 3, end)``; 64 where a base is unknown or missing."""
    n = end - start + 3
    parts = [_bases(codes, start - 3 + i, n) for i in range(3)]
    known = (parts[0] < 4) & (parts[1] < 4) & (parts[2] < 4)
    return np.where(known, 16 * parts[0] + 4 * parts[1] + parts[2], 64)


def _with_unknown(mask: np.ndarray) -> np.ndarray:
    return np.append(mask, False)


def _atg_mask() -> np.ndarray:
    """ATG alone: other starts of the tables are rare in genes with introns."""
    mask = np.zeros(64, dtype=bool)
    mask[16 * _A + 4 * _T + _G] = True
    return mask


def _reverse_complement_triplets() -> np.ndarray:
    i = np.arange(64)
    return np.append(16 * (3 - i % 4) + 4 * (3 - i // 4 % 4) + (3 - i // 16), 64)


def stop_tables(code: GeneticCode) -> np.ndarray:
    """Which triplets, low to high, are stop codons of "+" and of "-", bool [2, 5, 5, 5]; unknown bases make none."""
    stops = _with_unknown(code.stop_mask)
    rc = _reverse_complement_triplets()
    tables = np.zeros((2, 5, 5, 5), dtype=np.bool_)
    tables[0, :4, :4, :4] = stops[:64].reshape(4, 4, 4)
    tables[1, :4, :4, :4] = stops[rc[:64]].reshape(4, 4, 4)
    return tables
