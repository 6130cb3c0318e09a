"""Candidates of many records on disk, in few files: what an interrupted prediction continues from, and a shard gives.

The model pass is done block by block, in the order of the input: a kill loses no more than the last file, and shards
divide records of any length.
"""

import os
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self

import numpy as np

from genoformer.files.kept import damaged, read_arrays, read_object, read_own_arrays, remove, write_arrays, write_object

CHUNK_BP = 2_000_000
CHUNK_RECORDS = 10_000
"""A file is written when either is gathered: a file for each of 100 000 contigs would take longer than the model."""

PASS_FILES = "passes-*.npz"
LEARNED = "learned.json"
"""What the model has learned of the input as a whole before the pass; not there where it learns nothing."""
LAST_BLOCK = 1 << 40
NO_PLACE = (-1, 0)
"""Before every place."""

Place = tuple[int, int]
"""Number of the record in the input, number of the block in the record; places are in the order of the input."""


@dataclass(frozen=True)
class PassFile:
    """A file of candidates.

    Attributes:
        first: Place of its first block.
        last: Place of its last block.
        path: Where it is.
        before: Place of the last block of the file before; ``NO_PLACE`` for the first one of a folder.
        beside: Names of the files in its folder that hold what else was said of its blocks.
    """

    first: Place
    last: Place
    path: Path
    before: Place = NO_PLACE
    beside: tuple[str, ...] = ()


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
        before_write: Called before a file is written: what else belongs to its blocks must be on disk first. Gives the
            names of the files that were written for it.

    Raises:
        BusyError: If a file is damaged, or one is missing; ``keep_intact`` sees to it where a run begins.
    """

    def __init__(self, *folders: Path, before_write: Callable[[], Iterable[str]] = tuple) -> None:
        self._folder, self._before_write = folders[-1], before_write
        found = [file for folder in folders for file in _files_of(folder)]
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
        """The last place on disk; ``NO_PLACE`` where there is none."""
        return self._files[-1].last if self._files else NO_PLACE

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
        parts: list[np.ndarray] = []
        at = bisect_left(self._files, (number, 0), key=lambda file: file.last)
        while at < len(self._files) and self._files[at].first <= (number, LAST_BLOCK):
            chunk = self._chunk(self._files[at].path)
            low, high = np.searchsorted(chunk.numbers, [number, number + 1])
            if low < high:
                parts.append(chunk.rows[chunk.ends[low - 1] if low else 0 : chunk.ends[high - 1]])
            at += 1
            if len(parts) == 2:
                self._read = None  # its rows are copied, and those of a long record are much
                parts = [_grown(*parts)]
        if not parts:
            raise KeyError(number)
        return parts[0]

    def _chunk(self, path: Path) -> _Chunk:
        if self._read is None or self._read[0] != path:
            stored = read_own_arrays(path)
            self._read = path, _Chunk(stored["numbers"], stored["blocks"], stored["ends"], stored["rows"])
        return self._read[1]

    def _write(self) -> None:
        # Taken out first: a write that failed is not tried again when the block ends.
        gathered, self._gathered, self._gathered_bp = self._gathered, [], 0
        if not gathered:
            return
        beside = tuple(self._before_write())
        places, parts = zip(*gathered, strict=True)
        numbers, blocks = np.array(places, np.int64).T
        ends = np.cumsum([len(candidates) for candidates in parts])
        path = self._folder / PASS_FILES.replace("*", f"{places[0][0]:07d}-{places[0][1]:05d}")
        file = PassFile(places[0], places[-1], path, self.last, beside)
        write_arrays(
            path, numbers=numbers, blocks=blocks, ends=ends, rows=np.concatenate(parts), before=np.array(file.before),
            beside=np.array(beside, np.str_),
        )  # fmt: skip
        self._files.append(file)


def _grown(rows: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Both behind each other; rows that are nobody else's grow where they are."""
    if not rows.flags.owndata:
        return np.concatenate((rows, more))
    n = len(rows)
    rows.resize(n + len(more), refcheck=False)
    rows[n:] = more
    return rows


def keep_intact(folder: Path, is_intact: Callable[[str], bool] = lambda name: False) -> set[str]:
    """Remove the first file of an interrupted run that is damaged, or behind a missing one, and all behind it.

    Args:
        folder: Of the files.
        is_intact: Whether a file beside those of candidates is there and as it was written.

    Returns:
        Names of the files beside those that stay.
    """
    reached, beside = NO_PLACE, set[str]()
    found = {path: read_file(path) for path in folder.glob(PASS_FILES)}
    for path, file in sorted(found.items(), key=lambda item: (item[1] is None, item[1].first if item[1] else ())):
        if file is None or file.before != reached or not all(map(is_intact, file.beside)):
            remove(path)
        else:
            reached = file.last
            beside.update(file.beside)
    return beside


def _files_of(folder: Path) -> list[PassFile]:
    files = [read_file(path) or _raise_damaged(path) for path in folder.glob(PASS_FILES)]
    files.sort(key=lambda file: file.first)
    reached = NO_PLACE
    for file in files:
        if file.before != reached:
            _raise_damaged(file.path)
        reached = file.last
    return files


def _raise_damaged(path: Path) -> NoReturn:
    raise damaged(path)


def write_learned(folder: Path, learned: dict[str, int] | None) -> None:
    """Keep what the model has learned beside the candidates; None removes what was kept before."""
    if learned is not None:
        write_object(folder / LEARNED, learned)
    elif os.path.lexists(folder / LEARNED):
        remove(folder / LEARNED)


def read_learned(folders: Iterable[Path]) -> dict[str, int] | None:
    """What ``write_learned`` has kept in the first of the folders that has it.

    Raises:
        BusyError: If it was damaged since.
    """
    for path in (folder / LEARNED for folder in folders):
        if path.is_file():
            try:
                return read_object(path)
            except ValueError as error:
                raise damaged(path) from error
    return None


def read_file(path: Path) -> PassFile | None:
    """What a file of candidates holds, without the candidates; None if it is damaged."""
    try:
        stored = read_arrays(path)
        chunk = _Chunk(stored["numbers"], stored["blocks"], stored["ends"], stored["rows"])
        if not _is_whole(chunk):
            return None
        places = np.stack((chunk.numbers, chunk.blocks), axis=1)
        before, beside = stored["before"], stored["beside"]
        if before.shape != (2,) or before.dtype.kind != "i" or beside.ndim != 1 or beside.dtype.kind != "U":
            return None
        ends = (tuple(row.tolist()) for row in (places[0], places[-1], before))
        first, last, reached = ends
        return PassFile(first, last, path, reached, tuple(beside.tolist()))
    except (ValueError, KeyError, TypeError):
        return None


def _is_whole(chunk: _Chunk) -> bool:
    """Whether the columns fit each other."""
    columns = (chunk.numbers, chunk.blocks, chunk.ends)
    if any(column.ndim != 1 or column.dtype.kind != "i" or len(column) != len(chunk.ends) for column in columns):
        return False
    grows = len(chunk.ends) > 0 and chunk.ends[0] >= 0 and bool((np.diff(chunk.ends) >= 0).all())
    return grows and chunk.rows.ndim == 1 and len(chunk.rows) == chunk.ends[-1]
