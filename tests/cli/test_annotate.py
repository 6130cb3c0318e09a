"""``genoformer annotate``: genes with functions, in files that other tools read."""

import json
import subprocess
from dataclasses import replace

import gffutils
import numpy as np
import pytest
from tiny_function_bundle import write_function_bundle

from genoformer.annotation.models import Gene
from genoformer.applications.functions.caller import FunctionCaller
from genoformer.applications.genes import functions as gene_functions
from genoformer.applications.genes.caller import GeneFinder
from genoformer.bundle.folder import load_bundle, save_bundle
from genoformer.cli.main import main
from genoformer.files import verify_manifest
from genoformer.genomes.simulate import simulate_genome
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

FILES = {"genes.gff3", "genes.tsv", "proteins.faa", "functions.tsv", "summary.json"}
TERMS = ["GO:0005634", "a;b=c,d", "GO:0016020"]


GENOME = {"length_bp": 30_000, "gc": 0.5, "seed": 3, "n_contigs": 3}


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """FASTA of three contigs, 30 kb together."""
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    contigs = simulate_genome(**GENOME)
    write_fasta(path, [Record(f"chr|{i}", record.codes) for i, (record, _) in enumerate(contigs)])
    return path


@pytest.fixture(scope="module")
def function_bundle(tmp_path_factory):
    """Bundles by kind; that of terms has ids of an ontology, and a name full of reserved characters."""
    folder = tmp_path_factory.mktemp("functions")
    bundles = {kind: write_function_bundle(folder / kind, kind) for kind in ("multiclass", "multilabel", "regression")}
    terms = load_bundle(bundles["multilabel"])
    named = replace(terms.config, labels=TERMS)
    save_bundle(folder / "terms", model=terms.model, config=named, card="#\n", calibration=terms.calibration)
    return bundles | {"multilabel": folder / "terms"}


@pytest.fixture
def annotate(tiny_bundle, function_bundle, genome, tmp_path):
    """``annotate(kind, ..., out="o")`` runs the command and gives its exit code."""

    def run(kind, *arguments, out="o", fasta=genome):
        models = ["--structure", tiny_bundle, "--function", function_bundle[kind]]
        return main([str(word) for word in ("annotate", fasta, *models, "-o", tmp_path / out, *arguments)])

    return run


def table(path):
    header, *lines = path.read_text().splitlines()
    return [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]


