"""Runs of ``adapt`` and ``predict --adapt`` that are interrupted, refused or repeated, and what they learn."""

import gzip
import json
import os
import signal

import pytest
from children import run_child
from tiny_bundle import write_tiny_bundle

from genoformer.applications.adapt import genes as room
from genoformer.applications.genes.caller import GeneFinder
from genoformer.bundle.folder import load_bundle, save_bundle
from genoformer.cli.main import main
from genoformer.decoding import statistics as genome_statistics
from genoformer.genomes.store import Store
from genoformer.inference.folder import PREPARED
from genoformer.training.module import GenomeModule


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The tiny bundle, with confidence maps that make it sure of long open frames."""
    folder = write_tiny_bundle(tmp_path_factory.mktemp("model") / "sure")
    bundle = load_bundle(folder)
    decoder = bundle.calibration["decoder"]
    for scorer in (decoder["plain"], decoder["adapted"]):
        scorer["gene_confidence"] = {"x": [-4.0, 2.0, 8.0], "y": [0.01, 0.96, 0.999]}
        scorer["start_confidence"] = {"x": [0.0, 0.5, 1.0], "y": [0.1, 0.96, 0.99]}
    save_bundle(folder, model=bundle.model, config=bundle.config, card="# sure\n", calibration={"decoder": decoder})
    return folder


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("genome")
    assert main(["simulate", "-o", str(folder), "--length-bp", "60000", "--contigs", "2", "--seed", "3"]) == 0
    return folder / "genome.fa"


@pytest.fixture
def adapt(model, tmp_path):
    """``adapt(fasta, ..., out="o")`` runs the command with four steps and gives its exit code."""

    def run(*arguments, out="o", steps=4):
        options = ["--model", str(model), "-o", str(tmp_path / out), "--steps", str(steps)]
        return main(["adapt", *options, *map(str, arguments)])

    return run


@pytest.fixture
def one_line(capsys):
    def check(text):
        lines = [line for line in capsys.readouterr().err.splitlines() if "labels:" not in line]
        assert len(lines) == 1 and lines[0].startswith("genoformer: error[") and text in lines[0], lines

    return check


def contents(folder):
    """Bytes of the files that must be equal in equal runs."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name[0] != "." and p.name != "run.json"}


