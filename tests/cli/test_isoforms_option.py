"""``predict --isoforms``: transcripts of a gene in every file, read by other programs; shards, keys, refusals."""

import json
import re
import subprocess

import gffutils
import numpy as np
import polars
import pytest
from Bio import SeqIO
from intron_genome import write_intron_genome
from tiny_bundle import write_tiny_bundle
from tiny_function_bundle import write_function_bundle
from tiny_intron_bundle import write_tiny_intron_bundle

from genoformer import load_model
from genoformer.annotation.isoforms import group_isoforms
from genoformer.annotation.read import read_annotation
from genoformer.applications.introns.caller import IntronGeneFinder
from genoformer.applications.introns.predict import IntronPredictor
from genoformer.cli.main import main
from genoformer.errors import UsageError

FORMATS = "gff3,gtf,bed,tsv,protein,cds,genbank,embl,parquet,report"


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    return write_intron_genome(tmp_path_factory.mktemp("genome"), n_genes=30, seed=6)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_tiny_intron_bundle(tmp_path_factory.mktemp("model") / "tiny")


def predict(genome, model, out, *options):
    return main(["predict", str(genome), "--model", str(model), "-o", str(out), "--circular", "none", *options])


@pytest.fixture(scope="module")
def predicted(genome, model, tmp_path_factory):
    """Folders of a prediction with one transcript, and with up to three, of each gene."""
    folder = tmp_path_factory.mktemp("out")
    assert predict(genome, model, folder / "one", "--formats", FORMATS) == 0
    assert predict(genome, model, folder / "three", "--formats", FORMATS, "--isoforms", "3") == 0
    return folder / "one", folder / "three"


@pytest.fixture(scope="module")
def genes(genome, model):
    """The same genes in Python."""
    return [gene for result in load_model(model).predict(genome, isoforms=3) for gene in result.genes]


def chain(gene):
    return gene.contig, gene.strand, gene.parts


def grouped(path):
    """Chains of the transcripts of each gene of a file."""
    by_contig = read_annotation(path).by_contig()
    return {frozenset(map(chain, group)) for found in by_contig.values() for group in group_isoforms(found)}


def test_python_and_all_files_of_annotations_hold_the_same_transcripts_of_the_same_genes(predicted, genes):
    expected = {frozenset(chain(one) for one in gene.transcripts) for gene in genes}
    assert sum(len(gene.alternatives) == 2 for gene in genes) > 3 and any(not gene.alternatives for gene in genes)
    for name in ("genes.gff3", "genes.gtf", "genes.gbk", "genes.embl"):
        assert grouped(predicted[1] / name) == expected
    for gene in genes:
        assert [one.below_best for one in gene.alternatives] == sorted(one.below_best for one in gene.alternatives)
        assert all(one.score is None for one in gene.alternatives) and gene.below_best is None


def test_the_best_transcripts_and_their_scores_are_those_without_isoforms(predicted, genes):
    alone = read_annotation(predicted[0] / "genes.gff3").genes
    assert [chain(gene) for gene in genes] == [chain(gene) for gene in alone]
    assert [round(gene.score, 4) for gene in genes] == [gene.score for gene in alone]
    assert {len(group) for group in grouped(predicted[0] / "genes.gff3")} == {1}


