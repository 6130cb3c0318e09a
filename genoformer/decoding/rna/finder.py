"""All RNA genes of a record by profiles: both strands, circles over their origin, of overlapping genes the surest."""

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from genoformer.annotation.models import RRNA_KIND, TRNA_KIND
from genoformer.decoding.rna.alignment import Profile
from genoformer.decoding.rna.call import RnaCall
from genoformer.decoding.rna.cloverleaf import SHAPES, Cloverleaf
from genoformer.decoding.rna.ribosomal import RRNA, RrnaProfiles
from genoformer.decoding.rna.transfer import TrnaSearch
from genoformer.files.numbers import read_numbers, read_table
from genoformer.sequence.alphabet import N_CODE, reverse_complement
from genoformer.threads import on_threads

TRNA = "tRNA"
MOST_SCORE = {TRNA: 20.0, **dict.fromkeys(RRNA, 30.0)}
"""Natural logarithm of odds beyond which nobody doubts: 100 Mb without such genes have some alignments of 25 with a
profile of rRNA, and some cloverleaves of 13."""
LEAST_SURE = 0.5
LEAST_COVERED = 0.3
"""Share of a profile that a gene must cover whose ends are both there: less is a remainder of a gene."""
SHORTEST_CUT_BP = 60
"""Of a gene that an end of the sequence cuts."""
ORIGIN_BP = 8_000
"""Bases of a circle that are read again at its other end: more than any of these genes has."""
STRETCH_BP = 4_096
"""Genes are compared with those that touch the same stretch."""
SHARED = 0.5
"""Of the shorter one of two genes: if they share more, one of them is none."""
DECIMALS = 2
GAPS = ("insertion", "deletion")
"""Fields of a profile."""


@dataclass(frozen=True)
class Confidence:
    """How sure a score makes: the logarithm of the odds is weight * min(score, MOST_SCORE) + bias."""

    weight: float
    bias: float

    def of(self, kind: str, score: float) -> float:
        """Probability of a gene of this kind."""
        return float(1 / (1 + np.exp(-(self.weight * min(score, MOST_SCORE[kind]) + self.bias))))


@dataclass(frozen=True)
class Found:
    """A place that may hold a gene, on the forward strand.

    Attributes:
        kind: Key of ``RRNA``, or ``TRNA``.
        start: First base.
        end: One past the last.
        strand: 1 or -1.
        score: Natural logarithm of odds.
        anticodon: Of a tRNA, else "".
        is_whole: Enough of a gene for what there is of the sequence.
    """

    kind: str
    start: int
    end: int
    strand: int
    score: float
    anticodon: str = ""
    is_whole: bool = True


