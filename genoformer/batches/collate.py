"""Items of different length into one batch: padding, masks and global tokens."""

from collections.abc import Sequence
from functools import partial

import torch

from genoformer.annotation.tracks import MASKED
from genoformer.batches.crops import Item
from genoformer.sequence.alphabet import N_CODE
from genoformer.sequence.kmers import CLS_ID, PAD_ID

Batch = dict[str, torch.Tensor]


def collate_crops(items: Sequence[Item], *, stride: int, n_global_tokens: int = 0, base_codes: bool = False) -> Batch:
    """Stack crops, padded to the longest.

    Args:
        items: ``token_ids`` int64 [T] and ``labels`` uint8 [L] each, T = ceil(L / stride).
        stride: Bases that a token owns.
        n_global_tokens: CLS tokens put in front of each sequence, G. They own no base.
        base_codes: Give the bases that each token owns, for encoders with ``base_embedding``.

    Returns:
        ``token_ids`` int64 [B, G + T], ``PAD_ID`` behind the end; ``valid_mask`` bool [B, G + T], True = real;
        ``labels`` uint8 [B, T * stride], ``MASKED`` behind the end; with G > 0 also ``global_mask`` bool [B, G + T];
        if wanted ``base_codes`` uint8 [B, G + T, stride], N in front of the sequence and behind it; where the items
        have it ``continues`` bool [B], True = goes on where the crop before it in its row ended.
    """
    n_tokens = max(len(item["token_ids"]) for item in items)
    token_ids = torch.full((len(items), n_global_tokens + n_tokens), PAD_ID, dtype=torch.int64)
    token_ids[:, :n_global_tokens] = CLS_ID
    labels = torch.full((len(items), n_tokens * stride), MASKED, dtype=torch.uint8)
    for row, item in enumerate(items):
        token_ids[row, n_global_tokens : n_global_tokens + len(item["token_ids"])] = item["token_ids"]
        labels[row, : len(item["labels"])] = item["labels"]
    batch = {"token_ids": token_ids, "valid_mask": token_ids != PAD_ID, "labels": labels}
    if base_codes:
        batch["base_codes"] = torch.full((*token_ids.shape, stride), N_CODE, dtype=torch.uint8)
        for row, item in enumerate(items):
            batch["base_codes"][row, n_global_tokens : n_global_tokens + len(item["base_codes"])] = item["base_codes"]
    if "continues" in items[0]:
        batch["continues"] = torch.stack([item["continues"] for item in items])
    if n_global_tokens:
        batch["global_mask"] = torch.zeros_like(batch["valid_mask"])
        batch["global_mask"][:, :n_global_tokens] = True
    return batch


def build_collate(*, stride: int, n_global_tokens: int, base_codes: bool = False) -> partial:
    """``collate_crops`` with the model's settings; can be sent to workers."""
    return partial(collate_crops, stride=stride, n_global_tokens=n_global_tokens, base_codes=base_codes)
