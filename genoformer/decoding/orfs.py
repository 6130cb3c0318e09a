"""Candidate genes: every open reading frame of one strand, with the model's evidence for each of its starts.

An open frame is a run of codons without a stop codon and without a gap. It ends at a stop codon, or at an edge: the end
of the contig or a gap. Its candidate starts are the start codons inside it and, where it begins at an edge, the edge
itself (a gene whose 5′ end lies outside the sequence).

Evidence is summed from the stop backwards, so that a frame gives the same numbers wherever the buffer around it begins.
"""

import numba
import numpy as np

from genoformer.sequence.alphabet import N_CODE

EDGE_START = 64
"""Start type of a gene that runs over the 5′ edge; other types are codon numbers 0 to 63."""

MAX_GENE_BP = 150_000
"""Starts further than this from their stop are not considered; the longest known bacterial genes have 110 kb."""

LOGIT_LIMIT = 6.0
"""Per-codon evidence is clipped here: one confident stretch must not outvote the rest of the gene."""

ORF_DTYPE = np.dtype(
    [
        ("region", np.int64),  # first base of the open frame, 5′ side
        ("stop", np.int64),  # first base of the stop codon, or of the 3′ edge
        ("closed", np.int8),  # 1: ends with a stop codon; 0: at an edge
        ("stop_logit", np.float32),
        ("first", np.int64),  # index of its first candidate start
        ("n_starts", np.int32),
    ]
)
START_DTYPE = np.dtype(
    [
        ("position", np.int64),  # first base of the start codon
        ("kind", np.int8),  # codon number, or EDGE_START
        ("codon_sum", np.float32),  # sum of per-codon evidence from here to the stop
        ("logit", np.float32),  # the model's start logit; 0 at an edge
        ("upstream", np.float32),  # mean per-codon evidence of the ten codons before, same frame
    ]
)
UPSTREAM_CODONS = 10


def find_orfs(
    codes: np.ndarray,
    logits: np.ndarray,
    *,
    stop_mask: np.ndarray,
    start_mask: np.ndarray,
    min_gene_bp: int,
    edge_5: bool,
    edge_3: bool,
    max_gap_bp: int = 9,
) -> tuple[np.ndarray, np.ndarray]:
    """All open frames of the strand as read, with their candidate starts.

    Args:
        codes: uint8 base codes of this strand, 5′ to 3′, shape [L].
        logits: Per-base logits (codon position 0, 1, 2, start, stop), shape [L, 5].
        stop_mask: bool [64], True at stop codons (codon number = 16 b0 + 4 b1 + b2).
        start_mask: bool [64], True at start codons.
        min_gene_bp: Shortest gene, stop codon included.
        edge_5: The first base is the end of the contig; otherwise frames open there are incomplete and left out
            (unless they already hold ``MAX_GENE_BP``, beyond which nothing is considered).
        edge_3: The same for the last base.
        max_gap_bp: Longer runs of N break every frame.

    Returns:
        ORFs (``ORF_DTYPE``) in order of frame and position, and their starts (``START_DTYPE``), nearest to the stop
        first.
    """
    codons = _codon_numbers(codes, max_gap_bp)
    arguments = (codons, logits, stop_mask, start_mask, min_gene_bp, edge_5, edge_3)
    n_orfs, n_starts = _scan(*arguments, np.empty(0, ORF_DTYPE), np.empty(0, START_DTYPE))
    orfs, starts = np.empty(n_orfs, ORF_DTYPE), np.empty(n_starts, START_DTYPE)
    _scan(*arguments, orfs, starts)
    return orfs, starts


def earliest_open_base(codes: np.ndarray, *, stop_mask: np.ndarray, max_gap_bp: int = 9) -> int:
    """Where the next buffer must begin so that every frame still open at the end of this one is whole in it.

    Args:
        codes: uint8 base codes, forward strand, shape [L].
        stop_mask: bool [64].
        max_gap_bp: As in ``find_orfs``.

    Returns:
        Offset into ``codes``; at least ``L - MAX_GENE_BP``, less the part of a gap that makes it one.
    """
    codons = _codon_numbers(codes, max_gap_bp)
    reverse_stops = np.zeros(64, np.bool_)
    for codon in np.flatnonzero(stop_mask):
        reverse_stops[_reverse_complement_codon(int(codon))] = True
    first = min(_last_break(codons, stop_mask), _last_break(codons, reverse_stops))
    # A gap that the next buffer holds only the end of must still be longer than max_gap_bp there.
    return before_gap(codes, max(first, len(codes) - MAX_GENE_BP, 0), max_gap_bp)