@dataclass(frozen=True)
class RnaFinder:
    """Profiles of RNA genes, and how sure they make.

    Attributes:
        profiles: Of kinds of rRNA by name.
        leaf: Of tRNAs; None where none were known.
        confidence: By kind.
    """

    profiles: dict[str, Profile]
    leaf: Cloverleaf | None
    confidence: dict[str, Confidence]

    @cached_property
    def _rrna(self) -> RrnaProfiles:
        return RrnaProfiles(self.profiles)

    @cached_property
    def _trna(self) -> TrnaSearch | None:
        return None if self.leaf is None else TrnaSearch(self.leaf)

    def calls(self, codes: np.ndarray, *, circular: bool = False) -> list[RnaCall]:
        """RNA genes of one record, by start; genes over the origin of a circle end behind its length.

        Args:
            codes: uint8 base codes, [L].
            circular: The record is a circle.
        """
        margin = min(ORIGIN_BP, len(codes)) if circular else 0
        opened = np.concatenate([codes[len(codes) - margin :], codes, codes[:margin]]) if margin else codes
        found = [replace(one, start=one.start - margin, end=one.end - margin) for one in self.places(opened)]
        inside = [one for one in found if not circular or 0 <= one.start < len(codes) >= one.end - one.start]
        return _surest([(self._sure(one), one) for one in inside], len(codes) if circular else None)

    def places(self, codes: np.ndarray) -> list[Found]:
        """All places that may hold a gene, whatever they are worth.

        Args:
            codes: uint8 base codes, [L].
        """
        known = np.minimum(codes, N_CODE)
        plus, minus = on_threads(self._hits, (known, reverse_complement(known)))
        L = len(codes)
        return plus + [replace(one, start=L - one.end, end=L - one.start, strand=-1) for one in minus]

    def _hits(self, codes: np.ndarray) -> list[Found]:
        """Places on one strand."""
        found = [
            Found(hit.kind, hit.start, hit.end, 1, hit.score, is_whole=_is_whole(hit))
            for hit in self._rrna.hits(codes)
        ]  # fmt: skip
        if self._trna is not None:
            found += [Found(TRNA, hit.start, hit.end, 1, hit.score, hit.anticodon) for hit in self._trna.hits(codes)]
        return found

    def _sure(self, one: Found) -> float:
        confidence = self.confidence.get(one.kind)
        return confidence.of(one.kind, one.score) if confidence is not None and one.is_whole else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, rounded; the inverse of ``from_dict``."""
        profiles = {
            name: {"scores": _rounded(one.scores[:, :4]), **{gap: _rounded(getattr(one, gap)) for gap in GAPS}}
            for name, one in self.profiles.items()
        }
        leaf = None if self.leaf is None else {name: _rounded(getattr(self.leaf, name)) for name in SHAPES}
        sure = {kind: {"weight": one.weight, "bias": one.bias} for kind, one in self.confidence.items()}
        return {"profiles": profiles, "cloverleaf": leaf, "confidence": sure}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "RnaFinder":
        """Read what ``to_dict`` wrote.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: If something is missing or of another kind.
        """
        profiles = {name: _read_profile(one) for name, one in stored["profiles"].items()}
        leaf = stored["cloverleaf"]
        kinds = [*profiles, *([] if leaf is None else [TRNA])]
        if not set(profiles) <= set(RRNA):
            raise ValueError(f"expected profiles of {', '.join(RRNA)}, found {', '.join(profiles)}")
        sure = {kind: Confidence(**read_numbers(stored["confidence"][kind], ("weight", "bias"))) for kind in kinds}
        return cls(profiles, None if leaf is None else _read_leaf(leaf), sure)


def _is_whole(hit: Any) -> bool:
    return hit.end - hit.start >= SHORTEST_CUT_BP if hit.is_cut else hit.covered >= LEAST_COVERED


def _surest(found: list[tuple[float, Found]], length: int | None) -> list[RnaCall]:
    """Those that are sure enough, each worth more than all that it shares bases with."""
    sure = [(share, one) for share, one in found if share >= LEAST_SURE]
    sure.sort(key=lambda pair: (-pair[0], -pair[1].score, pair[1].start, pair[1].strand))
    kept: list[tuple[float, Found]] = []
    near: dict[int, list[Found]] = defaultdict(list)  # those that are kept, by stretches that they touch
    for share, one in sure:
        touched = _stretches(one, length)
        if not any(_overlap(one, other, length) for number in touched for other in near[number]):
            kept.append((share, one))
            for number in touched:
                near[number].append(one)
    kept.sort(key=lambda pair: (pair[1].start, pair[1].end, pair[1].strand, pair[1].kind))
    return [_call(share, one) for share, one in kept]


def _stretches(one: Found, length: int | None) -> set[int]:
    """Numbers of the stretches of ``STRETCH_BP`` that a gene touches."""
    places = (*range(one.start, one.end, STRETCH_BP), one.end - 1)
    return {(place if length is None else place % length) // STRETCH_BP for place in places}


def _overlap(one: Found, other: Found, length: int | None) -> bool:
    """Whether two genes share too much; on a circle of this length, over the origin, too."""
    shifts = (0,) if length is None else (-length, 0, length)
    shared = max(min(one.end, other.end + by) - max(one.start, other.start + by) for by in shifts)
    return shared > SHARED * min(one.end - one.start, other.end - other.start)


def _call(share: float, one: Found) -> RnaCall:
    kind = TRNA_KIND if one.kind == TRNA else RRNA_KIND
    product = "" if one.kind == TRNA else RRNA[one.kind].product
    return RnaCall(one.start, one.end, one.strand, kind, share, product, one.anticodon)


def _rounded(table: np.ndarray) -> list[Any]:
    return np.round(table.astype(np.float64), DECIMALS).tolist()


def _read_profile(stored: dict[str, Any]) -> Profile:
    scores = read_table(stored["scores"], None, 4).astype(np.float32)
    gaps = (read_table(stored[name], len(scores)).astype(np.float32) for name in GAPS)
    return Profile(np.pad(scores, ((0, 0), (0, 1))), *gaps)


def _read_leaf(stored: dict[str, Any]) -> Cloverleaf:
    return Cloverleaf(**{name: read_table(stored[name], *shape).astype(np.float32) for name, shape in SHAPES.items()})
