"""Temporary files beside those that they become: made under a lock, by which those of killed writers are told.

A writer holds the lock of its file for as long as it lives. That of a file or folder whose writer was killed is free.
"""

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

_NAME = re.compile(r"(\..*)\.[0-9a-f]{12}\.tmp(\.old)?", re.DOTALL)
_MOST_NAME_BYTES = 200
"""Of the name of a file in that of its temporary one, so that it stays below the 255 bytes that file systems allow."""
_REST = 50
"""A folder is not looked at again before this many times as long as it took has gone by: some have 100,000 files."""

_found: dict[Path, dict[str, list[str]]] = {}
_next_look_s: dict[Path, float] = {}


def create(final: Path) -> tuple[Path, int]:
    """An empty file beside ``final``, and its descriptor, which holds the lock until it is closed.

    Raises:
        OSError: If it cannot be created.
    """
    return _made(final, _new_file)


def create_folder(final: Path) -> tuple[Path, int]:
    """As ``create``, an empty folder."""
    return _made(final, _new_folder)


def _made(final: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    remove_stale(final)
    while True:
        path = name_beside(final)
        try:
            descriptor = make(path)
            if _hold(descriptor, path):
                return path, descriptor
            os.close(descriptor)
        except OSError:
            raise
        except BaseException:  # of a signal: nobody else knows the name yet
            _remove(path)
            raise


def _new_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


def _new_folder(path: Path) -> int:
    path.mkdir(parents=True)
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def name_beside(final: Path) -> Path:
    """A name that nothing has."""
    return final.with_name(f"{_start(final)}.{secrets.token_hex(6)}.tmp")


def remove_stale(final: Path) -> None:
    """Remove what killed writers of ``final`` left beside it; an older version that one had put aside comes back."""
    _look(final.parent)
    for name in _found.get(final.parent, {}).pop(_start(final), ()):
        path = final.with_name(name)
        with contextlib.suppress(OSError):
            _remove_if_stale(path, final)


def is_same_file(descriptor: int, path: Path) -> bool:
    """Whether the open file still has this name."""
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    return False


def _start(final: Path) -> str:
    # What is cut off inside a letter of several bytes would be no name that can be written as text.
    return f".{os.fsencode(final.name)[:_MOST_NAME_BYTES].decode(errors='ignore')}"


def _hold(descriptor: int, path: Path) -> bool:
    """Lock a file that was just made; False where someone took it for a stale one meanwhile."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # without locks nobody takes any file for a stale one
    return is_same_file(descriptor, path)


def _look(folder: Path) -> None:
    begin = time.monotonic()
    if begin < _next_look_s.get(folder, 0.0):
        return
    found: dict[str, list[str]] = defaultdict(list)
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for name in (entry.name for entry in entries if entry.name.startswith(".")):
            if match := _NAME.fullmatch(name):
                found[match[1]].append(name)
    _found[folder] = found
    now = time.monotonic()
    _next_look_s[folder] = now + _REST * (now - begin)


def _remove_if_stale(path: Path, final: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not is_same_file(descriptor, path):
            return
        if not path.is_dir():
            path.unlink()
        elif path.suffix == ".old" and not os.path.lexists(final):
            path.rename(final)  # the writer was killed between its two renamings
        else:
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)