def contents(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


def test_functions_are_those_that_predict_says_of_the_coding_sequences(annotate, function_bundle, tmp_path):
    assert annotate("multiclass", "--formats", "gff3,tsv,cds") == 0
    words = ["predict", tmp_path / "o/cds.fna", "--model", function_bundle["multiclass"], "-o", tmp_path / "cds"]
    assert main([str(word) for word in words]) == 0
    ours, reference = table(tmp_path / "o/functions.tsv"), table(tmp_path / "cds/functions.tsv")
    genes = table(tmp_path / "o/genes.tsv")
    assert len(ours) == len(genes) > 20 and len({row["prediction"] for row in ours}) > 1
    partial = [gene["partial"] != "00" for gene in genes]
    for row, by_cds, gene, is_partial in zip(ours, reference, genes, partial, strict=True):
        assert (row["record_id"], row["prediction"]) == (gene["gene_id"], gene["functions"])
        assert row["probability"] == gene["function_scores"]
        if not is_partial:  # whose CDS file begins with the rest of a codon
            assert row["length_bp"] == by_cds["length_bp"] == gene["length_bp"]
            names = ("prediction", "a", "b", "c")
            assert [row[name] for name in names] == [by_cds[name] for name in names]


def test_files_are_valid_complete_and_in_the_manifest(annotate, tmp_path, need_tool, capsys):
    assert annotate("multilabel") == 0
    assert "genes in 3 records, 30,000 bp" in capsys.readouterr().out
    assert set(verify_manifest(tmp_path / "o")) == FILES
    command = [need_tool("gt"), "gff3validator", "-typecheck", "so", tmp_path / "o/genes.gff3"]
    subprocess.run(command, check=True, capture_output=True)
    rows = {row["record_id"]: row for row in table(tmp_path / "o/functions.tsv")}
    database = gffutils.create_db(str(tmp_path / "o/genes.gff3"), ":memory:", merge_strategy="create_unique")
    seen = set()
    for cds in database.features_of_type("CDS"):
        row = rows["gene-" + cds.id.removeprefix("cds-")]
        names = cds.attributes["function"] if "function" in cds.attributes else []
        assert sorted(names) == sorted(name for name in TERMS if float(row[name]) >= 0.5 and name in names)
        assert [name for name in names if name.startswith("GO:")] == list(cds.attributes.get("Ontology_term", []))
        assert cds.attributes.get("function_score", []) == [row[name] for name in names]
        seen.update(names)
    assert seen == set(TERMS)


def test_summary_counts_the_functions_and_the_genes(annotate, function_bundle, tmp_path):
    annotate("multiclass")
    summary = json.loads((tmp_path / "o/summary.json").read_text())
    assert summary["functions"]["model_digest"] == load_bundle(function_bundle["multiclass"]).digest
    assert sum(summary["functions"]["counts"].values()) == summary["n_genes"] > 20


def test_functions_are_judged_on_request_and_genes_by_default(annotate, tmp_path, capsys):
    annotate("multiclass")
    labels = [f"{row['record_id']}\t{row['prediction']}\n" for row in table(tmp_path / "o/functions.tsv")]
    (tmp_path / "known.tsv").write_text("id\tlabel\n" + "".join(labels))
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "o"), str(tmp_path / "known.tsv"), "--task", "function", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == 1.0
    assert main(["evaluate", str(tmp_path / "o"), str(tmp_path / "o/genes.gff3"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["genes"]["exact"]["f1"] == 1.0


def test_same_command_again_has_nothing_to_do_and_another_model_is_refused(annotate, tmp_path, capsys):
    assert annotate("multiclass") == annotate("multiclass") == 0
    assert "nothing to do" in capsys.readouterr().out
    before = contents(tmp_path / "o")
    assert annotate("multilabel") == 73
    assert contents(tmp_path / "o") == before
    assert annotate("multilabel", "--overwrite") == 0
    assert contents(tmp_path / "o") != before


def test_interrupted_run_continues_with_the_same_bytes(annotate, tmp_path, monkeypatch):
    assert annotate("multiclass", out="whole") == 0
    outputs, done = FunctionCaller.outputs, []

    def stops_at_the_third_record(caller, sequences):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(len(sequences))
        return outputs(caller, sequences)

    monkeypatch.setattr(gene_functions, "CHUNK_GENES", 1)
    monkeypatch.setattr(FunctionCaller, "outputs", stops_at_the_third_record)
    assert annotate("multiclass") == 130
    assert not (tmp_path / "o/functions.tsv").exists() and not (tmp_path / "o/genes.gff3").exists()
    again = []
    monkeypatch.setattr(FunctionCaller, "outputs", lambda *a: again.append(len(a[1])) or outputs(*a))
    monkeypatch.setattr(GeneFinder, "block_candidates", lambda *a, **k: pytest.fail("the model pass was made again"))
    assert annotate("multiclass") == 0
    assert len(again) == 1, "two of three records were done"
    assert contents(tmp_path / "o") == contents(tmp_path / "whole")


def test_interrupted_work_of_another_function_model_is_not_used(annotate, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(gene_functions, "CHUNK_GENES", 1)
        patch.setattr("genoformer.inference.run.finish", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
        assert annotate("multilabel") == 130
    assert annotate("multiclass") == annotate("multiclass", out="whole") == 0
    assert contents(tmp_path / "o") == contents(tmp_path / "whole")


def test_a_gene_that_begins_inside_a_codon_is_read_from_its_first_whole_codon(function_bundle, tmp_path):
    caller = FunctionCaller.from_bundle(load_bundle(function_bundle["multiclass"]))
    codes = np.random.default_rng(0).integers(0, 4, 100).astype(np.uint8)
    genes = [Gene("c", 0, 62, "+", partial_5=True, phase_offset=2), Gene("c", 70, 76, "-", pseudo=True)]
    (tmp_path / ".work").mkdir()
    with gene_functions.GeneFunctions(caller, tmp_path) as functions:
        functions.add("c", codes, genes)
    (row,) = table(tmp_path / "functions.tsv")
    wanted = caller.probabilities(caller.outputs([codes[2:62]]))[0]
    assert [float(row[name]) for name in "abc"] == pytest.approx(wanted, abs=5e-5)
    assert genes[0].functions == ((row["prediction"], float(row["probability"])),) and genes[1].functions == ()


@pytest.fixture
def calibrated_with(function_bundle, annotate, tmp_path):
    """``calibrated_with(kind, calibration, ...)`` annotates with a model that has this calibration besides."""

    def run(kind, fitted, *arguments, drop=(), **options):
        bundle = load_bundle(function_bundle[kind])
        stored = {name: value for name, value in bundle.calibration["function"].items() if name not in drop}
        config = replace(bundle.config, options={**bundle.config.options, **options})
        calibration = {"function": {**stored, **fitted}}
        save_bundle(tmp_path / "m", model=bundle.model, config=config, card="#\n", calibration=calibration)
        return annotate(kind, "--function", tmp_path / "m", *arguments)

    return run


def summary_of(folder):
    return json.loads((folder / "summary.json").read_text())["functions"]


@pytest.mark.parametrize("kind", ["multiclass", "multilabel"])
def test_labels_below_the_threshold_are_left_out_and_probabilities_are_not(annotate, tmp_path, kind):
    names = ("a", "b", "c") if kind == "multiclass" else TERMS
    assert annotate(kind, out="all") == 0
    everything = table(tmp_path / "all/functions.tsv")
    said = [[name for name in names if name in row["prediction"]] for row in everything]
    sure = [float(row[name]) for row, own in zip(everything, said, strict=True) for name in own]
    least = round(float(np.median(sure)), 3)
    assert annotate(kind, "--min-score", least) == 0
    kept = table(tmp_path / "o/functions.tsv")
    for whole, own, row in zip(everything, said, kept, strict=True):
        assert row["prediction"] == ";".join(name for name in own if float(whole[name]) >= least)
        assert row["probability"] == ";".join(whole[name] for name in own if float(whole[name]) >= least)
        assert [row[name] for name in names] == [whole[name] for name in names]
    empty = sum(not row["prediction"] for row in kept)
    assert summary_of(tmp_path / "o")["n_unlabelled"] == empty and 0 < empty < len(kept)
    rows = table(tmp_path / "o/genes.tsv")
    assert sum(row["functions"] == row["function_scores"] == "." for row in rows) == empty


def test_the_threshold_of_validation_stands_unless_another_is_given(calibrated_with, tmp_path):
    assert calibrated_with("multiclass", {"min_score": 0.4}) == 0
    labelled = [row for row in table(tmp_path / "o/functions.tsv") if row["prediction"]]
    assert labelled and all(float(row["probability"]) >= 0.4 for row in labelled)
    assert summary_of(tmp_path / "o")["min_score"] == 0.4
    assert calibrated_with("multiclass", {"min_score": 0.4}, "--min-score", "0", "--overwrite") == 0
    assert all(row["prediction"] for row in table(tmp_path / "o/functions.tsv"))


def test_without_a_threshold_one_half_is_taken_and_said(calibrated_with, tmp_path, capsys):
    assert calibrated_with("multiclass", {"temperature": 1.0}, drop=["min_score"]) == 0
    assert "FUNCTION-101" in capsys.readouterr().err and summary_of(tmp_path / "o")["min_score"] == 0.5
    labelled = [row for row in table(tmp_path / "o/functions.tsv") if row["prediction"]]
    assert labelled and all(float(row["probability"]) >= 0.5 for row in labelled)


def test_where_validation_found_no_threshold_no_gene_is_labelled(calibrated_with, tmp_path, capsys):
    assert calibrated_with("multiclass", {"min_score": None}) == 0
    assert "FUNCTION-102" in capsys.readouterr().err
    assert {row["prediction"] for row in table(tmp_path / "o/functions.tsv")} == {""}
    labels = [f"{row['record_id']}\ta\n" for row in table(tmp_path / "o/functions.tsv")]
    (tmp_path / "known.tsv").write_text("id\tlabel\n" + "".join(labels))
    assert main(["evaluate", str(tmp_path / "o"), str(tmp_path / "known.tsv"), "--task", "function"]) == 65
    assert "EVAL-023" in capsys.readouterr().err


def test_only_labelled_genes_are_judged(annotate, tmp_path, capsys):
    assert annotate("multiclass", "--min-score", "0.4") == 0
    rows = table(tmp_path / "o/functions.tsv")
    labels = [f"{row['record_id']}\t{row['prediction'] or 'c'}\n" for row in rows]
    (tmp_path / "known.tsv").write_text("id\tlabel\n" + "".join(labels))
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "o"), str(tmp_path / "known.tsv"), "--task", "function", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    n_labelled = sum(bool(row["prediction"]) for row in rows)
    assert scores["accuracy"] == 1.0 and scores["n"] == n_labelled
    assert scores["labelled"] == pytest.approx(n_labelled / len(rows))


PROMOTERS = {"n": 900, "length_bp": [70, 70, 70], "gc": [0.3, 0.8], "coding": 0.02}


def test_a_model_of_other_sequences_is_refused(calibrated_with, tmp_path, capsys):
    assert calibrated_with("multiclass", {"sequences": PROMOTERS}) == 65
    assert "(70 to 70 bp) 2% read as genes" in capsys.readouterr().err
    assert calibrated_with("multiclass", {}, max_bp=70) == 65
    assert "it reads 70 bp" in capsys.readouterr().err and not (tmp_path / "o").exists()


def test_a_model_that_averages_strands_is_warned_about(calibrated_with, capsys):
    assert calibrated_with("multiclass", {}, strands="average") == 0
    assert "FUNCTION-103" in capsys.readouterr().err


def test_genes_unlike_the_training_sequences_are_counted(calibrated_with, capsys):
    genes = {"n": 900, "length_bp": [300, 900, 2000], "gc": [0.3, 0.31], "coding": 0.97}
    assert calibrated_with("multiclass", {"sequences": genes}) == 0
    lines = capsys.readouterr().err
    assert "FUNCTION-104" in lines and "FUNCTION-105" in lines and "30% to 31%" in lines


@pytest.mark.parametrize(
    ("fitted", "said"),
    [
        ({"min_score": "0.5"}, 'expected "min_score" from 0 to 1 or null, found 0.5'),
        ({"min_score": 7}, "found 7"),
        ({"min_score": True}, "found True"),
        ({"sequences": [1]}, 'no "sequences" that can be used'),
        ({"sequences": {**PROMOTERS, "gc": [0.1]}}, 'no "sequences" that can be used'),
        ({"sequences": {**PROMOTERS, "length_bp": ["x", 1, 2]}}, 'no "sequences" that can be used'),
    ],
)
def test_a_calibration_that_holds_something_else_is_one_line(calibrated_with, capsys, fitted, said):
    assert calibrated_with("multiclass", fitted) == 65
    (line,) = capsys.readouterr().err.splitlines()
    assert "MODEL-003" in line and said in line


@pytest.mark.parametrize("value", ["1.5", "-0.1", "nan"])
def test_a_threshold_that_is_no_probability_is_refused(annotate, capsys, value):
    assert annotate("multiclass", f"--min-score={value}") == 2
    assert f"found {float(value)}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "more", "code", "text"),
    [
        ("regression", [], 2, "says numbers"),
        ("multiclass", ["--function", "prokaryotes"], 65, 'the model is for "gene_structure", not function'),
        ("multiclass", ["--function", "no-such-model"], 66, "no-such-model"),
        ("multiclass", ["--formats", "gff"], 2, "gff"),
    ],
)
def test_what_does_not_fit_is_one_line(annotate, tmp_path, capsys, kind, more, code, text):
    assert annotate(kind, *more) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert text in line and not (tmp_path / "o/genes.gff3").exists()


def test_an_empty_genome_has_complete_files(annotate, tmp_path):
    (tmp_path / "n.fa").write_text(">n\n" + "N" * 500 + "\n")
    assert annotate("multiclass", fasta=tmp_path / "n.fa") == 0
    assert table(tmp_path / "o/functions.tsv") == [] and set(verify_manifest(tmp_path / "o")) == FILES


def test_the_shipped_models_annotate_a_genome(genome, tmp_path):
    words = ["annotate", genome, "--structure", "prokaryotes", "--function", "ec_class"]
    assert main([str(word) for word in (*words, "-o", tmp_path / "o")]) == 0
    # A digest stands for the decoder: what it holds would be longer than most results.
    assert (tmp_path / "o/run.json").stat().st_size < 10_000
    n_genes = sum(len(genes) for _, genes in simulate_genome(**GENOME))
    assert len(table(tmp_path / "o/functions.tsv")) == len(table(tmp_path / "o/genes.tsv"))
    assert len(table(tmp_path / "o/genes.tsv")) == pytest.approx(n_genes, abs=2) and n_genes > 10
