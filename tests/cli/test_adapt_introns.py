"""``genoformer adapt`` for genes with introns: an annotation teaches, or the calls that the model is sure of."""

import contextlib
import json

import pytest
import torch
from intron_genome import write_intron_genome
from tiny_intron_bundle import write_tiny_intron_bundle

from genoformer.annotation.read import read_annotation
from genoformer.applications.adapt import introns as adapt_introns
from genoformer.bundle.folder import load_bundle
from genoformer.cli.main import main
from genoformer.decoding.introns.pseudo_labels import intron_pseudo_labels
from genoformer.files import verify_manifest
from genoformer.genomes.store import Store

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_tiny_intron_bundle(tmp_path_factory.mktemp("model") / "tiny-introns")


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    return write_intron_genome(tmp_path_factory.mktemp("genome"), n_genes=60, seed=1)


@pytest.fixture(scope="module")
def adapted(model, genome, tmp_path_factory):
    """The tiny model after 100 quick steps on the annotation."""
    out = tmp_path_factory.mktemp("adapted") / "model"
    assert adapt(genome, model, out, "--lr", "0.02", "--source", "made", steps=100) == 0
    return out


def adapt(genome, model, out, *options, steps=2, annotated=True):
    named = ["--annotation", str(genome.with_suffix(".gff3"))] if annotated else []
    return main(["adapt", str(genome), *named, "--model", str(model), "-o", str(out), "--steps", str(steps), *options])


def test_the_model_learns_from_the_annotation_and_the_bundle_says_how_much(adapted, model):
    verify_manifest(adapted)
    bundle, given = load_bundle(adapted), load_bundle(model)
    gain = bundle.calibration["adaptation"]
    assert gain["after"]["base_mcc"] > gain["before"]["base_mcc"] + 0.2 and gain["task"] == given.config.task
    assert gain["before"]["n_genes"] >= 3 and bundle.config.genetic_code == 1
    card = (adapted / "model_card.md").read_text()
    assert card.startswith("# gene_structure_eukaryote, adapted")
    assert f"| MCC of bases | {gain['before']['base_mcc']:.4f} | {gain['after']['base_mcc']:.4f} |" in card


def test_few_held_out_genes_leave_the_weights_and_the_lengths_are_those_of_the_genome(adapted, model, genome):
    decoder, given = (load_bundle(path).calibration["decoder"] for path in (adapted, model))
    assert decoder["weights"] == given["weights"] and decoder["confidence"] == given["confidence"]
    introns = decoder["introns"]["logs"]
    most_common = max((value, length) for length, value in enumerate(introns) if value is not None)[1]
    assert 50 <= most_common <= 102 and decoder["introns"] != given["introns"]
    # A handful of genes without intron is too few.
    n_single = sum(len(gene.parts) == 1 for gene in read_annotation(genome.with_suffix(".gff3")).genes)
    assert n_single < 20 and decoder["exons"]["single"] == given["exons"]["single"]


def test_enough_held_out_genes_give_a_fitted_decoder(model, genome, tmp_path, monkeypatch):
    monkeypatch.setattr(adapt_introns, "MIN_DECODER_GENES", 2)
    assert adapt(genome, model, tmp_path / "m") == 0
    bundle = load_bundle(tmp_path / "m")
    assert bundle.calibration["adaptation"]["decoder"] == "fitted"
    assert bundle.calibration["decoder"]["weights"] != load_bundle(model).calibration["decoder"]["weights"]
    assert "fitted again" in (tmp_path / "m/model_card.md").read_text()


def test_the_adapted_model_predicts_genes_that_the_given_one_does_not_find(adapted, model, tmp_path):
    other = write_intron_genome(tmp_path, n_genes=20, seed=2, n_contigs=1)
    scores = []
    for number, path in enumerate((model, adapted)):
        out = tmp_path / str(number)
        assert main(["predict", str(other), "--model", str(path), "-o", str(out)]) == 0
        files = [str(out), str(other.with_suffix(".gff3")), "--fasta", str(other), "--json"]
        scores.append(_evaluated(files, tmp_path / f"{number}.json"))
    assert scores[1]["bases"]["mcc"] > scores[0]["bases"]["mcc"] + 0.2


def _evaluated(files, path):
    with open(path, "w") as file, contextlib.redirect_stdout(file):
        assert main(["evaluate", *files, "--task", "gene_structure_eukaryote"]) == 0
    return json.loads(path.read_text())


def test_labels_are_those_of_introns_and_of_the_named_source(model, genome, tmp_path, monkeypatch, capsys):
    seen, score = [], adapt_introns.hold_region

    def look(network, tokenizer, plan, store: Store, region):
        seen.append(store.parameters)
        return score(network, tokenizer, plan, store, region)

    monkeypatch.setattr(adapt_introns, "hold_region", look)
    assert adapt(genome, model, tmp_path / "m", "--source", "made") == 0
    assert seen[0]["labels"] == "introns" and seen[0]["sources"] == ["made"]
    assert adapt(genome, model, tmp_path / "other", "--source", "TAIR10") == 65
    assert "TAIR10" in capsys.readouterr().err


def test_sure_calls_teach_and_the_decoder_stays(adapted, genome, tmp_path, capsys):
    named = ["--steps", "2", "--model", str(adapted)]
    assert main(["adapt", str(genome), "-o", str(tmp_path / "m"), *named]) == 0
    assert "not a measure of quality" in capsys.readouterr().out
    bundle, given = load_bundle(tmp_path / "m"), load_bundle(adapted)
    gain = bundle.calibration["adaptation"]
    assert (gain["labels"], gain["decoder"], gain["helped"]) == ("own calls", "kept", None)
    assert bundle.calibration["decoder"] == given.calibration["decoder"]
    assert any(not torch.equal(a, b) for a, b in zip(bundle.model.parameters(), given.model.parameters(), strict=True))


def test_a_model_that_is_sure_of_nothing_has_no_labels(model, genome, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("genoformer.applications.adapt.introns.intron_pseudo_labels", _no_gene_is_sure)
    assert adapt(genome, model, tmp_path / "m", annotated=False) == 65
    assert "the model is sure of 0 genes" in capsys.readouterr().err
    assert not (tmp_path / "m/manifest.json").exists()


def _no_gene_is_sure(codes, genes, *, sure, **settings):
    return intron_pseudo_labels(codes, genes, sure=1.1, **settings)


def test_the_same_command_finds_nothing_to_do(adapted, model, genome, capsys):
    assert adapt(genome, model, adapted, "--lr", "0.02", "--source", "made", steps=100) == 0
    assert "nothing to do" in capsys.readouterr().out
