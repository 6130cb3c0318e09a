"""The task function: losses by hand, views, settings."""

import math

import numpy as np
import pytest
import torch

from genoformer.applications import build_task


def task(**options):
    return build_task("function", ["a", "b"], options)


def test_losses_by_hand():
    logits = torch.tensor([[0.0, 0.0], [0.0, math.log(3.0)]])
    assert task().loss(logits, torch.tensor([0, 1])).item() == pytest.approx((math.log(2) - math.log(0.75)) / 2)
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    expected = (3 * math.log(2) - math.log(0.75)) / 4
    assert task(kind="multilabel").loss(logits, targets).item() == pytest.approx(expected)
    assert task(kind="regression").loss(torch.tensor([[2.0], [0.0]]), torch.zeros(2, 1)).item() == pytest.approx(2.0)


def test_views_of_a_sequence_are_averaged():
    logits = torch.tensor([[4.0, 0.0], [0.0, 2.0], [1.0, 1.0], [3.0, 1.0]])
    merged = torch.tensor([[2.0, 1.0], [2.0, 1.0]])
    labels = torch.tensor([0, 1])
    assert task().loss(logits, labels) == task().loss(merged, labels)
    scores = task().build_scores()
    scores.update(logits, labels)
    assert scores.compute()["accuracy"] == 0.5


def test_smoothing_acts_in_training_only():
    logits, labels = torch.tensor([[5.0, 0.0]], requires_grad=True), torch.tensor([0])
    trained = task(label_smoothing=0.2).loss(logits, labels)
    with torch.no_grad():
        judged = task(label_smoothing=0.2).loss(logits, labels)
    assert trained.item() == pytest.approx(judged.item() + 0.1 * 5, abs=1e-5)
    assert judged.item() == pytest.approx(math.log(1 + math.exp(-5)), abs=1e-6)


def test_scores_of_batches_are_those_of_the_whole():
    scores = task(kind="multilabel").build_scores()
    for row in ([[2.0, -1.0]], [[-1.0, 3.0]], [[0.5, 0.4]]):
        scores.update(torch.tensor(row), torch.tensor([[1.0, 0.0]]) if row[0][0] > 0 else torch.tensor([[0.0, 1.0]]))
    assert scores.compute()["micro_fmax"] == 1.0
    assert all(np.isfinite(value) for value in scores.compute().values())


@pytest.mark.parametrize(
    ("options", "found"),
    [({"kind": "poem"}, "poem"), ({"pooling": "max"}, "max"), ({"max_bp": 0}, "0"), ({"depth": 3}, "depth"),
     ({"strands": "each"}, "each"), ({"label_smoothing": 1.0}, "1.0")],
)  # fmt: skip
def test_wrong_setting_is_named(options, found):
    with pytest.raises(ValueError, match=found):
        task(**options)
    with pytest.raises(ValueError, match="no settings"):
        build_task("gene_structure_eukaryote", None, {"kind": "multiclass"})


CHAIN = {"implied": {"a": [], "b": ["a"], "c": ["a", "b"], "d": []}, "names": {}, "namespaces": {}}


def chain_task():
    return build_task("function", ["a", "b", "c", "d"], {"kind": "multilabel"}, CHAIN)


def test_a_term_is_never_less_likely_than_one_that_implies_it():
    outputs = np.array([[-1.0, 0.0, 2.0, 1.0], [3.0, 0.5, -2.0, -4.0]], np.float32)
    assert chain_task().coherent(outputs).tolist() == [[2.0, 2.0, 2.0, 1.0], [3.0, 0.5, -2.0, -4.0]]
    many = np.random.default_rng(0).normal(size=(700, 4)).astype(np.float32)
    found = chain_task().coherent(many)
    assert (found[:, 0] >= found[:, 1]).all() and (found[:, 1] >= found[:, 2]).all()
    assert (found[:, 3] == many[:, 3]).all() and len(found) == 700


def test_loss_of_terms_that_imply_others_by_hand():
    # a is there, b and c are not: a learns from its own output, b and c from the larger of theirs.
    logits = torch.tensor([[0.5, -1.0, 2.0, 0.0]], requires_grad=True)
    labels = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    cost = [math.log1p(math.exp(-0.5)), math.log1p(math.exp(2.0)), math.log1p(math.exp(2.0)), math.log(2)]
    loss = chain_task().loss(logits, labels)
    assert loss.item() == pytest.approx(sum(cost) / 4, abs=1e-6)
    loss.backward()
    assert logits.grad[0, 0] < 0 and logits.grad[0, 1] == 0 and logits.grad[0, 2] > 0
    alone = build_task("function", ["a", "b", "c", "d"], {"kind": "multilabel"})
    assert alone.loss(logits, labels).item() != pytest.approx(loss.item(), abs=1e-3)
