import gzip
import io
import os
import subprocess
import sys

import numpy as np
import pysam
import pytest
from Bio import SeqIO
from hypothesis import given, settings
from hypothesis import strategies as st

from genoformer.errors import DataError, MissingFileError, WarningLog, format_error
from genoformer.sequence import byte_chunks
from genoformer.sequence.alphabet import BASE_LETTERS, decode_bases, encode_bases
from genoformer.sequence.fasta import read_fasta, write_fasta
from genoformer.sequence.fasta_parts import MAX_HEADER_BYTES
from genoformer.sequence.records import Record

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


def biopython_records(path):
    """(id, letters) as Biopython reads the file without BOM, comments and blank start; T for U, N for a gap, and
    without position numbers and a last stop sign."""
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    lines = raw.decode("utf-8-sig").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(";")).lstrip()
    records = SeqIO.parse(io.StringIO(text, newline=None), "fasta")
    letters = str.maketrans({"U": "T", "-": "N", **dict.fromkeys("0123456789" if b"       61 " in raw else "")})
    return [(record.id, str(record.seq).upper().translate(letters).removesuffix("*")) for record in records]


MALFORMED = (
    "crafted_from_phix174/*.fa*",
    "FormatSpecimens/FASTA/*.fasta",
    "FormatSpecimens/FASTA/*.txt",
    "biopython/Fasta/*",
    "htslib/test/**/*.f[aq]",
    "pyfaidx/*.fa*",
)


def test_every_odd_file_is_read_as_biopython_does_or_refused(data_dir):
    paths = sorted({path for pattern in MALFORMED for path in (data_dir / "malformed").glob(pattern)})
    assert len(paths) > 100
    n_read = 0
    for path in paths:
        try:
            found = [(record.id, decode_bases(record.codes)) for record in read_fasta(path)]
        except DataError as error:
            assert str(path) in error.where and error.fix, path
            assert not path.name.startswith("valid"), error
            continue
        n_read += 1
        assert found == biopython_records(path), path
    assert n_read > 50


EXTRAS = {
    "valid_iupac.fa": ("FASTA-107", 1, "ACGTRYSWKMBDHVNNGAGTTTTATCGCTTCC"),
    "valid_numbered_sequence.fa": ("FASTA-106", 4, "GAGTTTTATCGCTTCCATGACGCAGAAGTTAACACTTTCGG"),
    "valid_trailing_star.fa": ("FASTA-108", 1, "GAGTTTTATCGCTTCCATGACGCAGAAGTTAACACTTTCGG"),
    "bad_all_gaps.fa": ("FASTA-107", 100, "N" * 100),
}


@pytest.mark.parametrize("name", EXTRAS)
@pytest.mark.parametrize("chunk_bytes", [5, 64, 1 << 20])
def test_gap_number_and_stop_sign_are_no_base_and_counted(data_dir, monkeypatch, name, chunk_bytes):
    monkeypatch.setattr(byte_chunks, "CHUNK_BYTES", chunk_bytes)
    code, count, start = EXTRAS[name]
    log = WarningLog()
    (record,) = read_fasta(data_dir / "malformed/crafted_from_phix174" / name, warnings=log)
    assert decode_bases(record.codes).startswith(start)
    assert log.counts[code] == count and "line" in log.examples[code]


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


@pytest.mark.parametrize("name", ["valid_utf8_bom.fa", "valid_semicolon_comment.fa"])
def test_byte_order_mark_and_comments_hide_no_base_and_are_counted(data_dir, name):
    folder = data_dir / "malformed/crafted_from_phix174"
    phix, log = next(read_fasta(folder / "valid_phix.fa")), WarningLog()
    record = next(read_fasta(folder / name, warnings=log))
    assert len(record) == 700 and record.codes.tolist() == phix.codes[:700].tolist()
    assert sum(log.counts.values()) in (1, 2)


BAD_FILES = {
    "bad_corrupt_crc.fa.gz": "FASTA-010",
    "bad_digits_in_sequence.fa": "FASTA-008",
    "bad_duplicate_ids.fa": "FASTA-007",
    "bad_empty_file.fa": "FASTA-004",
    "bad_empty_id.fa": "FASTA-006",
    "bad_fastq_named_fa.fa": "FASTA-003",
}


@pytest.mark.parametrize(("name", "code"), BAD_FILES.items())
def test_bad_file_is_refused_for_its_own_reason(data_dir, name, code):
    with pytest.raises(DataError, match=code):
        list(read_fasta(data_dir / "malformed/crafted_from_phix174" / name))


