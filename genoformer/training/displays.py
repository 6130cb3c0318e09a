"""Progress for people: bars on a terminal, in a file a line now and then."""

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from tqdm import tqdm

from genoformer.training.progress import Display, Stage

LEAST_S, MOST_S, LEAST_SHARE = 30.0, 600.0, 0.01
"""A file gets a line when half a minute and a hundredth of the work have gone by, or else after ten minutes."""
BAR = "{desc} {n_fmt}/{total_fmt} |{bar:12}| {elapsed}, {remaining} left{postfix}"
BEAT_S = 1.0


def display_for(stream: TextIO | None = None) -> Display:
    """What fits where standard error goes.

    Args:
        stream: Another stream in its place.
    """
    stream = sys.stderr if stream is None else stream
    return Bars(stream) if stream.isatty() else Lines(stream)


class Heartbeat:
    """Calls something every second, from a thread of its own, until it is stopped."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call, self._stop = call, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(BEAT_S):
            self._call()

    def stop(self) -> None:
        """End; nothing is called after it."""
        self._stop.set()
        self._thread.join()


class Bars:
    """Bars on a terminal.

    Args:
        stream: The terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def open(self, what: str, total: int | None = None, unit: str = "", done: int = 0) -> Stage:
        return BarStage(self.stream, what, total, unit, done)

    def line(self, text: str) -> None:
        tqdm.write(text, file=self.stream)


class BarStage:
    """A bar; while it waits its clock ticks."""

    def __init__(self, stream: TextIO, what: str, total: int | None, unit: str, done: int) -> None:
        format_ = BAR if total else None
        self.bar = tqdm(
            desc=what, total=total, initial=done, unit=unit or "it", unit_scale=unit == "bp", file=stream, leave=None,
            dynamic_ncols=True, bar_format=format_, smoothing=0.05,
        )  # fmt: skip
        self._beat: Heartbeat | None = None

    def advance(self, n: int = 1) -> None:
        self._still()
        self.bar.update(n)

    def note(self, text: str) -> None:
        self.bar.set_postfix_str(text, refresh=False)

    def show(self) -> None:
        self.bar.refresh()

    def wait(self) -> None:
        if self._beat is None:
            self._beat = Heartbeat(self.bar.refresh)

    def close(self) -> None:
        self._still()
        self.bar.close()

    def _still(self) -> None:
        if self._beat is not None:
            self._beat.stop()
            self._beat = None


class Lines:
    """Lines in a file, few enough to read.

    Args:
        stream: The file.
        clock: Seconds that never go back.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream, self.clock = stream, clock
        self.last = clock()

    def open(self, what: str, total: int | None = None, unit: str = "", done: int = 0) -> Stage:
        return LineStage(self, what, total, unit, done)

    def line(self, text: str) -> None:
        self.last = self.clock()
        print(text, file=self.stream, flush=True)


class LineStage:
    """Work of which a line is written when it is due."""

    def __init__(self, lines: Lines, what: str, total: int | None, unit: str, done: int) -> None:
        self.lines, self.what, self.total, self.unit = lines, what, total, unit
        self.n = self.n_shown = self.n_first = done
        self.begin: float | None = None
        self.text = ""

    def advance(self, n: int = 1) -> None:
        self.n += n
        if self.begin is None:
            # Speed is measured from the end of the first step: that one holds what is done once.
            self.begin, self.n_first = self.lines.clock(), self.n
        if self._is_due():
            self.show()

    def note(self, text: str) -> None:
        self.text = text

    def show(self) -> None:
        self.n_shown = self.n
        self.lines.line(f"genoformer: {self._described()}")

    def wait(self) -> None:
        """Nothing: a file is not watched."""

    def close(self) -> None:
        pass

    def _is_due(self) -> bool:
        since = self.lines.clock() - self.lines.last
        moved = (self.n - self.n_shown) / self.total if self.total else 1.0
        return since >= LEAST_S and (moved >= LEAST_SHARE or since >= MOST_S)

    def _described(self) -> str:
        left = self._seconds_left()
        parts = [self._counted(), "" if left is None else f"{duration(left)} left", self.text]
        return ", ".join(filter(None, parts))

    def _counted(self) -> str:
        if not self.n:
            return self.what
        of_all = f" of {self.total:,} ({self.n / self.total:.0%})" if self.total else ""
        return f"{self.what}, {self.unit} {self.n:,}{of_all}"

    def _seconds_left(self) -> float | None:
        done = self.n - self.n_first
        if self.begin is None or self.total is None or done < 1 or self.n >= self.total:
            return None
        return (self.total - self.n) * (self.lines.clock() - self.begin) / done


def duration(seconds: float) -> str:
    """As hours, minutes and seconds: "1:02:03", "2:03"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextlib.contextmanager
def said_on(display: Display) -> Iterator[None]:
    """Show what modules log for users, which they do where something takes long for once."""
    logger, handler = logging.getLogger("genoformer"), SaidOn(display)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


class SaidOn(logging.Handler):
    """Shows log records.

    Args:
        display: Where.
    """

    def __init__(self, display: Display) -> None:
        super().__init__(logging.INFO)
        self.display = display

    def emit(self, record: logging.LogRecord) -> None:
        self.display.line(f"genoformer: {record.getMessage()}")
