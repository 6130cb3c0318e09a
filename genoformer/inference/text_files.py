"""Text files of a prediction, filled record by record."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from genoformer.files import atomic_path
from genoformer.files.held import Holder
from genoformer.inference.chunks import Outputs
from genoformer.sequence.records import Record


class TextWriter(Holder):
    """A context manager: the file appears complete under its name when the block ends without an error.

    Args:
        path: The final name.
    """

    header = ""
    """What the file begins with."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO

    def enter(self, stack: ExitStack) -> None:
        """Open the file; see ``Holder``."""
        temporary = stack.enter_context(atomic_path(self.path))
        self._file = stack.enter_context(open(temporary, "w", encoding="utf-8", newline="\n"))
        self.begin(stack)

    def begin(self, stack: ExitStack) -> None:
        """Begin the file; what else a format opens here ``stack`` ends, before the file takes its name."""
        self._file.write(self.header)

    def add(self, record: Record, found: Outputs) -> None:
        """Append the lines of one record."""
        self._file.writelines(self.lines(record, found))

    def lines(self, record: Record, found: Outputs) -> Iterable[str]:
        """Lines of one record, with their ends."""
        raise NotImplementedError
