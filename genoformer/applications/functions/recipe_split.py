"""How the recipe of functions divides labelled sequences where nobody says so."""

from collections.abc import Iterable
from typing import Any

from genoformer.applications.functions.facts import Facts
from genoformer.errors import counted
from genoformer.labels.splits import PART_NAMES

FEW = 200
"""Sequences below which there are too few for a test part."""
NEAR = 0.3
"""Part of the 16-mers that near copies share, as in ``genomes.leakage``."""
LARGEST_FAMILY = 0.5
"""Part of the sequences that a group of near copies may be, so that the others make the other parts."""
MIN_GROUPS = 5
"""Fewer groups are not divided."""


def are_parts(names: Iterable[str]) -> bool:
    """Whether names, of groups or of files, are words for training and at least one other part."""
    parts = {part_of(name) for name in names}
    return "train" in parts and len(parts) > 1 and "" not in parts


def part_of(name: str) -> str:
    """The part that a group or a file is named after; "" if it is none.

    Example:
        >>> part_of("dev.csv.gz"), part_of("chrX")
        ('validation', '')
    """
    return PART_NAMES.get(name.partition(".")[0].lower(), "")


def split_of(facts: Facts, group: str | None) -> tuple[dict[str, Any], str]:
    """Settings of the split, and the reason.

    Groups that name parts are these parts. Other groups are dealt out whole where there are several and most of them
    are small enough. Else sequences are, at random.

    Args:
        facts: Of the sequences.
        group: Column that ``facts.groups`` are of, or "file"; None for none.
    """
    share = 0.1 if facts.n >= FEW else 0.2
    shares = {"validation": share, "test": share if facts.n >= FEW else None}
    groups = facts.groups if sum(facts.groups.values()) == facts.n else {}
    if are_parts(groups):
        named = {part: [name for name in groups if part_of(name) == part] for part in ("validation", "test")}
        parts = {"validation": named["validation"] or share, "test": named["test"] or None}
        settings = {"by": "group", **parts, "fraction_of_sequences": not named["validation"], "keep_copies": True}
        return settings, f"the {group} says what trains, validates and tests"
    n_small = sum(n <= 2 * share * facts.n for n in groups.values())
    if len(groups) >= MIN_GROUPS and n_small >= MIN_GROUPS - 1:
        return {"by": "group", **shares}, f'no group of the {counted(len(groups), "group")} of "{group}" is divided'
    if facts.families and facts.families[0] <= LARGEST_FAMILY * facts.n:
        why = f"nothing groups the sequences; {sum(facts.families):,} with near copies stay with them"
        return {"by": "random", **shares, "relatives": NEAR}, why
    return {"by": "random", **shares}, "nothing groups the sequences, so relatives can be on two sides"
