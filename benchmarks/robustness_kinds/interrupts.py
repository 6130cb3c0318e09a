"""Ctrl-C while a command runs: 130 at once, one line that says what is kept, nothing half-done, and it continues."""

import os
import re
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from robustness_kinds.children import Blow, fresh, run_forked, run_program, said, seeded, tree
from robustness_kinds.commands import commands, some, warm_up
from robustness_kinds.guard import NOT_REACHED, Case, Tally, run_cases
from robustness_kinds.inputs import Inputs
from robustness_kinds.kills import Course, differing, half_done, left_alone

INTERRUPTED, OUTSIDE = 130, 98
"""Exit codes: of a command, and of a forked child that the signal met before or behind it."""
PROMPT_S = 3.0
"""Of the processor, from Ctrl-C to the end; no step of these commands takes as long."""
PATIENCE = 5
"""So many times as long by the clock, on a machine that others use."""
LINE = "genoformer: interrupted: "
KEPT = re.compile(r"is kept in (.+), and the same command continues\.$")
UNWANTED = ("Traceback", "Exception ignored", "error[")
MORE = {"fit": 3}
"""So many times as often as other commands."""


def attack(inputs: Inputs, work: Path, seed: int, n: int) -> dict[str, Tally]:
    """Interrupt about ``n`` processes, forked ones and programs by turns; what came of it, by command."""
    every = some(commands(inputs), n, seed)
    warm_up(every, work / "warm_interrupts")
    total, found = sum(MORE.get(one.name, 1) for one in every), {}
    for index, one in enumerate(every):
        folder = work / "interrupts" / one.name.replace(" ", "_")
        count = max(1, round(n * MORE.get(one.name, 1) / total))
        found[one.name] = run_cases(list(_cases(left_alone(one, folder), folder, seed, index, count)))
    return found


def _cases(course: Course, folder: Path, seed: int, index: int, n: int) -> Iterator[Case]:
    seconds: list[float] = []  # of the program, once it was run
    for number in range(n):
        share = seeded(seed, course.command.name, "interrupt", number).random()
        name = f"{course.command.name} {seed}/{number}, {share:.3f} of its time"
        if (index + number) % 2:
            yield f"{name}, program", partial(_try_program, course, folder, share, seconds)
        else:
            yield name, partial(_try, course, folder, share)


def _try_program(course: Course, folder: Path, share: float, seconds: list[float]) -> str:
    if not seconds:
        begin = time.monotonic()
        run_program(fresh(folder / "place", course.before), course.command.words)
        seconds.append(time.monotonic() - begin)
    blow = Blow(share * seconds[0], signal.SIGINT)
    code = run_program(fresh(folder / "place", course.before), course.command.words, blow)
    return judged_ending(course, folder / "place", blow, code)


def _try(course: Course, folder: Path, share: float) -> str:
    blow = Blow(share * course.seconds, signal.SIGINT)
    code = run_forked(fresh(folder / "place", course.before), course.command.words, _outside, blow)
    return judged_ending(course, folder / "place", blow, code)


def _outside() -> None:
    """A plan: a signal that comes before or behind the command itself says so by an exit code."""
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(OUTSIDE))


def judged_ending(course: Course, place: Path, blow: Blow, code: int) -> str:
    """What is wrong with how a command ended behind Ctrl-C, with what it left, or with the same command behind it."""
    if code == OUTSIDE or blow.is_late:
        return NOT_REACHED
    if wrong := judged_words(code, blow, said(place), place):
        return wrong
    if left := sorted(name for name in tree(place) if name.endswith(".tmp") or ".tmp/" in name):
        return f"left behind: {', '.join(left[:4])}"
    if wrong := half_done(course, place):
        return f"under a final name: {wrong}"
    code = run_forked(place, course.command.words)
    return f"the same command ended with {code}: {said(place)[-300:]}" if code else differing(course, tree(place))


def judged_words(code: int, blow: Blow, words: str, place: Path) -> str:
    """What is wrong with exit code, time and words of an interrupted command in a folder; "" if nothing is."""
    if code != INTERRUPTED:
        return f"ended with {code}: {words[-300:]}"
    if blow.used_s > PROMPT_S or blow.took_s > PATIENCE * PROMPT_S:
        return f"ended {blow.took_s:.1f} s later, {blow.used_s:.1f} s of the processor"
    lines = [line for line in words.replace("\r", "\n").splitlines() if LINE in line]
    if len(lines) != 1 or any(word in words for word in UNWANTED):
        return f"not one line: {words[-300:]}"
    kept = KEPT.search(lines[0])
    return f"not there: {kept[1]}" if kept and not (place / kept[1]).exists() else ""
