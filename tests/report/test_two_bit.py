"""2bit files, read back byte by byte as their specification has them."""

import struct

import numpy as np
import pytest

from genoformer.report.two_bit import write_two_bit
from genoformer.sequence.alphabet import encode_bases


def read_two_bit(data):
    """Names and bases, by the specification alone."""
    signature, version, count, reserved = struct.unpack_from("<4I", data)
    assert (signature, version, reserved) == (0x1A412743, 0, 0)
    at, found = 16, {}
    for _ in range(count):
        name = data[at + 1 : at + 1 + data[at]].decode()
        (place,) = struct.unpack_from("<I", data, at + 1 + data[at])
        at += 5 + data[at]
        size, n_runs = struct.unpack_from("<2I", data, place)
        starts = struct.unpack_from(f"<{n_runs}I", data, place + 8)
        sizes = struct.unpack_from(f"<{n_runs}I", data, place + 8 + 4 * n_runs)
        assert struct.unpack_from("<2I", data, place + 8 + 8 * n_runs) == (0, 0)
        packed = data[place + 16 + 8 * n_runs :]
        bases = ["TCAG"[packed[i // 4] >> 6 - 2 * (i % 4) & 3] for i in range(size)]
        for start, length in zip(starts, sizes, strict=True):
            bases[start : start + length] = "N" * length
        found[name] = "".join(bases)
    return found


@pytest.mark.parametrize("bases", ["", "A", "ACGT", "TTTTG", "NNACGNNNTN", "N", "GATTACAN"])
def test_bases_come_back(bases):
    sequences = {"first": bases, "second|2": "ACGTACGTA"}
    assert read_two_bit(write_two_bit([(name, encode_bases(text)) for name, text in sequences.items()])) == sequences


def test_bases_of_a_byte_are_in_order():
    assert write_two_bit([("x", encode_bases("TCAG"))])[-1:] == bytes([0b00011011])


def test_a_long_sequence_takes_a_quarter_of_a_byte_for_each_base():
    data = write_two_bit([("x", np.zeros(40_000, np.uint8))])
    assert len(data) == 10_000 + 16 + 6 + 16