def test_genometools_and_gffutils_read_genes_that_span_their_transcripts(predicted, genes, need_tool):
    for command in (["gff3validator", "-typecheck", "so", "genes.gff3"], ["gtf_to_gff3", "genes.gtf"]):
        done = subprocess.run([need_tool("gt"), *command], cwd=predicted[1], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    db = gffutils.create_db(str(predicted[1] / "genes.gff3"), ":memory:", merge_strategy="create_unique")
    by_place = {(gene.contig, gene.locus_span): gene for gene in genes}
    rows = list(db.features_of_type("gene"))
    assert len(rows) == len(genes) and db.count_features_of_type("mRNA") == sum(len(g.transcripts) for g in genes)
    for row in rows:
        gene = by_place[row.seqid, (row.start - 1, row.end)]
        mrnas = sorted(db.children(row, featuretype="mRNA"), key=lambda mrna: mrna.id)
        stem = row.id.removeprefix("gene-")
        names = [f"mrna-{stem}.t{i}" for i in range(1, len(mrnas) + 1)] if gene.alternatives else [f"mrna-{stem}"]
        assert [mrna.id for mrna in mrnas] == names
        for mrna, transcript in zip(mrnas, gene.transcripts, strict=True):
            below = [] if transcript.below_best is None else [f"{transcript.below_best:.2f}"]
            assert mrna.attributes.get("below_best", []) == below and (mrna.score == ".") == bool(below)
            for kind, spans in (("CDS", transcript.parts), ("exon", transcript.transcript_exons)):
                found = sorted((f.start - 1, f.end) for f in db.children(mrna, featuretype=kind))
                assert found == list(spans)


def test_tables_and_sequences_have_an_entry_for_each_transcript(predicted, genes):
    out, n = predicted[1], sum(len(gene.transcripts) for gene in genes)
    table = polars.read_csv(out / "genes.tsv", separator="\t", null_values=".", schema_overrides={"partial": str})
    parquet, frame = polars.read_parquet(out / "genes.parquet"), table["gene_id"].to_list()
    assert parquet["gene_id"].to_list() == frame and len(set(frame)) == n
    assert table["score"].is_null().to_list() == [name.endswith((".t2", ".t3")) for name in frame]
    bed = [line.split("\t") for line in (out / "genes.bed").read_text().splitlines()]
    assert sorted(row[3] for row in bed) == sorted(frame)
    proteins, cds = (list(SeqIO.parse(out / name, "fasta")) for name in ("proteins.faa", "cds.fna"))
    assert len({one.id for one in proteins}) == len(proteins) == len(cds) == n
    assert [one.id.rpartition("_")[2] for one in proteins] == [
        number.lstrip("0") for number in (name.rpartition("-")[2] for name in frame)
    ]
    assert [f"ID={name};" in one.description for one, name in zip(proteins, frame, strict=True)] == [True] * n
    parts = [one.length_bp for gene in genes for one in gene.transcripts]
    assert [len(one) for one in cds] == parts == table["length_bp"].to_list()
    for one, letters in zip(cds, proteins, strict=True):
        assert str(one.seq.translate(table=1)) == str(letters.seq)


def test_alternatives_translate_from_start_to_stop(predicted, genes):
    proteins = {one.id: str(one.seq) for one in SeqIO.parse(predicted[1] / "proteins.faa", "fasta")}
    others = [text for name, text in proteins.items() if name.endswith((".t2", ".t3"))]
    assert len(others) == sum(len(gene.alternatives) for gene in genes) > 10
    assert all(text[0] == "M" and text[-1] == "*" and "*" not in text[:-1] for text in others)
    for name, kind in (("genes.gbk", "genbank"), ("genes.embl", "embl")):
        features = [f for record in SeqIO.parse(predicted[1] / name, kind) for f in record.features if f.type == "CDS"]
        noted = [f for f in features if any("alternative transcript" in note for note in f.qualifiers.get("note", []))]
        assert sorted(f.qualifiers["translation"][0] + "*" for f in noted) == sorted(others)


def test_the_summary_counts_genes_and_transcripts(predicted, genes):
    one, three = (json.loads((folder / "summary.json").read_text()) for folder in predicted)
    assert three["n_genes"] == one["n_genes"] == len(genes) and "n_transcripts" not in one
    assert three["n_transcripts"] == sum(len(gene.transcripts) for gene in genes)
    assert {**three, "n_transcripts": None} == {**one, "n_transcripts": None}


def test_functions_are_those_of_the_best_transcripts(genome, model, genes, tmp_path):
    functions = write_function_bundle(tmp_path / "function")
    command = ["annotate", str(genome), "--structure", str(model), "--function", str(functions), "--circular", "none"]
    assert main([*command, "-o", str(tmp_path / "out"), "--isoforms", "3", "--min-score", "0"]) == 0
    options = {"separator": "\t", "null_values": ".", "infer_schema_length": 0}
    table, labels = (polars.read_csv(tmp_path / "out" / name, **options) for name in ("genes.tsv", "functions.tsv"))
    is_best = [not name.endswith((".t2", ".t3")) for name in table["gene_id"]]
    assert len(table) == sum(len(gene.transcripts) for gene in genes) > sum(is_best) == len(genes)
    assert labels[labels.columns[0]].to_list() == table.filter(is_best)["gene_id"].to_list()
    assert table["functions"].is_null().to_list() == [not one for one in is_best]


def test_tags_are_those_of_the_gene_and_regions_move_all_transcripts(genome, model, tmp_path):
    record = next(SeqIO.parse(genome, "fasta"))
    SeqIO.write(record[1_000:9_000], tmp_path / "cut.fa", "fasta")
    options = ("--isoforms", "3", "--locus-tag", "X")
    assert predict(genome, model, tmp_path / "r", *options, "--region", f"{record.id}:1001-9000") == 0
    assert predict(tmp_path / "cut.fa", model, tmp_path / "c", *options) == 0
    found, expected = (read_annotation(tmp_path / name / "genes.gff3").genes for name in "rc")
    assert [chain(gene) for gene in found] == [chain(gene.shifted(1_000)) for gene in expected]
    by_gene = {}
    for gene in found:
        by_gene.setdefault(gene.attributes["gene_id"], []).append(gene.locus_tag)
    assert any(len(tags) == 3 for tags in by_gene.values()) and all(len(set(tags)) == 1 for tags in by_gene.values())
    assert len({tags[0] for tags in by_gene.values()}) == len(by_gene)


def test_shards_give_the_same_bytes_and_other_numbers_are_other_results(genome, model, predicted, tmp_path, capsys):
    for number in (1, 2):
        options = ("--shard", f"{number}/2", "--isoforms", "3", "--formats", FORMATS)
        assert predict(genome, model, tmp_path / "parts", *options) == 0
    assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "merged")]) == 0
    for name in ("genes.gff3", "genes.gtf", "genes.bed", "genes.tsv", "proteins.faa", "genes.gbk", "summary.json"):
        assert (tmp_path / "merged" / name).read_bytes() == (predicted[1] / name).read_bytes()
    capsys.readouterr()
    assert predict(genome, model, predicted[1], "--formats", FORMATS, "--isoforms", "3") == 0
    assert "nothing to do" in capsys.readouterr().out
    assert predict(genome, model, predicted[1], "--formats", FORMATS, "--isoforms", "2") == 73
    assert predict(genome, model, predicted[0], "--formats", FORMATS, "--isoforms", "1") == 0
    assert "nothing to do" in capsys.readouterr().out
    assert predict(genome, model, tmp_path / "parts", "--shard", "2/2", "--isoforms", "2", "--overwrite") == 0
    assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "other")]) == 65
    assert "another number of isoforms" in capsys.readouterr().err


