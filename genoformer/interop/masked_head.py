"""The head of a masked language model of bases as the head of a ``LongformerForMaskedLM``, which chooses among k-mers.

Ours is linear, and says of each base that a token owns which of the four it is. There the logit of a k-mer is that of
its first ``stride`` bases together: the sum of theirs. k-mers that differ in no owned base have equal logits.

Their head is a linear map, GELU, a norm and a linear map. The first undoes scale and shift of the encoder's last norm,
so that values have mean 0 and variance 1, and lifts them to where GELU is the identity; the norm takes them down again.
"""

import math

import torch
from torch import Tensor

from genoformer.interop.huggingface_names import PARTS, State
from genoformer.sequence.kmers import N_SPECIAL, KmerTokenizer

PREFIX = "lm_head."
N_BASES = 4
LIFT = 8.0
"""Above the lowest value that a normed vector can have: GELU(x) is x in float32 from about 6 on."""
NEVER = -1e4
"""Logit of special tokens, which are never hidden; float16 holds it."""
SMALLEST_SCALE = 1e-3
"""A feature that the last norm scales by less is lost to rounding."""
TOLERANCE = 1e-3
"""Relative to the largest weight: a head that differs by more was trained further, and is none of ours."""


def to_lm_head(head: State, norm: State, tokenizer: KmerTokenizer) -> State | None:
    """Tensors of ``lm_head``; None if the last norm hides a feature.

    Args:
        head: "weight" [stride * 4, D] and "bias" [stride * 4].
        norm: "weight" and "bias" [D] of the last norm of the encoder.
        tokenizer: Whose ids the encoder reads.
    """
    scale, shift = (norm[part].double() for part in PARTS)
    if scale.abs().min() < SMALLEST_SCALE:
        return None
    d_model, owned = len(scale), _owned_bases(tokenizer)  # [4 ** k, stride]
    weight, bias = (head[part].double().unflatten(0, (tokenizer.stride, N_BASES)) for part in PARTS)
    index = torch.arange(tokenizer.stride)
    weight, bias = (values[index, owned].sum(dim=1) for values in (weight, bias))  # [4 ** k, D] and [4 ** k]
    weight, bias = weight * scale, bias + weight @ shift
    special = weight.new_zeros(N_SPECIAL, d_model), bias.new_full((N_SPECIAL,), NEVER)
    decoder = {"weight": torch.cat([special[0], weight]), "bias": torch.cat([special[1], bias])}
    lift = math.sqrt(d_model) + LIFT
    tensors = {
        "dense.weight": torch.diag(1 / scale), "dense.bias": lift - shift / scale,
        "layer_norm.weight": torch.ones(d_model), "layer_norm.bias": torch.zeros(d_model),
        "decoder.weight": decoder["weight"], "decoder.bias": decoder["bias"], "bias": decoder["bias"],
    }  # fmt: skip
    return {f"{PREFIX}{name}": tensor.float() for name, tensor in tensors.items()}


def from_lm_head(state: State, norm: State, tokenizer: KmerTokenizer) -> State | None:
    """The inverse of ``to_lm_head``; None where these tensors are no such head.

    The four logits of a base may differ from those that were written by one number: their softmax is the same.

    Args:
        state: Tensors of a ``LongformerForMaskedLM``.
        norm: As in ``to_lm_head``.
        tokenizer: As there.
    """
    names = [f"{PREFIX}decoder.{part}" for part in PARTS]
    if any(name not in state or len(state[name]) != tokenizer.vocab_size for name in names):
        return None
    scale, shift = (norm[part].double() for part in PARTS)
    weight, bias = (state[name].double()[N_SPECIAL:] for name in names)
    weight = weight / scale
    bias = bias - weight @ shift
    head = {"weight": _of_bases(weight, tokenizer).float(), "bias": _of_bases(bias[:, None], tokenizer)[:, 0].float()}
    written = to_lm_head(head, norm, tokenizer)
    return head if written is not None and all(_is_near(state, name, written[name]) for name in written) else None


def _of_bases(values: Tensor, tokenizer: KmerTokenizer) -> Tensor:
    """Values of k-mers [4 ** k, D] that are sums over their owned bases as values of these, [stride * 4, D]."""
    owned, mean = _owned_bases(tokenizer), values.mean(dim=0)
    parts = [
        values[owned[:, j] == base].mean(dim=0) - mean + mean / tokenizer.stride
        for j in range(tokenizer.stride)
        for base in range(N_BASES)
    ]
    return torch.stack(parts)


def _owned_bases(tokenizer: KmerTokenizer) -> Tensor:
    """Codes of the bases that a token owns, for each k-mer by its number, int64 [4 ** k, stride]."""
    powers = N_BASES ** torch.arange(tokenizer.k - 1, -1, -1)
    return (torch.arange(N_BASES**tokenizer.k)[:, None] // powers % N_BASES)[:, : tokenizer.stride]


def _is_near(state: State, name: str, expected: Tensor) -> bool:
    found = state.get(name)
    if found is None:  # the second name of the decoder's bias
        return name == f"{PREFIX}bias"
    if found.shape != expected.shape:
        return False
    largest = float(expected[expected != NEVER].abs().max())
    return bool((found - expected).abs().max() <= TOLERANCE * max(1.0, largest))
