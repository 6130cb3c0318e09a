"""Mutated files of every format: read, or refused as data; what must not change the result does not."""

import inspect
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from genoformer.errors import GenoformerError
from robustness_kinds import settings_files
from robustness_kinds.formats import Ended, Format, formats
from robustness_kinds.guard import Case, Tally, judged, refused, run_cases
from robustness_kinds.inputs import Inputs
from robustness_kinds.mutate import mutated

ALLOWED = (0, 1, 2, 65, 66, 73)
"""73: what a mutated configuration or folder asks to replace."""
NEUTRAL_ROUNDS = 2


def attack(inputs: Inputs, work: Path, seed: int, n: int) -> dict[str, Tally]:
    """Try about ``n`` mutants over all formats.

    Args:
        inputs: Valid files.
        work: Folder for what is written.
        seed: Another seed gives other mutants.
        n: How many, at least one of each format.

    Returns:
        What came of it, by format.
    """
    place, scratch = work / "mutants", work / "scratch"
    place.mkdir(exist_ok=True), scratch.mkdir(exist_ok=True)
    every = [*formats(inputs, scratch), *settings_files.formats(inputs, scratch)]
    total = sum(one.weight for one in every)
    found = {}
    for one in every:
        count = max(1, round(n * one.weight / total))
        found[one.name] = run_cases([*_neutral(one, place, seed), *_mutants(one, place, seed, count)])
    return found


def _neutral(one: Format, place: Path, seed: int) -> Iterator[Case]:
    """The valid file, and what has to be read as the same."""
    yield f"{one.name}: the valid file", lambda: _as_it_is(one, place)
    for change in one.neutral:
        chance = random.Random(f"{seed} {one.name} neutral")
        for _ in range(NEUTRAL_ROUNDS if _is_random(change) else 1):
            data = change(one.data, chance) if _is_random(change) else change(one.data)
            yield f"{one.name}: {change.__name__}", partial(_as_it_is, one, place, data)


def _is_random(change: Callable[..., bytes]) -> bool:
    return len(inspect.signature(change).parameters) == 2 and "chance" in inspect.signature(change).parameters


def _as_it_is(one: Format, place: Path, data: bytes | None = None) -> str:
    """Whether a file is read as the valid one is."""
    expected = _value(one, place, _packed(one, one.data))
    found = expected if data is None else _value(one, place, data)
    if isinstance(expected, Ended) and expected.code:
        return f"the valid file ends with {expected.code}: {expected.said[:200]}"
    if isinstance(found, Ended) and isinstance(expected, Ended):
        return (
            ""
            if (found.code, found.digest) == (expected.code, expected.digest)
            else f"another result {found.said[:200]}"
        )
    return "" if found == expected else "another result"


def _mutants(one: Format, place: Path, seed: int, n: int) -> Iterator[Case]:
    for number in range(n):
        yield f"{one.name} {seed}/{number}", partial(_try, one, place, f"{seed} {one.name} {number}")


def _try(one: Format, place: Path, name: str) -> str:
    data = mutated(one.data, random.Random(name), tuple(one.changes))
    try:
        found = _value(one, place, _packed(one, data))
    except GenoformerError as error:
        return refused(error, ALLOWED)
    return judged(found.code, found.said, ALLOWED) if isinstance(found, Ended) else ""


def _packed(one: Format, data: bytes) -> bytes:
    return one.packed(data) if one.packed else data


def _value(one: Format, place: Path, data: bytes) -> Any:
    path = place / one.file
    path.write_bytes(data)
    return one.read(path)
