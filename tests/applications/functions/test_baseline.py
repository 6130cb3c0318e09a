"""Baselines and their comparison: features by hand, models that learn what they can, intervals."""

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from genoformer.applications import build_task
from genoformer.applications.functions import baseline as compare
from genoformer.applications.functions.baseline import bootstrap
from genoformer.baselines.features import kmer_frequencies, one_hot
from genoformer.baselines.models import fit_baselines
from genoformer.cli.main import main
from genoformer.errors import UsageError
from genoformer.sequence.alphabet import decode_bases, encode_bases


def test_features_by_hand():
    found = kmer_frequencies([encode_bases("AACN")], max_k=2)
    assert found.shape == (1, 20)
    assert found[0, :4].tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert found[0, 4 + 0] == found[0, 4 + 1] == 0.5 and found[0, 4:].sum() == 1.0
    assert one_hot([encode_bases("AN"), encode_bases("TC")]).tolist() == [[1, 0, 0, 0, 0, 0, 0, 0],
                                                                          [0, 0, 0, 1, 0, 1, 0, 0]]  # fmt: skip
    with pytest.raises(ValueError, match="one length"):
        one_hot([encode_bases("A"), encode_bases("AC")])


def composition(n, seed=0):
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 2, n)
    weights = np.array([[0.4, 0.2, 0.2, 0.2], [0.2, 0.2, 0.2, 0.4]])
    return [rng.choice(4, 40, p=weights[t]).astype(np.uint8) for t in targets], targets


@pytest.mark.parametrize("kind", ["multiclass", "multilabel", "regression"])
def test_baselines_learn_composition(kind):
    task = build_task("function", ["v"] if kind == "regression" else ["a", "t"], {"kind": kind})
    train, validation, test = (composition(n, seed) for n, seed in ((300, 0), (80, 1), (200, 2)))
    shape = {
        "multiclass": lambda t: t,
        "multilabel": lambda t: np.eye(2, dtype=np.float32)[t],
        "regression": lambda t: t[:, None].astype(np.float32),
    }[kind]
    parts = [(sequences, shape(targets)) for sequences, targets in (train, validation, test)]
    models = fit_baselines(task, parts[0], parts[1], seed=0)
    assert set(models) == {"majority", "kmer_logistic", "onehot_logistic", "gradient_boosting", "small_cnn"}
    assert set(fit_baselines(task, parts[0], parts[1], 0, ["majority"])) == {"majority"}
    assert fit_baselines(task, parts[0], parts[1], 0, []) == {}
    with pytest.raises(UsageError, match="oracle"):
        fit_baselines(task, parts[0], parts[1], 0, ["oracle"])
    for name, outputs in models.items():
        found = outputs(test[0])
        assert found.shape == (200, len(task.channels)) and np.isfinite(found).all()
        said = found[:, 0] > 0.5 if kind == "regression" else found.argmax(axis=1)
        assert (accuracy_score(test[1], said) > 0.8) == (name != "majority")


def test_interval_of_a_share_is_that_of_theory():
    hits = np.arange(400) < 300
    (low, high) = bootstrap(lambda rows: {"share": float(hits[rows].mean())}, 400, 0)["share"]
    half = 1.96 * (0.75 * 0.25 / 400) ** 0.5
    assert (low, high) == (pytest.approx(0.75 - half, abs=0.008), pytest.approx(0.75 + half, abs=0.008))


@pytest.mark.slow
def test_command_writes_one_file_per_seed_and_does_not_repeat(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(compare, "N_ROUNDS", 20)
    sequences, targets = composition(120)
    pairs = enumerate(zip(sequences, targets, strict=True))
    rows = "".join(f"s{i}\t{'at'[t]}\t{decode_bases(codes)}\n" for i, (codes, t) in pairs)
    (tmp_path / "t.tsv").write_text("id\tlabel\tdna\n" + rows)
    (tmp_path / "c.yaml").write_text(
        "trainer: {max_steps: 5, accelerator: cpu}\n"
        "model: {task: function, k: 2, stride: 1, encoder: {d_model: 8, n_heads: 2, n_layers: 1, d_ff: 8}}\n"
        "data: {labels: t.tsv, columns: {sequence: dna, id: id}, split: {validation: 0.2, test: 0.2}, "
        "loader: {batch_size: 8}}\n"
    )
    command = ["benchmark", "tasks", "--name", "x", "--seeds", "3", "-o", "out", "--fit", "--config", "c.yaml"]
    assert main(command) == 0
    result = json.loads((tmp_path / "out/tasks-x-3.json").read_text())
    assert result["sizes"] == {"train": 72, "validation": 24, "test": 24} and result["seed"] == 3
    for name, scores in result["scores"].items():
        low, high = scores["intervals"]["accuracy"]
        assert low <= scores["accuracy"] <= high, name
        assert 0 <= scores["ece"] <= 1
    assert main(command) == 0
    assert "nothing to do: out/tasks-x-3.json" in capsys.readouterr().out
    assert main(["benchmark", "tasks", "--name", "y", "--fit"]) == 2
