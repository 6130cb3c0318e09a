"""Coding parts, as the decoder writes them, as genes."""

from collections.abc import Iterator

import numpy as np

from genoformer.annotation.models import Gene


def genes_of_parts(record_id: str, parts: np.ndarray) -> Iterator[tuple[Gene, np.ndarray]]:
    """Every gene of a record, without score and with its alternatives, and the rows of its best transcript.

    Args:
        record_id: Name of the record.
        parts: Rows of ``PART_DTYPE``.
    """
    for rows in _split(parts, "gene"):
        best, *others = _split(rows, "transcript")
        gene = gene_of_parts(record_id, best)
        gene.alternatives = tuple(gene_of_parts(record_id, other) for other in others)
        for alternative, other in zip(gene.alternatives, others, strict=True):
            alternative.below_best = max(float(best["score"][0] - other["score"][0]), 0.0)
        yield gene, best


def _split(parts: np.ndarray, name: str) -> list[np.ndarray]:
    """Neighbouring rows that have the same number, one array after another."""
    return np.split(parts, np.flatnonzero(np.diff(parts[name])) + 1) if len(parts) else []


def gene_of_parts(record_id: str, rows: np.ndarray) -> Gene:
    """One gene from its rows of ``PART_DTYPE``, without score."""
    parts = tuple((int(start), int(end)) for start, end in zip(rows["start"], rows["end"], strict=True))
    first = rows[0]
    is_plus = first["strand"] == 1
    cut = bool(first["cut_low"]), bool(first["cut_high"])
    low, high = min(int(first["low"]), parts[0][0]), max(int(first["high"]), parts[-1][1])
    exons = list(parts)
    exons[0] = (low, exons[0][1])
    exons[-1] = (exons[-1][0], high)
    reaches_beyond = low < parts[0][0] or high > parts[-1][1]
    return Gene(
        contig=record_id,
        start=parts[0][0],
        end=parts[-1][1],
        strand="+" if is_plus else "-",
        parts=parts,
        exons=tuple(exons) if reaches_beyond else (),
        partial_5=cut[0] if is_plus else cut[1],
        partial_3=cut[1] if is_plus else cut[0],
        phase_offset=int(first["phase_offset"]),
    )


def part_margins(rows: np.ndarray) -> np.ndarray:
    """How sure each coding part of a gene is: the smaller margin of its ends, float64 [n].

    An end that the record cuts off does not count; −inf where nothing is known.

    Args:
        rows: Of the gene, rows of ``PART_DTYPE``.
    """
    margins = np.stack([rows["low_margin"], rows["high_margin"]]).astype(np.float64)
    smaller = np.where(np.isfinite(margins), margins, np.inf).min(axis=0)
    return np.where(np.isfinite(smaller), smaller, -np.inf)


def site_margins(rows: np.ndarray) -> np.ndarray:
    """Margins of the splice sites at the lower and higher end of each coding part, float64 [n, 2]; −inf elsewhere.

    Args:
        rows: Of the gene, rows of ``PART_DTYPE``.
    """
    margins = np.stack([rows["low_margin"], rows["high_margin"]], axis=1).astype(np.float64)
    margins[0, 0] = margins[-1, 1] = -np.inf
    return margins
