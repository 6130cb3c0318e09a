"""The candidate genes of a stretch of sequence, both strands, in forward coordinates.

One row is one start of one open frame. Rows of the same frame share ``orf``. A long sequence is read as consecutive
buffers: a frame belongs to the buffer in which its higher end lies, so that buffers together give each frame once.
"""

from functools import partial

import numpy as np

from genoformer.annotation.genetic_code import GeneticCode
from genoformer.decoding.orfs import EDGE_START, MAX_GENE_BP, UPSTREAM_CODONS, find_orfs
from genoformer.sequence.alphabet import reverse_complement

BUFFER_MARGIN_BP = 3 * (UPSTREAM_CODONS + 1)
"""Bases a buffer must hold on both sides of a frame, for the codons upstream of its starts."""

CANDIDATE_DTYPE = np.dtype(
    [
        ("start", np.int64),  # 0-based, half-open, forward strand
        ("end", np.int64),
        ("strand", np.int8),  # 1 or -1
        ("kind", np.int8),  # codon number of the start, or EDGE_START
        ("closed", np.int8),  # 1: ends with a stop codon
        ("orf", np.int64),  # same for all starts of one open frame
        ("n_codons", np.int32),  # stop codon not counted
        ("codon_sum", np.float32),
        ("start_logit", np.float32),
        ("stop_logit", np.float32),
        ("upstream", np.float32),
    ]
)


def find_candidates(
    codes: np.ndarray,
    logits: np.ndarray,
    *,
    code: GeneticCode,
    min_gene_bp: int,
    offset: int = 0,
    emitted_to: int = 0,
    emit_to: int | None = None,
    edge_left: bool = True,
    edge_right: bool = True,
    max_gap_bp: int = 9,
) -> np.ndarray:
    """Candidate genes of one buffer.

    Args:
        codes: uint8 base codes of the buffer, forward strand, shape [L].
        logits: Per-base logits, row 0 "+" and row 1 "-", forward coordinates, shape [2, L, 5].
        code: Genetic code.
        min_gene_bp: Shortest gene, stop codon included.
        offset: Position of the buffer's first base in the record.
        emitted_to: Frames whose higher end is at or below this position were given by an earlier buffer.
        emit_to: Frames whose higher end is above this position are left to a later buffer; None leaves none.
        edge_left: The buffer begins at the contig's first base.
        edge_right: The buffer ends at the contig's last base.
        max_gap_bp: Longer runs of N break every frame.

    Returns:
        Rows of ``CANDIDATE_DTYPE``, sorted by strand, frame and position.
    """
    find = partial(
        find_orfs,
        stop_mask=code.stop_mask,
        start_mask=code.start_mask,
        min_gene_bp=min_gene_bp,
        max_gap_bp=max_gap_bp,
    )
    plus = find(codes, np.ascontiguousarray(logits[0]), edge_5=edge_left, edge_3=edge_right)
    minus_logits = np.ascontiguousarray(logits[1, ::-1])
    minus = find(reverse_complement(codes), minus_logits, edge_5=edge_right, edge_3=edge_left)
    rows = [_rows(*plus, strand=1, length=len(codes)), _rows(*minus, strand=-1, length=len(codes))]
    kept = []
    for candidates, higher_end in rows:
        candidates["start"] += offset
        candidates["end"] += offset
        candidates["orf"] += 2 * offset
        ends = higher_end + offset
        kept.append(candidates[(ends > emitted_to) & (emit_to is None or ends <= emit_to)])
    return np.concatenate(kept)


def _rows(orfs: np.ndarray, starts: np.ndarray, *, strand: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Candidates in the buffer's forward coordinates, and the higher end of each one's open frame."""
    orf_of = np.repeat(np.arange(len(orfs)), orfs["n_starts"])
    stop = orfs["stop"][orf_of]
    end_3 = stop + 3 * orfs["closed"][orf_of].astype(np.int64)
    region = np.maximum(orfs["region"], orfs["stop"] + 3 * orfs["closed"] - MAX_GENE_BP)[orf_of]
    out = np.empty(len(starts), CANDIDATE_DTYPE)
    if strand > 0:
        out["start"], out["end"] = starts["position"], end_3
        out["orf"] = 2 * end_3
        higher_end = end_3
    else:
        out["start"], out["end"] = length - end_3, length - starts["position"]
        out["orf"] = 2 * (length - end_3) + 1
        higher_end = length - region
    out["strand"] = strand
    out["kind"] = starts["kind"]
    out["closed"] = orfs["closed"][orf_of]
    out["n_codons"] = (stop - starts["position"]) // 3
    out["codon_sum"], out["start_logit"] = starts["codon_sum"], starts["logit"]
    out["stop_logit"], out["upstream"] = orfs["stop_logit"][orf_of], starts["upstream"]
    return out, higher_end


def touching_ends(candidates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of frames that go over the first base, and over the last base, of the sequence: two bool arrays [N].

    Args:
        candidates: Whole open frames, rows of ``CANDIDATE_DTYPE``.
    """
    plus, is_cut_5, is_cut_3 = candidates["strand"] > 0, is_partial_5(candidates), candidates["closed"] == 0
    at_ends = np.where(plus, is_cut_5, is_cut_3), np.where(plus, is_cut_3, is_cut_5)
    left, right = (np.isin(candidates["orf"], candidates["orf"][rows]) for rows in at_ends)
    return left, right


def is_partial_5(candidates: np.ndarray) -> np.ndarray:
    """True where the 5′ end lies outside the sequence, shape as given."""
    return candidates["kind"] == EDGE_START
