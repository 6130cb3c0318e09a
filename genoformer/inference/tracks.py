"""Probabilities of every base that a model pass keeps on disk, for formats that hold them.

A value is kept in one byte, in steps of 1/255. Pieces are gathered into files; whatever is interrupted, divided or made
twice, what stands at a base is the same, so that pieces need no order and may come again.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from genoformer.files.kept import has_arrays, read_own_arrays, remove, write_arrays

TRACK_FILES = "tracks-*.npz"
STEPS = 255
MAX_ERROR = 0.5 / STEPS
"""How far a probability that was kept may be from what the model said."""
CHUNK_BYTES = 16_000_000
"""A file is written when this much is gathered."""
HELD_ROWS = 64
"""Rows of files that a reader holds: of records in another order than that of the input, too."""
STRANDS = ("plus", "minus")


def encode_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Probabilities, 0 to 1, as steps, uint8 of the same shape."""
    return np.rint(probabilities * STEPS).astype(np.uint8)


def decode_probabilities(steps: np.ndarray) -> np.ndarray:
    """The inverse of ``encode_probabilities`` up to ``MAX_ERROR``, float32 of the same shape."""
    return steps.astype(np.float32) / np.float32(STEPS)


class TrackPass:
    """Keeps what a model pass says of bases.

    Args:
        folder: Gets the files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._gathered: list[tuple[int, int, np.ndarray]] = []
        self._n_bytes = 0
        self._names: list[str] = []

    def is_intact(self, name: str) -> bool:
        """Whether a file is there and as it was written."""
        return has_arrays(self._folder / name)

    def keep(self, names: set[str]) -> None:
        """Remove all files but these: what they hold is made again."""
        for path in self._folder.glob(TRACK_FILES):
            if path.name not in names:
                remove(path)

    def add(self, number: int, start: int, steps: np.ndarray) -> None:
        """Keep a stretch of one record.

        Args:
            number: Of the record in the input.
            start: First base, in coordinates of the record.
            steps: Of every strand and channel, uint8 [2 C, n].
        """
        self._gathered.append((number, start, steps))
        self._n_bytes += steps.size
        if self._n_bytes >= CHUNK_BYTES:
            self._write()

    def flush(self) -> list[str]:
        """Write what is gathered.

        Returns:
            Names of the files that were written since the last call.

        Raises:
            OutputWriteError: If the file cannot be written.
        """
        self._write()
        names, self._names = self._names, []
        return names

    def _write(self) -> None:
        gathered, self._gathered, self._n_bytes = self._gathered, [], 0
        if not gathered:
            return
        numbers, starts, parts = zip(*gathered, strict=True)
        ends = np.cumsum([part.shape[1] for part in parts])
        rows: dict[str, Any] = {f"row_{i}": np.concatenate([part[i] for part in parts]) for i in range(len(parts[0]))}
        path = self._folder / TRACK_FILES.replace("*", f"{numbers[0]:07d}-{starts[0]:010d}")
        write_arrays(path, numbers=np.array(numbers), starts=np.array(starts), ends=ends, **rows)
        self._names.append(path.name)


@dataclass(frozen=True)
class _Piece:
    """Where a stretch of a record stands: values [low, high) of every row of a file."""

    start: int
    path: Path
    low: int
    high: int


class TrackStore:
    """What model passes have kept, read record by record.

    Args:
        folders: Of the files.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._held: OrderedDict[tuple[Path, int], np.ndarray] = OrderedDict()

    @cached_property
    def _pieces(self) -> dict[int, list[_Piece]]:
        """Pieces of each record by its number, in order; of those that were made twice the last."""
        found: dict[int, dict[int, _Piece]] = defaultdict(dict)
        for path in (path for folder in self._folders for path in sorted(folder.glob(TRACK_FILES))):
            stored = read_own_arrays(path)  # the only time it is checked: rows are read from it again and again
            numbers, starts, ends = (stored[name].tolist() for name in ("numbers", "starts", "ends"))
            for number, start, low, high in zip(numbers, starts, [0, *ends], ends, strict=False):
                found[number][start] = _Piece(start, path, low, high)
        return {number: [pieces[start] for start in sorted(pieces)] for number, pieces in found.items()}

    def pieces(self, number: int, row: int) -> Iterator[tuple[int, np.ndarray]]:
        """Stretches of one strand and channel of a record, ascending.

        Args:
            number: Of the record in the input.
            row: Strand times the number of channels, and the channel.

        Yields:
            First base, and steps, uint8.
        """
        for piece in self._pieces.get(number, ()):
            yield piece.start, self._row(piece.path, row)[piece.low : piece.high]

    def _row(self, path: Path, row: int) -> np.ndarray:
        key = (path, row)
        if key not in self._held:
            with np.load(path) as stored:
                self._held[key] = stored[f"row_{row}"]
            if len(self._held) > HELD_ROWS:
                self._held.popitem(last=False)
        self._held.move_to_end(key)
        return self._held[key]


