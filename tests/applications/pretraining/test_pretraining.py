"""The masked language model trains from bare FASTA, is scored, and starts another task."""

import json

import numpy as np
import pytest
import torch

from genoformer.applications.pretraining.data import PretrainingData
from genoformer.baselines.run_data import read_run_data
from genoformer.bundle.folder import load_bundle
from genoformer.cli.main import main
from genoformer.sequence.alphabet import decode_bases
from genoformer.tasks import mlm
from genoformer.training.settings import ModelReading, RegionSplit

TINY = """
trainer: {max_steps: 150, accelerator: cpu, enable_progress_bar: false}
model:
  task: mlm
  k: 3
  stride: 1
  encoder: {d_model: 32, n_heads: 2, n_layers: 1, d_ff: 32, attention: {window_radius: 8}, conv_width: 5}
  lr: 1.0e-2
  warmup_steps: 10
data:
  crop_bp: 256
  split: {validation: 0.1, test: 0.1, guard_bp: 50}
  loader: {batch_size: 4, samples_per_epoch: 600}
"""


NAMES = ("one", "seed1")
READING = ModelReading("mlm", k=3, stride=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a sequence of repeated words and a model of it, runs/one."""
    folder = tmp_path_factory.mktemp("mlm")
    rng = np.random.default_rng(0)
    words = ["ACGGTTCA", "TTGACCAG"]
    text = "".join(words[i] for i in rng.integers(0, 2, 3000))
    (folder / "g.fa").write_text(f">g\n{text}\n")
    (folder / "tiny.yaml").write_text(TINY)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["fit", "--config", "tiny.yaml", "--data.fasta", "g.fa", "--name", "one"]) == 0
    return folder


def test_words_are_learned_from_both_sides(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["test", "--config", "tiny.yaml", "--data.fasta", "g.fa", "--name", "one"]) == 0
    scores = json.loads((folder / "runs/one/test.json").read_text())
    assert scores["test/bits_per_base"] < 0.5 and scores["test/accuracy"] > 0.9
    assert load_bundle(folder / "runs/one/model").config.labels == ["A", "C", "G", "T"]


def test_parts_of_a_run_are_read_back_as_its_seed_drew_them(folder, monkeypatch):
    monkeypatch.chdir(folder)
    options = ["--trainer.max_steps", "1", "--seed_everything", "1", "--name", "seed1", "--data.fasta", "g.fa"]
    assert main(["fit", "--config", "tiny.yaml", *options]) == 0
    parts = {seed: read_run_data(folder / "runs" / name, PretrainingData).regions for seed, name in enumerate(NAMES)}
    card = (folder / "runs/seed1/model/model_card.md").read_text()
    assert "seed 1" in card and parts[1]["test"] != parts[0]["test"]
    trained = PretrainingData("g.fa", split=RegionSplit(validation=0.1, test=0.1, guard_bp=50))
    trained.bind(READING, seed=1, work_dir="runs/seed1").setup()
    assert parts[1] == trained.regions


def test_another_task_starts_from_it(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(folder)
    rng = np.random.default_rng(1)
    rows = [(f"s{i}", "xy"[i % 2], decode_bases(rng.integers(0, 4, 30).astype(np.uint8))) for i in range(60)]
    (folder / "t.tsv").write_text("id\tlabel\tdna\n" + "".join("\t".join(row) + "\n" for row in rows))
    options = [
        "--model.task",
        "function",
        "--data",
        "{labels: t.tsv, columns: {sequence: dna, id: id}, loader: {batch_size: 8}}",
    ]
    config = (folder / "tiny.yaml").read_text().partition("data:")[0]
    (folder / "f.yaml").write_text(config.replace("task: mlm", "task: function"))
    adapters = ["--model.adapter_rank", "2", "--trainer.max_steps", "2", "--name", "two"]
    assert main(["fit", "--config", "f.yaml", *options, *adapters, "--init_from", "runs/one/model"]) == 0
    before, after = (
        load_bundle(folder / "runs" / name / "model").model.encoder.state_dict() for name in ("one", "two")
    )
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"layers.0.attention.query_key_value.weight", "layers.0.attention.output.weight"}


def test_hidden_bases_of_evaluation_are_the_same_every_time(folder):
    def labels(seed):
        split = RegionSplit(validation=0.1, guard_bp=50)
        data = PretrainingData(fasta=str(folder / "g.fa"), crop_bp=256, split=split, validation_run_bp=2)
        data.bind(READING, seed=seed, work_dir=folder).prepare_data()
        data.setup()
        tiles = data.evaluation_samples("validation")
        return [tiles[i]["labels"].tolist() for i in range(3)]

    assert labels(5) == labels(5)
    runs = "".join("x" if label < 4 else "." for label in labels(5)[0]).split(".")
    assert {len(run) for run in runs if run} == {2}


def test_loss_counts_hidden_bases_only():
    logits = torch.zeros(1, 3, 4)
    logits[0, 1, 2] = torch.tensor(3.0).log()
    labels = torch.tensor([[128, 2, 128]], dtype=torch.uint8)
    assert mlm.loss(logits, labels).item() == pytest.approx(np.log(2))
    scores = mlm.build_scores()
    scores.update(logits, labels)
    assert scores.compute() == pytest.approx({"bits_per_base": 1.0, "accuracy": 1.0})
    assert mlm.loss(logits, torch.full((1, 3), 128, dtype=torch.uint8)).item() == 0.0
