"""Where a FASTA file is cut into pieces, and what ends exactly where a limit is."""

import os

import pytest

from genoformer.errors import DataError, WarningLog
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.byte_chunks import _BGZF_END, STDIN_DESCRIPTOR, _Source, read_chunks
from genoformer.sequence.fasta import _RecordBuilder, read_fasta
from genoformer.sequence.fasta_parts import MAX_HEADER_BYTES, fasta_parts


def build(*chunks):
    """Letters of the records of a file that comes in these pieces, and what was warned of."""
    log = WarningLog()
    builder = _RecordBuilder("x", False, log)
    return [decode_bases(one.codes) for one in builder.records(fasta_parts(chunks))], log


def test_standard_input_is_read_and_stays_open(tmp_path):
    (tmp_path / "a.fa").write_bytes(b">a\nACGT\n")
    kept, file = os.dup(STDIN_DESCRIPTOR), os.open(tmp_path / "a.fa", os.O_RDONLY)
    try:
        os.dup2(file, 0)
        assert b"".join(read_chunks("-")) == b">a\nACGT\n"
        assert os.fstat(0).st_size == 8
    finally:
        os.dup2(kept, 0)
        os.close(kept), os.close(file)


def test_a_bgzf_file_of_its_end_alone_is_empty_and_not_cut_off(tmp_path):
    (tmp_path / "a.fa.gz").write_bytes(_BGZF_END)
    assert b"".join(read_chunks(str(tmp_path / "a.fa.gz"))) == b""
    with open(tmp_path / "a.fa.gz", "rb") as file:
        source = _Source(file)
        assert source.readable() and source.read(10) == _BGZF_END[:10] and source.tail == _BGZF_END[:10]


def test_a_folder_is_no_file_and_the_reason_is_the_systems(tmp_path):
    with pytest.raises(DataError, match=r"cannot be read: Is a directory\."):
        list(read_chunks(str(tmp_path)))


@pytest.mark.parametrize("more", [0, 1])
def test_the_longest_header_is_one_byte_below_the_limit(tmp_path, more):
    header = b"a".ljust(MAX_HEADER_BYTES - 1 + more, b" ")
    (tmp_path / "a.fa").write_bytes(b">" + header + b"\nACGT\n")
    if not more:
        assert [record.id for record in read_fasta(tmp_path / "a.fa")] == ["a"]
    else:
        with pytest.raises(DataError, match="FASTA-003"):
            list(read_fasta(tmp_path / "a.fa"))


def test_a_number_behind_a_letter_is_none_of_a_position_wherever_the_file_is_cut():
    found, log = build(b">a\n   1 ACGT\n", b"   5 AC", b"GT\n")
    assert found == ["ACGTACGT"] and log.counts["FASTA-106"] == 2
    for chunks in ([b">a\n1 ACGT\nA12 CGT\n"], [b">a\n1 ACGT\nA", b"12 CGT\n"], [b">a\n1 ACGT\nAC", b"12 CGT\n"]):
        with pytest.raises(DataError, match=r"FASTA-008.*'1'"):
            build(*chunks)


@pytest.mark.parametrize(
    ("letters", "is_said"),
    [("NNNN", True), ("NNAC", False), ("N" * 70_000 + "A", False), ("NNNA" + "N" * 70_000, False)],
    ids=["all", "begin", "long begin", "all but one"],
)
def test_n_only_is_said_of_records_without_another_base(letters, is_said):
    _, log = build(f">a\n{letters}\n".encode())
    assert ("FASTA-103" in log.counts) == is_said


def test_lines_are_counted_through_long_blocks():
    with pytest.raises(DataError, match="line 1003"):
        build(b">a\n" + b"ACGTACGTACGTACGTACGT\n" * 1_000 + b">b\nAC=GT\n")
