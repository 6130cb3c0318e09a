"""Records shorter than a tile, read together: the contigs of a metagenome in full calls of the network.

Groups of records, and which of them a call holds, follow from the input alone, so that a part of a prediction has the
very bits that the whole has there.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.side_by_side import side_by_side
from genoformer.sequence.alphabet import N_CODE, reverse_complement
from genoformer.sequence.kmers import PAD_ID, KmerTokenizer, encode_kmers
from genoformer.stream import TilePlan, computing, encoder_config, mostly_unknown

Item = TypeVar("Item")

PACKED_BP = 8_192
"""Longer records fill calls by themselves."""
GROUP_BP, GROUP_RECORDS = 500_000, 2_000
"""A group of records ends at either: outputs of so much are held."""
CALL_TOKENS = 8_192
PANEL_TOKENS = 64
"""Queries and keys that kernels of attention take at a time."""
STEP_TOKENS = 8
"""Rows are filled up to a multiple of it: each shape of a call takes time to prepare, and memory."""


def in_groups(items: Iterable[tuple[Item, int]]) -> Iterator[list[Item]]:
    """Items that stand for neighbouring records, until they are as many or as long as a group may be.

    Args:
        items: Each with the length of its record.
    """
    group: list[Item] = []
    gathered = 0
    for item, length in items:
        group.append(item)
        gathered += length
        if gathered >= GROUP_BP or len(group) >= GROUP_RECORDS:
            yield group
            group, gathered = [], 0
    if group:
        yield group


def can_be_packed(config: EncoderConfig) -> bool:
    """Whether rows of a call say nothing of each other, nor of how far they are filled up: windows of attention."""
    attention = config.attention
    is_windowed = isinstance(attention, LongformerConfig) and attention.dilation == 1 and not config.n_global_tokens
    return is_windowed and config.carried is None and config.reversible is None


def read_together(
    network: nn.Module,
    tokenizer: KmerTokenizer,
    sequences: Sequence[np.ndarray],
    plan: TilePlan,
    wanted: Sequence[bool],
) -> list[np.ndarray | None]:
    """Outputs of the short ones among some sequences, both strands.

    Args:
        network: Base-level model in evaluation mode.
        tokenizer: The model's tokenizer.
        sequences: uint8 base codes of each, forward strand, shape [L].
        plan: Precision, and how many calls run at a time.
        wanted: Of which sequences outputs are wanted; calls that hold none of them are left out.

    Returns:
        float32 [2, L, C] as ``stream.record_logits`` gives in one piece; None for those that are not wanted, too long
        for a call, or without a known base, and for all of a network that reads sequences one by one.
    """
    outputs: list[np.ndarray | None] = [None] * len(sequences)
    config = encoder_config(network)
    if config is None or not can_be_packed(config):
        return outputs
    most = min(PACKED_BP, plan.tile_bp)
    short = [i for i, codes in enumerate(sequences) if 0 < len(codes) <= most and not mostly_unknown(codes)]
    n_tokens = [tokenizer.n_tokens(len(sequences[i])) for i in short]
    calls = [[short[row] for row in rows] for rows in divide_into_calls(n_tokens)]
    calls = [call for call in calls if any(wanted[i] for i in call)]

    def call(numbers: list[int]) -> np.ndarray:
        strands = [strand for i in numbers for strand in (sequences[i], reverse_complement(sequences[i]))]
        inputs = packed_inputs(network, tokenizer, strands)
        token_ids = inputs.pop("token_ids")
        with computing(token_ids.device, plan.precision):
            return network(token_ids, **inputs).float().cpu().numpy()

    for numbers, found in zip(calls, side_by_side(call, calls, plan.batch_size), strict=True):
        for i, plus, minus in zip(numbers, found[::2], found[1::2], strict=True):
            if wanted[i]:
                L = len(sequences[i])
                outputs[i] = np.stack((plus[:L], minus[:L][::-1]))
    return outputs


def divide_into_calls(n_tokens: Sequence[int]) -> Iterator[list[int]]:
    """Which sequences are read in each call, two rows of it for each.

    Those of a call have equally many panels of attention, the last one of which is filled up for any of them: so that
    a row gives the very numbers that it gives alone.

    Args:
        n_tokens: Of each sequence.

    Yields:
        Their numbers, from the longest to the shortest.
    """
    order = sorted(range(len(n_tokens)), key=lambda i: -n_tokens[i])
    for _, members in groupby(order, key=lambda i: _panels(n_tokens[i])):
        alike = list(members)
        while alike:
            n_rows = max(1, CALL_TOKENS // (2 * _filled(n_tokens[alike[0]])))
            yield alike[:n_rows]
            alike = alike[n_rows:]


def _panels(n_tokens: int) -> int:
    """What is read of keys; windows are cut to fewer tokens than a panel."""
    return n_tokens if n_tokens < PANEL_TOKENS else -(-n_tokens // PANEL_TOKENS) * PANEL_TOKENS


def _filled(n_tokens: int) -> int:
    return min(-(-n_tokens // STEP_TOKENS) * STEP_TOKENS, _panels(n_tokens))


def packed_inputs(
    network: nn.Module, tokenizer: KmerTokenizer, strands: Sequence[np.ndarray]
) -> dict[str, torch.Tensor]:
    """What a network reads of sequences of any length, as ``stream.model_inputs`` gives, and ``valid_mask``."""
    config, stride = encoder_config(network), tokenizer.stride
    n_tokens = np.array([tokenizer.n_tokens(len(codes)) for codes in strands])
    T = _filled(int(n_tokens.max()))
    T_apart = T + -(-tokenizer.k // stride)  # what the last token of a row reads behind it is unknown
    bases = np.full((len(strands), T_apart * stride), N_CODE, np.uint8)
    for row, codes in zip(bases, strands, strict=True):
        row[: len(codes)] = codes
    text = np.append(bases, np.full(tokenizer.k, N_CODE, np.uint8))
    tokens = encode_kmers(text, k=tokenizer.k, stride=stride)[: len(strands) * T_apart].reshape(-1, T_apart)[:, :T]
    is_own = np.arange(T) < n_tokens[:, None]
    inputs = {"token_ids": np.where(is_own, tokens, PAD_ID).astype(np.int64), "valid_mask": is_own}
    if config and config.base_embedding:
        inputs["base_codes"] = bases[:, : T * stride].reshape(len(strands), T, stride)
    device = next(network.parameters()).device
    return {name: torch.from_numpy(array).to(device) for name, array in inputs.items()}
