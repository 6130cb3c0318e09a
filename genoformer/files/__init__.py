"""Files that are complete or not there: atomic writing, digests, manifests and a lock per folder."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from genoformer.errors import (
    STORAGE_ERRNOS,
    BusyError,
    DataError,
    GenoformerError,
    OutputExistsError,
    OutputWriteError,
)
from genoformer.files.temporary_names import create as create_temporary
from genoformer.files.temporary_names import is_same_file

MANIFEST_NAME = "manifest.json"
LOCK_NAME = ".genoformer.lock"
MOST_JSON_BYTES = 2**28
"""Of a JSON file that is read; the manifest of a million files has half of it."""

_NO_DIRECTORY_SYNC = {errno.EINVAL, errno.ENOTSUP}


@contextlib.contextmanager
def atomic_path(final: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``final`` to write to; on success it takes the final name.

    The file is flushed to the disk, renamed, and the rename is flushed too: after any kill there is under the final
    name nothing, the old version or the complete new one. When the block raises, the temporary file is removed and the
    old version stays. A link is written through. The file mode follows the umask. What killed writers of this file left
    beside it is removed.

    Args:
        final: Name of the finished file; its folder must exist.

    Yields:
        Path of an empty file in the same folder.

    Raises:
        OutputExistsError: If the file cannot be created there: no folder, no permission, not a regular file.
        OutputWriteError: If writing fails: full disk, quota, failing device.
    """
    final = Path(os.path.realpath(final))
    temporary, descriptor = _create_temporary(final)
    try:
        yield temporary
        _sync(temporary, os.O_RDWR)
        os.replace(temporary, final)
        _sync_folder(final.parent)
    except Exception as error:
        if _is_failed_write(error, temporary):
            raise _write_error(final, error) from error
        raise
    finally:
        # After the rename there is nothing under this name; `finally` also covers an interrupt.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        os.close(descriptor)


def check_file_place(final: str | Path) -> None:
    """Refuse a name under which no file can be created, before the work whose result it is to have.

    Args:
        final: Name of the file to be; one that is there stays as it is.

    Raises:
        OutputExistsError: As ``atomic_path`` does.
    """
    temporary, descriptor = _create_temporary(Path(os.path.realpath(final)))
    try:
        os.close(descriptor)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes_atomic(path: str | Path, data: bytes) -> None:
    """Write ``data`` so that ``path`` is never incomplete; errors as in ``atomic_path``."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text_atomic(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8 with the line ends it has; errors as in ``atomic_path``."""
    write_bytes_atomic(path, text.encode("utf-8"))


def write_json_atomic(path: str | Path, obj: object) -> None:
    """Write ``obj`` as JSON, keys sorted, indented by two: equal objects give equal bytes.

    Raises:
        ValueError: If ``obj`` holds NaN or an infinity, which JSON does not know.
        TypeError: If ``obj`` holds a type that JSON does not know.
    """
    text = json.dumps(obj, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    write_text_atomic(path, text + "\n")


def open_plain(path: str | Path, flags: int = 0) -> BinaryIO:
    """Open a file that anyone may have put there for reading.

    Args:
        path: The file.
        flags: Of ``os.open``, beside those of reading.

    Raises:
        OSError: If it is not there, or cannot be read.
        ValueError: If it is no plain file: a pipe would never end.
    """
    file = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise ValueError("this is no file")
    return file


def read_json(path: str | Path) -> object:
    """Read a JSON file that anyone may have put there.

    Raises:
        OSError: If it is not there, or cannot be read.
        ValueError: If it is no JSON, no plain file (a pipe would never end), or unbelievably long or nested.
    """
    with open_plain(path) as file:
        if os.fstat(file.fileno()).st_size > MOST_JSON_BYTES:
            raise ValueError("this is no file, or too long to be JSON of ours")
        try:
            return json.loads(file.read(MOST_JSON_BYTES))
        except RecursionError as error:
            raise ValueError("JSON is nested too deeply") from error


def sha256_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: str | Path, names: list[str]) -> None:
    """Write ``manifest.json`` with SHA-256 and size of each file; call it last, when all files are final.

    Args:
        folder: The folder that holds the files.
        names: Names relative to ``folder``, with "/" between folders.

    Raises:
        ValueError: If a name leaves the folder or is the manifest itself.
        OutputWriteError: If a named file is not there, or the manifest cannot be written.
    """
    folder = Path(folder)
    files = {}
    for name in names:
        if not _is_inside(name):
            raise ValueError(f"expected a file name inside the folder, found {name!r}")
        try:
            files[name] = {"sha256": sha256_file(folder / name), "bytes": (folder / name).stat().st_size}
        except OSError as error:
            raise _write_error(folder / name, error) from error
    write_json_atomic(folder / MANIFEST_NAME, {"files": files})