class HeldSteps:
    """What a model pass says of the bases of one record, in memory; adds as a ``TrackPass``, gives as a ``TrackStore``.

    Args:
        n_rows: Strands times channels.
    """

    def __init__(self, n_rows: int) -> None:
        self._n_rows = n_rows
        self._pieces: dict[int, np.ndarray] = {}

    def add(self, number: int, start: int, steps: np.ndarray) -> None:
        """Keep a stretch; arguments as for ``TrackPass.add``."""
        self._pieces[start] = steps

    def flush(self) -> list[str]:
        """Nothing: all of it is in memory."""
        return []

    def is_intact(self, name: str) -> bool:
        """No file is."""
        return False

    def keep(self, names: set[str]) -> None:
        """Nothing: there are no files."""

    def pieces(self, number: int, row: int) -> Iterator[tuple[int, np.ndarray]]:
        """Stretches of one strand and channel, ascending; see ``TrackStore.pieces``."""
        return ((start, self._pieces[start][row]) for start in sorted(self._pieces))

    def whole(self, length_bp: int) -> np.ndarray:
        """All of it as one array, uint8 [2 C, length_bp]; bases that no model read are 0."""
        found = np.zeros((self._n_rows, length_bp), np.uint8)
        for start, steps in self._pieces.items():
            found[:, start : start + steps.shape[1]] = steps
        return found


@dataclass(frozen=True)
class Track:
    """Probabilities of one record; what writers of formats that hold them are given.

    Attributes:
        store: Has them.
        number: Of the record in the input.
        start: First base that was looked at.
        end: One past the last.
    """

    store: TrackStore | HeldSteps
    number: int
    start: int
    end: int

    def runs(self, row: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Runs of equal steps from ``start`` to ``end``, ascending, without gaps; bases that no model read are 0.

        Args:
            row: Strand times the number of channels, and the channel.

        Yields:
            Starts, ends and steps of neighbouring runs, int64 [n], int64 [n] and uint8 [n].
        """
        held = (self.start, 0)  # begin and step of the run that is not known to have ended
        reached = self.start
        for start, steps in self.store.pieces(self.number, row):
            if start > reached:
                steps, start = np.concatenate([np.zeros(start - reached, np.uint8), steps]), reached
            first, held, runs = _cut(held, start, steps, is_first=start == self.start)
            reached = start + len(steps)
            if first:
                yield runs
        if reached < self.end:
            _, held, runs = _cut(held, reached, np.zeros(self.end - reached, np.uint8), is_first=reached == self.start)
            yield runs
        if self.end > self.start:
            yield np.array([held[0]]), np.array([self.end]), np.array([held[1]], np.uint8)


def _cut(
    held: tuple[int, int], start: int, steps: np.ndarray, *, is_first: bool
) -> tuple[bool, tuple[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Runs that end in a stretch, the one that goes on, and whether any ends."""
    before = int(steps[0]) if is_first else held[1]
    changes = np.flatnonzero(np.diff(steps, prepend=np.uint8(before)))
    begins = np.concatenate([[held[0]], changes + start])
    values = np.concatenate([np.array([before], np.uint8), steps[changes]])
    runs = begins[:-1], begins[1:], values[:-1]
    return len(changes) > 0, (int(begins[-1]), int(values[-1])), runs
