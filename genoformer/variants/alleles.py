"""One alternative allele of a row of VCF: what kind it is, and which bases it puts in the place of which."""

import re
from dataclasses import dataclass, field

import numpy as np

from genoformer.sequence.alphabet import encode_bases

BASES = re.compile(r"[ACGTNRYSWKMBDHVacgtnryswkmbdhv]+")
BREAKEND = re.compile(r".*[\[\]].*|\.[ACGTNacgtn]+|[ACGTNacgtn]+\.")
SYMBOLIC = re.compile(r"<[^<>\s,]+>")
SYMBOLIC_KIND, STAR_KIND, BREAKEND_KIND, MISSING_KIND, SAME_KIND = "symbolic", "star", "breakend", "missing", "same"
LEFT_ALONE = (SYMBOLIC_KIND, STAR_KIND, BREAKEND_KIND, MISSING_KIND, SAME_KIND)
"""Kinds that name no sequence, or that of the reference."""


@dataclass(frozen=True, slots=True)
class Change:
    """Bases [start, end) of the forward strand become others; 0-based, half-open.

    Attributes:
        start: First base that is lost, or the base in front of which others are put.
        end: One past the last base that is lost.
        bases: uint8 codes of what stands there instead, shape [n].
    """

    start: int
    end: int
    bases: np.ndarray = field(compare=False)

    @property
    def growth_bp(self) -> int:
        """By how much the record is longer afterwards."""
        return len(self.bases) - (self.end - self.start)

    @property
    def is_insertion(self) -> bool:
        """Nothing is lost."""
        return self.start == self.end

    def applied_to(self, codes: np.ndarray) -> np.ndarray:
        """The sequence with the change, a new array."""
        return np.concatenate((codes[: self.start], self.bases, codes[self.end :]))

    def shifted(self, by_bp: int) -> "Change":
        """The same change, its place higher by ``by_bp``."""
        return Change(self.start + by_bp, self.end + by_bp, self.bases)


def allele_kind(ref: str, alt: str) -> str | None:
    """What an allele is; None for a text that no allele looks like.

    Args:
        ref: Column REF.
        alt: One item of column ALT.

    Returns:
        "snv", "mnv", "insertion", "deletion" or "replacement" by the bases that differ, or one of ``LEFT_ALONE``.
    """
    if alt == ".":
        return MISSING_KIND
    if alt in ("*", "<*>"):
        return STAR_KIND
    if SYMBOLIC.fullmatch(alt):
        return SYMBOLIC_KIND
    if BREAKEND.fullmatch(alt):
        return BREAKEND_KIND
    if not BASES.fullmatch(alt):
        return None
    change = trimmed(0, ref, alt)
    lost, put = change.end - change.start, len(change.bases)
    if lost == put:
        return SAME_KIND if lost == 0 else "snv" if lost == 1 else "mnv"
    return "insertion" if lost == 0 else "deletion" if put == 0 else "replacement"


def trimmed(position: int, ref: str, alt: str) -> Change:
    """The change without what REF and ALT have in common, at the end first, then at the begin.

    Args:
        position: Of the first base of REF, 0-based.
        ref: Bases.
        alt: Bases.
    """
    before, after = encode_bases(ref), encode_bases(alt)
    common = min(len(before), len(after))
    same_behind = _n_equal(before[::-1][:common], after[::-1][:common])
    common -= same_behind
    same_before = _n_equal(before[:common], after[:common])
    lost_to, put_to = len(before) - same_behind, len(after) - same_behind
    return Change(position + same_before, position + lost_to, after[same_before:put_to])


def _n_equal(first: np.ndarray, second: np.ndarray) -> int:
    differs = np.flatnonzero(first != second)
    return int(differs[0]) if len(differs) else len(first)
