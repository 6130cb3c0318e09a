"""Rows of VCF: what is read, what is refused with file and line, and in which order rows come."""

import gzip

import numpy as np
import pytest

from genoformer.errors import DataError, MissingFileError
from genoformer.sequence.alphabet import decode_bases
from genoformer.variants.alleles import allele_kind, trimmed
from genoformer.variants.vcf_rows import scan_vcf, spool_vcf

HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def scan(tmp_path, text):
    path = tmp_path / "a.vcf"
    path.write_bytes(text.encode("latin-1"))
    return scan_vcf(path, "a.vcf")


def test_rows_are_read_again_in_any_order_with_every_column(tmp_path):
    vcf = scan(tmp_path, f"{HEADER}b\t7\tx\tA\tG,<DEL>\t9\tPASS\tDP=\xe9\r\na\t2\t.\tac\tT\t.\t.\t.\n")
    second, first = vcf.rows(np.array([1, 0]))
    assert (second.contig, second.position, second.ref, second.alts, second.number) == ("a", 1, "ac", ("T",), 4)
    assert first.alts == ("G", "<DEL>")
    assert first.columns[7].encode("utf-8", "surrogateescape") == b"DP=\xe9"
    assert vcf.contigs == ["b", "a"]


@pytest.mark.parametrize(
    ("rows", "is_sorted"),
    [("", True), ("a1 a2 b1", True), ("a2 a1", False), ("a1 b1 a2", False), ("b1 a1 a1", True)],
)
def test_sorted_means_contigs_together_and_places_ascending(tmp_path, rows, is_sorted):
    text = "".join(f"{row[0]}\t{row[1]}\t.\tA\tG\t.\t.\t.\n" for row in rows.split())
    assert scan(tmp_path, HEADER + text).is_sorted == is_sorted


ROW = "a\t1\t.\tA\tG\t.\t.\t."


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", "VARIANTS-001", "empty"),
        (">a\nACGT\n", "VARIANTS-001", "FASTA"),
        ("##gff-version 3\n", "VARIANTS-001", "GFF3"),
        ("##fileformat=VCFv3.3\n", "VARIANTS-001", "VCFv4"),
        ("##fileformat=VCFv4.2\n", "VARIANTS-002", "ends"),
        (f"##fileformat=VCFv4.2\n{ROW}\n", "VARIANTS-002", "line 2"),
        (HEADER.rstrip("\n") + "\tFORMAT\n", "VARIANTS-002", "FORMAT"),
        (f"{HEADER}a\t1\t.\tA\tG\t.\t.\n", "VARIANTS-003", "found 7"),
        (f"{HEADER}{ROW}\tmore\n", "VARIANTS-003", "line 3"),
        (f"{HEADER}{ROW}\n\t1\t.\tA\tG\t.\t.\t.\n", "VARIANTS-003", "line 4"),
        (HEADER + ROW.replace("\t1\t", "\t1.5\t"), "VARIANTS-004", "'1.5'"),
        (HEADER + ROW.replace("\t1\t", "\t-1\t"), "VARIANTS-004", "'-1'"),
        (HEADER + ROW.replace("\tA\t", "\t.\t"), "VARIANTS-005", "'.'"),
        (HEADER + ROW.replace("\tG\t", "\tG,\t"), "VARIANTS-006", "''"),
        (HEADER + ROW.replace("\tG\t", "\tX\t"), "VARIANTS-006", "'X'"),
        (HEADER + ROW.replace("\tG\t", "\tG,.\t"), "VARIANTS-006", "'.'"),
    ],
)
def test_what_breaks_the_format_is_refused_with_its_place(tmp_path, text, code, said):
    with pytest.raises(DataError) as caught:
        scan(tmp_path, text)
    assert caught.value.code == code
    assert said in str(caught.value)


def test_a_compressed_file_is_spooled_and_a_plain_one_is_read_where_it_is(tmp_path):
    plain, packed = tmp_path / "a.vcf", tmp_path / "b.vcf"
    plain.write_text(HEADER)
    packed.write_bytes(gzip.compress(HEADER.encode()))
    work = tmp_path / "work"
    work.mkdir()
    assert spool_vcf(str(plain), work) == plain
    assert spool_vcf(str(packed), work).read_text() == HEADER
    with pytest.raises(MissingFileError):
        spool_vcf(str(tmp_path / "c.vcf"), work)


@pytest.mark.parametrize(
    ("ref", "alt", "kind"),
    [
        ("A", "G", "snv"), ("AC", "GT", "mnv"), ("ACA", "AGA", "snv"), ("A", "AC", "insertion"),
        ("AC", "A", "deletion"), ("AC", "GTT", "replacement"), ("A", "<DEL>", "symbolic"), ("A", "*", "star"),
        ("A", "<*>", "star"), ("A", "G]b:5]", "breakend"), ("A", ".C", "breakend"), ("A", ".", "missing"),
        ("A", "a", "same"), ("A", "-", None),
    ],
)  # fmt: skip
def test_kinds_of_alleles(ref, alt, kind):
    assert allele_kind(ref, alt) == kind


@pytest.mark.parametrize(
    ("ref", "alt", "start", "end", "put"),
    [
        ("A", "G", 10, 11, "G"), ("CAT", "CGT", 11, 12, "G"), ("A", "AT", 11, 11, "T"), ("AT", "A", 11, 12, ""),
        ("AAA", "AA", 10, 11, ""), ("TA", "TCA", 11, 11, "C"), ("AC", "AC", 10, 10, ""),
    ],
)  # fmt: skip
def test_what_ref_and_alt_share_is_no_part_of_the_change(ref, alt, start, end, put):
    change = trimmed(10, ref, alt)
    assert (change.start, change.end, decode_bases(change.bases)) == (start, end, put)
    assert change.growth_bp == len(alt) - len(ref)
