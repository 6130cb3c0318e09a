"""Bundles of layout 1, whose head followed from the task, beside those of layout 2, which name their head."""

import json
from dataclasses import asdict

import pytest
import torch

from genoformer.applications import APPLICATIONS, build_task
from genoformer.bundle.folder import load_bundle, network_of, save_bundle
from genoformer.bundle.header import CALIBRATION, CARD, CONFIG, WEIGHTS, BundleConfig, read_header
from genoformer.errors import DataError
from genoformer.files import write_json_atomic, write_manifest
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig

ENCODER = EncoderConfig(
    vocab_size=69, d_model=8, n_heads=2, n_layers=1, d_ff=8, attention=LongformerConfig(window_radius=3), stride=3
).to_dict()
GENES = ["codon_0", "codon_1", "codon_2", "start", "stop"]
INTRONS = list(build_task("gene_structure_eukaryote").channels)

BY_HAND = [
    ("gene_structure", GENES, {}, {"name": "base"}),
    ("gene_structure_eukaryote", INTRONS, {}, {"name": "base"}),
    ("mlm", ["A", "C", "G", "T"], {}, {"name": "base"}),
    ("codon_structure", ["C", "E", "H"], {"max_bp": 300, "label_smoothing": 0.1}, {"name": "token"}),
    ("function", ["a", "b"], {}, {"name": "sequence", "pooling": "mean", "dropout": 0.0}),
    (
        "function", ["a", "b"], {"kind": "multilabel", "pooling": "attention", "head_dropout": 0.25},
        {"name": "sequence", "pooling": "attention", "dropout": 0.25},
    ),
    (
        "rna_pairs", ["pair"], {},
        {"name": "pair", "channels": 16, "rank": 8, "width": 5, "n_convolutions": 3, "dropout": 0.0,
         "n_pair_features": 3},
    ),
    (
        "rna_pairs", ["pair"], {"prior": "viennarna", "channels": 4, "rank": 2, "width": 3, "head_dropout": 0.5},
        {"name": "pair", "channels": 4, "rank": 2, "width": 3, "n_convolutions": 3, "dropout": 0.5,
         "n_pair_features": 3},
    ),
    (
        "contacts", ["contact"], {},
        {"name": "pair", "channels": 16, "rank": 8, "width": 3, "n_convolutions": 2, "dropout": 0.0,
         "n_distance_bins": 24, "initial_logit": -3.2},
    ),
    (
        "contacts", ["contact"], {"max_bp": 600, "n_convolutions": 1, "channels": 2},
        {"name": "pair", "channels": 2, "rank": 8, "width": 3, "n_convolutions": 1, "dropout": 0.0,
         "n_distance_bins": 24, "initial_logit": -3.2},
    ),
]  # fmt: skip
"""Task, outputs and settings as layout 1 has them, and the head that is meant."""


def write_layout_1(folder, task, channels, options, head):
    """A bundle as it was written when configurations did not name their head; gives its network."""
    config = BundleConfig(task, head, ENCODER, k=3, stride=3, labels=channels, options=options)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = network_of(config)
    save_bundle(folder, model=network, config=config, card="# old\n", calibration={"x": 1})
    stored = asdict(config)
    stored["channels"] = stored.pop("labels")
    del stored["head"]
    change(folder, {**stored, "format_version": 1})
    return network


def change(folder, config):
    write_json_atomic(folder / CONFIG, config)
    write_manifest(folder, [WEIGHTS, CONFIG, CALIBRATION, CARD])


def test_the_examples_name_every_task_that_there_is():
    assert {task for task, *_ in BY_HAND} == set(APPLICATIONS) - {"clm"}  # which is younger than layout 1