def test_an_interrupted_prediction_goes_on_with_what_it_found(genome, model, predicted, tmp_path, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    def not_again(*args, **options):
        raise AssertionError("the model pass was done already")

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(IntronPredictor, "write", interrupted)
        assert predict(genome, model, out, "--formats", FORMATS, "--isoforms", "3") == 130
    monkeypatch.setattr(IntronGeneFinder, "candidates", not_again)
    assert predict(genome, model, out, "--formats", FORMATS, "--isoforms", "3") == 0
    for name in ("genes.gff3", "genes.tsv", "summary.json"):
        assert (out / name).read_bytes() == (predicted[1] / name).read_bytes()


def test_masks_and_the_shortest_length_hold_for_alternatives_too(genome, model, genes, tmp_path):
    gene, other, span = next(
        (gene, other, span)
        for gene in genes
        for other in gene.alternatives
        if (span := longest_run(bases_of(other) - bases_of(gene)))[1] - span[0] >= 20
    )
    (tmp_path / "m.bed").write_text(f"{gene.contig}\t{span[0]}\t{span[1]}\n")
    assert predict(genome, model, tmp_path / "m", "--isoforms", "3", "--mask", str(tmp_path / "m.bed")) == 0
    left = {chain(one) for one in read_annotation(tmp_path / "m/genes.gff3").genes}
    assert chain(gene) in left and chain(other) not in left
    shortest = int(np.median([one.length_bp for g in genes for one in g.alternatives]))
    assert predict(genome, model, tmp_path / "s", "--isoforms", "3", "--min-gene-bp", str(shortest)) == 0
    long = {chain(one) for g in genes if g.length_bp >= shortest for one in g.transcripts if one.length_bp >= shortest}
    assert {chain(one) for one in read_annotation(tmp_path / "s/genes.gff3").genes} == long


def bases_of(gene):
    return {base for start, end in gene.parts for base in range(start, end)}


def longest_run(bases):
    """Start and end of the longest run of numbers."""
    runs, found = [(0, 0)], sorted(bases)
    edges = np.flatnonzero(np.diff(found) > 1) + 1
    runs += [(int(run[0]), int(run[-1]) + 1) for run in np.split(found, edges) if len(run)]
    return max(runs, key=lambda run: run[1] - run[0])


def test_evaluate_counts_each_chain_once_and_genes_by_any_transcript(predicted, capsys):
    one, three = predicted
    assert main(["evaluate", str(three), str(three / "genes.gff3"), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    summary = json.loads((three / "summary.json").read_text())
    assert scores["isoform"]["f1"] == scores["gene"]["f1"] == 1
    assert main(["evaluate", str(three), str(one / "genes.gff3"), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["gene"]["f1"] == scores["isoform"]["recall"] == 1 > scores["isoform"]["precision"]
    assert 0 < scores["isoform"]["predicted"] <= summary["n_transcripts"]


@pytest.mark.parametrize("n", ["0", "-1"])
def test_no_transcript_at_all_is_refused(genome, model, tmp_path, capsys, n):
    assert predict(genome, model, tmp_path / "out", "--isoforms", n) == 2
    assert f"error[OPTION-001] --isoforms: expected a positive number, found {n}" in capsys.readouterr().err
    with pytest.raises(UsageError, match=f"found {n}"):
        list(load_model(model).predict_sequence("a", "ACGT", isoforms=int(n)))


def test_models_without_introns_take_no_isoforms(genome, tmp_path, capsys):
    for bundle in (write_tiny_bundle(tmp_path / "bacterial"), write_function_bundle(tmp_path / "function")):
        assert predict_any(genome, bundle, tmp_path / "out", "--isoforms", "2") == 2
        said = capsys.readouterr().err
        assert "error[OPTION-004] --isoforms" in said and len(said.splitlines()) == 1
    with pytest.raises(UsageError, match="isoforms"):
        load_model(tmp_path / "bacterial").predict_sequence("a", "ACGT", isoforms=2)


def predict_any(genome, model, out, *options):
    return main(["predict", str(genome), "--model", str(model), "-o", str(out), *options])


def test_the_browser_of_the_report_draws_alternatives_as_unsure(predicted):
    one, three = (
        json.loads(re.search(r'id="genome-data">(.*?)</script>', (folder / "report.html").read_text())[1])["genes"]
        for folder in predicted
    )
    assert one["alternatives"] == [] and three["alternatives"]
    labels = [three["label"][row] for row in three["alternatives"]]
    assert all(re.search(r"\.t[23]$", label) for label in labels)
    assert len(labels) == sum(bool(re.search(r"\.t[23]$", label)) for label in three["label"])
    assert all(three["score"][row] is None for row in three["alternatives"])
