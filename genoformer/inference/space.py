"""Whether what a prediction writes fits on the disk, before the work begins."""

import shutil
from pathlib import Path

from genoformer.errors import OutputWriteError
from genoformer.inference.tracks import TRACK_FILES

ROW_FILES = "rows-*.npz"
"""Of embeddings, in the work folder."""


def check_space(folder: Path, n_bytes: int) -> None:
    """Refuse to begin what cannot end.

    Args:
        folder: Where files come to lie; it, or a folder around it, is there. What an interrupted run has kept in it
            counts as free.
        n_bytes: About how much is written.

    Raises:
        OutputWriteError: If less is free.
    """
    if not n_bytes:
        return
    found = (path for name in (TRACK_FILES, ROW_FILES) for path in folder.glob(name))
    kept = sum(path.stat().st_size for path in found) if folder.is_dir() else 0
    place = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(place).free + kept
    if free < n_bytes:
        message = f"what is written takes about {readable(n_bytes)}, but {readable(free)} are free."
        fix = "Use another disk, fewer records or --region, or leave out formats that hold every base."
        raise OutputWriteError("OUT-006", message, where=str(folder), fix=fix)


def readable(n_bytes: int) -> str:
    """A size in words.

    Example:
        >>> readable(2_345_000_000)
        '2.3 GB'
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes / 1000:.1f} kB"
