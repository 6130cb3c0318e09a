"""Text files of a prediction, filled record by record."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from genoformer.files import atomic_path
from genoformer.inference.chunks import Outputs
from genoformer.sequence.records import Record


class TextWriter:
    """A context manager: the file appears complete under its name when the block ends without an error.

    Args:
        path: The final name.
    """

    header = ""
    """What the file begins with."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stack = ExitStack()
        self._file: TextIO

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_path(self.path))
            self._file = stack.enter_context(open(temporary, "w", encoding="utf-8", newline="\n"))
            self.begin(stack)
            self._stack = stack.pop_all()
        return self

    def begin(self, stack: ExitStack) -> None:
        """Begin the file; what else a format opens here ``stack`` ends, before the file takes its name."""
        self._file.write(self.header)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, error, trace)

    def add(self, record: Record, found: Outputs) -> None:
        """Append the lines of one record."""
        self._file.writelines(self.lines(record, found))

    def lines(self, record: Record, found: Outputs) -> Iterable[str]:
        """Lines of one record, with their ends."""
        raise NotImplementedError
