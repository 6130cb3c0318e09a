"""Small compressed files that unfold to lines without end, or to comments alone: one error, and little memory."""

import gzip
import re
import subprocess
import sys

import numpy as np
import pytest

from genoformer.annotation import flat_files, text_lines
from genoformer.annotation.read import read_annotation
from genoformer.annotation.read_bed import read_bed
from genoformer.annotation.seqids import read_seqid_map
from genoformer.annotation.text_lines import read_lines
from genoformer.errors import DataError, GenoformerError, WarningLog, format_error
from genoformer.files.limits import MOST_WIDE_LINE_BYTES
from genoformer.genomes.genome_table import read_genome_table
from genoformer.inference.table_records import read_table_records
from genoformer.labels import tables
from genoformer.labels.ontology import read_obo
from genoformer.labels.split_file import read_parts
from genoformer.sequence import fasta
from genoformer.sequence.fasta import read_fasta
from genoformer.structures import contacts, pair_files
from genoformer.structures.contacts import read_chain
from genoformer.structures.pair_files import read_pair_files
from genoformer.variants import vcf_rows
from genoformer.variants.vcf_rows import scan_vcf, spool_vcf

LOW = {
    "MOST_LINE_BYTES": 4_000_000,
    "MOST_WIDE_LINE_BYTES": 4_000_000,
    "MOST_COMMENT_LINES": 1_000,
    "MOST_COMMENT_BYTES": 90_000,
}
LOCUS = b"LOCUS       c                        500 bp    DNA     circular BCT 01-JAN-2020\n"
EMBL = b"ID   c; SV 1; circular; genomic DNA; STD; PRO; 500 BP.\n"
VCF = b"##fileformat=VCFv4.2\n"
COLUMNS = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def read_vcf(path):
    return scan_vcf(spool_vcf(str(path), path.parent), str(path))


READERS = {
    "gff3": read_annotation,
    "gtf": read_annotation,
    "gbk": read_annotation,
    "embl": read_annotation,
    "bed": lambda path: list(read_bed(path)),
    "vcf": read_vcf,
    "csv": lambda path: list(read_table_records(path, "sequence", "id")),
    "dbn": lambda path: read_pair_files([path]),
    "ct": lambda path: read_pair_files([path]),
    "bpseq": lambda path: read_pair_files([path]),
    "obo": read_obo,
    "pdb": lambda path: read_chain(path, "A", "here"),
    "cif": lambda path: read_chain(path, "A", "here"),
    "fa": lambda path: list(read_fasta(path)),
    "ids.tsv": read_seqid_map,
    "parts.tsv": read_parts,
    "genomes.tsv": read_genome_table,
}
ENDLESS_LINES = {
    "gff3": (b"##gff-version 3\nc\tx\tCDS\t1\t9\t.\t+\t0\tID=", b"A"),
    "gtf": (b"#!genome\n", b'gene_id "a"; '),
    "gbk": (LOCUS + b"FEATURES             Location/Qualifiers\n     source          1..500\n", b"acgt"),
    "embl": (EMBL, b"A"),
    "bed": (b"", b"1\t"),
    "vcf": (VCF + COLUMNS + b"c\t5\t.\t", b"A"),
    "csv": (b'id,sequence\na,"', b"A"),
    "dbn": (b">a\n", b"A"),
    "ct": (b"", b"1 "),
    "bpseq": (b"", b"1 "),
    "obo": (b"[Term]\nid: ", b"A"),
    "pdb": (b"HEADER\n", b"A"),
    "cif": (b"data_x\n", b"A"),
    "ids.tsv": (b"", b"A"),
    "parts.tsv": (b"", b"A"),
    "genomes.tsv": (b"fasta\tannotation\n", b"A"),
}
ENDLESS_COMMENTS = {
    "gff3": (b"##gff-version 3\n", b"# x\n"),
    "gtf": (b"", b"#!x\n"),
    "gbk": (LOCUS + b"COMMENT     x\n", b"            x\n"),
    "embl": (EMBL, b"CC   x\n"),
    "bed": (b"", b"#\n"),
    "vcf": (VCF, b"##x\n"),
    "csv": (b"id,sequence\n", b"\n"),
    "ct": (b"", b"#\r\n"),
    "bpseq": (b"", b"#\r"),
    "obo": (b"format-version: 1.2\n", b"! x\n"),
    "cif": (b"data_x\n", b"#\n"),
    "fa": (b">a\n", b";\n"),
    "ids.tsv": (b"", b"#\n"),
    "parts.tsv": (b"", b"\n"),
    "genomes.tsv": (b"", b"#\n"),
}


@pytest.fixture
def low_limits(monkeypatch):
    for module in (text_lines, vcf_rows, fasta, flat_files, tables, pair_files):
        for name, value in LOW.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)


