"""The strict BED reader: what is a row, what is refused, and what the rows cover."""

import gzip

import numpy as np
import pytest

from genoformer.annotation.read_bed import merge_intervals, read_bed, read_bed_intervals
from genoformer.errors import DataError, MissingFileError, WarningLog


@pytest.fixture
def bed(tmp_path):
    """``bed("text")`` writes a file and gives its path."""

    def write(text):
        path = tmp_path / "mask.bed"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def rows(path):
    return [tuple(row) for row in read_bed(path)]


def intervals(path, lengths, log=None):
    found = read_bed_intervals(path, lengths, WarningLog() if log is None else log)
    return {name: array.tolist() for name, array in found.items()}


def test_header_lines_and_empty_lines_are_no_rows(bed):
    text = 'browser position chr1:1-9\ntrack name="t"\n#chrom\tstart\tend\n\n  \ntrack1\t5\t9\tb c\t0\t+\n'
    assert rows(bed(text)) == [("track1", 5, 9, 6)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_spaces_and_missing_last_line_end_are_tolerated(bed, end):
    assert rows(bed(f"c 1  2 x y{end}c\t3\t4\tx y")) == [("c", 1, 2, 1), ("c", 3, 4, 2)]


def test_gzip_and_a_byte_order_mark_change_nothing(bed):
    text = b"\xef\xbb\xbfc\t0\t7\n"
    assert rows(bed(gzip.compress(text))) == rows(bed(text)) == [("c", 0, 7, 1)]


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "c\t5\t5\n"])
def test_a_file_that_covers_nothing_is_valid(bed, text):
    assert intervals(bed(text), {"c": 9}) == {}


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("c\t1", "BED-001", "c\t1"),
        ("c", "BED-001", '"c"'),
        ("\t1\t2", "BED-001", "contig"),
        ("c 1\t2", "BED-001", "c 1"),
        ("c\t1\tx", "BED-002", '"x"'),
        ("c\t-1\t5", "BED-002", '"-1"'),
        ("c\t1\t5.0", "BED-002", '"5.0"'),
        ("c\t1e3\t5000", "BED-002", '"1e3"'),
        ("c\t1_0\t20", "BED-002", '"1_0"'),
        ("c\t+1\t20", "BED-002", r'"\+1"'),
        ("c\t١\t20", "BED-002", '"١"'),
        ("c\t\t20", "BED-002", '""'),
        ("c\t1\t" + "9" * 30, "BED-002", "999"),
        ("c\t7\t6", "BED-003", "ends at 6.*start 7"),
        ("c\t90\t101", "BED-004", "101.*100 bp"),
        ("chr1\tGene\texon\t1\t50", "BED-002", '"Gene"'),
    ],
)
def test_a_bad_row_names_file_and_line(bed, line, code, said):
    with pytest.raises(DataError, match=rf"(?s){code}.*mask\.bed line 2:.*{said}") as caught:
        intervals(bed(f"c\t0\t100\n{line}\n"), {"c": 100})
    assert caught.value.exit_code == 65


def test_files_that_are_no_bed_are_refused(bed, tmp_path):
    with pytest.raises(DataError, match="line 1"):
        rows(bed(">c\nACGT\n"))
    with pytest.raises(DataError, match="UTF-8"):
        rows(bed(b"c\t1\t2\t\xff\n"))
    with pytest.raises(DataError, match="decompressed"):
        rows(bed(gzip.compress(b"c\t1\t2\n" * 99)[:-12]))
    with pytest.raises(MissingFileError, match="absent"):
        rows(tmp_path / "absent.bed")


def test_an_id_matches_without_its_version(bed):
    assert intervals(bed("NC_1\t0\t5\nNC_1.2\t3\t8\n"), {"NC_1.2": 9}) == {"NC_1.2": [[0, 8]]}


def test_contigs_that_are_no_record_are_counted_when_another_is(bed):
    log = WarningLog()
    text = "c\t0\t5\nplasmid\t0\t5\nplasmid\t7\t900\nNC_1.3\t1\t2\nNC_2\t1\t2\n"
    assert intervals(bed(text), {"c": 9, "NC_1.2": 9, "NC_2.1": 9, "NC_2.2": 9}, log) == {"c": [[0, 5]]}
    assert log.counts == {"BED-006": 4} and 'line 2: contig "plasmid"' in log.examples["BED-006"]


def test_names_of_another_kind_are_refused(bed):
    with pytest.raises(DataError, match=r"BED-005.*chr1, chr2.*NC_1\.1"):
        intervals(bed("chr1\t0\t5\nchr2\t0\t5\n"), {"NC_1.1": 9})


def test_intervals_that_overlap_or_touch_are_one(bed):
    text = "c\t30\t40\nc\t0\t10\nc\t10\t12\nc\t2\t5\nc\t13\t14\nc\t35\t50\nc\t20\t20\n"
    assert intervals(bed(text), {"c": 50, "d": 5}) == {"c": [[0, 12], [13, 14], [30, 50]]}


def test_merged_intervals_cover_the_bases_that_the_rows_cover():
    rng = np.random.default_rng(0)
    for n in (0, 1, 2, 30):
        start = rng.integers(0, 200, n)
        end = start + rng.integers(0, 12, n)
        expected = {base for low, high in zip(start, end, strict=True) for base in range(low, high)}
        found = merge_intervals(np.stack((start, end), axis=1))
        assert {base for low, high in found for base in range(low, high)} == expected
        assert (np.diff(found.ravel()) > 0).all()  # none is empty, none touches the next
