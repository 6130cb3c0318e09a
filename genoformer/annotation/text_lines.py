"""Lines of a plain or gzip-compressed text file, with errors that name the file."""

import gzip
import io
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from genoformer.errors import DataError, MissingFileError
from genoformer.files import sha256_file
from genoformer.files.limits import MOST_COMMENT_BYTES, MOST_COMMENT_LINES, MOST_LINE_BYTES
from genoformer.files.once import rereadable

GZIP_MAGIC = b"\x1f\x8b"
# Empty block that ends every complete BGZF file; SAM specification, section 4.1.2.
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
CHUNK_BYTES = 1 << 20
_IDLE = (b"#", b"!", b"track ", b"browser ")
"""How lines begin that say nothing: "!" in OBO, words in files for genome browsers."""
_SAYS_LENGTH = b"##sequence-region"
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


def digest_input(path: str | Path) -> str:
    """SHA-256 of the bytes of a file that a user names.

    Raises:
        MissingFileError: If there is no such file.
        DataError: If it cannot be read.
    """
    try:
        return sha256_file(path)
    except FileNotFoundError as error:
        raise MissingFileError("FILE-001", "there is no such file.", where=str(path), fix="Check the path.") from error
    except OSError as error:
        raise DataError("FILE-002", f"cannot be read: {error.strerror}.", where=str(path)) from error


def _check_bgzf_end(handle: BufferedReader, path: Path) -> None:
    """BGZF cut between two blocks decompresses without any error: only the end block tells."""
    header = handle.read(18)
    is_bgzf = len(header) == 18 and header[3] & 4 and header[12:14] == b"BC"
    if is_bgzf:
        handle.seek(0, 2)
        handle.seek(max(0, handle.tell() - len(BGZF_END)))
        if handle.read() != BGZF_END:
            raise DataError("FILE-003", "the BGZF file has no end block.", where=str(path), fix=DOWNLOAD_AGAIN)


def read_lines(path: Path, most_bytes: int | None = None) -> Iterator[tuple[int, str]]:
    """Line number (from 1) and text of every line, without line end; LF, CRLF and CR files are read alike.

    Args:
        path: Plain or gzip-compressed file.
        most_bytes: Of a line; None for ``MOST_LINE_BYTES``.

    Raises:
        MissingFileError: If there is no such file.
        DataError: If the file cannot be read or decompressed, a line is not UTF-8, or too long, or comments and empty
            lines follow each other without end.
    """
    most = MOST_LINE_BYTES if most_bytes is None else most_bytes
    number = n_idle = idle_bytes = 0
    with open_bytes(path) as handle:
        try:
            for piece in _split_lines(handle, most):
                number += 1
                if piece and (not piece.startswith(_IDLE) or piece.startswith(_SAYS_LENGTH)):
                    n_idle = idle_bytes = 0
                else:
                    n_idle, idle_bytes = n_idle + 1, idle_bytes + len(piece)
                if len(piece) > most or n_idle > MOST_COMMENT_LINES or idle_bytes > MOST_COMMENT_BYTES:
                    raise endless(f"{path} line {number}", most if len(piece) > most else None)
                yield number, piece.removeprefix(b"\xef\xbb\xbf").decode() if number == 1 else piece.decode()
        except UnicodeDecodeError as error:
            fix = "Convert the file to UTF-8."
            raise DataError("FILE-004", "is not UTF-8 text.", where=f"{path} line {number}", fix=fix) from error
        except (EOFError, OSError, zlib.error) as error:
            raise _damaged(path, error) from error


def _split_lines(handle: BufferedReader | gzip.GzipFile, most_bytes: int) -> Iterator[bytes]:
    """Lines of a file without their ends; of one that is too long the start, after which nothing comes."""
    held = b""
    while chunk := handle.read(CHUNK_BYTES):
        *whole, held = (held + chunk).split(b"\n")
        for raw in whole:
            yield from _pieces(raw)
        if len(held) > CHUNK_BYTES and b"\r" in held:
            # Classic Mac files have CR alone. CRs at the end belong to an LF that may follow.
            *pieces, rest = _pieces(held)
            yield from pieces
            held = rest + held[len(held.rstrip(b"\r")) :]
        if len(held) > most_bytes:
            yield held
            return
    if held:
        yield from _pieces(held)


def _pieces(raw: bytes) -> list[bytes]:
    return raw.rstrip(b"\r").split(b"\r")


def endless(where: str, most_bytes: int | None) -> DataError:
    """What is wrong where a line is longer than ``most_bytes``, or, if None, comments and empty lines have no end."""
    fix = "Is this the right file, and whole? Download or export it again."
    if most_bytes is not None:
        return DataError("FILE-006", f"a line is longer than {most_bytes:,} bytes.", where=where, fix=fix)
    message = f"more than {MOST_COMMENT_LINES:,} lines, or {MOST_COMMENT_BYTES:,} bytes, are comments or empty."
    return DataError("FILE-007", message, where=where, fix=fix)


class LineHandle(io.TextIOBase):
    """Lines as an open text file, for programs that read one.

    Args:
        lines: Without their ends.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        super().__init__()
        self._lines = lines

    def read(self, size: int | None = -1, /) -> str:
        """Nothing: that it is text is all that Biopython asks for."""
        return ""

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]  # io.IOBase has bytes here
        """The next line with LF as its end; "" behind the last."""
        line = next(self._lines, None)
        return "" if line is None else f"{line}\n"


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError("FILE-003", f"cannot be decompressed: {error}.", where=str(path), fix=DOWNLOAD_AGAIN)
