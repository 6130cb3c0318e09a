import gzip
import os
import subprocess
import sys

import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genoformer.errors import DataError, MissingFileError, WarningLog, format_error
from genoformer.sequence import byte_chunks
from genoformer.sequence.alphabet import BASE_LETTERS, decode_bases
from genoformer.sequence.fasta import read_fasta
from genoformer.sequence.fasta_parts import MAX_HEADER_BYTES

TWO_RECORDS = b">a first words\nACGTNacg\nuRYK\n\n>b\nGATTACA\n"
TWO_READ = [("a", "ACGTNACGTRYK", "first words"), ("b", "GATTACA", "")]


def timeless_gzip(data: bytes) -> bytes:
    """The same bytes in every test process: they become part of a test's name."""
    return gzip.compress(data, mtime=0)


@pytest.fixture
def read(tmp_path):
    """Write bytes to a file, read it, give (id, letters, description) of each record."""

    def read_bytes(data, name="in.fa", **options):
        (tmp_path / name).write_bytes(data)
        return triples(read_fasta(tmp_path / name, **options))

    return read_bytes


def triples(records):
    return [(record.id, decode_bases(record.codes), record.description) for record in records]


def refusal(read, data, code, **options):
    """The error of a bad file: its code, and the file in ``where``."""
    with pytest.raises(DataError) as caught:
        read(data, **options)
    assert caught.value.code == code and "in.fa" in caught.value.where and caught.value.fix
    assert caught.value.exit_code == 65
    return caught.value


def bgzipped(folder, data):
    with pysam.BGZFile(str(folder / "made.bgz"), "wb") as file:
        file.write(data)
    return (folder / "made.bgz").read_bytes()


def test_records_by_hand(read):
    assert read(TWO_RECORDS) == TWO_READ


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("final", [True, False])
def test_line_ends_and_a_missing_final_one_change_nothing(read, end, final):
    data = TWO_RECORDS if final else TWO_RECORDS.rstrip()
    assert read(data.replace(b"\n", end)) == TWO_READ


@pytest.mark.parametrize("chunk_bytes", [3, 4, 5, 7, 16, 64])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_where_a_chunk_ends_changes_nothing(read, monkeypatch, chunk_bytes, end):
    monkeypatch.setattr(byte_chunks, "CHUNK_BYTES", chunk_bytes)
    assert read((b"\xef\xbb\xbf; comment\n" + TWO_RECORDS).replace(b"\n", end)) == TWO_READ
    found = refusal(read, (TWO_RECORDS + b"ACGTACGT\nACG!\n").replace(b"\n", end), "FASTA-008")
    assert found.where.endswith("in.fa line 8") and "'!' at base 19" in found.message


