"""The task for genes with introns: what its labels, its loss and its log-odds mean."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from genoformer.annotation.intron_tracks import ACCEPTOR, DONOR
from genoformer.annotation.tracks import MASKED, START, STOP
from genoformer.applications import APPLICATIONS
from genoformer.tasks import gene_structure_eukaryote
from genoformer.tasks.gene_structure_eukaryote import SIGNAL_WEIGHTS, channels, log_odds, loss, states, unpack_labels


def test_task_is_known_by_its_name():
    task = APPLICATIONS["gene_structure_eukaryote"].task.load()()
    assert task.channels == gene_structure_eukaryote.channels and len(channels) == 12


def test_a_label_is_one_state_and_its_signals():
    labels = torch.tensor([[0, 1, 2 | START, 4, 3 | STOP, 5 | DONOR, 7, 2 | ACCEPTOR]], dtype=torch.uint8)
    targets, weights = unpack_labels(labels)
    assert targets[0, :, :8].argmax(-1).tolist() == [0, 1, 2, 4, 3, 5, 7, 2] and (targets[..., :8].sum(-1) == 1).all()
    assert [row.nonzero().flatten().tolist() for row in targets[0, :, 8:].T] == [[2], [4], [5], [7]]
    assert weights[0, 0].tolist() == [1.0] * 8 + list(SIGNAL_WEIGHTS)


def random_batch():
    rng = np.random.default_rng(0)
    logits = torch.tensor(rng.normal(0, 2, (2, 9, 12)), dtype=torch.float32)
    labels = torch.tensor(rng.integers(0, 128, (2, 9)), dtype=torch.uint8)
    labels[0, :3] |= MASKED
    return logits, labels


def test_loss_is_that_of_scikit_learn():
    logits, labels = random_batch()
    real = (labels < 128).numpy().ravel()
    shares = torch.softmax(logits[..., :8], -1).reshape(-1, 8).numpy()[real]
    expected = log_loss((labels & 7).numpy().ravel()[real], shares, labels=range(8))
    odds = torch.sigmoid(logits[..., 8:]).reshape(-1, 4).numpy()[real]
    for i, (bit, weight) in enumerate(zip((START, STOP, DONOR, ACCEPTOR), SIGNAL_WEIGHTS, strict=True)):
        expected += weight * log_loss((labels.numpy().ravel()[real] & bit) > 0, odds[:, i], labels=[False, True])
    # Weighted by class here: scikit-learn has no weight for a positive and a negative of one position but the same.
    assert loss(logits, labels).item() == pytest.approx(expected, rel=1e-5)


def test_masked_bases_change_neither_loss_nor_gradient():
    logits, labels = random_batch()
    logits.requires_grad_()
    value = loss(logits, labels)
    value.backward()
    assert logits.grad[0, :3].abs().sum() == 0 and (logits.grad[0, 3:] != 0).any()
    other = logits.detach().clone()
    other[0, :3] = 50.0
    assert loss(other, labels).item() == value.item()
    assert loss(logits.detach(), torch.full_like(labels, MASKED)).item() == 0.0


def test_log_odds_are_those_of_the_softmax():
    logits, _ = random_batch()
    shares = torch.sigmoid(log_odds(logits))
    assert torch.allclose(shares[..., :8], torch.softmax(logits[..., :8], -1), atol=1e-5)
    assert torch.equal(log_odds(logits)[..., 8:], logits[..., 8:]) and len(states) == 8