def hidden(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def no_training(monkeypatch):
    monkeypatch.setattr(GenomeModule, "training_step", lambda *arguments: pytest.fail("it trained"))


def stop_in_the_third_step(arguments):
    """In a child: the command, to which SIGTERM comes while it trains."""
    step = GenomeModule.training_step

    def stopped(module, *passed):
        if module.trainer.global_step == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(module, *passed)

    GenomeModule.training_step = stopped
    return main(arguments)


@pytest.mark.slow
@pytest.mark.parametrize(("command", "steps"), [("adapt", "--steps"), ("predict", "--adapt-steps")])
def test_terminated_run_continues_and_ends_as_if_it_had_not_been(command, steps, model, genome, tmp_path, monkeypatch):
    arguments = [
        command,
        str(genome),
        "--model",
        str(model),
        steps,
        "4",
        *(["--adapt"] if command == "predict" else []),
    ]
    said = tmp_path / "said"
    assert run_child(said, stop_in_the_third_step, [*arguments, "-o", str(tmp_path / "o")]) == 128 + signal.SIGTERM
    assert "Traceback" not in said.read_text(), said.read_text()
    assert not contents(tmp_path / "o")
    seen, step = [], GenomeModule.training_step
    monkeypatch.setattr(GenomeModule, "training_step", lambda m, *a: seen.append(m.trainer.global_step) or step(m, *a))
    monkeypatch.setattr(GeneFinder, "block_candidates", _first_pass_fails(GeneFinder.block_candidates))
    assert main([*arguments, "-o", str(tmp_path / "o")]) == 0
    assert seen == [3]
    monkeypatch.undo()
    assert main([*arguments, "-o", str(tmp_path / "whole")]) == 0
    assert contents(tmp_path / "o") == contents(tmp_path / "whole") and hidden(tmp_path / "o") == [".genoformer.lock"]


def _first_pass_fails(candidates):
    """The records were read by the given model before training: a resumed run reads them with the adapted one only."""

    def checked(finder, *arguments, **more):
        assert finder.bundle.name == PREPARED
        return candidates(finder, *arguments, **more)

    return checked


def test_run_that_dies_after_training_does_not_train_again(adapt, genome, tmp_path, monkeypatch):
    def die(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "score_held_out", die)
    assert adapt(genome) == 130
    assert not contents(tmp_path / "o") and hidden(tmp_path / "o") == [".work"]
    monkeypatch.undo()
    no_training(monkeypatch)
    assert adapt(genome) == 0
    assert hidden(tmp_path / "o") == [".genoformer.lock"]


def test_work_of_another_run_is_not_used(adapt, genome, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "score_held_out", lambda *arguments: 1 / 0)
    monkeypatch.chdir(tmp_path)
    assert adapt(genome, steps=5) == 70
    monkeypatch.undo()
    assert adapt(genome) == adapt(genome, out="whole") == 0
    assert contents(tmp_path / "o") == contents(tmp_path / "whole")


def test_another_seed_gives_other_weights_and_another_file_format_the_same_bundle(adapt, genome, tmp_path):
    packed = tmp_path / "packed.fa.gz"
    packed.write_bytes(gzip.compress(genome.read_bytes().lower()))
    assert adapt(genome) == adapt(packed, out="gz") == adapt(genome, "--seed", 1, out="seed") == 0
    assert contents(tmp_path / "o") == contents(tmp_path / "gz")
    assert contents(tmp_path / "o")["model.safetensors"] != contents(tmp_path / "seed")["model.safetensors"]


def test_other_contents_are_replaced_only_when_told_so_and_files_of_others_never(adapt, genome, tmp_path, one_line):
    assert adapt(genome) == 0
    before = contents(tmp_path / "o")
    assert adapt(genome, "--lr", "0.01") == 73
    one_line("--overwrite")
    assert contents(tmp_path / "o") == before
    (tmp_path / "o/thesis.txt").write_text("mine")
    assert adapt(genome, "--lr", "0.01", "--overwrite") == 0
    assert contents(tmp_path / "o")["model.safetensors"] != before["model.safetensors"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other/thesis.txt").write_text("mine")
    assert adapt(genome, out="other") == 73
    assert {(tmp_path / name / "thesis.txt").read_text() for name in ("o", "other")} == {"mine"}


def test_the_model_itself_is_never_replaced(genome, model, one_line):
    before = contents(model)
    assert main(["adapt", str(genome), "--model", str(model), "-o", str(model), "--overwrite"]) == 73
    one_line("this is the model")
    assert contents(model) == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--lr", "0"], 2, "--lr"),
        (["--lr", "nan"], 2, "--lr"),
        (["--steps", "0"], 2, "--steps"),
        (["--seed", "-1"], 2, "--seed"),
        (["--genetic-code", "99"], 2, "99"),
        (["--device", "abacus"], 2, "abacus"),
        (["--annotation", "absent.gff3"], 66, "absent.gff3"),
        (["--annotation", "a.gff3", "b.gff3"], 2, "2 annotations"),
    ],
)
def test_bad_value_is_one_line(adapt, genome, tmp_path, monkeypatch, one_line, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    for name in ("a.gff3", "b.gff3"):
        (tmp_path / name).write_text("##gff-version 3\n")
    assert adapt(genome, *arguments) == code
    one_line(said)


def test_no_genome_is_a_usage_error(adapt, one_line):
    assert adapt() == 2
    one_line("no genome")


def test_model_that_is_sure_of_nothing_is_said_so(genome, tiny_bundle, tmp_path, one_line):
    assert main(["adapt", str(genome), "--model", str(tiny_bundle), "-o", str(tmp_path / "o"), "--steps", "4"]) == 65
    one_line("sure of 0 genes")


@pytest.mark.slow
def test_model_learns_from_an_annotation_and_its_decoder_is_fitted_again(adapt, genome, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(genome_statistics, "MIN_CODONS", 1_000)
    monkeypatch.setattr(room, "MIN_DECODER_GENES", 2)
    assert adapt(genome, "--annotation", genome.with_suffix(".gff3"), "--lr", "0.03", steps=150) == 0
    bundle = load_bundle(tmp_path / "o")
    gain = bundle.calibration["adaptation"]
    assert gain["after"]["codon_auprc"] > gain["before"]["codon_auprc"] + 0.1
    assert gain["decoder"] == "fitted" and "fitted again" in (tmp_path / "o/model_card.md").read_text()
    assert f"{gain['before']['codon_auprc']:.4f} → {gain['after']['codon_auprc']:.4f}" in capsys.readouterr().out
    assert bundle.calibration["decoder"]["adapted"] is not None
    assert main(["predict", str(genome), "--model", str(tmp_path / "o"), "-o", str(tmp_path / "genes")]) == 0


def test_adaptation_that_does_not_help_is_said_in_the_bundle(adapt, genome, tmp_path, monkeypatch, capsys):
    worse = iter([0.9, 0.8])
    scores = {"exact_f1": 0.5, "codon_auprc": 0.5, "n_predicted": 9, "n_genes": 9}
    monkeypatch.setattr(room, "score_held_out", lambda *a: {"three_prime_f1": next(worse), **scores})
    assert adapt(genome, "--annotation", genome.with_suffix(".gff3")) == 0
    assert "did not help" in capsys.readouterr().out
    assert "did not help" in (tmp_path / "o/model_card.md").read_text()
    assert load_bundle(tmp_path / "o").calibration["adaptation"]["helped"] is False


def test_labels_and_genetic_code_are_those_of_the_source(adapt, genome, model, tmp_path, monkeypatch):
    labels = {}

    def look(network, tokenizer, plan, store: Store, *rest):
        labels["genes"] = [store.genes(record.index) for record in store.records]
        labels["code"] = {record.genetic_code for record in store.records}
        return score(network, tokenizer, plan, store, *rest)

    score = room.score_held_out
    monkeypatch.setattr(room, "score_held_out", look)
    assert adapt(genome, "--annotation", genome.with_suffix(".gff3"), "--genetic-code", "4", out="a") == 0
    n_annotated = sum(map(len, labels["genes"]))
    annotated = genome.with_suffix(".gff3").read_text().count("\tgene\t")
    assert n_annotated == annotated and labels["code"] == {4}
    assert load_bundle(tmp_path / "a").config.genetic_code == 4
    assert adapt(genome, out="b") == 0
    assert any(table["masked"].any() for table in labels["genes"]) and labels["code"] == {11}
    assert load_bundle(tmp_path / "b").config.genetic_code == load_bundle(model).config.genetic_code


def test_prediction_uses_the_adapted_weights_and_says_so(model, genome, tmp_path, monkeypatch):
    command = [
        "predict",
        str(genome),
        "--model",
        str(model),
        "-o",
        str(tmp_path / "o"),
        "--adapt",
        "--adapt-steps",
        "4",
    ]
    assert main(command) == 0
    assert main(["adapt", str(genome), "--model", str(model), "-o", str(tmp_path / "m"), "--steps", "4"]) == 0
    summary = json.loads((tmp_path / "o/summary.json").read_text())
    adapted = load_bundle(tmp_path / "m")
    assert summary["model_digest"] == adapted.digest and summary["adaptation"] == adapted.calibration["adaptation"]
    no_training(monkeypatch)
    assert main(command) == 0
    assert main([*command[:-1], "5"]) == 73
