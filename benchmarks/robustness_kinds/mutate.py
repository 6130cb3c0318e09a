"""Changes of files: those that may break anything, and those that must change nothing."""

import gzip
import random
import re
import struct
import zlib
from collections.abc import Callable

Change = Callable[[bytes, random.Random], bytes]

ODD_NUMBERS = (
    "0", "-1", "1.5", "1e9", "1e400", "nan", "inf", "²", "٣", "1" + "0" * 30, "9" * 5_000, "1_0", "+1", "0x10", "",
    "00", "2147483648", "9223372036854775808", "1e-400", "--1", "1,000",
)  # fmt: skip
ODD_WORDS = (
    "", " ", ".", "..", "/", "../x", "-", "#", ">", "=", ";", ";;", ":", "%", "%zz", "%00", "null", "true", "[", "{",
    "]", "}", "&a", "*a", "!!x", "'", '"', "\\", "é", "日本", "\u2028", "\x00", "\x1b[31m", "\ufeff", "x" * 300,
    "()", "<>", "join(", "complement(", "1..", "..1", "<1..>9", "1..9,", "A" * 70, "~", "$(x)", "`x`", "None", "NaN",
)  # fmt: skip
ODD_BYTES = (
    b"\x00",
    b"\xff",
    b"\r",
    b"\n\n",
    b"\t",
    b"\xef\xbb\xbf",
    b"\x1f\x8b",
    b"\xc3",
    b"\x85",
    b"\x1a",
    b">",
    b"#",
    b" ",
)
NUMBER = re.compile(rb"\d+(?:\.\d+)?")
WORD = re.compile(rb"[^\s,;=:\"'\[\]{}]+")
MOST_COPIES, LONG = 40, 100_000


def _place(data: bytes, chance: random.Random) -> int:
    return chance.randrange(len(data)) if data else 0


def flip_bit(data: bytes, chance: random.Random) -> bytes:
    """One bit."""
    if not data:
        return b"\x01"
    i = _place(data, chance)
    return data[:i] + bytes([data[i] ^ (1 << chance.randrange(8))]) + data[i + 1 :]


def cut(data: bytes, chance: random.Random) -> bytes:
    """The file ends early."""
    return data[: _place(data, chance)]


def insert(data: bytes, chance: random.Random) -> bytes:
    """Bytes that belong to no text."""
    i = _place(data, chance)
    return data[:i] + chance.choice(ODD_BYTES) + data[i:]


def drop_span(data: bytes, chance: random.Random) -> bytes:
    """Some bytes are lost."""
    i = _place(data, chance)
    return data[:i] + data[i + chance.choice((1, 2, 7, 60, 500)) :]


def copy_span(data: bytes, chance: random.Random) -> bytes:
    """Some bytes come twice."""
    i = _place(data, chance)
    span = data[i : i + chance.choice((1, 7, 60, 500))]
    return data[:i] + span * 2 + data[i + len(span) :]


def drop_line(data: bytes, chance: random.Random) -> bytes:
    """A line is lost."""
    lines = data.splitlines(keepends=True)
    if lines:
        del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def copy_line(data: bytes, chance: random.Random) -> bytes:
    """A line comes again, there or elsewhere, once or often."""
    lines = data.splitlines(keepends=True) or [b""]
    line = chance.choice(lines)
    at = chance.randrange(len(lines) + 1)
    return b"".join([*lines[:at], line * chance.choice((1, 1, 2, MOST_COPIES)), *lines[at:]])


def swap_lines(data: bytes, chance: random.Random) -> bytes:
    """Two lines change places."""
    lines = data.splitlines(keepends=True) or [b""]
    i, j = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"".join(lines)


def _replace(found: list[re.Match[bytes]], data: bytes, words: tuple[str, ...], chance: random.Random) -> bytes:
    if not found:
        return data + chance.choice(words).encode()
    match = chance.choice(found)
    return data[: match.start()] + chance.choice(words).encode() + data[match.end() :]


def odd_number(data: bytes, chance: random.Random) -> bytes:
    """A number becomes one that is none, or that is out of any range."""
    return _replace(list(NUMBER.finditer(data)), data, ODD_NUMBERS, chance)


def odd_word(data: bytes, chance: random.Random) -> bytes:
    """A word becomes something that has a meaning in some format."""
    return _replace(list(WORD.finditer(data)), data, ODD_WORDS, chance)


def other_word(data: bytes, chance: random.Random) -> bytes:
    """A word becomes another word of the file."""
    found = list(WORD.finditer(data))
    return _replace(found, data, (chance.choice(found)[0].decode("utf-8", "replace"),) if found else ("x",), chance)


def long_word(data: bytes, chance: random.Random) -> bytes:
    """A word becomes very long."""
    return _replace(list(WORD.finditer(data)), data, (chance.choice("Aa1.") * LONG,), chance)


def odd_column(data: bytes, chance: random.Random) -> bytes:
    """A cell of a row is lost, or comes twice."""
    lines = data.split(b"\n")
    i = chance.randrange(len(lines))
    separator = next((one for one in (b"\t", b",", b" ") if one in lines[i]), b"\t")
    cells = lines[i].split(separator)
    j = chance.randrange(len(cells))
    cells[j : j + 1] = [] if chance.random() < 0.5 else [cells[j]] * 2
    return b"\n".join([*lines[:i], separator.join(cells), *lines[i + 1 :]])


TEXT: tuple[Change, ...] = (
    flip_bit, cut, insert, drop_span, copy_span, drop_line, copy_line, swap_lines, odd_number, odd_number, odd_number,
    odd_word, odd_word, odd_word, other_word, long_word, odd_column,
)  # fmt: skip
BINARY: tuple[Change, ...] = (flip_bit, flip_bit, cut, insert, drop_span, copy_span)


def mutated(data: bytes, chance: random.Random, changes: tuple[Change, ...] = TEXT) -> bytes:
    """The data after one to three changes."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        data = chance.choice(changes)(data, chance)
    return data


def crlf(data: bytes) -> bytes:
    """Line ends of Windows."""
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def without_last_end(data: bytes) -> bytes:
    """The last line has no end."""
    return data.rstrip(b"\n")


def with_mark(data: bytes) -> bytes:
    """A byte order mark in front."""
    return b"\xef\xbb\xbf" + data


def gzipped(data: bytes) -> bytes:
    """As gzip of one member."""
    return gzip.compress(data, mtime=0)


def of_two_members(data: bytes) -> bytes:
    """As gzip of two members."""
    middle = len(data) // 2
    return gzipped(data[:middle]) + gzipped(data[middle:])


def bgzipped(data: bytes, block: int = 4_000) -> bytes:
    """As blocked gzip, with its end block; SAM specification, section 4.1."""
    blocks = [data[i : i + block] for i in range(0, len(data), block)]
    return b"".join(map(_block, [*blocks, b""]))


def _block(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    head = b"\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x06\x00BC\x02\x00" + struct.pack("<H", len(packed) + 25)
    return head + packed + struct.pack("<II", zlib.crc32(data), len(data))


PLAIN = (crlf, without_last_end, with_mark)
PACKED = (gzipped, of_two_members, bgzipped)


def comments(mark: bytes) -> Callable[[bytes, random.Random], bytes]:
    """A change that puts in a line of comment, anywhere behind the first line."""

    def commented(data: bytes, chance: random.Random) -> bytes:
        lines = data.splitlines(keepends=True)
        at = chance.randrange(1, len(lines) + 1)
        return b"".join([*lines[:at], mark + b" made up %d\n" % chance.randrange(10**6), *lines[at:]])

    return commented
