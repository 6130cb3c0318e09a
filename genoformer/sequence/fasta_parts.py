"""The lines of a FASTA file by kind, in pieces that are as big as possible."""

import re
from collections.abc import Iterable, Iterator

import numpy as np

HEADER, COMMENT, BASES = ord(">"), ord(";"), 0
MAX_HEADER_BYTES = 1 << 20

_MARKED_LINE = re.compile(rb"\n[>;]")


def fasta_parts(chunks: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Cut a file into headers, comments and blocks of sequence.

    A header or comment comes whole, without its mark and line end; a block holds many lines or a part of one. A header
    longer than ``MAX_HEADER_BYTES`` comes without its end.

    Args:
        chunks: Bytes of the file, cut anywhere; lines end in LF, CRLF or CR.

    Yields:
        ``HEADER``, ``COMMENT`` or ``BASES``; the 1-based number of its first line; its bytes, with LF as line end.
    """
    line, held, at_line_start = 1, b"", True
    for chunk in _line_feeds_only(chunks):
        buffer, start = held + chunk if held else chunk, 0
        has_comment = b";" in buffer
        while start < len(buffer):
            if at_line_start and buffer[start] in b">;":
                end = buffer.find(b"\n", start)
                if end < 0 and len(buffer) - start <= MAX_HEADER_BYTES:
                    break
                end = len(buffer) if end < 0 else end
                yield buffer[start], line, buffer[start + 1 : end]
                line, start = line + 1, end + 1
            else:
                end = _next_marked_line(buffer, start, has_comment)
                block = buffer[start:end]
                yield BASES, line, block
                line, start, at_line_start = line + _count_line_feeds(block), end, block.endswith(b"\n")
        held = buffer[start:]
    if held:
        yield held[0], line, held[1:]


def _next_marked_line(buffer: bytes, start: int, has_comment: bool) -> int:
    """Where the next header or comment after ``start`` begins; the buffer's end if there is none."""
    if has_comment:
        match = _MARKED_LINE.search(buffer, start)
        return match.start() + 1 if match else len(buffer)
    end = buffer.find(b">", start + 1)
    while end >= 0 and buffer[end - 1] != ord("\n"):
        end = buffer.find(b">", end + 1)
    return end if end >= 0 else len(buffer)


def _line_feeds_only(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text with every CRLF and CR as LF."""
    held = b""
    for chunk in chunks:
        if held or b"\r" in chunk:
            chunk = held + chunk
            held = b"\r" if chunk.endswith(b"\r") else b""  # its LF may come with the next chunk
            chunk = chunk[: len(chunk) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield chunk
    if held:
        yield b"\n"


def _count_line_feeds(block: bytes) -> int:
    if len(block) < 1 << 14:
        return block.count(b"\n")
    # On long blocks several times faster than bytes.count.
    return int(np.count_nonzero(np.frombuffer(block, dtype=np.uint8) == ord("\n")))
