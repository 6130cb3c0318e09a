"""Probabilities per base as bigWig; pybigtools writes.

It is loaded by name (``optional_packages``): the format is refused before any work where it is not installed.
"""

import errno
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pybigtools

from genoformer.files import atomic_path
from genoformer.inference.track_files import TrackFolder
from genoformer.inference.tracks import STEPS, Track, decode_probabilities

Row = tuple[str, int, int, float]
_MARKS = (b"\x26\xfc\x8f\x88", b"\x88\x8f\xfc\x26")
"""What a bigWig begins with, in either order of bytes."""


class BigWigWriter(TrackFolder):
    """A bigWig for each channel and strand; records by the bytes of their ids, as the format's index wants them."""

    suffix = ".bw"

    def write_file(self, path: Path, found: list[tuple[str, int, Track]], row: int) -> None:
        held = sorted(
            ((name, length, track) for name, length, track in found if length), key=lambda one: one[0].encode()
        )
        if held:
            with atomic_path(path) as temporary:
                write_rows(temporary, {name: length for name, length, _ in held}, _track_rows(held, row))
        else:
            path.write_bytes(b"")


class _Rows:
    """Rows that end where an error comes: pybigtools would print it, and go on as if they had ended."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows
        self.error: BaseException | None = None
        self.is_complete = False

    def __iter__(self) -> Iterator[Row]:
        try:
            yield from self._rows
            self.is_complete = True
        except GeneratorExit:  # pybigtools asks for no more rows, since it cannot write
            raise
        except BaseException as error:
            self.error = error


def write_rows(path: Path, lengths: Mapping[str, int], rows: Iterable[Row]) -> None:
    """Write a bigWig file.

    Args:
        path: A temporary file, see ``atomic_path``.
        lengths: Of the records, by id, in the order of the bytes of the ids.
        rows: Record, start, end and value; in the order of the records, ascending, without overlap.

    Raises:
        OSError: If pybigtools cannot write them.
    """
    # pybigtools tells by the end of a name what to write, and the temporary name has another one.
    named = path.with_suffix(".bw")
    named.symlink_to(path.name)
    checked = _Rows(rows)
    try:
        pybigtools.open(str(named), "w").write(dict(lengths), iter(checked))
    except BaseException as error:
        if checked.error is None and not isinstance(error, RuntimeError) and type(error).__name__ != "PanicException":
            raise
        if checked.error is None:
            raise OSError(errno.EIO, f"pybigtools: {error}") from error
    finally:
        named.unlink()
    if checked.error is not None:
        raise checked.error
    if not checked.is_complete or not _has_end(path):
        raise OSError(errno.EIO, "pybigtools could not write all of it, perhaps for lack of space")


def _has_end(path: Path) -> bool:
    """Whether a bigWig ends with the number that it begins with: pybigtools says nothing of a write that failed.

    It writes what stands at the beginning last; until then there are zeros.

    Reference: the bbi file format as UCSC's ``bwgCreate.c`` writes it, where that number comes last.
    """
    size = len(_MARKS[0])
    with open(path, "rb") as file:
        first = file.read(size)
        file.seek(max(0, path.stat().st_size - size))
        return first in _MARKS and file.read() == first


def _track_rows(found: list[tuple[str, int, Track]], row: int) -> Iterator[Row]:
    values = decode_probabilities(np.arange(STEPS + 1)).tolist()
    for name, _, track in found:
        for starts, ends, steps in track.runs(row):
            columns = zip(starts.tolist(), ends.tolist(), steps.tolist(), strict=True)
            yield from ((name, start, end, values[step]) for start, end, step in columns)
