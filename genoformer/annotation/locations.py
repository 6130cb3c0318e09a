"""Parts of a CDS: adjacent ones joined over the origin, and codons that are read otherwise than the table says."""

import re
from collections.abc import Iterable

from genoformer.files.numbers import whole_number

Parts = tuple[tuple[int, int], ...]

_EXCEPTION = re.compile(r"\(pos:(.*?),aa:(\w+)\)")


def join_over_origin(parts: list[tuple[int, int]], length_bp: int | None) -> Parts | None:
    """Read parts that touch both ends of a contig as one gene over the origin of a circle.

    The parts before the widest gap are moved behind the contig's end, and the two that meet there become one.

    Args:
        parts: (start, end) in any order.
        length_bp: Length of the contig, None when unknown.

    Returns:
        Ascending parts, the last ones beyond ``length_bp``; None if the parts do not touch both ends.
    """
    ordered = sorted(parts)
    if length_bp is None or len(ordered) < 2 or ordered[0][0] != 0 or max(end for _, end in ordered) != length_bp:
        return None
    gaps = [ordered[i + 1][0] - ordered[i][1] for i in range(len(ordered) - 1)]
    split = gaps.index(max(gaps)) + 1
    before, after = ordered[split:], ordered[:split]
    if before[-1][1] != length_bp:
        return None
    moved = [(start + length_bp, end + length_bp) for start, end in after]
    bridge = (before[-1][0], moved[0][1])
    return (*before[:-1], bridge, *moved[1:])


def join_touching(parts: list[tuple[int, int]]) -> Parts:
    """Parts in ascending order, each once, those that touch made one; an overlap is a step back and stays.

    Args:
        parts: (start, end) in any order.
    """
    joined: list[tuple[int, int]] = []
    for start, end in sorted(set(parts)):
        if joined and start == joined[-1][1]:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)


def merge_spans(spans: Iterable[tuple[int, int]]) -> Parts:
    """Spans in ascending order, those that touch or overlap made one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def parse_transl_except(text: str) -> tuple[tuple[int, int, str], ...]:
    """Read ``(pos:complement(4085235..4085237),aa:Sec)``, one or several; other text gives ().

    Returns:
        (start, end, amino acid), 0-based, half-open, forward strand.

    Reference:
        INSDC feature table definition, qualifier /transl_except.
    """
    found = []
    for place, amino_acid in _EXCEPTION.findall(re.sub(r"\s", "", text)):
        texts = re.findall(r"[0-9]+", place)
        numbers = [number for number in map(whole_number, texts) if number]  # without 0, and those that are too long
        if numbers and len(numbers) == len(texts):
            found.append((min(numbers) - 1, max(numbers), amino_acid))
    return tuple(found)


def format_transl_except(start: int, end: int, amino_acid: str, strand: str) -> str:
    """The inverse of ``parse_transl_except`` for one codon."""
    place = f"{start + 1}..{end}"
    return f"(pos:{place if strand == '+' else f'complement({place})'},aa:{amino_acid})"
