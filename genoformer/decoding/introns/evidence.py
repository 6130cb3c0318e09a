"""Outputs of the model and bases → scores of every base and boundary, as the path over both strands adds them up.

A record is scanned from low to high coordinates on both strands at once. On "-" a gene therefore begins with its stop
codon, and the mirrored rules hold. A boundary ``i`` lies before base ``i``. For either strand there are four kinds of
boundary: coding sequence begins, ends, is left for an intron, is entered from an intron, each low to high.
"""

from dataclasses import dataclass, replace

import numpy as np

from genoformer.annotation.genetic_code import GeneticCode
from genoformer.decoding.introns.motifs import Motifs, triplets_of
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


@dataclass(frozen=True)
class SiteTerms:
    """What speaks for one kind of boundary of a strand, wherever the bases allow one.

    Attributes:
        places: Boundaries, counted from the first of the block, int64 [m].
        signal: Output of the model, [m].
        motif: Log-odds of the motif, [m]; None without motifs.
        kinds: Number of the kind of intron in ``SITE_KINDS``, [m]; None for ends of coding sequence.
        pairs: Which ends of introns fit together, [m]; None likewise.
    """

    places: np.ndarray
    signal: np.ndarray
    motif: np.ndarray | None
    kinds: np.ndarray | None = None
    pairs: np.ndarray | None = None


@dataclass(frozen=True)
class Terms:
    """What the scores of a block are added up from, before any weight.

    Attributes:
        states: Log-odds of the outputs, float32 [2, 6, n], order of ``Evidence.emit``.
        untranslated: Likewise, float32 [2, n].
        codons: Log-odds of the codon that ends at each base, [2, n]; None without motifs.
        sites: By strand and kind of boundary.
    """

    states: np.ndarray
    untranslated: np.ndarray
    codons: np.ndarray | None
    sites: dict[tuple[int, int], SiteTerms]


def collect_evidence(
    codes: np.ndarray, logits: np.ndarray, offset: int, start: int, end: int, decoder: IntronDecoder, code: GeneticCode
) -> Evidence:
    """Scores of bases and boundaries ``[start, end)``, with the weights of a decoder; see ``collect_terms``."""
    return weigh_terms(collect_terms(codes, logits, offset, start, end, decoder.motifs, code), decoder)


def weigh_terms(terms: Terms, decoder: IntronDecoder) -> Evidence:
    """The scores that follow with the weights of a decoder."""
    weights, n = decoder.weights, terms.states.shape[2]
    emit = np.empty((2, 7, n))
    np.multiply(terms.states, weights.state, out=emit[:, :6])
    np.multiply(terms.untranslated, weights.utr, out=emit[:, 6])
    if terms.codons is not None:
        emit[:, 2] += weights.codon * terms.codons
    sites, pairs = np.full((2, 4, n), -np.inf), np.zeros((2, 2, n), dtype=np.uint8)
    kind_costs = weights.rare_site * np.array([decoder.sites[kind] for kind in SITE_KINDS])
    for (strand, kind), one in terms.sites.items():
        if one.kinds is None or one.pairs is None:
            score, motif_weight = weights.signal * one.signal, weights.start_motif
        else:
            score, motif_weight = weights.splice * one.signal + kind_costs[one.kinds], weights.motif
            pairs[strand, kind - LEAVE, one.places] = one.pairs
        sites[strand, kind, one.places] = score if one.motif is None else score + motif_weight * one.motif
    return Evidence(emit, sites, pairs)


def collect_terms(
    codes: np.ndarray, logits: np.ndarray, offset: int, start: int, end: int, motifs: Motifs | None, code: GeneticCode
) -> Terms:
    """What speaks for bases and boundaries ``[start, end)``.

    Args:
        codes: uint8 base codes of the whole record, forward strand, [L].
        logits: Outputs in forward coordinates, [2, n, 12], row 0 "+"; what is missing within ``LOOKAHEAD_BP`` of a
            boundary counts as the record's end.
        offset: Position of the first column of ``logits``.
        start: First base.
        end: One behind the last; one more than the record has for the boundary behind its last base.
        motifs: Of the genome; None without.
        code: Genetic code.
    """
    n = end - start
    inside = logits[:, start - offset : end - offset]
    inside = np.pad(inside, ((0, 0), (0, n - inside.shape[1]), (0, 0)))
    odds = np.clip(inside[..., 1:8] - inside[..., :1], -CLIP, CLIP).transpose(0, 2, 1)  # [2, 7, n]
    states = np.stack([odds[0, 1:7], odds[1, [3, 2, 1, 4, 6, 5]]])
    triplets = triplets_of(_bases(codes, start - 3, n + 5))  # those that begin at each boundary from start - 3 on
    rc = _reverse_complement_triplets()
    codons = None
    if motifs is not None:
        ends = triplets[1 : 1 + n]
        codons = np.stack([motifs.codons[ends], motifs.codons[rc[ends]]])
    signal = _Signals(logits, offset, start, end)
    sites = _ends_of_coding(triplets, rc, signal, code) | _ends_of_introns(codes, start, n, signal)
    if motifs is not None:
        sites = {at: _with_motif(one, *at, codes, start, motifs) for at, one in sites.items()}
    return Terms(states, odds[:, 0], codons, sites)


