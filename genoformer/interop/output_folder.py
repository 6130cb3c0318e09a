"""A folder that is complete or not there: written under another name beside it, then renamed."""

import contextlib
import os
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from genoformer.errors import OutputExistsError
from genoformer.files import sha256_file, temporary_names


@dataclass
class NewFolder:
    """A folder that is being written.

    Attributes:
        path: The empty folder.
        was_there: Known at the end: the final folder held the same files already, and was left alone.
    """

    path: Path
    was_there: bool = False


@contextlib.contextmanager
def output_folder(final: str | Path, *, names: Collection[str], overwrite: bool = False) -> Iterator[NewFolder]:
    """Give an empty folder to write to; on success it takes the final name.

    When the block raises, the folder is removed and an older one stays. An older folder is replaced as a whole, and
    only if it holds nothing but such files; one that holds the very bytes that were written is left alone. What killed
    runs left beside it is removed.

    Args:
        final: The finished folder; folders above it are made. An empty folder there is no hindrance.
        names: Files that may be replaced.
        overwrite: Replace an older folder.

    Yields:
        The empty folder.

    Raises:
        OutputExistsError: If ``final`` is taken, or cannot be created.
    """
    final = Path(os.path.realpath(final))
    temporary_names.remove_stale(final)
    _check_free(final, names, overwrite=overwrite)
    try:
        temporary, descriptor = temporary_names.create_folder(final)
    except OSError as error:
        raise _cannot(final, f"cannot create this folder: {error.strerror}.") from error
    made = NewFolder(temporary)
    try:
        yield made
        made.was_there = _are_equal(temporary, final)
        if not made.was_there:
            _check_replaceable(final, overwrite=overwrite)
            _take_name(temporary, final)
    finally:
        # After the renaming there is nothing under this name; `finally` also covers an interrupt.
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(descriptor)


def _check_free(final: Path, names: Collection[str], *, overwrite: bool) -> None:
    if not os.path.lexists(final):
        return
    if not os.path.isdir(final):
        raise _cannot(final, "this name is taken: it is no folder.")
    others = [name for name in _listed(final) if name not in names or os.path.isdir(final / name)]
    if others and not overwrite:
        raise _cannot(final, f"the folder already has {others[0]}.", " with -o, or add --overwrite")
    if others:
        raise _cannot(final, f"the folder has {others[0]}, which would be lost: it is not replaced.")


def _check_replaceable(final: Path, *, overwrite: bool) -> None:
    found = _listed(final) if final.exists() else []
    if found and not overwrite:
        raise _cannot(final, f"the folder already has another {found[0]}.", " with -o, or add --overwrite")


def _listed(final: Path) -> list[str]:
    try:
        return sorted(os.listdir(final), key=str.casefold)
    except OSError as error:
        raise _cannot(final, f"cannot read this folder: {error.strerror}.") from error


def _are_equal(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files."""
    try:
        names = os.listdir(one)
        return sorted(names) == sorted(os.listdir(other)) and all(
            (one / name).stat().st_size == (other / name).stat().st_size
            and sha256_file(one / name) == sha256_file(other / name)
            for name in names
        )
    except OSError:
        return False


def _take_name(temporary: Path, final: Path) -> None:
    old = temporary.with_name(f"{temporary.name}.old")
    try:
        if final.exists():
            final.rename(old)
        temporary.rename(final)
    except OSError as error:
        raise _cannot(final, f"cannot create this folder: {error.strerror}.") from error
    shutil.rmtree(old, ignore_errors=True)


def _cannot(final: Path, message: str, how: str = "") -> OutputExistsError:
    return OutputExistsError("HF-020", message, where=str(final), fix=f"Choose another folder{how}.")
