"""Which parts of the genomes train, validate and test: decided before any crop is cut.

Three ways: ``region`` takes one contiguous stretch of each record, with a guard on both sides that nobody uses;
``contig`` and ``genome`` take whole records and whole genomes. The regions of different parts never overlap.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from genoformer.errors import UsageError

PARTS = ("train", "validation", "test")


class SplitRecord(Protocol):
    """What a split needs of a record, and does not change; ``store.StoredRecord`` is one."""

    @property
    def index(self) -> int:
        """Number of the record in the store."""

    @property
    def genome(self) -> str:
        """Name of its genome."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def length(self) -> int:
        """Its length, bp."""


@dataclass(frozen=True)
class Region:
    """Bases ``[start, end)`` of the record with this index, 0-based half-open, forward strand."""

    record: int
    start: int
    end: int


Splits = dict[str, list[Region]]
Wanted = list[str] | float | None


def uncovered(record: int, length: int, regions: Sequence[Region]) -> list[Region]:
    """Stretches of the first ``length`` bases of a record that none of the regions covers, in order."""
    covered = sorted((r.start, min(r.end, length)) for r in regions if r.record == record and r.start < length)
    edges = [0, *(edge for stretch in covered for edge in stretch), length]
    return [Region(record, low, high) for low, high in zip(edges[::2], edges[1::2], strict=True) if low < high]


def split_regions(
    records: Sequence[SplitRecord],
    *,
    by: str = "region",
    validation: Wanted,
    test: Wanted = None,
    guard_bp: int,
    seed: int,
) -> Splits:
    """Divide records into training, validation and test regions.

    Args:
        records: Records of a store.
        by: ``"region"``, ``"contig"`` or ``"genome"``.
        validation: Fraction of the bases, or names of contigs or genomes.
        test: The same for the test part; None or an empty list for no test part.
        guard_bp: With ``by="region"``, bases on both sides of a held-out stretch that no part uses.
        seed: Decides the positions, and which contigs or genomes a fraction takes.

    Returns:
        Regions under "train", "validation" and "test", ordered by record and start.

    Raises:
        UsageError: If names are unknown, validation and test share one, fractions leave nothing to train on, or one
            of the wanted parts comes out empty.
    """
    wanted = {"validation": validation, "test": test}
    _check_wanted(wanted, by, guard_bp)
    rng = np.random.default_rng(seed)
    if by == "region":
        splits = _split_by_region(records, wanted, guard_bp, rng)
    else:
        splits = _split_whole(records, wanted, (lambda r: r.id) if by == "contig" else (lambda r: r.genome), rng)
    for part in PARTS:
        if not splits[part] and (part != "test" or test):
            raise UsageError(
                "SPLIT-004", f"the {part} part is empty with by={by!r}.", where="data.split",
                fix="Change the fractions, the guard, or name contigs or genomes.",
            )  # fmt: skip
    return {part: sorted(splits[part], key=lambda r: (r.record, r.start)) for part in PARTS}


def _check_wanted(wanted: dict[str, Wanted], by: str, guard_bp: int) -> None:
    if by not in ("region", "contig", "genome"):
        message = f'expected by = "region", "contig" or "genome", found {by!r}.'
        raise UsageError("SPLIT-001", message, where="data.split.by")
    if guard_bp < 0:
        raise UsageError("SPLIT-001", f"guard_bp must not be negative, found {guard_bp}.", where="data.split")
    names = [set(value) for value in wanted.values() if isinstance(value, list)]
    if by == "region" and any(names):
        raise UsageError(
            "SPLIT-001", 'by = "region" takes fractions, not names.', where="data.split", fix='Use by "contig".'
        )
    if len(names) == 2 and names[0] & names[1]:
        shared = ", ".join(sorted(names[0] & names[1]))
        raise UsageError(
            "SPLIT-002",
            f"validation and test share {shared}.",
            where="data.split",
            fix="Validate and test on different data.",
        )
    fractions = [float(value) for value in wanted.values() if value is not None and not isinstance(value, list)]
    if not all(0 <= fraction < 1 for fraction in fractions) or sum(fractions) >= 1:
        raise UsageError(
            "SPLIT-001", f"fractions must lie in [0, 1) and sum to less than 1, found {fractions}.", where="data.split"
        )


