"""Lines of a plain or gzip-compressed text file, with errors that name the file."""

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from genoformer.errors import DataError, MissingFileError
from genoformer.files.once import rereadable

GZIP_MAGIC = b"\x1f\x8b"
# Empty block that ends every complete BGZF file; SAM specification, section 4.1.2.
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
DOWNLOAD_AGAIN = "The file looks damaged or cut off. Download it again."


def read_head(path: Path, n_bytes: int = 65536) -> bytes:
    """The first decompressed bytes of a file, without a byte order mark.

    Raises:
        MissingFileError: If there is no such file.
        DataError: If the file cannot be read or decompressed.
    """
    with open_bytes(path) as handle:
        try:
            return handle.read(n_bytes).removeprefix(b"\xef\xbb\xbf")
        except (EOFError, OSError, zlib.error) as error:
            raise _damaged(path, error) from error


def open_bytes(path: Path) -> BufferedReader | gzip.GzipFile:
    """Open a plain or gzip file for reading bytes; the content decides, not the name.

    Raises:
        MissingFileError: If there is no such file.
        DataError: If the file cannot be read, or is BGZF without its end block.
    """
    try:
        source = rereadable(path)
        handle = open(source, "rb")
    except FileNotFoundError as error:
        raise MissingFileError("FILE-001", "there is no such file.", where=str(path), fix="Check the path.") from error
    except OSError as error:
        raise DataError("FILE-002", f"cannot be read: {error.strerror}.", where=str(path)) from error
    magic = handle.read(len(GZIP_MAGIC))
    handle.seek(0)
    if magic != GZIP_MAGIC:
        return handle
    with handle:
        _check_bgzf_end(handle, path)
    return gzip.open(source)


def _check_bgzf_end(handle: BufferedReader, path: Path) -> None:
    """BGZF cut between two blocks decompresses without any error: only the end block tells."""
    header = handle.read(18)
    is_bgzf = len(header) == 18 and header[3] & 4 and header[12:14] == b"BC"
    if is_bgzf:
        handle.seek(0, 2)
        handle.seek(max(0, handle.tell() - len(BGZF_END)))
        if handle.read() != BGZF_END:
            raise DataError("FILE-003", "the BGZF file has no end block.", where=str(path), fix=DOWNLOAD_AGAIN)


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line number (from 1) and text of every line, without line end; LF, CRLF and CR files are read alike.

    Raises:
        MissingFileError: If there is no such file.
        DataError: If the file cannot be read or decompressed, or a line is not UTF-8.
    """
    number = 0
    with open_bytes(path) as handle:
        try:
            for raw in handle:
                # Classic Mac files have CR alone: the whole file is then one raw line.
                for piece in raw.rstrip(b"\r\n").split(b"\r"):
                    number += 1
                    yield number, piece.removeprefix(b"\xef\xbb\xbf").decode() if number == 1 else piece.decode()
        except UnicodeDecodeError as error:
            fix = "Convert the file to UTF-8."
            raise DataError("FILE-004", "is not UTF-8 text.", where=f"{path} line {number}", fix=fix) from error
        except (EOFError, OSError, zlib.error) as error:
            raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError("FILE-003", f"cannot be decompressed: {error}.", where=str(path), fix=DOWNLOAD_AGAIN)