def _ends_of_coding(
    triplets: np.ndarray, rc: np.ndarray, signal: "_Signals", code: GeneticCode
) -> dict[tuple[int, int], SiteTerms]:
    """Where coding sequence can begin and end, by strand and kind of boundary."""
    ahead, behind = triplets[3:], triplets[:-3]
    starts, stops = _with_unknown(code.start_mask), _with_unknown(code.stop_mask)
    starts &= _with_unknown(_atg_mask())
    found = {}
    for at, allowed, channel, shift in (
        ((0, BEGIN), starts[ahead], START, 0),
        ((0, FINISH), stops[behind], STOP, -3),
        ((1, BEGIN), stops[rc[ahead]], STOP, 2),
        ((1, FINISH), starts[rc[behind]], START, -1),
    ):
        places = np.flatnonzero(allowed)
        found[at] = SiteTerms(places, signal(at[0], channel, places + shift), None)
    return found


def _ends_of_introns(codes: np.ndarray, start: int, n: int, signal: "_Signals") -> dict[tuple[int, int], SiteTerms]:
    """Where introns can begin and end, by strand and kind of boundary."""
    low_channel, high_channel = ((DONOR, 0), (ACCEPTOR, -1)), ((ACCEPTOR, 0), (DONOR, -1))
    found = {}
    for strand in (0, 1):
        for kind, table, shift, (channel, side) in (
            (LEAVE, _LOW[strand], 0, low_channel[strand]),
            (ENTER, _HIGH[strand], -2, high_channel[strand]),
        ):
            first, second = _bases(codes, start + shift, n), _bases(codes, start + shift + 1, n)
            row = np.full(n, len(table))
            for number, (a, b, _, _) in enumerate(table):
                row[(first == a) & (second == b)] = number
            places = np.flatnonzero(row < len(table))
            pairs, kinds = (np.array([one[field] for one in table])[row[places]] for field in (2, 3))
            found[strand, kind] = SiteTerms(places, signal(strand, channel, places + side), None, kinds, pairs)
    return found


def _with_motif(one: SiteTerms, strand: int, kind: int, codes: np.ndarray, start: int, motifs: Motifs) -> SiteTerms:
    """The same with the log-odds of the motif; stop codons have none."""
    if (strand, kind) in ((0, FINISH), (1, BEGIN)):
        return one
    name = "start" if one.kinds is None else "donor" if (kind == LEAVE) == (strand == 0) else "acceptor"
    return replace(one, motif=motifs.score(codes, one.places + start, name, is_minus=strand == 1))


class _Signals:
    """Signal outputs at a distance from each boundary; beyond the record they say nothing."""

    def __init__(self, logits: np.ndarray, offset: int, start: int, end: int) -> None:
        self._logits, self._first = logits, start - offset

    def __call__(self, strand: int, channel: int, boundaries: np.ndarray) -> np.ndarray:
        places = self._first + boundaries
        known = (places >= 0) & (places < self._logits.shape[1])
        values = self._logits[strand, np.where(known, places, 0), channel].astype(np.float64)
        return np.where(known, np.clip(values, -10.0, 10.0), 0.0)


def _bases(codes: np.ndarray, first: int, n: int) -> np.ndarray:
    """Codes ``[first, first + n)``, 4 for what is unknown or outside the record, int64 [n]."""
    found = np.full(n, 4, dtype=np.int64)
    low, high = max(0, first), min(len(codes), first + n)
    if low < high:
        found[low - first : high - first] = np.minimum(codes[low:high], 4)
    return found


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
