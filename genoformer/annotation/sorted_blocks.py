"""Blocks of lines that come in any order and are written by key, the first line of each before everything else."""

import os
from array import array
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import BinaryIO, Self, TextIO

LINES_BYTES = 1 << 20
"""Lines of a block are copied so many bytes at a time, about: a chromosome's are as much as its genes."""


class SortedBlocks:
    """A context manager: what was added is appended to a file when the block ends without an error.

    Until then it waits in a file without a name beside the final one: memory holds the keys alone, and a kill leaves
    nothing.

    Args:
        file: Gets the first lines of all blocks, then the rest of them.
        path: The name that ``file`` will have.
    """

    def __init__(self, file: TextIO, path: Path) -> None:
        self._file, self._path = file, path
        self._keys: list[str] = []
        self._begins = array("q", [0])  # where each block begins among the bytes that wait, and where the last one ends
        self._waiting: BinaryIO
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._waiting = self._stack.enter_context(TemporaryFile(dir=Path(os.path.realpath(self._path)).parent))
        return self

    def add(self, key: str, line: str, block: Iterable[str]) -> None:
        """Append one block.

        Args:
            key: Blocks are sorted by it; unique, ASCII.
            line: Its first line, with the line end.
            block: The rest of its text, in pieces.
        """
        end = self._begins[-1] + self._waiting.write(line.encode())
        for text in block:
            end += self._waiting.write(text.encode())
        self._keys.append(key)
        self._begins.append(end)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if kind is None:
                self._write()

    def _write(self) -> None:
        order = sorted(range(len(self._keys)), key=self._keys.__getitem__)
        for i in order:
            self._waiting.seek(self._begins[i])
            self._file.write(self._waiting.readline().decode())
        for i in order:
            self._waiting.seek(self._begins[i])
            left = self._begins[i + 1] - self._begins[i] - len(self._waiting.readline())
            while left:
                text = b"".join(self._waiting.readlines(min(left, LINES_BYTES)))[:left]
                self._file.write(text.decode())
                left -= len(text)
