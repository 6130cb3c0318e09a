"""Candidates of many records on disk, in few files: what an interrupted prediction continues from, and a shard gives.

The model pass is done block by block, in the order of the input: a kill loses no more than the last file, and shards
divide records of any length.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from genoformer.files import atomic_path

CHUNK_BP = 2_000_000
CHUNK_RECORDS = 1_000
"""A file is written when this much is gathered: a file for each of 100 000 contigs would take longer than the model."""

PASS_FILES = "passes-*.npz"
LAST_BLOCK = 1 << 40

Place = tuple[int, int]
"""Number of the record in the input, number of the block in the record; places are in the order of the input."""


@dataclass(frozen=True)
class PassFile:
    """A file of candidates and the places of its first and its last block."""

    first: Place
    last: Place
    path: Path


@dataclass(frozen=True)
class _Chunk:
    """Content of a file: rows [ends[i - 1], ends[i]) belong to record ``numbers[i]``, block ``blocks[i]``."""

    numbers: np.ndarray
    blocks: np.ndarray
    ends: np.ndarray
    rows: np.ndarray


class ModelPasses:
    """Candidates by record and block; a context manager that writes what is gathered when the block ends.

    Blocks come in the order of the input, and are gathered into files of ``CHUNK_BP`` of sequence or ``CHUNK_RECORDS``,
    each complete or not there. A process that is killed loses what it had gathered since the last file, one that is
    interrupted or fails loses nothing.

    Args:
        folders: Hold the files; those that are there are read. Files are added to the last one.
        before_write: Called before a file is written: what else belongs to its blocks must be on disk first.
    """

    def __init__(self, *folders: Path, before_write: Callable[[], None] = lambda: None) -> None:
        self._folder, self._before_write = folders[-1], before_write
        found = (read_places(path) for folder in folders for path in folder.glob(PASS_FILES))
        self._files = sorted(found, key=lambda file: file.first)
        self._gathered: list[tuple[Place, np.ndarray]] = []
        self._gathered_bp = 0
        self._read: tuple[Path, _Chunk] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._write()

    @property
    def last(self) -> Place:
        """The last place on disk; (-1, 0) where there is none."""
        return self._files[-1].last if self._files else (-1, 0)

    def add(self, place: Place, candidates: np.ndarray, *, length_bp: int) -> None:
        """Keep the candidates of one block.

        Args:
            place: Behind every place that was added before.
            candidates: Rows of one type for all records, such as ``CANDIDATE_DTYPE``.
            length_bp: Length of the block.

        Raises:
            OutputWriteError: If a file cannot be written.
        """
        self._gathered.append((place, candidates))
        self._gathered_bp += length_bp
        if self._gathered_bp >= CHUNK_BP or len(self._gathered) >= CHUNK_RECORDS:
            self._write()

    def __getitem__(self, number: int) -> np.ndarray:
        """Candidates of one record, its blocks in order; fast when asked in the order of the input.

        Raises:
            KeyError: If no block of it is on disk.
        """
        parts = []
        at = bisect_left(self._files, (number, 0), key=lambda file: file.last)
        while at < len(self._files) and self._files[at].first <= (number, LAST_BLOCK):
            chunk = self._chunk(self._files[at].path)
            low, high = np.searchsorted(chunk.numbers, [number, number + 1])
            if low < high:
                parts.append(chunk.rows[chunk.ends[low - 1] if low else 0 : chunk.ends[high - 1]])
            at += 1
        if not parts:
            raise KeyError(number)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _chunk(self, path: Path) -> _Chunk:
        if self._read is None or self._read[0] != path:
            with np.load(path) as stored:
                self._read = path, _Chunk(stored["numbers"], stored["blocks"], stored["ends"], stored["rows"])
        return self._read[1]

    def _write(self) -> None:
        # Taken out first: a write that failed is not tried again when the block ends.
        gathered, self._gathered, self._gathered_bp = self._gathered, [], 0
        if not gathered:
            return
        self._before_write()
        places, parts = zip(*gathered, strict=True)
        numbers, blocks = np.array(places, np.int64).T
        ends = np.cumsum([len(candidates) for candidates in parts])
        rows = np.concatenate(parts)
        path = self._folder / PASS_FILES.replace("*", f"{places[0][0]:07d}-{places[0][1]:05d}")
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, numbers=numbers, blocks=blocks, ends=ends, rows=rows)
        self._files.append(PassFile(places[0], places[-1], path))


def read_places(path: Path) -> PassFile:
    """What a file of candidates holds, without reading the candidates."""
    with np.load(path) as stored:
        places = np.stack((stored["numbers"], stored["blocks"]), axis=1)
    return PassFile(tuple(places[0].tolist()), tuple(places[-1].tolist()), path)
