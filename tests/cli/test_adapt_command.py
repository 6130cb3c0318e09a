"""``genoformer adapt`` as a user meets it: a new bundle, its card, repetition, refusals, and predict --adapt."""

import json

import numpy as np
import pytest

from genoformer.bundle.folder import load_bundle
from genoformer.cli.main import main
from genoformer.decoding.decoder import GeneDecoder
from genoformer.files import verify_manifest
from genoformer.genomes.simulate import simulate_genome
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """FASTA of one simulated contig of 48 kb, and its GFF3."""
    folder = tmp_path_factory.mktemp("genome")
    assert main(["simulate", "-o", str(folder / "sim"), "--length-bp", "48000", "--gc", "0.45", "--seed", "3"]) == 0
    return folder / "sim" / "genome.fa"


@pytest.fixture(scope="module")
def adapted(genome, tmp_path_factory):
    """The shipped model after three steps on its own calls."""
    out = tmp_path_factory.mktemp("adapted") / "model"
    assert main(["adapt", "--model", "prokaryotes", str(genome), "-o", str(out), "--steps", "3"]) == 0
    return out


def weights(folder):
    return {name: tensor.numpy() for name, tensor in load_bundle(folder).model.state_dict().items()}


def test_bundle_is_complete_and_its_weights_have_moved(adapted):
    assert "model.safetensors" in verify_manifest(adapted)
    before, after = weights("prokaryotes"), weights(adapted)
    assert before.keys() == after.keys()
    assert any(not np.array_equal(before[name], after[name]) for name in before)
    # Written again, weights have a place for evidence that is younger than the shipped ones.
    decoders = [GeneDecoder.from_dict(load_bundle(name).calibration["decoder"]) for name in (adapted, "prokaryotes")]
    assert decoders[0].to_dict() == decoders[1].to_dict()


def test_card_holds_the_scores_before_and_after_and_calls_them_agreement(adapted):
    card = (adapted / "model_card.md").read_text()
    assert "| held out | before | after |" in card and "agreement" in card and "3 steps" in card


def test_same_command_finds_nothing_to_do_and_another_is_refused(genome, adapted, capsys):
    command = ["adapt", "--model", "prokaryotes", str(genome), "-o", str(adapted)]
    before = (adapted / "model.safetensors").read_bytes()
    assert main([*command, "--steps", "3"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert main([*command, "--steps", "4"]) == 73
    assert (adapted / "model.safetensors").read_bytes() == before


@pytest.mark.slow
def test_same_seed_gives_the_same_weights(genome, adapted, tmp_path):
    out = tmp_path / "again"
    assert main(["adapt", "--model", "prokaryotes", str(genome), "-o", str(out), "--steps", "3"]) == 0
    assert (out / "model.safetensors").read_bytes() == (adapted / "model.safetensors").read_bytes()


def test_annotation_gives_true_scores(genome, tmp_path):
    out = tmp_path / "model"
    annotation = str(genome.with_suffix(".gff3"))
    assert main(["adapt", str(genome), "--annotation", annotation, "-o", str(out), "--steps", "2"]) == 0
    card = (out / "model_card.md").read_text()
    assert "| held out | before | after |" in card and "agreement" not in card


def test_bad_annotation_is_refused_and_nothing_is_written(genome, tmp_path, capsys):
    bad = tmp_path / "bad.gff3"
    bad.write_text("##gff-version 3\nsim\tx\tgene\tnine\t10\t.\t+\t.\tID=a\n")
    assert main(["adapt", str(genome), "--annotation", str(bad), "-o", str(tmp_path / "model"), "--steps", "2"]) == 65
    assert "bad.gff3" in capsys.readouterr().err
    assert not (tmp_path / "model" / "manifest.json").exists()


def test_sequence_without_genes_teaches_nothing(tmp_path, capsys):
    path = tmp_path / "short.fa"
    write_fasta(path, [Record("a", next(iter(simulate_genome(length_bp=2_000, gc=0.5, seed=1, n_contigs=1)))[0].codes)])
    assert main(["adapt", str(path), "-o", str(tmp_path / "model"), "--steps", "2"]) == 65
    assert "genes" in capsys.readouterr().err


@pytest.mark.slow
def test_prediction_with_adaptation_is_another_result_than_without(genome, tmp_path):
    out = tmp_path / "out"
    command = ["predict", str(genome), "-o", str(out)]
    assert main([*command, "--adapt", "--adapt-steps", "2"]) == 0
    assert json.loads((out / "run.json").read_text())["key"]["adaptation"]["steps"] == 2
    assert main(command) == 73
    assert {path.name for path in out.iterdir()} >= {"genes.gff3", "manifest.json"} and not (out / ".work").exists()
