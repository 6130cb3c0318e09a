"""What people leave in sequence lines and what means no base: position numbers, gaps, a stop sign at the end."""

import re

from genoformer.sequence.alphabet import BYTE_TO_CODE, N_CODE

STOP_SIGN = b"*"
GAP = b"-"

_gap_table = bytearray(BYTE_TO_CODE)
_gap_table[ord(GAP)] = N_CODE
BYTE_TO_CODE_OR_GAP = bytes(_gap_table)
"""``BYTE_TO_CODE`` with a gap read as N, so that positions stay those of the file."""

_NUMBER = re.compile(rb"^[ \t]*\d{1,18}(?=[ \t\n])", re.MULTILINE)
_OPEN_LINE = re.compile(rb"(?:\A|\n)([ \t]*\d{0,18})\Z")


def blank_numbers(block: bytes) -> tuple[bytes, bytes, int]:
    """Replace position numbers at line starts, as GenBank writes them, by as many blanks.

    Args:
        block: Sequence lines that begin at a line start; the last may be cut anywhere.

    Returns:
        The block; a last line that is blank or an unfinished number, which was taken off and belongs in front of what
        follows; how many numbers there were.
    """
    match = _OPEN_LINE.search(block)
    held = match[1] if match else b""
    block = block[: len(block) - len(held)]
    block, n_numbers = _NUMBER.subn(lambda number: b" " * len(number[0]), block)
    return block, held, n_numbers


def split_stop_sign(block: bytes) -> tuple[bytes, bool]:
    """The block without one stop sign behind its last letter, and whether there was one."""
    letters = block.rstrip()
    return (letters[:-1], True) if letters.endswith(STOP_SIGN) else (block, False)
