"""Tests of a room in a copy of the checkout: once as it is, and then with one change after another."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import coverage

from mutant_parts.changes import Mutant
from mutant_parts.chosen_tests import CHOSEN, TOOK

LEFT_BEHIND = (".git", ".venv", "findings", "results", "notebooks", "__pycache__")
PLUGINS = ("-p", "mutant_parts.chosen_tests", "-p", "no:cacheprovider")
MOST_TEST_S = 5.0
"""Processor seconds of a test; those that take longer, where the interpreter runs what is else compiled, stay away."""
MOST_TRIAL_S = 20.0
"""Processor seconds of a mutant's tests as they are; the shortest first, and as many as fit."""
LIMIT_S, LIMIT_FACTOR, PATIENCE = 20, 5, 20
"""A mutant whose tests take so many seconds of the processor, and so many times as long as without it, hangs; so does
one that takes so many times as long by the clock."""
NOT_COVERED, KILLED, TIMED_OUT, SURVIVED = "no test runs the line", "killed", "timed out", "survived"


@dataclass(frozen=True)
class Known:
    """What tests do where nothing was changed.

    Attributes:
        seconds: Of the processor, by test; those that fail, skip or take too long are not there.
        lines: Tests that run a line, by file and line; lines that run while a module is loaded have none.
    """

    seconds: dict[str, float]
    lines: dict[str, dict[int, list[str]]]

    def tests(self, mutant: Mutant) -> list[str]:
        """Tests that run what was changed, the shortest first; of what runs on loading, those that run the module.

        Of a module that has nothing to run but its constants, every test.
        """
        lines = self.lines.get(mutant.file, {})
        reached = range(mutant.line, mutant.end_line + 1)
        found = {name for line in reached for name in lines.get(line, ())}
        if not found and any(line in lines for line in reached):
            found = {name for names in lines.values() for name in names} or {*self.seconds}
        chosen, total = [], 0.0
        for name in sorted(found & self.seconds.keys(), key=lambda name: (self.seconds[name], name)):
            total += self.seconds[name]
            if chosen and total > MOST_TRIAL_S:
                break
            chosen.append(name)
        return chosen


class Bench:
    """A copy of the checkout in which modules change, and a process with what tests import from elsewhere.

    Args:
        checkout: What is copied.
        work: A folder for the copy and what tests leave.
    """

    def __init__(self, checkout: Path, work: Path) -> None:
        self.root, self._work, self._stamp = work / "checkout", work, int(time.time()) - 1_000_000
        shutil.copytree(checkout, self.root, ignore=shutil.ignore_patterns(*LEFT_BEHIND), symlinks=True)
        os.environ.pop("GENOFORMER_TEST_DATA", None)
        os.environ |= {
            "NUMBA_DISABLE_JIT": "1", "OMP_NUM_THREADS": "1", "PYTHONPYCACHEPREFIX": str(work / "pyc"),
            "PYTHONPATH": f"{self.root}{os.pathsep}{Path(__file__).parents[1]}", "TMPDIR": str(work),
        }  # fmt: skip
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

    def measure(self, room: str, tests: Iterable[str]) -> Known:
        """Run the tests of a room as they are; RuntimeError if they end in another way than with failed tests."""
        data, took = (self._work / f"{room}.{name}" for name in ("coverage", "took"))
        words = ["-m", *"coverage run --include=genoformer/* -m pytest -q -p coverage_limit".split(), *PLUGINS]
        environment = {
            **os.environ, "COVERAGE_FILE": str(data), TOOK: str(took),
            "PYTHONPATH": f"{os.environ['PYTHONPATH']}{os.pathsep}{self.root / 'scripts'}",
        }  # fmt: skip
        command = [sys.executable, *words, *tests]
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True)
        if done.returncode not in (0, 1):
            raise RuntimeError(
                f"tests of {room} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-500:]}"
            )
        measured = coverage.CoverageData(str(data))
        measured.read()
        lines = {}
        for path in measured.measured_files():
            by_line = measured.contexts_by_lineno(path)
            name = str(Path(path).relative_to(self.root))
            lines[name] = {line: sorted(filter(None, contexts)) for line, contexts in by_line.items()}
        seconds = {name: s for name, s in json.loads(took.read_text()).items() if s <= MOST_TEST_S}
        return Known(seconds, lines)

    def try_out(self, mutant: Mutant, known: Known) -> tuple[str, int, float]:
        """Run the tests that reach a mutant: what came of it, how many tests there were, and processor seconds."""
        chosen = known.tests(mutant)
        if not chosen:
            return NOT_COVERED, 0, 0.0
        path = self.root / mutant.file
        before = path.read_bytes()
        self._write(path, mutant.source.encode())
        begin = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            verdict = self._run(chosen, sum(known.seconds[name] for name in chosen))
        finally:
            self._write(path, before)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        return verdict, len(chosen), end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime

    def _write(self, path: Path, source: bytes) -> None:
        """Each text has a time of its own, by which compiled modules are told apart."""
        path.write_bytes(source)
        self._stamp += 1
        os.utime(path, (self._stamp, self._stamp))

    def _run(self, chosen: list[str], seconds: float) -> str:
        limit_s = int(max(LIMIT_S, LIMIT_FACTOR * seconds))
        child = os.fork()
        if not child:
            self._become(chosen, limit_s)
        end = time.monotonic() + PATIENCE * limit_s
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                self._end(child)
                code = os.waitstatus_to_exitcode(status)
                return TIMED_OUT if code == -signal.SIGXCPU else SURVIVED if code == 0 else KILLED
            time.sleep(0.02)
        self._end(child)
        os.waitpid(child, 0)
        return TIMED_OUT

    def _become(self, chosen: list[str], limit_s: int) -> None:
        """Run tests in a forked child; what they print is lost."""
        code = 99
        try:
            os.setsid()
            os.chdir(self.root)
            null = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(null, number)
            used = resource.getrusage(resource.RUSAGE_SELF)
            resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + limit_s,) * 2)
            names = self._work / "chosen.json"
            names.write_text(json.dumps(chosen))
            os.environ[CHOSEN] = str(names)
            files = list(dict.fromkeys(name.partition("::")[0] for name in chosen))
            sys.path[:0] = [str(self.root)]
            import pytest

            code = int(pytest.main(["-x", "-q", *PLUGINS, f"--basetemp={self._work / 'tests'}", *files]))
        finally:
            os._exit(code)

    @staticmethod
    def _end(child: int) -> None:
        """End what a child has started, too."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