@pytest.mark.parametrize("name", ["in.fa", "in.fa.gz", "in.txt"])
def test_compression_is_told_by_content_not_by_name(read, tmp_path, name):
    half = len(TWO_RECORDS) // 2
    members = gzip.compress(TWO_RECORDS[:half]) + gzip.compress(b"") + gzip.compress(TWO_RECORDS[half:])
    for data in (TWO_RECORDS, gzip.compress(TWO_RECORDS), members, bgzipped(tmp_path, TWO_RECORDS)):
        assert read(data, name) == TWO_READ


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress])
def test_standard_input_is_read_from_a_pipe(pack):
    script = (
        "from genoformer.sequence.fasta import read_fasta\n"
        "from genoformer.errors import GenoformerError\n"
        "try: print([(r.id, len(r)) for r in read_fasta('-')])\n"
        "except GenoformerError as error: print(error)"
    )
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, input=pack(TWO_RECORDS), capture_output=True, check=True)
    assert found.stdout == b"[('a', 12), ('b', 7)]\n"
    found = subprocess.run(command, input=pack(b"@r\nAC\n+\nII\n"), capture_output=True, check=True)
    assert found.stdout.startswith(b"error[FASTA-003] standard input line 1:")
    found = subprocess.run(
        ["/bin/sh", "-c", '"$0" -c "$1" <&-', sys.executable, script], capture_output=True, check=True
    )
    assert found.stdout.startswith(b"error[FASTA-002] standard input:")


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"@r1\nACGT\n+\nIIII\n", "FASTQ"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\n\n  <html>", "HTML"),
        (b"LOCUS       NC_001422 5386 bp\n", "GenBank"),
        (b"ID   X56734; SV 1;\n", "EMBL"),
        (b"##gff-version 3\nchr1\t.\tgene\n", "GFF3"),
        (b"# a comment\n>a\nACGT\n", "# a comment"),
        (b"ACGTACGT\n", "ACGTACGT"),
        (b"\x7fELF\x00\x00", "binary"),
        (b"BZh91AY&SY", "bzip2"),
        (b"PK\x03\x04", "zip"),
        ("﻿>a\nACGT\n".encode("utf-16"), "UTF-16"),
        (timeless_gzip(timeless_gzip(b">a\nAC\n")), "compressed twice"),
        (b">" + b"x" * (MAX_HEADER_BYTES + 9), "header has no end"),
    ],
)
@pytest.mark.parametrize("on_bad_record", ["error", "skip"])
def test_other_formats_are_named_and_never_skipped(read, data, word, on_bad_record):
    assert word in refusal(read, data, "FASTA-003", on_bad_record=on_bad_record).message


@pytest.mark.parametrize("data", [b"", b"\n\n", b" \t\r\n", b"; only a comment\n", timeless_gzip(b""), b"\xef\xbb\xbf"])
def test_empty_file_is_refused(read, data):
    refusal(read, data, "FASTA-004")


def test_record_without_sequence_is_refused_with_its_line(read):
    error = refusal(read, b">a\nAC\n>chr2 x\n\n>c\nAC\n", "FASTA-005")
    assert error.where.endswith("in.fa line 3") and 'record "chr2" has no sequence.' in error.message
    assert "cut off" not in error.message
    for data in (b">a\nAC\n>chr2", b">a\nAC\n>chr2\n", b">a\nAC\n>chr2\n\n \n"):
        assert "looks cut off" in refusal(read, data, "FASTA-005").message


@pytest.mark.parametrize("header", [b">", b"> description only", b">\tx", b">a\x00b", b">\x1b[2J"])
def test_record_without_a_printable_id_is_refused(read, header):
    error = refusal(read, b">a\nAC\n" + header + b"\nAC\n", "FASTA-006")
    assert error.where.endswith("in.fa line 3")
    assert format_error(error).isprintable()


def test_duplicate_id_names_both_lines(read):
    error = refusal(read, b">a\nAC\nGT\n>b\nAC\n>a other\nAC\n", "FASTA-007")
    assert error.message == 'record "a" is there twice, on lines 1 and 6.' and error.where.endswith("line 6")


def test_every_byte_is_a_base_or_white_space_or_refused(read):
    for byte in set(range(256)) - set(b"\r\n"):
        letter = bytes([byte])
        if letter in b" \t":
            assert read(b">a\nAC" + letter + b"GT\n") == [("a", "ACGT", "")]
        elif letter == b"-":
            assert read(b">a\nAC" + letter + b"GT\n") == [("a", "ACNGT", "")]
        elif letter.upper() in (BASE_LETTERS + "U").encode():
            assert read(b">a\nAC" + letter + b"GT\n") == [("a", "AC" + chr(byte).upper().replace("U", "T") + "GT", "")]
        else:
            error = refusal(read, b">a\nACGT\nAC" + letter + b"GT\n", "FASTA-008")
            assert error.where.endswith("line 3") and f'record "a" has {chr(byte)!r} at base 7' in error.message