def unfolding(path, head: bytes, unit: bytes, n_bytes: int):
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(head)
        for _ in range(n_bytes >> 20):
            file.write(unit * ((1 << 20) // len(unit)))
    return path


@pytest.mark.parametrize("kind", ENDLESS_LINES)
def test_a_line_without_end_is_named(kind, tmp_path, low_limits):
    path = unfolding(tmp_path / f"a.{kind}.gz", *ENDLESS_LINES[kind], 6 << 20)
    with pytest.raises(DataError, match=r"line \d: a line is longer than") as caught:
        READERS[kind](path)
    assert caught.value.code == "FILE-006" and len(format_error(caught.value)) < 400


@pytest.mark.parametrize("kind", ENDLESS_COMMENTS)
def test_comments_and_empty_lines_without_end_are_named(kind, tmp_path, low_limits):
    path = unfolding(tmp_path / f"a.{kind}.gz", *ENDLESS_COMMENTS[kind], 2 << 20)
    with pytest.raises(DataError, match=r"line [0-9]+") as caught:
        READERS[kind](path)
    assert caught.value.code in ("FILE-007", "GENBANK-007", "VARIANTS-015", "FASTA-012")


def test_structures_without_end_and_bpseq_without_a_row_are_named(tmp_path, low_limits, monkeypatch):
    monkeypatch.setattr(contacts, "MOST_BYTES", 1_000_000)
    path = unfolding(tmp_path / "a.pdb.gz", b"HEADER\n", b"REMARK   1 TEXT\n", 2 << 20)
    with pytest.raises(DataError, match="CONTACTS-006"):
        read_chain(path, "A", "here")
    monkeypatch.setattr(pair_files, "MOST_COMMENT_LINES", 1_000)
    path = unfolding(tmp_path / "a.bpseq.gz", b"", b"a b c\n", 1 << 20)
    with pytest.raises(DataError, match="line 1001: no row"):
        read_pair_files([path])


def test_columns_without_end_are_not_taken_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_COLUMNS", 1_000)
    path = tmp_path / "a.csv"
    path.write_text("id,sequence\na,ACGT" + "," * 2_000 + "\n")
    with pytest.raises(DataError, match="LABELS-003"):
        READERS["csv"](path)
    (tmp_path / "a.vcf").write_bytes(VCF + COLUMNS + b"c\t" * 5_000 + b"\n")
    with pytest.raises(DataError, match="found 5001"):
        READERS["vcf"](tmp_path / "a.vcf")


def test_comments_between_rows_and_many_contigs_have_no_limit(tmp_path, low_limits):
    path = tmp_path / "a.gff3"
    contigs = "".join(f"##sequence-region c{i} 1 5000\n" for i in range(3_000))
    rows = "".join(f"# gene\n\n\nc1\tx\tCDS\t{i}\t{i + 8}\t.\t+\t0\tID=g{i}\n" for i in range(1, 600))
    path.write_text(f"##gff-version 3\n{contigs}{rows}")
    annotation = read_annotation(path)
    assert (len(annotation.genes), len(annotation.contig_lengths)) == (599, 3_000)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_are_those_of_the_file_wherever_blocks_end(end, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    wanted = ["a" * int(n) for n in rng.integers(0, 40, 400)] + ["z"]
    (tmp_path / "a.txt").write_bytes(end.join(line.encode() for line in wanted) + end)
    for n_bytes in (1, 2, 7, 64, 1 << 20):
        monkeypatch.setattr(text_lines, "CHUNK_BYTES", n_bytes)
        assert list(read_lines(tmp_path / "a.txt")) == list(enumerate(wanted, 1))


CHILD = """
import re, sys
from tests.test_endless_input import READERS, GenoformerError
from pathlib import Path
def high_water():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) >> 10
before = high_water()
try:
    READERS[sys.argv[2]](Path(sys.argv[1]))
except GenoformerError as error:
    print(error.code, high_water() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
@pytest.mark.one_in(3)
@pytest.mark.parametrize("kind", ["gff3", "bed", "gbk", "vcf", "csv"])
def test_a_line_without_end_takes_less_than_500_megabytes(kind, tmp_path):
    path = unfolding(tmp_path / f"a.{kind}.gz", *ENDLESS_LINES[kind], 2 * MOST_WIDE_LINE_BYTES)
    assert path.stat().st_size < 2_000_000
    child = subprocess.run([sys.executable, "-c", CHILD, str(path), kind], capture_output=True, text=True, timeout=300)
    found = re.fullmatch(r"(\S+) (\d+)\n", child.stdout)
    assert found and found[1] == "FILE-006" and int(found[2]) < 500, child.stdout + child.stderr


def test_a_message_of_megabytes_is_cut():
    error = DataError("X-001", "found " + "x" * 1_000_000, where="y" * 1_000_000, fix="Mend it.")
    assert len(format_error(error)) < 10_000 and format_error(error).endswith("Mend it.")
    log = WarningLog()
    log.add("X-101", "x" * 1_000_000)
    assert len(log.lines()[0]) < 5_000
    assert isinstance(error, GenoformerError)
