"""Output folders: made with those around them, and gone again when nothing came of it."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from genoformer.errors import OutputExistsError


@contextlib.contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Make a folder; when the block raises, the folders that were made go again, unless something lies in them.

    Raises:
        OutputExistsError: If it cannot be made, or cannot be read.
    """
    absent = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.listdir(folder)
    except OSError as error:
        _remove_empty(absent)  # of several levels, only the last may have failed
        message = f"cannot create this folder: {error.strerror}."
        raise OutputExistsError("OUT-001", message, where=str(folder), fix="Choose another folder with -o.") from error
    try:
        yield
    except BaseException:
        _remove_empty(absent)
        raise


def check_names(folder: Path, names: Iterable[str]) -> None:
    """Refuse a folder in which something else than a file has the name of a result.

    Raises:
        OutputExistsError: If there is one.
    """
    for name in names:
        for path in folder.glob(name):
            if path.is_dir():
                message = "this name is that of a result, but a folder has it."
                fix = "Choose another folder with -o, or remove it."
                raise OutputExistsError("OUT-010", message, where=str(path), fix=fix)


def _remove_empty(folders: list[Path]) -> None:
    for path in folders:
        with contextlib.suppress(OSError):
            path.rmdir()