@pytest.mark.parametrize(
    ("letter", "advice"), [(".", "alignment"), ("*", "proteins"), ("E", "proteins"), ("X", "Write N")]
)
def test_illegal_letter_comes_with_advice(read, letter, advice):
    assert advice in refusal(read, f">a\nAC{letter}GT\n".encode(), "FASTA-008").fix


def test_message_names_file_line_record_and_rule(read):
    error = refusal(read, b">chr1\nACGT\n>chr2\n", "FASTA-005")
    assert format_error(error).startswith("genoformer: error[FASTA-005] ")
    assert 'in.fa line 3: record "chr2" has no sequence. The file looks cut off. Download it again, or' in str(error)


def test_bad_records_are_left_out_and_counted_on_demand(read):
    data = b">good\nACGT\n>gap\nAC.\nACGT\n>empty\n>\nACGT\n>good\nGGGG\n>last\nTTTT\n>cut\n"
    log = WarningLog()
    assert read(data, on_bad_record="skip", warnings=log) == [("good", "ACGT", ""), ("last", "TTTT", "")]
    assert log.counts == {"FASTA-102": 5} and 'record "gap"' in log.examples["FASTA-102"]
    refusal(read, b">a\nAC.\n", "FASTA-011", on_bad_record="skip")


def test_other_word_for_bad_records_is_refused_at_the_call():
    with pytest.raises(ValueError, match="'ignore'"):
        read_fasta("x.fa", on_bad_record="ignore")


def test_what_is_left_out_or_odd_is_counted(read):
    log = WarningLog()
    data = b"\xef\xbb\xbf;one\n>a\nNNNN\n;two\nnn\n>b caf\xe9\nAC\n"
    assert read(data, warnings=log) == [("a", "NNNNNN", ""), ("b", "AC", "café")]
    assert log.counts == {"FASTA-101": 1, "FASTA-103": 1, "FASTA-104": 2, "FASTA-105": 1}
    assert 'record "a" is N only' in log.examples["FASTA-103"] and "line 2" in log.examples["FASTA-103"]


def test_valid_file_gives_no_warning(read):
    log = WarningLog()
    read(TWO_RECORDS, warnings=log)
    assert not log.counts


def test_missing_file_folder_and_unreadable_file_are_told_apart(tmp_path, monkeypatch):
    with pytest.raises(MissingFileError) as caught:
        list(read_fasta(tmp_path / "absent.fa"))
    assert caught.value.exit_code == 66 and caught.value.where == str(tmp_path / "absent.fa")
    with pytest.raises(DataError, match="Is a directory"):
        list(read_fasta(tmp_path))
    with pytest.raises(DataError, match="Not a directory"):
        list(read_fasta(__file__ + "/x"))

    def refuse(*args, **kwargs):
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(DataError, match="Permission denied"):
        list(read_fasta(tmp_path / "a.fa"))


def test_device_that_fails_while_it_is_read_is_a_data_error(read, monkeypatch):
    def fail(self, size):
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr(byte_chunks._Source, "read", fail)
    assert "Input/output error" in refusal(read, TWO_RECORDS, "FASTA-002").message


RANDOM_LETTERS = "".join(np.random.default_rng(0).choice(list("ACGT"), 200_000))
LONG = b"".join(b">r%d\n%s\n" % (i, RANDOM_LETTERS[i * 1000 :][:90_000].encode()) for i in range(3))


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.5, 0.9, 0.999])
def test_gzip_cut_anywhere_is_refused(read, kept):
    packed = gzip.compress(LONG)
    refusal(read, packed[: int(len(packed) * kept)], "FASTA-009")


def test_gzip_cut_inside_its_head_or_its_checksum_is_refused(read):
    packed = gzip.compress(LONG)
    for n_bytes in (2, 5, 9, 10, len(packed) - 8, len(packed) - 1):
        refusal(read, packed[:n_bytes], "FASTA-009")


