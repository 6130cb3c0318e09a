"""Base letters and their uint8 codes: the only place that says which letter is which number."""

import numpy as np

BASE_LETTERS = "ACGTNRYSWKMBDHV"
"""Letter of each code. A, C, G, T are 0 to 3; N is 4; the rest are the ambiguity codes of IUPAC.

Reference: Cornish-Bowden, Nomenclature for incompletely specified bases in nucleic acid sequences (NC-IUB 1984),
Nucleic Acids Research 13, 1985.
"""

N_CODE = 4
NOT_A_BASE = 255
"""Marks a byte that is no base letter in ``BYTE_TO_CODE``; never a code."""

_COMPLEMENT_LETTERS = "TGCANYRSWMKVHDB"


def _byte_to_code() -> bytes:
    table = bytearray([NOT_A_BASE] * 256)
    for code, letter in enumerate(BASE_LETTERS):
        table[ord(letter)] = table[ord(letter.lower())] = code
    table[ord("U")] = table[ord("u")] = BASE_LETTERS.index("T")
    return bytes(table)


BYTE_TO_CODE = _byte_to_code()
"""Table for ``bytes.translate``: letter to code, ``NOT_A_BASE`` for every other byte."""

_CODE_TO_BYTE = BASE_LETTERS.encode().ljust(256, b"?")
_COMPLEMENT = np.array([BASE_LETTERS.index(letter) for letter in _COMPLEMENT_LETTERS], dtype=np.uint8)


def encode_bases(text: str | bytes) -> np.ndarray:
    """Turn letters into base codes.

    Lower case is read as upper case and U as T; the ambiguity codes of IUPAC keep codes of their own.

    Args:
        text: Base letters without white space.

    Returns:
        uint8 codes, shape [L]; the caller's to change.

    Raises:
        ValueError: At the first letter that is not a base, with the letter and its 0-based position.

    Example:
        >>> encode_bases("ACGTNu").tolist()
        [0, 1, 2, 3, 4, 3]
    """
    # One byte per letter, so that positions agree; a letter outside ASCII becomes "?", which is no base.
    raw = text.encode("ascii", "replace") if isinstance(text, str) else bytes(text)
    codes = bytearray(raw.translate(BYTE_TO_CODE))
    position = codes.find(NOT_A_BASE)
    if position >= 0:
        letter = text[position] if isinstance(text, str) else chr(raw[position])
        raise ValueError(f"expected base letters {BASE_LETTERS} or U, found {letter!r} at position {position}")
    return np.frombuffer(codes, dtype=np.uint8)


def decode_bases(codes: np.ndarray) -> str:
    """Turn base codes into upper-case letters; the inverse of ``encode_bases`` except that U reads T.

    Args:
        codes: uint8 base codes, shape [L].

    Returns:
        Letters, one per code.

    Raises:
        ValueError: If a value is not a base code.
    """
    return base_bytes(codes).decode("ascii")


def base_bytes(codes: np.ndarray) -> bytes:
    """Upper-case letters of base codes as bytes; ``ValueError`` if a value is not a base code."""
    codes = checked_codes(codes)
    return codes.tobytes().translate(_CODE_TO_BYTE)


def reverse_complement(codes: np.ndarray) -> np.ndarray:
    """The other strand, read from its own 5' end.

    Ambiguity codes are complemented too: R (A or G) becomes Y (C or T).

    Args:
        codes: uint8 base codes, shape [L]; left unchanged.

    Returns:
        uint8 codes, shape [L].

    Raises:
        ValueError: If a value is not a base code.
    """
    return _COMPLEMENT[checked_codes(codes)[::-1]]


def checked_codes(codes: np.ndarray) -> np.ndarray:
    """``codes`` as a one-dimensional uint8 array, or ``ValueError`` if they are anything but base codes."""
    codes = np.asarray(codes)
    if codes.dtype != np.uint8 or codes.ndim != 1:
        raise ValueError(f"expected base codes as uint8 [L], found {codes.dtype} of shape {codes.shape}")
    if codes.size and codes.max() >= len(BASE_LETTERS):
        position = int(np.argmax(codes >= len(BASE_LETTERS)))
        raise ValueError(f"expected base codes 0 to {len(BASE_LETTERS) - 1}, found {codes[position]} at {position}")
    return codes
