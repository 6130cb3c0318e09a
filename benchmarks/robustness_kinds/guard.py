"""Cases run one after another in a forked process that may die, hang or fill memory; each has a verdict."""

import contextlib
import io
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genoformer.cli.main import main
from genoformer.errors import MAX_MESSAGE_LINES, GenoformerError, format_error

Case = tuple[str, Callable[[], str]]
"""Name, and what tries it: "" where all was right, else what was wrong."""
NOT_REACHED = "not reached"
"""Verdict of a case in which what was planned did not happen; it is not counted."""
MOST_CPU_S, MOST_WAIT_S, MOST_GROWTH_MB = 10, 90, 500
MOST_MESSAGE_LETTERS = 15_000
PATIENCE = 5
"""So many times ``MOST_WAIT_S`` a case may take that uses hardly any time of the processor."""
ROOM_BYTES = 3 << 30
"""Address space above what the process has: what grows on and on ends as an error, not with the machine."""


@dataclass
class Tally:
    """What came of the cases of one kind.

    Attributes:
        tried: Cases that counted.
        failures: Name and reason of each that went wrong.
        not_reached: Cases that did not come to what they were made for.
        seconds: Wall time.
    """

    tried: int = 0
    failures: list[str] = field(default_factory=list)
    not_reached: int = 0
    seconds: float = 0.0

    def add(self, name: str, verdict: str) -> None:
        """Count a case."""
        if verdict == NOT_REACHED:
            self.not_reached += 1
            return
        self.tried += 1
        if verdict:
            self.failures.append(f"{name}: {verdict}")


def run_cases(cases: Sequence[Case]) -> Tally:
    """Run cases in a child of this process; one that ends or hangs is counted, and another child goes on behind it."""
    tally, begin, done = Tally(), time.monotonic(), 0
    while done < len(cases):
        for verdict in _verdicts(cases[done:]):
            tally.add(cases[done][0], verdict)
            done += 1
    tally.seconds = time.monotonic() - begin
    return tally


def _verdicts(cases: Sequence[Case]) -> Iterable[str]:
    """Verdicts of a child; the last one is ours where it ended before its time."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        try:
            _run_all(cases, writer)
        finally:
            os._exit(0)
    os.close(writer)
    left, buffer = len(cases), b""
    try:
        while left:
            if not _speaks(reader, child):
                yield f"no end within {MOST_WAIT_S} s"
                return
            data = os.read(reader, 1 << 16)
            if not data:
                status = os.waitpid(child, 0)[1]
                child = 0
                yield f"the process ended, {os.waitstatus_to_exitcode(status)}"
                return
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                left -= 1
                yield json.loads(line)
    finally:
        os.close(reader)
        if child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _speaks(reader: int, child: int) -> bool:
    """Whether a child has something to say; not one that computes too long, or waits for what never comes.

    On a machine with many users, a case may take its time without using any.
    """
    used = processor_s(child)
    for _ in range(PATIENCE):
        if select.select([reader], [], [], MOST_WAIT_S)[0]:
            return True
        if processor_s(child) - used > MOST_CPU_S:
            return False
    return False


def processor_s(child: int) -> float:
    """Seconds of the processor that a process has used."""
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime, see proc(5)


def _run_all(cases: Sequence[Case], writer: int) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM_BYTES, resource.RLIM_INFINITY))
    for _, case in cases:
        os.write(writer, json.dumps(_verdict(case)).encode() + b"\n")


def _verdict(case: Callable[[], str]) -> str:
    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
    before, begin = _memory_mb("VmRSS"), time.process_time()
    try:
        verdict = case()
    except BaseException as error:
        verdict = described(error)
    seconds, grown = time.process_time() - begin, _memory_mb("VmHWM") - before
    if not verdict and seconds > MOST_CPU_S:
        verdict = f"{seconds:.0f} s"
    if not verdict and grown > MOST_GROWTH_MB:
        verdict = f"{grown} MB of memory"
    return verdict


def described(error: BaseException) -> str:
    """Kind, message and place of an error."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {str(error)[:200]} ({Path(place.filename).name}:{place.lineno})"


def _memory_mb(name: str) -> int:
    text = Path("/proc/self/status").read_text()
    return int(text.split(f"{name}:")[1].split()[0]) // 1024


def command(argv: Iterable[object]) -> tuple[int, str]:
    """Run a command in this process; exit code and what it said on standard error."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main([str(word) for word in argv])
    return code, said.getvalue()


def judged(code: int, said: str, allowed: Iterable[int]) -> str:
    """What is wrong with how a command ended; "" if nothing is."""
    if code not in allowed:
        return f"exit code {code}: {_reason(said)}"
    if code in (0, 1):
        return ""
    _, mark, message = said.partition("genoformer: error[")
    if not mark:
        return f"exit code {code} without a message: {said[-200:]}"
    if message.count("\n") > MAX_MESSAGE_LINES or len(message) > MOST_MESSAGE_LETTERS:
        return f"a message of {message.count(chr(10))} lines and {len(message)} letters: {message[:60]}"
    return ""


def refused(error: GenoformerError, allowed: Iterable[int]) -> str:
    """What is wrong with an error of ours; "" if nothing is."""
    return judged(error.exit_code, format_error(error) + "\n", allowed)


def _reason(said: str) -> str:
    """The last line, with the end of the traceback where it names a file with one."""
    line = (said.strip().splitlines() or [""])[-1]
    crash = next((word.rstrip(".,") for word in line.split() if "genoformer-crash" in word), None)
    if crash and Path(crash).is_file():
        trace = Path(crash).read_text().strip().splitlines()
        Path(crash).unlink()
        places = [one.strip() for one in trace if one.strip().startswith("File")]
        return f"{trace[-1][:200]} ({places[-1] if places else ''})"
    return line[:300]


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)