def test_file_of_n_only_is_read_with_a_warning(data_dir):
    log = WarningLog()
    assert len(list(read_fasta(data_dir / "malformed/crafted_from_phix174/bad_all_N.fa", warnings=log))) == 1
    assert log.counts == {"FASTA-103": 1}


@pytest.mark.parametrize(
    "name",
    [
        "genome_ecoli_k12/GCF_000005845.2_ASM584v2_genomic.fna.gz",
        "genome_1pct_a_thaliana/A.thaliana.1pct.fa.gz",
        "genome_1pct_c_elegans/C.elegans.1pct.fa.gz",
        "genome_viruses/sars_cov_2_MN908947.fasta.gz",
    ],
)
def test_real_genomes_read_as_biopython_and_pysam_do(data_dir, name):
    found = triples(read_fasta(data_dir / name))
    with gzip.open(data_dir / name, "rt") as file:
        assert [(i, letters) for i, letters, _ in found] == [
            (r.id, str(r.seq).upper()) for r in SeqIO.parse(file, "fasta")
        ]
    with pysam.FastxFile(str(data_dir / name)) as file:
        assert found == [(r.name, r.sequence.upper(), r.comment or "") for r in file]


def test_memory_for_one_record_is_one_byte_per_base_and_a_little(tmp_path):
    path = tmp_path / "big.fa"
    path.write_bytes(b">a\n" + (b"ACGT" * 15 + b"\n") * 1_000_000)
    script = (
        "import resource, sys\nfrom genoformer.sequence.fasta import read_fasta\n"
        "unit = 1024 if sys.platform == 'darwin' else 1\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit\n"
        "before = peak()\nn = len(next(read_fasta(sys.argv[1])))\nprint(n, peak() - before)"
    )
    n_bases, grown_kib = map(int, subprocess.check_output([sys.executable, "-c", script, path]).split())
    assert n_bases == 60_000_000
    assert grown_kib * 1024 < 1.4 * n_bases  # one byte per base, the array's spare room and a few chunks


def test_written_records_are_read_back_by_biopython_and_by_us(tmp_path):
    records = [Record("a", encode_bases("ACGTRYKN" * 30), "two words"), Record("b", encode_bases("G" * 60))]
    write_fasta(tmp_path / "a.fa", records)
    lines = (tmp_path / "a.fa").read_text().splitlines()
    assert [len(line) for line in lines] == [len(">a two words"), 60, 60, 60, 60, 2, 60]
    assert triples(read_fasta(tmp_path / "a.fa")) == triples(records)
    parsed = SeqIO.parse(tmp_path / "a.fa", "fasta")
    assert [(r.id, str(r.seq)) for r in parsed] == [(r.id, decode_bases(r.codes)) for r in records]


@given(st.lists(st.text(BASE_LETTERS, min_size=1), min_size=1), st.integers(1, 20))
def test_reading_inverts_writing(tmp_path_factory, sequences, width):
    path = tmp_path_factory.getbasetemp() / "round.fa"
    records = [Record(f"r{i}", encode_bases(letters)) for i, letters in enumerate(sequences)]
    write_fasta(path, records, width)
    assert triples(read_fasta(path)) == triples(records)
    assert max(len(line) for line in path.read_text().splitlines() if line[0] != ">") <= width


def test_long_record_is_written_in_blocks_without_a_seam(tmp_path):
    codes = np.random.default_rng(1).integers(0, 15, 2_500_001).astype(np.uint8)
    write_fasta(tmp_path / "a.fa", [Record("a", codes)], width=77)
    np.testing.assert_array_equal(next(read_fasta(tmp_path / "a.fa")).codes, codes)
    assert {len(line) for line in (tmp_path / "a.fa").read_text().splitlines()[1:-1]} == {77}


@pytest.mark.parametrize(
    "record",
    [
        Record("a", encode_bases("")),
        Record("", encode_bases("A")),
        Record("a b", encode_bases("A")),
        Record("a", encode_bases("A"), "two\n>lines"),
    ],
)
def test_record_that_could_not_be_read_back_is_not_written(tmp_path, record):
    with pytest.raises(ValueError, match="expected a record with bases"):
        write_fasta(tmp_path / "a.fa", [record])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="found 0"):
        write_fasta(tmp_path / "a.fa", [], width=0)