def before_gap(codes: np.ndarray, position: int, max_gap_bp: int) -> int:
    """``position``, moved back over the N right before it, by at most ``max_gap_bp``."""
    lowest = max(position - max_gap_bp, 0)
    while position > lowest and codes[position - 1] == N_CODE:
        position -= 1
    return position


def _reverse_complement_codon(codon: int) -> int:
    b0, b1, b2 = codon >> 4, (codon >> 2) & 3, codon & 3
    return (3 - b2) * 16 + (3 - b1) * 4 + (3 - b0)


@numba.njit(cache=True, nogil=True)
def _codon_numbers(codes, max_gap_bp):
    """Codon number at each base: 0 to 63, 64 with an unknown base, 65 (a break) where it touches a gap."""
    L = len(codes)
    codons = np.empty(max(L - 2, 0), np.uint8)
    for i in range(L - 2):
        a, b, c = codes[i], codes[i + 1], codes[i + 2]
        codons[i] = 64 if a > 3 or b > 3 or c > 3 else 16 * a + 4 * b + c
    run = 0
    for i in range(L + 1):
        if i < L and codes[i] == 4:
            run += 1
            continue
        if run > max_gap_bp:
            for j in range(max(i - run - 2, 0), min(i, L - 2)):
                codons[j] = 65
        run = 0
    return codons


@numba.njit(cache=True, nogil=True)
def _last_break(codons, stops):
    """Smallest over three frames of the last break's position (0 where a frame has none)."""
    earliest = len(codons)
    for frame in range(3):
        last = 0
        for i in range(len(codons) - 1, -1, -1):
            if i % 3 == frame and (codons[i] == 65 or (codons[i] < 64 and stops[codons[i]])):
                last = i
                break
        earliest = min(earliest, last)
    return earliest


@numba.njit(cache=True, nogil=True)
def _codon_evidence(logits, i):
    z = (logits[i, 0] + logits[i + 1, 1] + logits[i + 2, 2]) / 3.0
    return min(max(z, -LOGIT_LIMIT), LOGIT_LIMIT)


@numba.njit(cache=True, nogil=True)
def _scan(codons, logits, stops, start_codons, min_gene_bp, edge_5, edge_3, orfs, starts):
    """Count the open frames, and write them where ``orfs`` has room: one pass counts, a second fills."""
    n_orfs = n_starts = 0
    for frame in range(3):
        region, at_edge, whole = frame, edge_5, edge_5
        i = frame
        while True:
            at_end = i >= len(codons)
            codon = 65 if at_end else codons[i]
            is_stop = codon < 64 and stops[codon]
            if is_stop or codon == 65:
                reaches_back = whole or i + (3 if is_stop else 0) - region >= MAX_GENE_BP
                if reaches_back and (not at_end or edge_3):
                    found = _starts_of(
                        codons, logits, start_codons, min_gene_bp, region, i, is_stop, at_edge, n_starts, starts
                    )
                    if found > 0:
                        if n_orfs < len(orfs):
                            orf = orfs[n_orfs]
                            orf["region"], orf["stop"], orf["closed"] = region, i, 1 if is_stop else 0
                            orf["stop_logit"] = logits[i, 4] if is_stop else 0.0
                            orf["first"], orf["n_starts"] = n_starts, found
                        n_orfs += 1
                        n_starts += found
                if at_end:
                    break
                region, at_edge, whole = i + 3, codon == 65, True
            i += 3
    return n_orfs, n_starts


@numba.njit(cache=True, nogil=True)
def _starts_of(codons, logits, start_codons, min_gene_bp, region, stop, is_stop, at_edge, offset, starts):
    """Write the candidate starts of one frame at ``offset``; their number."""
    tail_bp = 3 if is_stop else 0
    lowest = max(region, stop + tail_bp - MAX_GENE_BP)
    found = 0
    total = 0.0
    i = stop - 3
    while i >= lowest:
        total += _codon_evidence(logits, i)
        is_start = codons[i] < 64 and start_codons[codons[i]]
        is_edge = at_edge and i == region
        if (is_start or is_edge) and stop + tail_bp - i >= min_gene_bp:
            if offset + found < len(starts):
                _write_start(codons, logits, starts[offset + found], i, region, is_edge, total)
            found += 1
        i -= 3
    return found


@numba.njit(cache=True, nogil=True)
def _write_start(codons, logits, start, i, region, is_edge, total):
    start["position"] = i
    start["kind"] = EDGE_START if is_edge else codons[i]
    start["codon_sum"] = total
    start["logit"] = 0.0 if is_edge else logits[i, 3]
    before, n = 0.0, 0
    j = i - 3
    while j >= 0 and n < UPSTREAM_CODONS:
        before += _codon_evidence(logits, j)
        n += 1
        j -= 3
    start["upstream"] = before / n if n > 0 else -LOGIT_LIMIT
