"""ZIP archives with the SHA-256 of their bytes as comment: a single flipped bit is noticed, and others read them."""

import hashlib
import struct

_MARK = b"genoformer-sha256:"
_COMMENT_BYTES = len(_MARK) + 64
_NO_COMMENT = struct.pack("<H", 0)
"""End of a ZIP archive without comment: its length, two bytes, 0 (PKWARE APPNOTE 4.3.16)."""


def seal(archive: bytes) -> bytes:
    """The archive with its checksum.

    Raises:
        ValueError: If it is no archive, or has a comment.
    """
    return archive[:-2] + ending(archive)


def ending(archive: bytes | memoryview) -> bytes:
    """What takes the place of the last two bytes of an archive; errors as in ``seal``."""
    if bytes(archive[-2:]) != _NO_COMMENT:
        raise ValueError("expected a ZIP archive without a comment")
    comment = _MARK + hashlib.sha256(archive).hexdigest().encode()
    return struct.pack("<H", len(comment)) + comment


def check_seal(data: bytes | bytearray) -> None:
    """Raise ValueError if there is no checksum at the end, or that of another archive."""
    view = memoryview(data)
    comment = bytes(view[-_COMMENT_BYTES:])
    begin, length = view[: -_COMMENT_BYTES - 2], bytes(view[-_COMMENT_BYTES - 2 : -_COMMENT_BYTES])
    if not comment.startswith(_MARK) or length != struct.pack("<H", _COMMENT_BYTES):
        raise ValueError("it has no checksum at its end")
    digest = hashlib.sha256(begin)
    digest.update(_NO_COMMENT)
    if digest.hexdigest().encode() != comment[len(_MARK) :]:
        raise ValueError("its content does not match its checksum")


def unseal(data: bytes | bytearray) -> bytearray:
    """The inverse of ``seal``, for readers that want no comment; errors as in ``check_seal``."""
    check_seal(data)
    archive = bytearray(data)
    del archive[-_COMMENT_BYTES:]
    archive[-2:] = _NO_COMMENT
    return archive
