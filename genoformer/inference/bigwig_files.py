"""Probabilities per base as bigWig; pybigtools writes.

It is loaded by name (``optional_packages``): the format is refused before any work where it is not installed.
"""

import errno
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pybigtools

from genoformer.files import atomic_path
from genoformer.inference.track_files import TrackFolder
from genoformer.inference.tracks import STEPS, Track, decode_probabilities

Row = tuple[str, int, int, float]


class BigWigWriter(TrackFolder):
    """A bigWig for each channel and strand; records by the bytes of their ids, as the format's index wants them."""

    suffix = ".bw"

    def write_file(self, path: Path, found: list[tuple[str, int, Track]], row: int) -> None:
        held = sorted(
            ((name, length, track) for name, length, track in found if length), key=lambda one: one[0].encode()
        )
        if held:
            with atomic_path(path) as temporary:
                _write(temporary, held, row)
        else:
            path.write_bytes(b"")


class _Rows:
    """Rows for pybigtools, which prints what an iterator raises, and goes on as if it had ended."""

    def __init__(self, found: list[tuple[str, int, Track]], row: int) -> None:
        self._found, self._row = found, row
        self.error: BaseException | None = None
        self.is_complete = False

    def __iter__(self) -> Iterator[Row]:
        values = decode_probabilities(np.arange(STEPS + 1)).tolist()
        try:
            for name, _, track in self._found:
                for starts, ends, steps in track.runs(self._row):
                    columns = zip(starts.tolist(), ends.tolist(), steps.tolist(), strict=True)
                    yield from ((name, start, end, values[step]) for start, end, step in columns)
            self.is_complete = True
        except BaseException as error:
            self.error = error
            raise


def _write(path: Path, found: list[tuple[str, int, Track]], row: int) -> None:
    # pybigtools tells by the end of a name what to write, and the temporary name has another one.
    named = path.with_suffix(".bw")
    named.symlink_to(path.name)
    rows = _Rows(found, row)
    try:
        pybigtools.open(str(named), "w").write({name: length for name, length, _ in found}, iter(rows))
    except RuntimeError as error:
        if rows.error is None:
            raise OSError(errno.EIO, f"pybigtools: {error}") from error
    finally:
        named.unlink()
    if rows.error is not None:
        raise rows.error
    if not rows.is_complete:
        raise OSError(errno.EIO, "pybigtools did not write all values")
