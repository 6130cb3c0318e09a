"""Files that an interrupted run continues from: each carries the SHA-256 of what it holds, and counts only with it.

Whoever finds one damaged makes it again. No link is followed, and nothing that may never end is read.
"""

import hashlib
import io
import json
import os
import shutil
import stat
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from genoformer.errors import BusyError
from genoformer.files import atomic_path, open_plain, read_json, sha256_file, write_json_atomic
from genoformer.files.sealed import check_seal, ending

_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError)


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Keep arrays by name, in place of whatever has this name; errors as in ``atomic_path``."""
    _make_room(path)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    with buffer.getbuffer() as archive, atomic_path(path) as temporary, open(temporary, "wb") as file:
        file.write(archive[:-2])
        file.write(ending(archive))


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The inverse of ``write_arrays``.

    Raises:
        ValueError: If the file is not there, or damaged.
    """
    try:
        data = _read_plain(path)
        check_seal(data)
        archive = io.BytesIO(data)  # which copies nothing
        with zipfile.ZipFile(archive) as members:
            if any(member.compress_type != zipfile.ZIP_STORED for member in members.infolist()):
                raise ValueError("it holds more than it is long")
        with np.load(archive) as stored:
            return {name: stored[name] for name in stored.files}
    except _UNREADABLE as error:
        raise ValueError(f"{path}: {error}") from error


def has_arrays(path: Path) -> bool:
    """Whether ``read_arrays`` can read this file."""
    try:
        read_arrays(path)
    except ValueError:
        return False
    return True


def read_own_arrays(path: Path) -> dict[str, np.ndarray]:
    """As ``read_arrays``, of a file that was there a moment ago.

    Raises:
        BusyError: If it was damaged since.
    """
    try:
        return read_arrays(path)
    except ValueError as error:
        raise damaged(path) from error


def damaged(path: Path) -> BusyError:
    """The error about a file that should be intact."""
    message = "this file, which the run itself has written, was damaged or removed."
    return BusyError("FILES-010", message, where=str(path), fix="Run the same command again: it makes it again.")


def write_object(path: Path, content: Any) -> None:
    """Keep JSON types, in place of whatever has this name; errors as in ``write_json_atomic``."""
    _make_room(path)
    write_json_atomic(path, {"content": content, "sha256": _digest(content)})


def read_object(path: Path) -> Any:
    """The inverse of ``write_object``.

    Raises:
        ValueError: If the file is not there, or damaged.
    """
    try:
        stored = read_json(path)
    except OSError as error:
        raise ValueError(str(error)) from error
    if not isinstance(stored, dict) or stored.get("sha256") != _digest(stored.get("content")):
        raise ValueError(f"{path}: its content does not match its checksum")
    return stored["content"]


def write_digest(path: Path) -> None:
    """Keep the digest of a finished file beside it."""
    write_object(_beside(path), sha256_file(path))


def has_digest(path: Path) -> bool:
    """Whether a file is there, and is as it was when its digest was kept."""
    try:
        return read_object(_beside(path)) == sha256_file(path)
    except (OSError, ValueError):
        return False


def keep_plain(folder: Path) -> None:
    """Remove from a folder of ours, however deep, what is neither file nor folder: links, pipes, devices."""
    for path in list(folder.iterdir()):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            keep_plain(path)
        elif not stat.S_ISREG(mode):
            path.unlink()


def remove(path: Path) -> None:
    """Remove a file, or a folder with all it holds; what a link leads to stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _make_room(path: Path) -> None:
    if path.is_symlink() or path.is_dir():
        remove(path)


def _read_plain(path: Path) -> bytes:
    with open_plain(path, os.O_NOFOLLOW) as file:
        return file.read()


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.digest.json")
