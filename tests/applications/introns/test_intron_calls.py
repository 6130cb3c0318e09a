"""Prediction of genes with introns, from FASTA to files: the same contract as for bacteria."""

import json
import subprocess

import gffutils
import numpy as np
import pytest
from Bio import SeqIO
from Bio.Seq import Seq
from tiny_intron_bundle import write_tiny_intron_bundle

from genoformer import load_model
from genoformer.annotation.read import read_annotation
from genoformer.cli.main import main
from genoformer.sequence.alphabet import decode_bases, encode_bases, reverse_complement

pytestmark = pytest.mark.slow

FORMATS = "gff3,gtf,bed,tsv,protein,cds"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_tiny_intron_bundle(tmp_path_factory.mktemp("bundle") / "tiny-introns")


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """Two records, one with a gap and unknown bases, one too short for a gene."""
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 4, 24_000).astype(np.uint8)
    codes[9_000:9_030] = 4
    codes[rng.integers(0, 24_000, 20)] = 4
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    path.write_text(f">a\n{decode_bases(codes)}\n>b\nACGT\n")
    return path


@pytest.fixture(scope="module")
def predicted(bundle, genome, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "p"
    assert predict(genome, bundle, out, "--formats", FORMATS) == 0
    return out


def predict(genome, bundle, out, *options):
    return main(["predict", str(genome), "--model", str(bundle), "-o", str(out), "--threads", "1", *options])


def test_every_cds_of_every_file_translates(predicted, genome):
    genes = read_annotation(predicted / "genes.gff3").genes
    assert len(genes) > 20 and sum(len(gene.parts) > 1 for gene in genes) > 5
    assert any(gene.exons for gene in genes) and {gene.strand for gene in genes} == {"+", "-"}
    proteins = [str(record.seq) for record in SeqIO.parse(predicted / "proteins.faa", "fasta")]
    cds = [str(record.seq) for record in SeqIO.parse(predicted / "cds.fna", "fasta")]
    assert len(genes) == len(proteins) == len(cds)
    for gene, protein, text in zip(genes, proteins, cds, strict=True):
        offset = gene.phase_offset
        whole = text[offset : offset + (len(text) - offset) // 3 * 3]
        assert str(Seq(whole).translate(table=1)) == protein
        assert "*" not in (protein if gene.partial_3 else protein[:-1])
        assert gene.partial_5 or protein[0] == "M"
        assert 0 < gene.score < 1


def test_the_files_agree_and_other_programs_read_them(predicted, need_tool):
    by_file = [
        [(gene.strand, gene.parts, gene.exons, gene.partial_5, gene.partial_3) for gene in read_annotation(path).genes]
        for path in (predicted / "genes.gff3", predicted / "genes.gtf")
    ]
    assert by_file[0] == by_file[1]
    for command in (["gff3validator", "-typecheck", "so", "genes.gff3"], ["gtf_to_gff3", "genes.gtf"]):
        done = subprocess.run([need_tool("gt"), *command], cwd=predicted, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    db = gffutils.create_db(str(predicted / "genes.gff3"), ":memory:", merge_strategy="create_unique")
    assert db.count_features_of_type("mRNA") == len(by_file[0])
    rows = [line.split("\t") for line in (predicted / "genes.bed").read_text().splitlines()]
    blocks = [[int(size) for size in row[10].split(",")] for row in rows]
    assert sorted(map(sum, blocks)) == sorted(
        sum(e - s for s, e in (exons or parts)) for _, parts, exons, *_ in by_file[0]
    )


def test_a_region_gives_genes_in_coordinates_of_its_record(bundle, genome, predicted, tmp_path):
    codes = encode_bases(str(next(SeqIO.parse(genome, "fasta")).seq))
    assert predict(genome, bundle, tmp_path / "r", "--region", "a:10001-20000") == 0
    genes = read_annotation(tmp_path / "r/genes.gff3").genes
    assert genes and all(10_000 <= gene.start and gene.end <= 20_000 for gene in genes)
    assert any(len(gene.parts) > 1 for gene in genes)
    (tmp_path / "cut.fa").write_text(f">a\n{decode_bases(codes[10_000:20_000])}\n")
    assert predict(tmp_path / "cut.fa", bundle, tmp_path / "c") == 0
    expected = [gene.shifted(10_000).parts for gene in read_annotation(tmp_path / "c/genes.gff3").genes]
    assert [gene.parts for gene in genes] == expected


def test_the_reverse_complement_gives_the_mirrored_genes(bundle, genome, predicted, tmp_path):
    codes = encode_bases(str(next(SeqIO.parse(genome, "fasta")).seq))
    (tmp_path / "rc.fa").write_text(f">a\n{decode_bases(reverse_complement(codes))}\n")
    assert predict(tmp_path / "rc.fa", bundle, tmp_path / "rc") == 0
    L = len(codes)
    found = {
        ("-" if gene.strand == "+" else "+", tuple((L - e, L - s) for s, e in gene.parts[::-1]))
        for gene in read_annotation(tmp_path / "rc/genes.gff3").genes
    }
    assert found == {(gene.strand, gene.parts) for gene in read_annotation(predicted / "genes.gff3").genes}


def test_masked_intervals_hold_no_exon(bundle, genome, predicted, tmp_path):
    first = read_annotation(predicted / "genes.gff3").genes[0]
    (tmp_path / "m.bed").write_text(f"a\t{first.start}\t{first.end}\n")
    assert predict(genome, bundle, tmp_path / "m", "--mask", str(tmp_path / "m.bed")) == 0
    left = {gene.parts for gene in read_annotation(tmp_path / "m/genes.gff3").genes}
    assert first.parts not in left and left


def test_the_same_command_again_does_nothing(bundle, genome, predicted, capsys):
    assert predict(genome, bundle, predicted, "--formats", FORMATS) == 0
    assert "nothing to do" in capsys.readouterr().out
    summary = json.loads((predicted / "summary.json").read_text())
    assert summary["n_records"] == 2 and not summary["genome_statistics"]


def test_circular_records_are_refused(bundle, genome, tmp_path, capsys):
    assert predict(genome, bundle, tmp_path / "o", "--circular", "a") == 2
    assert "CIRCULAR-002" in capsys.readouterr().err


def test_the_python_interface_gives_the_same_genes(bundle, genome, predicted):
    found = [gene.parts for result in load_model(bundle).predict(genome) for gene in result.genes]
    assert found == [gene.parts for gene in read_annotation(predicted / "genes.gff3").genes]


def test_evaluate_scores_genes_with_introns_and_checks_a_minimum(predicted, capsys):
    files = [str(predicted), str(predicted / "genes.gff3"), "--task", "gene_structure_eukaryote"]
    assert main(["evaluate", *files, "--min-f1", "1"]) == 0
    assert "MCC of all classes of bases 1.0000" in capsys.readouterr().out
    assert main(["evaluate", *files, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["chain"]["f1"] == 1


def test_a_source_that_is_not_there_is_an_error(predicted, capsys):
    files = [str(predicted), str(predicted / "genes.gff3"), "--task", "gene_structure_eukaryote"]
    assert main(["evaluate", *files, "--source", "TAIR10"]) == 65
    assert "TAIR10" in capsys.readouterr().err
