"""A folder that is complete or not there: written under another name beside it, then renamed."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from genoformer.errors import OutputExistsError


@contextlib.contextmanager
def output_folder(final: str | Path, *, names: Collection[str], overwrite: bool = False) -> Iterator[Path]:
    """Give an empty folder to write to; on success it takes the final name.

    When the block raises, the folder is removed and an older one stays. An older folder is replaced as a whole, and
    only if it holds nothing but such files.

    Args:
        final: The finished folder; folders above it are made. An empty folder there is no hindrance.
        names: Files that may be replaced.
        overwrite: Replace an older folder.

    Yields:
        Path of the empty folder.

    Raises:
        OutputExistsError: If ``final`` is taken, or cannot be created.
    """
    final = Path(os.path.realpath(final))
    _check_free(final, names, overwrite=overwrite)
    temporary = final.with_name(f".{final.name[:100]}.{secrets.token_hex(6)}.tmp")
    try:
        temporary.mkdir(parents=True)
    except OSError as error:
        raise _cannot(final, f"cannot create this folder: {error.strerror}.") from error
    try:
        yield temporary
        _take_name(temporary, final)
    finally:
        # After the renaming there is nothing under this name; `finally` also covers an interrupt.
        shutil.rmtree(temporary, ignore_errors=True)


def _check_free(final: Path, names: Collection[str], *, overwrite: bool) -> None:
    if not final.exists():
        return
    if not final.is_dir():
        raise _cannot(final, "this name is taken: it is no folder.")
    found = sorted((path.name for path in final.iterdir()), key=str.casefold)
    if found and not overwrite:
        raise _cannot(final, f"the folder already has {found[0]}.", " with -o, or add --overwrite")
    if others := [name for name in found if name not in names]:
        raise _cannot(final, f"the folder has {others[0]}, which would be lost: it is not replaced.")


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
