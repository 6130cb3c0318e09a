"""Bytes of an input file in big chunks: plain, gzip, bgzip or standard input, told apart by content, not by name."""

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from genoformer.errors import DataError, GenoformerError, MissingFileError
from genoformer.files.once import rereadable

CHUNK_BYTES = 1 << 20
STDIN = "-"
STDIN_DESCRIPTOR = 0

_GZIP_MAGIC = b"\x1f\x8b"
_BGZF_EXTRA = b"BC\x02\x00"
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
"""The empty block that ends every BGZF file. Reference: SAM/BAM specification, section 4.1.2."""

_HEAD_BYTES = 64


def read_chunks(path: str) -> Iterator[bytes]:
    """Decompressed bytes of a file, in chunks of at most ``CHUNK_BYTES`` and never empty.

    A gzip file may have several members. A BGZF file must end with its end-of-file block: cut at a block boundary, it
    would read as a shorter file without any error.

    Args:
        path: File name, or "-" for standard input.

    Yields:
        Chunks in order; the first holds at least 64 bytes where the file does.

    Raises:
        MissingFileError: If there is no such file.
        DataError: If it is a folder, cannot be read, or the compressed data are cut off or damaged.
    """
    try:
        yield from _checked_chunks(path)
    except FileNotFoundError as error:
        raise MissingFileError(
            "FASTA-001", "There is no such file.", where=display_name(path), fix="Check the path."
        ) from error
    except EOFError as error:
        raise _cut_off(path) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            "FASTA-010",
            f"The compressed data are damaged ({error}).",
            where=display_name(path),
            fix="Download or compress the file again.",
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def display_name(path: str) -> str:
    """How messages call an input: its path, or "standard input"."""
    return "standard input" if path == STDIN else path


def _checked_chunks(path: str) -> Iterator[bytes]:
    with _open(path) as raw:
        source = _Source(raw)
        reader = gzip.GzipFile(fileobj=source, mode="rb") if source.head.startswith(_GZIP_MAGIC) else source
        while chunk := reader.read(CHUNK_BYTES):
            yield chunk
        if _is_bgzf(source.head) and source.tail != _BGZF_END:
            raise _cut_off(path)


def _open(path: str) -> BinaryIO:
    if path == STDIN:
        return open(STDIN_DESCRIPTOR, "rb", closefd=False)
    return open(rereadable(path), "rb")


class _Source(io.RawIOBase):
    """A stream that knows its first and last bytes, so that nothing is read twice: standard input cannot be rewound."""

    def __init__(self, raw: BinaryIO) -> None:
        super().__init__()
        self._raw = raw
        self.head = self._unread = raw.read(_HEAD_BYTES)
        self.tail = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; empty only at the end."""
        data = self._unread[:size]
        self._unread = self._unread[len(data) :]
        if len(data) < size:
            data += self._raw.read(size - len(data))
        self.tail = (self.tail + data[-len(_BGZF_END) :])[-len(_BGZF_END) :]
        return data


def _is_bgzf(head: bytes) -> bool:
    has_extra_field = head.startswith(_GZIP_MAGIC) and len(head) >= 18 and head[3] & 4
    return bool(has_extra_field) and head[12:16] == _BGZF_EXTRA


def _cut_off(path: str) -> DataError:
    return DataError(
        "FASTA-009",
        "The compressed file is cut off: its end is missing.",
        where=display_name(path),
        fix="Download or copy the file again.",
    )


def _unreadable(path: str, error: OSError) -> GenoformerError:
    return DataError(
        "FASTA-002",
        f"The file cannot be read: {error.strerror or error}.",
        where=display_name(path),
        fix="Give a readable FASTA file, not a folder.",
    )
