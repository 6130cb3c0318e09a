"""Hints in Augustus' format, and what is wrong with them."""

import gzip

import numpy as np
import pytest

from genoformer.annotation.read_hints import KINDS, read_hints
from genoformer.errors import DataError, WarningLog

LENGTHS = {"chr1": 1000, "chr2.1": 500}
ROWS = """# introns of RNA-seq
chr1\tb2h\tintron\t101\t160\t0\t+\t.\tmult=12;pri=4;src=E
chr1\tb2h\tintron\t101\t160\t0\t+\t.\tsrc=E
chr1\txnt2h\tCDSpart\t50\t100\t1\t-\t0\tgrp=p1;src=P
chr2\tb2h\tintron\t7\t60\t0\t.\t.\tmult=3
chr1\tmanual\tstop\t498\t500\t0\t+\t0\tsource=M
"""


def rows_of(text, tmp_path, name="hints.gff", lengths=LENGTHS):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    warnings = WarningLog()
    return read_hints(path, lengths, warnings), warnings


@pytest.mark.parametrize("name", ["hints.gff", "hints.gff.gz"])
def test_rows_become_places_with_their_support(tmp_path, name):
    found, warnings = rows_of(ROWS, tmp_path, name)
    kind = KINDS.index
    assert [tuple(row) for row in found["chr1"]] == [
        (kind("intron"), 1, 100, 160, 13), (kind("coding"), -1, 49, 100, 1), (kind("stop"), 1, 497, 500, 1),
    ]  # fmt: skip
    assert [tuple(row) for row in found["chr2.1"]] == [(kind("intron"), 0, 6, 60, 3)]
    assert not warnings.counts


def test_other_features_and_contigs_are_counted(tmp_path):
    text = ROWS + "chr1\tx\texonpart\t1\t9\t.\t+\t.\tsrc=W\nchr9\tx\tintron\t1\t90\t.\t+\t.\tsrc=E\n"
    found, warnings = rows_of(text, tmp_path)
    assert set(found) == {"chr1", "chr2.1"}
    assert dict(warnings.counts) == {"HINTS-102": 1, "HINTS-101": 1}


def test_a_file_without_rows_is_valid(tmp_path):
    assert rows_of("# none\n", tmp_path)[0] == {}


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        ("chr1 b2h intron 1 60 0 + .", "HINTS-001", "columns"),
        ("chr1\tb2h\tintron\t1", "HINTS-001", "columns"),
        ("chr1\tb2h\tintron\t0\t60\t0\t+\t.", "HINTS-002", "0 60"),
        ("chr1\tb2h\tintron\t60\t1\t0\t+\t.", "HINTS-002", "60 1"),
        ("chr1\tb2h\tintron\t1\t²\t0\t+\t.", "HINTS-002", "²"),
        ("chr1\tb2h\tintron\t1\t60\t0\tplus\t.", "HINTS-002", "plus"),
        ("chr1\tb2h\tintron\t1\t1001\t0\t+\t.", "HINTS-003", "1001"),
        ("other\tb2h\tintron\t1\t60\t0\t+\t.", "HINTS-004", "other"),
    ],
)
def test_what_is_wrong_is_named(row, code, words, tmp_path):
    with pytest.raises(DataError, match=words) as caught:
        rows_of(f"{row}\n", tmp_path)
    assert caught.value.code == code
    assert "hints.gff" in str(caught.value)


def test_support_without_end_is_no_number(tmp_path):
    found, _ = rows_of("chr1\tx\tintron\t1\t60\t0\t+\t.\tmult=" + "9" * 30 + "\n", tmp_path)
    assert np.array_equal(found["chr1"]["support"], [1])
