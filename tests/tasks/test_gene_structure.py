"""The gene-structure task: what its labels and its loss mean."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from genoformer.annotation.tracks import CODON_0, CODON_1, CODON_2, MASKED, NO_RNA, RRNA, START, STOP, TRNA
from genoformer.applications import APPLICATIONS
from genoformer.tasks import gene_structure
from genoformer.tasks.gene_structure import CHANNEL_WEIGHTS, channels, loss, unpack_labels


def test_task_is_known_by_its_name():
    assert APPLICATIONS["gene_structure"].task.load()().channels == gene_structure.channels
    assert channels == ("codon_0", "codon_1", "codon_2", "start", "stop")


def test_each_bit_is_its_channel():
    labels = torch.tensor(
        [[CODON_0 | START, CODON_1, CODON_2, STOP | CODON_0, 0, CODON_0 | CODON_2]], dtype=torch.uint8
    )
    targets, weights = unpack_labels(labels)
    assert targets.tolist() == [
        [[1, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [1, 0, 0, 0, 1], [0] * 5, [1, 0, 1, 0, 0]]
    ]
    assert targets.dtype == weights.dtype == torch.float32
    assert weights[0, 0].tolist() == list(CHANNEL_WEIGHTS)


def test_masked_base_has_no_weight():
    _, weights = unpack_labels(torch.tensor([[MASKED | CODON_0, CODON_0]], dtype=torch.uint8))
    assert weights[0, 0].tolist() == [0] * 5 and weights[0, 1].tolist() == [1, 1, 1, 15, 10]


def test_loss_is_the_weighted_log_loss_of_scikit_learn():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (2, 7, 5))
    labels = rng.integers(0, 32, (2, 7), dtype=np.uint8)
    labels[0, :3] |= MASKED
    targets = (labels[..., None] >> np.arange(5)) & 1
    weights = np.where(labels[..., None] & MASKED, 0, CHANNEL_WEIGHTS)
    expected = log_loss(targets.ravel(), 1 / (1 + np.exp(-logits.ravel())), sample_weight=weights.ravel())
    found = loss(torch.tensor(logits, dtype=torch.float32), torch.from_numpy(labels))
    assert found.dtype == torch.float32 and found.shape == ()
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_masked_outputs_change_neither_loss_nor_gradient():
    logits = torch.randn(1, 6, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    labels = torch.tensor([[1, 2, 4, 1, 2, 4]], dtype=torch.uint8)
    masked = labels.clone()
    masked[0, 2:4] |= MASKED
    value = loss(logits, masked)
    value.backward()
    assert logits.grad[0, 2:4].abs().sum() == 0 and (logits.grad[0, :2] != 0).all()
    other = logits.detach().clone()
    other[0, 2:4] = 50.0
    assert loss(other, masked).item() == value.item()
    kept = [0, 1, 4, 5]
    assert loss(logits[:, kept], labels[:, kept]).item() == pytest.approx(value.item())


def test_fully_masked_labels_give_zero_and_no_gradient():
    logits = torch.full((2, 3, 5), 9.0, requires_grad=True)
    value = loss(logits, torch.full((2, 3), MASKED | CODON_1, dtype=torch.uint8))
    value.backward()
    assert value.item() == 0 and logits.grad.abs().sum() == 0


def test_inputs_are_left_as_they_are():
    logits, labels = torch.ones(1, 4, 5), torch.tensor([[1, 130, 4, 9]], dtype=torch.uint8)
    before = logits.clone(), labels.clone()
    loss(logits, labels)
    assert torch.equal(logits, before[0]) and torch.equal(labels, before[1])


def test_low_precision_logits_are_summed_in_float32():
    logits = torch.full((1, 4000, 5), 0.1, dtype=torch.bfloat16)
    labels = torch.zeros(1, 4000, dtype=torch.uint8)
    expected = np.log1p(np.exp(float(logits[0, 0, 0])))
    found = loss(logits, labels)
    assert found.dtype == torch.float32 and found.item() == pytest.approx(expected, rel=1e-5)


def test_extreme_logits_give_finite_loss():
    logits = torch.tensor([[[200.0, -200, 200, -200, 200]]])
    assert loss(logits, torch.tensor([[1]], dtype=torch.uint8)).item() == pytest.approx((200 + 10 * 200) / 28)


def test_labels_of_rna_genes_change_nothing():
    logits = torch.randn(1, 4, 5, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[1, 2 | RRNA, 4 | NO_RNA, TRNA]], dtype=torch.uint8)
    assert torch.equal(loss(logits, labels), loss(logits, labels & 31))
    assert gene_structure.loss_weight(labels) == gene_structure.loss_weight(labels & 31)


def test_there_are_no_settings():
    with pytest.raises(ValueError, match="rna"):
        gene_structure.build((), {"rna": True})