def _split_by_region(
    records: Sequence[SplitRecord], wanted: dict[str, Wanted], guard_bp: int, rng: np.random.Generator
) -> Splits:
    """Long records give a stretch each; the short ones of a genome are dealt out whole."""
    splits: Splits = {part: [] for part in PARTS}
    fractions = {part: float(value) for part, value in wanted.items() if value and not isinstance(value, list)}
    short: dict[str, list[SplitRecord]] = {}
    for record in records:
        sizes = {part: round(fraction * record.length) for part, fraction in fractions.items()}
        held_out_bp = sum(sizes.values()) + guard_bp * (len(sizes) + 1)
        if min(sizes.values(), default=1) < 1 or held_out_bp > record.length * (1 + sum(fractions.values())) / 2:
            short.setdefault(record.genome, []).append(record)
        else:
            _cut_record(record, sizes, guard_bp, rng, splits)
    for group in short.values():
        for part, taken in _deal(group, fractions, lambda r: (r.genome, r.id), rng).items():
            splits[part] += [_whole(record) for record in taken]
    return splits


def _cut_record(
    record: SplitRecord, sizes: dict[str, int], guard_bp: int, rng: np.random.Generator, splits: Splits
) -> None:
    """Place guard, stretch, guard(, stretch, guard) at a random position; what remains on both sides trains.

    The layout begins and ends with a guard, so that the rule also holds over the origin of a circular record.
    """
    layout_bp = sum(sizes.values()) + guard_bp * (len(sizes) + 1)
    begin = int(rng.integers(0, record.length - layout_bp + 1))
    position = begin
    for part in rng.permutation(list(sizes)).tolist():
        position += guard_bp
        splits[part].append(Region(record.index, position, position + sizes[part]))
        position += sizes[part]
    position += guard_bp
    spans = ((0, begin), (position, record.length))
    splits["train"] += [Region(record.index, start, end) for start, end in spans if start < end]


def _split_whole(
    records: Sequence[SplitRecord], wanted: dict[str, Wanted], key: Callable, rng: np.random.Generator
) -> Splits:
    """Assign whole records by name first, then deal the rest out by fraction."""
    part_of = {name: part for part, value in wanted.items() if isinstance(value, list) for name in value}
    known = {key(record) for record in records}
    if unknown := sorted(set(part_of) - known):
        raise UsageError(
            "SPLIT-003", f"there is no {', '.join(unknown)}; there are {', '.join(sorted(known)[:20])}.",
            where="data.split",
        )  # fmt: skip
    splits: Splits = {part: [] for part in PARTS}
    for record in records:
        if key(record) in part_of:
            splits[part_of[key(record)]].append(_whole(record))
    rest = [record for record in records if key(record) not in part_of]
    fractions = {part: float(value) for part, value in wanted.items() if value and not isinstance(value, list)}
    for part, taken in _deal(rest, fractions, key, rng, never_empty=True).items():
        splits[part] += [_whole(record) for record in taken]
    return splits


def _deal(
    records: Sequence[SplitRecord],
    fractions: dict[str, float],
    key: Callable,
    rng: np.random.Generator,
    *,
    never_empty: bool = False,
) -> dict[str, list[SplitRecord]]:
    """Shuffle the groups of equal key; each held-out part takes groups until it has its fraction of the bases.

    A group joins a part when that brings the part nearer to its share; with ``never_empty``, a part that is left
    without one takes the smallest. The last group is always kept for training.
    """
    groups: dict[Hashable, list[SplitRecord]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    sizes = {name: sum(record.length for record in group) for name, group in groups.items()}
    names = list(groups)
    rest = [names[i] for i in rng.permutation(len(names))]
    dealt: dict[str, list[SplitRecord]] = {}
    for part, fraction in fractions.items():
        missing_bp = fraction * sum(sizes.values())
        taken: list[Hashable] = []
        for name in rest:
            if len(taken) + 1 < len(rest) and sizes[name] <= 2 * missing_bp:
                taken.append(name)
                missing_bp -= sizes[name]
        if never_empty and not taken and len(rest) > 1:
            taken = [min(rest, key=sizes.__getitem__)]
        rest = [name for name in rest if name not in taken]
        dealt[part] = [record for name in taken for record in groups[name]]
    dealt["train"] = [record for name in rest for record in groups[name]]
    return dealt


def _whole(record: SplitRecord) -> Region:
    return Region(record.index, 0, record.length)
