"""Inputs that can be read once, such as ``<(zcat genome.gz)`` or a named pipe, as files that can be read again."""

import atexit
import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from genoformer.errors import DataError, OutputWriteError

_COPIES: dict[tuple[int, int], Path] = {}
"""Of pipes by device and number, so that whoever asks again gets what was read."""


def rereadable(path: str | Path) -> Path:
    """The path itself, or that of a temporary copy if it is a pipe; copies go when the process ends.

    Args:
        path: Of any input; what is not there is for the caller to find.

    Raises:
        DataError: If it is a device other than the empty one.
        OutputWriteError: If the copy cannot be written.
    """
    path = Path(path)
    try:
        found = path.stat()
    except (OSError, ValueError):
        return path
    if stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode):
        if os.path.realpath(path) == os.devnull:
            return path
        fix = "Give a file, or - for standard input."
        raise DataError("FILE-005", "this is a device, not a file.", where=str(path), fix=fix)
    if not stat.S_ISFIFO(found.st_mode) and not stat.S_ISSOCK(found.st_mode):
        return path
    key = (found.st_dev, found.st_ino)
    if key not in _COPIES:
        _COPIES[key] = _copy(path)
    return _COPIES[key]


def _copy(path: Path) -> Path:
    """What the pipe holds until its writers have gone, in a file of the folder for temporary files."""
    with open(path, "rb") as pipe:
        try:
            with tempfile.NamedTemporaryFile(prefix="genoformer-pipe-", delete=False) as copy:
                atexit.register(_remove, copy.name)
                shutil.copyfileobj(pipe, copy)
        except OSError as error:
            message = f"Copying what can be read only once failed: {error.strerror}."
            fix = "Give a file, or free space where temporary files go (TMPDIR)."
            raise OutputWriteError("FILES-005", message, where=str(path), fix=fix) from error
    return Path(copy.name)


def _remove(name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name)
