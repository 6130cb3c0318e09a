"""Batches of crops of different length, written out by hand."""

import torch

from genoformer.annotation.tracks import MASKED
from genoformer.batches.collate import collate_crops
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import build_model
from genoformer.sequence.kmers import CLS_ID, PAD_ID
from genoformer.tasks import gene_structure

LONG = {"token_ids": torch.tensor([7, 8, 1]), "labels": torch.tensor([1, 2, 4, 1, 0], dtype=torch.uint8)}
SHORT = {"token_ids": torch.tensor([9]), "labels": torch.tensor([8], dtype=torch.uint8)}


def test_short_crop_is_padded_and_its_padding_masked():
    batch = collate_crops([LONG, SHORT], stride=2)
    assert batch["token_ids"].tolist() == [[7, 8, 1], [9, PAD_ID, PAD_ID]]
    assert batch["valid_mask"].tolist() == [[True, True, True], [True, False, False]]
    assert batch["labels"].tolist() == [[1, 2, 4, 1, 0, MASKED], [8, *[MASKED] * 5]]
    assert "global_mask" not in batch


def test_global_tokens_come_first_and_own_no_labels():
    batch = collate_crops([LONG, SHORT], stride=2, n_global_tokens=2)
    assert batch["token_ids"].tolist() == [[CLS_ID, CLS_ID, 7, 8, 1], [CLS_ID, CLS_ID, 9, PAD_ID, PAD_ID]]
    assert batch["global_mask"].tolist() == [[True, True, False, False, False]] * 2
    assert batch["valid_mask"].tolist() == [[True] * 5, [True, True, True, False, False]]
    assert batch["labels"].shape == (2, 6)


def test_loss_of_a_crop_does_not_depend_on_its_padding():
    torch.manual_seed(0)
    model = build_model(EncoderConfig(vocab_size=30, d_model=16, n_layers=1, d_ff=16, stride=2), n_channels=5).eval()
    losses = []
    for items in ([SHORT], [SHORT, LONG]):
        batch = collate_crops(items, stride=2)
        logits = model(batch["token_ids"], valid_mask=batch["valid_mask"])
        losses.append(gene_structure.loss(logits[:1], batch["labels"][:1]))
    assert torch.allclose(losses[0], losses[1], atol=1e-6)


def test_base_codes_lie_under_their_tokens_and_n_elsewhere():
    items = [
        {"token_ids": torch.tensor([7, 8]), "base_codes": torch.tensor([[0, 1], [2, 4]], dtype=torch.uint8)},
        {"token_ids": torch.tensor([9]), "base_codes": torch.tensor([[3, 3]], dtype=torch.uint8)},
    ]
    items = [{**item, "labels": torch.ones(3, dtype=torch.uint8)} for item in items]
    batch = collate_crops(items, stride=2, n_global_tokens=1, base_codes=True)
    assert batch["base_codes"].tolist() == [[[4, 4], [0, 1], [2, 4]], [[4, 4], [3, 3], [4, 4]]]
