"""Where compiled functions are kept when neither the installation nor the user's home can be written to."""

import atexit
import contextlib
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"
"""Names a folder of the user's choice; read by numba, and by the processes that a command starts."""


def provide_kernel_cache(package: Path) -> None:
    """See to it that numba has a folder to keep compiled functions in, before it is imported.

    It writes beside the sources, else into the user's cache; where it can do neither it refuses to work. A folder of
    temporary files then serves, named on stderr once. It holds code that is run, so that it must be ours alone.

    Args:
        package: The folder that holds the sources.
    """
    given = os.environ.get(VARIABLE)
    usual = [Path(given)] if given else [package / "sequence" / "__pycache__", _user_cache()]
    if any(_can_be_written(folder) for folder in usual):
        return
    with contextlib.suppress(OSError):  # without a folder for temporary files, numba says what is wrong
        os.environ[VARIABLE] = str(_private_folder())
        why = f"{VARIABLE} cannot be written to" if given else "installation and home are read-only"
        line = f"genoformer: note: {why}: compiled functions go to {os.environ[VARIABLE]}"
        print(line if given else f"{line} (set {VARIABLE} to choose a folder that stays)", file=sys.stderr)


def _user_cache() -> Path:
    if sys.platform == "darwin":
        return Path("~/Library/Caches/numba").expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser(), "numba")


def _can_be_written(folder: Path) -> bool:
    """Whether the folder, or else the nearest one above it that is there, lets us write."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), None)
    return there is not None and there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _private_folder() -> Path:
    """A folder of temporary files that no other user can write to; the same one each time where that can be."""
    folder = Path(tempfile.gettempdir(), f"genoformer-kernels-{os.getuid()}")
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
        return folder
    folder = Path(tempfile.mkdtemp(prefix="genoformer-kernels-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
