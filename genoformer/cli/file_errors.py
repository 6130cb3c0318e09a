"""What the file system says of names on the command line, where no reader or writer has said it better."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from genoformer.errors import STORAGE_ERRNOS, GenoformerError, MissingFileError, OutputExistsError, OutputWriteError

OUTPUT_OPTIONS = ("-o", "--out", "--name", "--plot")
_NAME_ERRNOS = {
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES, errno.EPERM, errno.EROFS,
    errno.EEXIST, errno.ENOTEMPTY, errno.ENXIO, errno.EILSEQ,
}  # fmt: skip
_FIX = "Check the path, and the rights of file and folder."


def check_names(argv: Sequence[str]) -> None:
    """Refuse arguments that are no text: files, tables and messages that name them could not be written.

    Raises:
        OutputExistsError: If the output has such a name.
        MissingFileError: If another argument is one.
    """
    for before, argument in zip(["", *argv], argv, strict=False):
        try:
            argument.encode("utf-8")
        except UnicodeEncodeError:
            is_output = before in OUTPUT_OPTIONS or argument.split("=")[0] in OUTPUT_OPTIONS
            shown = os.fsencode(argument).decode("utf-8", errors="backslashreplace")
            message, fix = "this name is no UTF-8 text.", "Rename the file, or give a link to it."
            if is_output:
                raise OutputExistsError("FILES-011", message, where=shown, fix=fix) from None
            raise MissingFileError("FILE-021", message, where=shown, fix=fix) from None


def file_error(error: OSError, argv: Sequence[str]) -> GenoformerError | None:
    """The error that the user can do something about; None where it is none of a file of theirs.

    Args:
        error: Of the system.
        argv: The command line, which says what is written.
    """
    where, reason = _text(error.filename), error.strerror
    if error.errno in STORAGE_ERRNOS:
        fix = "Check free space and quota (df -h)."
        return OutputWriteError("FILES-002", f"Writing failed: {reason}.", where=where, fix=fix)
    if error.errno not in _NAME_ERRNOS or not where:
        return None
    inputs, outputs = _named(argv)
    if _is_within(where, outputs):
        return OutputExistsError("FILES-001", f"Cannot create this file: {reason}.", where=where, fix=_FIX)
    # What no file can be called is no name of ours: a file that was read holds it, such as shard.json.
    if _is_within(where, inputs) or error.errno == errno.ENAMETOOLONG:
        return MissingFileError("FILE-020", f"this cannot be read: {reason}.", where=where, fix=_FIX)
    return None


def _named(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Values on the command line: those that are read, and those that are written."""
    inputs: list[str] = []
    outputs: list[str] = []
    for before, argument in zip(["", *argv], argv, strict=False):
        option, equals, value = argument.partition("=")
        if before in OUTPUT_OPTIONS or (equals and option in OUTPUT_OPTIONS):
            outputs += [value, f"runs/{value}"] if equals else [argument, f"runs/{argument}"]
        else:
            inputs.append(value if equals and argument.startswith("-") else argument)
    return inputs, outputs


def _is_within(path: str, named: Sequence[str]) -> bool:
    """Whether a path is one of those that were named, or lies in it."""
    place = Path(os.path.abspath(path))
    return any(name and place.is_relative_to(os.path.abspath(name)) for name in named)


def _text(name: object) -> str:
    return os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else ""
