"""Sequences as 2bit: four bases in a byte, which genome browsers read in pieces.

Reference: https://genome.ucsc.edu/FAQ/FAQformat.html#format7.
"""

import struct
from collections.abc import Sequence

import numpy as np

from genoformer.sequence.alphabet import encode_bases

SIGNATURE = 0x1A412743
HEADER_BYTES, MAX_NAME_BYTES = 16, 255
PACKED = np.zeros(256, np.uint8)
PACKED[encode_bases("TCAG")] = range(4)


def write_two_bit(sequences: Sequence[tuple[str, np.ndarray]]) -> bytes:
    """The content of a file.

    Args:
        sequences: Names, ASCII, up to 255 letters, and uint8 base codes [L]; what is not A, C, G or T becomes N.
    """
    names = [name.encode("ascii") for name, _ in sequences]
    bodies = [_body(codes) for _, codes in sequences]
    offset = HEADER_BYTES + sum(1 + len(name) + 4 for name in names)
    index = []
    for name, body in zip(names, bodies, strict=True):
        index.append(struct.pack("<B", len(name)) + name + struct.pack("<I", offset))
        offset += len(body)
    return struct.pack("<4I", SIGNATURE, 0, len(names), 0) + b"".join([*index, *bodies])


def _body(codes: np.ndarray) -> bytes:
    """One sequence: length, runs of N, no masked ones, bases."""
    unknown = np.flatnonzero(np.diff((codes > encode_bases("T")[0]).astype(np.int8), prepend=0, append=0))
    starts, ends = unknown[::2], unknown[1::2]
    runs = np.concatenate([[len(starts)], starts, ends - starts]).astype("<u4").tobytes()
    padded = np.zeros(-(-len(codes) // 4) * 4, np.uint8)
    padded[: len(codes)] = PACKED[codes]
    four = padded.reshape(-1, 4)
    packed = four[:, 0] << 6 | four[:, 1] << 4 | four[:, 2] << 2 | four[:, 3]
    return struct.pack("<I", len(codes)) + runs + struct.pack("<2I", 0, 0) + packed.tobytes()
