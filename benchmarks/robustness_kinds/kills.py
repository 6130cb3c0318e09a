"""Processes that are killed while a command runs: nothing half-done has a final name, and the command continues."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from genoformer.bundle.folder import load_bundle
from genoformer.files import MANIFEST_NAME
from genoformer.training.checkpoint_io import AtomicCheckpointIO, unpack_checkpoint
from robustness_kinds.children import (
    Blow,
    counting,
    fresh,
    ignore,
    is_hidden,
    killed_at,
    prepared,
    run_forked,
    run_program,
    said,
    seeded,
    tree,
)
from robustness_kinds.commands import Command, commands, some, warm_up
from robustness_kinds.formats import canonical
from robustness_kinds.guard import NOT_REACHED, Case, Tally, run_cases
from robustness_kinds.inputs import Inputs

KILLED = -9
EARLIEST = 0.5
"""Share of a program's time, most of which is imports, after which it may be killed."""
SHARE_OF_PROGRAMS = 12
"""One kill of so many is that of a program of its own."""


@dataclass(frozen=True)
class Course:
    """A command that was left alone.

    Attributes:
        command: The command.
        before: Folder with what lies there before.
        old: Files before.
        new: Files behind it.
        varying: Those that differ from run to run, by name.
        seconds: Of a forked process.
        n_events: Calls at which it may be killed.
    """

    command: Command
    before: Path
    old: dict[str, bytes]
    new: dict[str, bytes]
    varying: frozenset[str]
    seconds: float
    n_events: int


def attack(inputs: Inputs, work: Path, seed: int, n: int) -> dict[str, Tally]:
    """Kill about ``n`` processes; what came of it, by command."""
    every = some(commands(inputs), n, seed)
    warm_up(every, work / "warm_kills")
    found = {}
    for one in every:
        folder = work / "kills" / one.name.replace(" ", "_")
        course = left_alone(one, folder)
        each = max(1, round(n / len(every)))
        found[one.name] = run_cases(list(_cases(course, folder, seed, each)))
    return found


def left_alone(one: Command, folder: Path) -> Course:
    """Run a command twice without any harm; RuntimeError if it fails."""
    before = prepared(one, folder / "before")
    place, took, trees = folder / "place", [], []
    for plan in (ignore, counting(folder / "events")):
        begin = time.monotonic()
        code = run_forked(fresh(place, before), one.words, plan)
        took.append(time.monotonic() - begin)
        if code:
            raise RuntimeError(f"{one.name} ended with {code}: {said(place)[-300:]}")
        trees.append(tree(place))
    varying = frozenset(name for name in trees[0].keys() | trees[1].keys() if trees[0].get(name) != trees[1].get(name))
    return Course(one, before, tree(before), trees[1], varying, min(took), (folder / "events").stat().st_size)


def _cases(course: Course, folder: Path, seed: int, n: int) -> Iterator[Case]:
    for number in range(n):
        chance = seeded(seed, course.command.name, number)
        name = f"{course.command.name} {seed}/{number}"
        if number % SHARE_OF_PROGRAMS == SHARE_OF_PROGRAMS - 1:
            yield f"{name}, program", partial(_try_program, course, folder, chance.uniform(EARLIEST, 1))
        elif number % 2:
            after_s = chance.random() * course.seconds
            yield (
                f"{name}, {after_s:.3f} s",
                partial(_try, course, folder, partial(_forked, course, blow=Blow(after_s))),
            )
        else:
            at = chance.randint(1, course.n_events)
            yield (
                f"{name}, call {at} of {course.n_events}",
                partial(_try, course, folder, partial(_forked, course, plan=killed_at(at))),
            )


def _forked(course: Course, place: Path, **how: object) -> int:
    return run_forked(place, course.command.words, **how)


def _try_program(course: Course, folder: Path, share: float) -> str:
    begin = time.monotonic()
    run_program(fresh(folder / "place", course.before), course.command.words)
    after_s = share * (time.monotonic() - begin)
    return _try(course, folder, lambda place: run_program(place, course.command.words, Blow(after_s)))


def _try(course: Course, folder: Path, kill: Callable[[Path], int]) -> str:
    """What is wrong with what a killed command left, or with the same command behind it; "" if nothing is."""
    place = fresh(folder / "place", course.before)
    code = kill(place)
    if code != KILLED:
        return NOT_REACHED if not code else f"ended with {code}: {said(place)[-300:]}"
    if wrong := half_done(course, place):
        return f"under a final name: {wrong}"
    code = run_forked(place, course.command.words)
    if code:
        return f"the same command ended with {code}: {said(place)[-300:]}"
    return differing(course, tree(place))


def differing(course: Course, found: dict[str, bytes]) -> str:
    """How files differ from those of a command that was left alone."""
    if odd := sorted(found.keys() - course.new.keys()):
        return f"left behind: {', '.join(odd[:4])}"
    if lost := sorted(course.new.keys() - found.keys()):
        return f"not there: {', '.join(lost[:4])}"
    changed = sorted(
        name for name in found
        if name not in course.varying and not is_equal(name, found[name], course.new[name])
    )  # fmt: skip
    return f"other bytes: {', '.join(changed[:4])}" if changed else ""


def is_equal(name: str, found: bytes, expected: bytes) -> bool:
    """Whether files have the same bytes; of checkpoints, whose pickles say which values share memory, the values."""
    if found == expected or not name.endswith(".ckpt"):
        return found == expected
    one, other = (unpack_checkpoint(data, where=name, map_location="cpu") for data in (found, expected))
    return canonical(one) == canonical(other)


def half_done(course: Course, place: Path) -> str:
    """The first final name whose file is neither the old nor the new one, and no whole file either."""
    for name, data in tree(place).items():
        if is_hidden(name) or name.endswith("/"):
            continue
        if data not in (course.old.get(name), course.new.get(name)) and not _is_whole(place / name, data, course, name):
            return name
    for folder in ("runs/r/model", "runs/r/checkpoints/model"):
        if (place / folder / MANIFEST_NAME).exists():
            load_bundle(place / folder)
    return ""


def _is_whole(path: Path, data: bytes, course: Course, name: str) -> bool:
    """Whether a file that grows with a run, or differs from run to run, is whole: of a state in between."""
    if path.suffix == ".ckpt":
        return bool(AtomicCheckpointIO().load_checkpoint(path, map_location="cpu"))
    if path.suffix == ".csv":
        return data.endswith(b"\n")
    if path.suffix == ".html":
        return data.rstrip().endswith(b"</html>")
    if path.suffix == ".json":
        return isinstance(json.loads(data), dict)
    if path.suffix in (".safetensors", ".md") and "fit" in course.command.name:
        return True  # of an earlier validation: the manifest beside it says whether it is whole
    return name in course.varying or (name not in course.new and path.suffix == ".npz")
