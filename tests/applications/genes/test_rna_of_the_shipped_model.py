"""RNA genes by the profiles of the shipped model in real genomes, beside their annotations, ARAGORN and barrnap."""

import re
import subprocess

import numpy as np
import pytest

from genoformer.annotation.models import RnaGene
from genoformer.annotation.read import read_annotation, read_records
from genoformer.bundle.header import read_header
from genoformer.decoding.rna.finder import RnaFinder
from genoformer.metrics.rna_genes import score_rna_genes
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

ECOLI = "genome_ecoli_k12/GCF_000005845.2_ASM584v2_genomic.gbff.gz"
BETWEEN = slice(3_935_000, 4_215_000)
"""Of E. coli: four operons of rRNA and some twenty tRNA genes, on both strands."""


@pytest.fixture(scope="module")
def finder() -> RnaFinder:
    return RnaFinder.from_dict(read_header("prokaryotes").calibration["rna"])


@pytest.fixture(scope="module")
def stretch(data_dir) -> Record:
    (record,) = read_records(data_dir / ECOLI)
    return Record("e", record.codes[BETWEEN])


def genes_of(finder: RnaFinder, record: Record, **more) -> list[RnaGene]:
    calls = finder.calls(record.codes, **more)
    return [RnaGene(record.id, c.start, c.end, "+" if c.strand > 0 else "-", c.kind, product=c.product) for c in calls]


def f1(own, other, record: Record, kind: str) -> float:
    return score_rna_genes(own, other, {record.id: len(record)})[kind]["f1"]


@pytest.mark.data
def test_the_genes_of_e_coli_are_those_of_its_annotation(finder, stretch, data_dir):
    low, high = BETWEEN.start, BETWEEN.stop
    said = [gene for gene in read_annotation(data_dir / ECOLI).rna_genes if low <= gene.start and gene.end <= high]
    true = [RnaGene("e", g.start - low, g.end - low, g.strand, g.kind, product=g.product) for g in said]
    own = genes_of(finder, stretch)
    assert f1(own, true, stretch, "rRNA") == f1(own, true, stretch, "tRNA") == 1
    rrna = [gene for gene in own if gene.kind == "rRNA"]
    assert [gene.product for gene in rrna] == [gene.product for gene in true if gene.kind == "rRNA"]
    ends = np.array([[gene.start, gene.end] for gene in own]) - [[gene.start, gene.end] for gene in true]
    assert np.abs(ends).max() <= 20


@pytest.mark.data
def test_trna_genes_are_those_that_aragorn_finds(finder, stretch, need_tool, tmp_path):
    write_fasta(tmp_path / "e.fa", [stretch])
    command = [need_tool("aragorn"), "-t", "-w", "-l", "-gcbact", str(tmp_path / "e.fa")]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = re.findall(r"^\d+\s+tRNA-\S+\s+(c?)\[(\d+),(\d+)\]", text, re.MULTILINE)
    found = [RnaGene("e", int(low) - 1, int(high), "-" if c else "+", "tRNA") for c, low, high in rows]
    assert len(found) > 10
    assert f1(genes_of(finder, stretch), found, stretch, "tRNA") == 1


@pytest.mark.data
def test_rrna_genes_are_those_that_barrnap_finds(finder, stretch, need_tool, tmp_path):
    write_fasta(tmp_path / "e.fa", [stretch])
    command = [need_tool("barrnap"), "--quiet", "--threads", "1", str(tmp_path / "e.fa")]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    # Some builds of barrnap have no model of 23S.
    found = [RnaGene("e", int(r[3]) - 1, int(r[4]), r[6], "rRNA") for r in rows if int(r[4]) - int(r[3]) < 2_000]
    own = [gene for gene in genes_of(finder, stretch) if gene.end - gene.start < 2_000]
    assert len(found) >= 8
    assert f1(own, found, stretch, "rRNA") == 1


@pytest.mark.data
def test_phix174_and_lambda_have_none(finder, data_dir):
    for name in ("NC_001422.gbk.gz", "NC_001416_lambda.gbk.gz"):
        (record,) = read_records(data_dir / "genome_phages" / name)
        assert finder.calls(record.codes, circular=True) == []


@pytest.mark.data
def test_contigs_have_the_genes_that_lie_in_them(finder, stretch):
    whole = [(gene.start, gene.end, gene.strand, gene.kind) for gene in genes_of(finder, stretch)]
    n_bp, found = 20_000, []
    for low in range(0, len(stretch), n_bp):
        part = Record("e", stretch.codes[low : low + n_bp])
        found += [(g.start + low, g.end + low, g.strand, g.kind) for g in genes_of(finder, part)]
    inside = [place for place in whole if place[0] // n_bp == (place[1] - 1) // n_bp]
    assert set(inside) <= set(found)
    pieces = set(found) - set(inside)  # of genes that a cut goes through
    assert all(any(low <= start + 5 and end <= high + 5 for low, high, *_ in whole) for start, end, *_ in pieces)
