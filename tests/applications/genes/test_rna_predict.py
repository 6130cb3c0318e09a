"""Prediction of RNA genes beside those of proteins: files, shards and interruptions, with outputs that are planted."""

import json
import subprocess

import numpy as np
import pytest
from Bio import SeqIO
from planted_rna import motifs, plant
from predicting import interrupted
from tiny_bundle import write_tiny_bundle

from genoformer.annotation.read import read_annotation
from genoformer.api import load_model
from genoformer.applications.genes import caller
from genoformer.cli.main import main
from genoformer.genomes.simulate import simulate_genome
from genoformer.sequence.alphabet import reverse_complement
from genoformer.sequence.fasta import read_fasta, write_fasta
from genoformer.sequence.records import Record

KINDS = ("rRNA", "tRNA")
record_logits = caller.record_logits


def planted_logits(network, tokenizer, codes, plan, *, span=None):
    """What the network says, with sure outputs where a gene of RNA stands unchanged."""
    found = np.full((2, len(codes), 2), -7.0, np.float32)
    text = codes.tobytes()
    for column, kind in enumerate(KINDS):
        for row, motif in enumerate((motifs()[kind], reverse_complement(motifs()[kind]))):
            at = text.find(motif.tobytes())
            while at >= 0:
                found[row, at : at + len(motif), column] = 5.0
                at = text.find(motif.tobytes(), at + 1)
    for start, end, logits in record_logits(network, tokenizer, codes, plan, span=span):
        yield start, end, np.concatenate([logits[..., :5], found[:, start:end]], axis=-1)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "rna", rna=True)


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    monkeypatch.setattr(caller, "record_logits", planted_logits)


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """FASTA of a linear and a circular contig of 15 kb, and the RNA genes that stand in it by contig."""
    path, genes, records = tmp_path_factory.mktemp("genome") / "g.fa", {}, []
    for record, _ in simulate_genome(length_bp=30_000, gc=0.5, seed=2, n_contigs=2):
        codes, genes[record.id] = plant(record.codes, record.id, seed=3, every_bp=900, changed=0.0)
        records.append(Record(record.id, codes, "circular=true" if records else ""))
    # One more over the origin of the circle.
    last, motif = records[1], motifs()["rRNA"]
    last.codes[:80], last.codes[-320:] = motif[320:], motif[:320]
    write_fasta(path, records)
    return path, genes, (last.id, len(last) - 320, len(last) + 80, "+", "rRNA")


def places(genes) -> set[tuple]:
    return {(gene.contig, gene.start, gene.end, gene.strand, gene.kind) for gene in genes}


def predict(bundle, fasta, out, *more):
    return main(["predict", str(fasta), "--model", str(bundle), "-o", str(out), *more])


def test_rna_genes_are_rows_of_the_files_and_no_gene_lies_over_them(bundle, genome, tmp_path, need_tool):
    fasta, genes, over_origin = genome
    assert predict(bundle, fasta, tmp_path / "o", "--formats", "gff3,genbank,embl,tsv") == 0
    read = read_annotation(tmp_path / "o/genes.gff3")
    expected = {gene for found in genes.values() for gene in places(found)} | {over_origin}
    assert places(read.rna_genes) == expected
    summary = json.loads((tmp_path / "o/summary.json").read_text())
    assert summary["rna_genes"] == {kind: sum(gene[-1] == kind for gene in expected) for kind in KINDS}
    gt = need_tool("gt")
    subprocess.run([gt, "gff3validator", "-typecheck", "so", tmp_path / "o/genes.gff3"], check=True)
    rows = [line.split("\t") for line in (tmp_path / "o/genes.gff3").read_text().splitlines() if "\t" in line]
    assert {row[5] for row in rows if row[2] in KINDS} <= {f"{n / 255:.4f}" for n in range(240, 256)}
    for contig, found in genes.items():
        covered = np.zeros(40_000, bool)
        for gene in found:
            covered[gene.start : gene.end] = True
        for gene in read.by_contig()[contig]:
            assert 2 * covered[gene.start : gene.end].sum() <= gene.end - gene.start
    for name, kind in (("genes.gbk", "genbank"), ("genes.embl", "embl")):
        features = [f for record in SeqIO.parse(tmp_path / "o" / name, kind) for f in record.features]
        assert sum(f.type in KINDS for f in features) == len(expected)
        assert places(read_annotation(tmp_path / "o" / name).rna_genes) == expected


def test_shards_and_python_give_the_same(bundle, genome, tmp_path):
    fasta, _, _ = genome
    formats = ["--formats", "gff3,tsv,h5"]
    assert predict(bundle, fasta, tmp_path / "o", *formats) == 0
    for number in (1, 2, 3):
        assert predict(bundle, fasta, tmp_path / "parts", "--shard", f"{number}/3", *formats) == 0
    assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "merged")]) == 0
    for name in ("genes.gff3", "genes.tsv"):
        assert (tmp_path / "o" / name).read_bytes() == (tmp_path / "merged" / name).read_bytes()
    found = load_model(str(bundle)).predict(str(fasta))
    assert places(gene for result in found for gene in result.rna_genes) == places(
        read_annotation(tmp_path / "o/genes.gff3").rna_genes
    )
    (written,) = found.write(tmp_path / "p.gff3")
    assert written.read_bytes() == (tmp_path / "o/genes.gff3").read_bytes()


def test_genes_of_a_region_have_places_of_the_record(bundle, genome, tmp_path):
    fasta, genes, _ = genome
    record = next(iter(read_fasta(fasta)))
    assert predict(bundle, fasta, tmp_path / "o", "--region", f"{record.id}:3001-9000", "--formats", "gff3") == 0
    inside = {place for place in places(genes[record.id]) if place[1] >= 3_000 and place[2] <= 9_000}
    assert inside <= places(read_annotation(tmp_path / "o/genes.gff3").rna_genes)


def test_an_interrupted_pass_continues_with_what_it_kept(bundle, genome, tmp_path, monkeypatch):
    fasta, _, _ = genome
    assert predict(bundle, fasta, tmp_path / "whole", "--formats", "gff3,h5") == 0
    monkeypatch.setattr(caller, "record_logits", interrupted(planted_logits, 15))  # in the second record
    assert predict(bundle, fasta, tmp_path / "o", "--formats", "gff3,h5") != 0
    assert list((tmp_path / "o/.work").glob("stretches-*.npz"))
    monkeypatch.setattr(caller, "record_logits", planted_logits)
    assert predict(bundle, fasta, tmp_path / "o", "--formats", "gff3,h5") == 0
    assert (tmp_path / "o/genes.gff3").read_bytes() == (tmp_path / "whole/genes.gff3").read_bytes()
    assert not list((tmp_path / "o").rglob("stretches-*.npz"))


def test_a_model_without_these_outputs_says_nothing_of_rna(tiny_bundle, genome, tmp_path, monkeypatch):
    monkeypatch.setattr(caller, "record_logits", record_logits)
    fasta, _, _ = genome
    assert predict(tiny_bundle, fasta, tmp_path / "o", "--formats", "gff3") == 0
    assert "rna_genes" not in json.loads((tmp_path / "o/summary.json").read_text())
    assert not read_annotation(tmp_path / "o/genes.gff3").rna_genes
    (first, *_) = load_model(str(tiny_bundle)).predict(str(fasta))
    assert first.rna_genes is None