def test_bgzip_cut_at_a_block_boundary_is_refused(read, tmp_path):
    packed = bgzipped(tmp_path, LONG)
    assert gzip.decompress(packed[:-28]) == LONG  # a reader that does not look sees nothing wrong
    refusal(read, packed[:-28], "FASTA-009")
    first_block_bytes = int.from_bytes(packed[16:18], "little") + 1
    refusal(read, packed[:first_block_bytes], "FASTA-009")
    assert len(read(packed)) == 3


def test_damaged_gzip_is_refused(read):
    packed = bytearray(gzip.compress(LONG))
    packed[-6] ^= 1
    assert "CRC" in refusal(read, bytes(packed), "FASTA-010").message
    refusal(read, gzip.compress(LONG) + b"more", "FASTA-010")
    broken = bytearray(gzip.compress(LONG))
    broken[len(broken) // 2 :][:64] = bytes(64)
    broken[5000:5064] = bytes(64)
    with pytest.raises(DataError):
        read(bytes(broken))


fragments = st.sampled_from(
    [
        b">",
        b">a",
        b">b c",
        b"\n",
        b"\r",
        b"\r\n",
        b"ACGT",
        b"acgn",
        b"-",
        b"*",
        b" 61 ",
        b"7",
        b"E",
        b";",
        b" ",
        b"\x00",
        b"@",
        b"\xef\xbb\xbf",
        b"\xff",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(fragments, max_size=20).map(b"".join), st.sampled_from(["error", "skip"]))
def test_any_bytes_give_records_or_a_data_error(tmp_path_factory, data, on_bad_record):
    path = tmp_path_factory.getbasetemp() / "fuzz.fa"
    path.write_bytes(data)
    try:
        records = list(read_fasta(path, on_bad_record=on_bad_record))
    except DataError as error:
        assert str(path) in error.where
        return
    assert records and all(len(record) and record.id for record in records)
    assert len({record.id for record in records}) == len(records)


@pytest.mark.parametrize("chunk_bytes", [3, 4, 5, 7, 64])
@pytest.mark.parametrize(
    ("data", "bases"),
    [
        (b">a\n1 ACGT\n  5\tAC\n7 GT*\n\n", "ACGTACGT"),
        (b">a\n  1 ACGT\n61\n>b\nAC\n*\n", "ACGT"),
        (b">a\nAC--GT\n-", "ACNNGTN"),
        (b">a\nACGT\n61", "ACGT"),
    ],
)
def test_where_a_chunk_ends_changes_no_number_gap_or_stop_sign(read, monkeypatch, chunk_bytes, data, bases):
    monkeypatch.setattr(byte_chunks, "CHUNK_BYTES", chunk_bytes)
    assert read(data)[0] == ("a", bases, "")


@pytest.mark.parametrize("chunk_bytes", [3, 4, 64])
@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b">a\nACG*T\n", "'*' at base 4"),
        (b">a\nACG*\nT\n", "'*' at base 4"),
        (b">a\nACG*\n*\n", "'*' at base 4"),
        (b">a\nACGT\n1234ACGT\n", "'1' at base 5"),
        (b">a\n12 ACGT 40\n", "'4' at base 5"),
        (b">a\n1 2 3\n", "'2' at base 1"),
        (b">a\n" + b"9" * 30 + b" ACGT\n", "'9' at base 1"),
        (b">a\nMKTEAY*\n", "'E' at base 4"),
    ],
)
def test_number_or_stop_sign_in_another_place_is_refused(read, monkeypatch, chunk_bytes, data, found):
    monkeypatch.setattr(byte_chunks, "CHUNK_BYTES", chunk_bytes)
    assert found in refusal(read, data, "FASTA-008").message


def test_record_of_a_stop_sign_or_a_number_only_has_no_sequence(read):
    for data in (b">a\n*\n", b">a\n12\n", b">a\n12"):
        refusal(read, data, "FASTA-005")