def verify_manifest(folder: str | Path, only: Collection[str] | None = None) -> dict[str, dict]:
    """Check every file that ``manifest.json`` names against its size and SHA-256.

    Files that the manifest does not name are not looked at.

    Args:
        folder: The folder that holds the manifest.
        only: Names of files that are checked; None for all.

    Returns:
        For each name its "sha256" and "bytes".

    Raises:
        DataError: If the manifest is missing or unreadable, or a file is missing or has other contents.
    """
    folder = Path(folder)
    files = _read_manifest(folder / MANIFEST_NAME)
    files = files if only is None else {name: entry for name, entry in files.items() if name in only}
    for name, entry in files.items():
        path = folder / name
        try:
            size = path.stat().st_size
            matches = size == entry["bytes"] and sha256_file(path) == entry["sha256"]
        except (OSError, ValueError) as error:  # ValueError: a name that cannot be one of a file
            raise _manifest_error(path, f"cannot be read ({_reason(error)}), but the manifest names it.") from error
        if not matches:
            raise _manifest_error(path, f"differs from the manifest (expected {entry['bytes']} bytes, found {size}).")
    return files


@contextlib.contextmanager
def folder_lock(folder: str | Path) -> Iterator[None]:
    """Hold a folder for this process, so that two runs never write into it at the same time.

    The lock ends with the process, however it ends; the empty lock file stays, unless the block that made it raises.

    Args:
        folder: An existing folder.

    Raises:
        BusyError: If another process, or another lock of this one, holds the folder.
        OutputExistsError: If the lock file cannot be created.
        OutputWriteError: If the file system refuses locks.
    """
    path = Path(folder) / LOCK_NAME
    descriptor, is_own = _open_lock(path)
    try:
        yield
    except BaseException:
        if is_own:
            with contextlib.suppress(OSError):
                path.unlink()
        raise
    finally:
        os.close(descriptor)


def _open_lock(path: Path) -> tuple[int, bool]:
    """The lock file, locked, and whether it was made here; links are not followed."""
    while True:
        descriptor, is_own = _open_or_create(path)
        try:
            _lock(descriptor, path)
            if is_same_file(descriptor, path):
                return descriptor, is_own
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # another run has failed and removed the file between opening and locking


def _open_or_create(path: Path) -> tuple[int, bool]:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    while True:
        try:
            return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666), True
        except FileExistsError:
            with contextlib.suppress(FileNotFoundError):
                return _open_again(path, flags), False
        except OSError as error:
            raise _create_error(path, error) from error


def _open_again(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _create_error(path, error) from error


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BusyError(
            "FILES-004",
            "Another run is writing into this folder.",
            where=str(path.parent),
            fix="Wait until it has finished, or choose another folder.",
        ) from error
    except OSError as error:
        raise _write_error(path, error) from error


def _create_temporary(final: Path) -> tuple[Path, int]:
    # Replacing a device by a file would break the machine for everyone: `-o /dev/null` as root.
    if os.path.exists(final) and not os.path.isfile(final):
        kind = "a folder" if os.path.isdir(final) else "not a regular file"
        raise OutputExistsError(
            "FILES-001", f"This name is taken: it is {kind}.", where=str(final), fix="Choose another file name."
        )
    try:
        if final.is_symlink():  # what has no end after all links were followed
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if len(os.fsencode(final.name)) > os.pathconf(final.parent, "PC_NAME_MAX"):
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        return create_temporary(final)
    except OSError as error:
        raise _create_error(final, error) from error


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    try:
        _sync(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_SYNC:  # some network file systems cannot flush a folder
            raise


def _is_failed_write(error: Exception, temporary: Path) -> bool:
    """Whether ``error`` is about our output; an ``OSError`` that names another file, an input, is not."""
    if not isinstance(error, OSError) or isinstance(error, GenoformerError):
        return False
    return error.errno in STORAGE_ERRNOS or error.filename in (None, str(temporary))


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).splitlines()[0]


def _create_error(path: Path, error: OSError) -> GenoformerError:
    if error.errno in STORAGE_ERRNOS:
        return _write_error(path, error)
    return OutputExistsError(
        "FILES-001",
        f"Cannot create this file: {_reason(error)}.",
        where=str(path),
        fix="The folder must exist and be writable.",
    )


def _write_error(path: Path, error: Exception) -> OutputWriteError:
    return OutputWriteError(
        "FILES-002",
        f"Writing failed: {_reason(error)}.",
        where=str(path),
        fix="Check free space and quota (df -h), then run the same command again.",
    )


def _is_inside(name: object) -> bool:
    if not isinstance(name, str) or not name or name == MANIFEST_NAME or "\0" in name:
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _read_manifest(path: Path) -> dict[str, dict]:
    try:
        manifest = read_json(path)
    except (OSError, ValueError) as error:
        raise _manifest_error(path, f"cannot be read: {_reason(error)}.") from error
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict):
        raise _manifest_error(path, 'has no "files".')
    for name, entry in files.items():
        if not _is_inside(name) or not isinstance(entry, dict) or not {"sha256", "bytes"} <= entry.keys():
            raise _manifest_error(path, f"has a wrong entry {name!r}.")
    return files


def _manifest_error(path: Path, message: str) -> DataError:
    return DataError(
        "FILES-003",
        f"The file {message}",
        where=str(path),
        fix="The folder is incomplete or was changed: copy it or make it again.",
    )
