"""How far long work is: who does it says so here, who watches shows it. Without a watcher nothing is shown."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Stage(Protocol):
    """Work that is under way."""

    def advance(self, n: int = 1) -> None:
        """So much more is done."""

    def note(self, text: str) -> None:
        """What stands beside the numbers."""

    def show(self) -> None:
        """Show the state at once; otherwise it is shown now and then."""

    def wait(self) -> None:
        """What comes next can take a while, and nobody knows how long: show that something goes on."""

    def close(self) -> None:
        """The work has ended, however it did."""


class Display(Protocol):
    """Shows stages and lines; ``displays`` has one for terminals and one for files."""

    def open(self, what: str, total: int | None = None, unit: str = "", done: int = 0) -> Stage:
        """Begin a stage.

        Args:
            what: The work, in a word or two.
            total: All of it; None where nobody knows.
            unit: What is counted.
            done: What was done before.
        """

    def line(self, text: str) -> None:
        """A line that stays."""


class Silence:
    """A display, and a stage, that shows nothing."""

    def open(self, what: str, total: int | None = None, unit: str = "", done: int = 0) -> Stage:
        return self

    def line(self, text: str) -> None:
        pass

    def advance(self, n: int = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def show(self) -> None:
        pass

    def wait(self) -> None:
        pass

    def close(self) -> None:
        pass


_WATCHER: ContextVar[Display] = ContextVar("genoformer_watcher")


@contextlib.contextmanager
def watched_by(display: Display) -> Iterator[None]:
    """What is said inside is shown there."""
    token = _WATCHER.set(display)
    try:
        yield
    finally:
        _WATCHER.reset(token)


@contextlib.contextmanager
def stage(what: str, total: int | None = None, unit: str = "") -> Iterator[Stage]:
    """Work that says how far it is; arguments as for ``Display.open``."""
    opened = _WATCHER.get(Silence()).open(what, total, unit)
    try:
        opened.show()
        opened.wait()
        yield opened
    finally:
        opened.close()


def stepped(items: Iterable[Item], what: str, unit: str = "", total: int | None = None) -> Iterator[Item]:
    """The same items; each counts as done when the next one is asked for."""
    if total is None and isinstance(items, Sequence):
        total = len(items)
    with stage(what, total, unit) as shown:
        for item in items:
            yield item
            shown.advance()