@pytest.mark.parametrize(("task", "channels", "options", "head"), BY_HAND)
def test_a_bundle_of_layout_1_has_the_head_of_its_task_and_settings(task, channels, options, head, tmp_path):
    network = write_layout_1(tmp_path, task, channels, options, head)
    loaded = load_bundle(tmp_path)
    assert loaded.config == BundleConfig(task, head, ENCODER, k=3, stride=3, labels=channels, options=options)
    assert loaded.config.head == build_task(task, channels, options).head
    stored, expected = loaded.model.state_dict(), network.state_dict()
    assert stored.keys() == expected.keys()
    assert all(torch.equal(tensor, stored[name]) for name, tensor in expected.items())


@pytest.mark.parametrize(("task", "channels", "options", "head"), BY_HAND)
def test_a_bundle_that_is_written_again_has_layout_2_and_says_the_same(task, channels, options, head, tmp_path):
    write_layout_1(tmp_path / "old", task, channels, options, head)
    old = load_bundle(tmp_path / "old")
    save_bundle(tmp_path / "new", model=old.model, config=old.config, card="", calibration=old.calibration)
    stored = json.loads((tmp_path / "new" / CONFIG).read_text())
    assert (stored["format_version"], stored["head"], stored["labels"]) == (2, head, channels)
    assert "channels" not in stored
    new = load_bundle(tmp_path / "new")
    assert (new.config, new.calibration, new.digest) == (old.config, old.calibration, old.digest)


@pytest.mark.parametrize(
    ("name", "layout", "task", "head", "n_labels", "k"),
    [
        ("prokaryotes", 2, "gene_structure", {"name": "base"}, 5, 6),
        ("fungi", 2, "gene_structure_eukaryote", {"name": "base"}, 12, 6),
        ("eukaryotes", 2, "gene_structure_eukaryote", {"name": "base"}, 12, 6),
        ("yeasts", 2, "gene_structure_eukaryote", {"name": "base"}, 12, 6),
        ("ec_class", 2, "function", {"name": "sequence", "pooling": "attention", "dropout": 0.3}, 7, 3),
        ("go_slim", 2, "function", {"name": "sequence", "pooling": "attention", "dropout": 0.3}, 65, 3),
    ],
)
def test_the_shipped_models_are_read(name, layout, task, head, n_labels, k):
    header = read_header(name)
    stored = json.loads((header.folder / CONFIG).read_text())
    assert stored["format_version"] == layout and header.config.format_version == 2
    assert (header.config.task, header.config.head) == (task, head)
    assert header.config.labels == stored["channels" if layout == 1 else "labels"]
    assert len(header.config.labels) == n_labels
    assert header.config.k == k == load_bundle(name).tokenizer.k
    build = APPLICATIONS[task].task.load()
    assert build(header.config.labels, header.config.options, header.config.ontology).head == head


def test_a_configuration_without_a_version_is_of_layout_1(tmp_path):
    write_layout_1(tmp_path, *BY_HAND[0])
    stored = json.loads((tmp_path / CONFIG).read_text())
    del stored["format_version"], stored["options"], stored["channels"]
    change(tmp_path, stored)
    config = read_header(tmp_path).config
    assert (config.format_version, config.labels, config.options) == (2, [], {})


@pytest.mark.parametrize("options", ["abc", [1], 3])
def test_settings_that_are_no_object_are_refused(options, tmp_path):
    write_layout_1(tmp_path, *BY_HAND[4])
    change(tmp_path, {**json.loads((tmp_path / CONFIG).read_text()), "options": options})
    with pytest.raises(DataError, match="MODEL-003"):
        read_header(tmp_path)


def test_a_head_is_a_setting_of_layout_2_only(tmp_path):
    write_layout_1(tmp_path, *BY_HAND[0])
    stored = json.loads((tmp_path / CONFIG).read_text())
    change(tmp_path, {**stored, "format_version": 2})
    with pytest.raises(DataError, match=r"MODEL-003.*channels"):
        read_header(tmp_path)
    change(tmp_path, {**stored, "head": {"name": "pair"}})
    assert read_header(tmp_path).config.head == {"name": "base"}
