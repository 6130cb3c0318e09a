"""Which labelled sequences train, validate and test: whole groups are dealt out, so that no group is on two sides.

Equal sequences always form a group, whatever else is asked for: a copy of a training sequence tests nothing.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from genoformer.errors import UsageError, WarningLog
from genoformer.labels.tables import LabelledSequence
from genoformer.sequence.alphabet import reverse_complement

PARTS = ("train", "validation", "test")
PART_NAMES = {
    "train": "train", "training": "train", "validation": "validation", "valid": "validation", "val": "validation",
    "dev": "validation", "test": "test",
}  # fmt: skip
"""Words for the parts in a column of a table."""

Wanted = list[str] | float | None


def split_labelled(
    sequences: Sequence[LabelledSequence], *, by: str, validation: Wanted, test: Wanted, seed: int, both_strands: bool,
    fraction_of_sequences: bool = False, keep_copies: bool = False, units: Sequence[int] | None = None, log: WarningLog,
) -> dict[str, list[int]]:  # fmt: skip
    """Numbers of the sequences of each part, rising.

    Of equal sequences one is kept, in the test part if it is there, else in validation; the others are left out and
    counted, with ``keep_copies`` only those in another part than the first. A fraction takes groups in random order
    until the part is as near to its share as they allow; with "random", equal sequences are the groups.

    Args:
        sequences: With labels and, unless ``by`` is "random", groups.
        by: "random"; "group" (``validation`` and ``test`` are groups, or fractions); "column" (the group is the name of
            the part).
        validation: Fraction of the sequences, or groups.
        test: The same for the test part; None or empty for no test part.
        seed: Decides what is random.
        fraction_of_sequences: With "group", a fraction takes sequences of the groups that are not named, not groups.
        both_strands: A sequence and its reverse complement are equal.
        keep_copies: Equal sequences may stay in one part, as the official test set of others may have it.
        units: With "random", number of what each sequence is dealt out with; equal sequences by default.
        log: Counts what is left out.

    Raises:
        UsageError: If a group is unknown or in two parts, a word names no part, or a part comes out empty.
    """
    keys = [sequence_key(sequence.codes, both_strands) for sequence in sequences]
    if by == "column":
        part_of = [_named_part(sequence) for sequence in sequences]
    elif by in ("random", "group"):
        groups = [sequence.group for sequence in sequences]
        dealt: list = groups if by == "group" and not fraction_of_sequences else keys if units is None else list(units)
        part_of = _deal(groups, dealt, {"validation": validation, "test": test}, seed)
    else:
        raise UsageError("SPLIT-001", f'expected "random", "group" or "column", found "{by}".', where="data.split.by")
    parts = _without_copies(sequences, keys, part_of, keep_copies, log)
    for part in PARTS:
        if not parts[part] and (part != "test" or test or (by == "column" and "test" in part_of)):
            raise UsageError("SPLIT-004", f"the {part} part is empty.", where="data.split", fix="Change the split.")
    return parts


def sequence_key(codes: np.ndarray, both_strands: bool) -> bytes:
    """Bytes that equal sequences share."""
    return min(codes.tobytes(), reverse_complement(codes).tobytes()) if both_strands else codes.tobytes()


def _named_part(sequence: LabelledSequence) -> str:
    part = PART_NAMES.get(sequence.group.lower())
    if part is None:
        raise UsageError(
            "SPLIT-005", f'"{sequence.group}" names no part: train, validation, test.', where=sequence.where
        )
    return part


def _deal(groups: list[str], units: list, wanted: dict[str, Wanted], seed: int) -> list[str]:
    """Part of each sequence: named groups first, then fractions of what is left, dealt out in whole units."""
    part_of_group: dict[str, str] = {}
    for part, names in wanted.items():
        for name in names if isinstance(names, list) else []:
            if name not in groups:
                known = ", ".join(sorted(set(groups))[:8])
                message = f'there is no group "{name}"; there are {known}.'
                raise UsageError("SPLIT-003", message, where=f"data.split.{part}")
            if part_of_group.setdefault(name, part) != part:
                raise UsageError("SPLIT-002", f"validation and test share {name}.", where="data.split")
    rest = [unit for unit, group in zip(units, groups, strict=True) if group not in part_of_group]
    fractions = {part: float(value) for part, value in wanted.items() if value and not isinstance(value, list)}
    _check_fractions(fractions)
    part_of_unit, sizes = {}, Counter(rest)
    names = sorted(sizes)
    names = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    for part, fraction in fractions.items():
        missing = fraction * len(groups)
        for name in names:
            if name not in part_of_unit and sizes[name] <= 2 * missing:
                part_of_unit[name] = part
                missing -= sizes[name]
    return [
        part_of_group.get(group, part_of_unit.get(unit, "train")) for unit, group in zip(units, groups, strict=True)
    ]


def _check_fractions(fractions: dict[str, float]) -> None:
    if not all(0 < value < 1 for value in fractions.values()) or sum(fractions.values()) >= 1:
        raise UsageError(
            "SPLIT-001", f"fractions must lie between 0 and 1 and sum to less than 1: {fractions}.", where="data.split"
        )


def _without_copies(
    sequences: Sequence[LabelledSequence], keys: list[bytes], part_of: list[str], keep_copies: bool, log: WarningLog
) -> dict[str, list[int]]:
    order = sorted(range(len(keys)), key=lambda i: -PARTS.index(part_of[i]))
    first_of: dict[bytes, int] = {}
    parts: dict[str, list[int]] = {part: [] for part in PARTS}
    for i in order:
        first = first_of.setdefault(keys[i], i)
        if first == i or (keep_copies and part_of[first] == part_of[i]):
            parts[part_of[i]].append(i)
        else:
            log.add("LABELS-103", f"{sequences[i].where}: the sequence is also in {sequences[first].where}; left out.")
    return {part: sorted(members) for part, members in parts.items()}
