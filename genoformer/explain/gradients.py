"""Integrated gradients from a sequence of unknown bases to the one that is explained; captum computes.

It is loaded by name (``inference.optional_packages``): the method is refused before any work where it is not installed.

Reference:
    Sundararajan et al. 2017, arXiv:1703.01365.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from captum.attr import LayerIntegratedGradients
from torch import Tensor, nn

from genoformer.explain.scoring import Scorer, View
from genoformer.sequence.alphabet import N_CODE
from genoformer.sequence.kmers import UNK_ID
from genoformer.stream import refusals_explained

TOLERANCE = 0.01
"""Of the difference that the contributions add up to."""
MOST_STEPS = 1_024
TOKENS_AT_ONCE = 32_768


@dataclass(frozen=True)
class Contributions:
    """What each base contributes to the difference between a sequence and one of unknown bases.

    Attributes:
        values: float64 [L]; zero where nothing is read.
        difference: Between the two.
        missing: What the values lack to add up to it.
    """

    values: np.ndarray
    difference: float
    missing: float

    @property
    def is_complete(self) -> bool:
        """Whether the values add up to the difference, as the method promises."""
        return abs(self.missing) <= TOLERANCE * max(abs(self.difference), TOLERANCE)


def integrated_gradients(scorer: Scorer, view: View, n_steps: int) -> Contributions:
    """Contributions of the embeddings of tokens, shared equally among the bases of each.

    Where the sum lacks more than ``TOLERANCE`` of what it should be, it is computed again with twice the steps.

    Args:
        scorer: The number that is explained.
        view: What is read.
        n_steps: Points between the two sequences.
    """
    stride, k = scorer.tokenizer.stride, scorer.tokenizer.k
    first, last = scorer.read_span(scorer.tokens_of(view), len(view.codes))
    begin, stop = first * stride, min(last * stride, len(view.codes))
    inputs = scorer.inputs([view.codes[begin : stop + k]], stop - begin)
    names, tensors = list(inputs), tuple(inputs.values())

    def number(*given: Tensor) -> Tensor:
        return scorer.of_logits(scorer.network(**dict(zip(names, given, strict=True))), view, first)

    baselines = tuple(_unknown(name, tensor, scorer.network.n_global_tokens) for name, tensor in inputs.items())
    with torch.no_grad(), refusals_explained():
        difference = float((number(*tensors) - number(*baselines))[0])
    while True:
        parts = _attribute(scorer, number, tensors, baselines, n_steps)
        missing = difference - sum(float(part.sum()) for _, part in parts)
        values = np.zeros(len(view.codes))
        for width, part in parts:
            own = part[scorer.network.n_global_tokens :]
            values[begin:stop] += shared(own, width, stride, stop - begin)
        found = Contributions(values, difference, missing)
        if found.is_complete or 2 * n_steps > MOST_STEPS:
            return found
        n_steps *= 2


def shared(tokens: np.ndarray, width: int, stride: int, length: int) -> np.ndarray:
    """Values of tokens, each in equal parts for the bases that it covers.

    Args:
        tokens: [T].
        width: Bases of a token.
        stride: Bases between token starts.
        length: Bases that there are; those behind get nothing.

    Returns:
        float64 [length]; the sum is that of the tokens.
    """
    starts = np.arange(len(tokens)) * stride
    counts = np.minimum(starts + width, length) - starts
    changes = np.zeros(length + 1)
    np.add.at(changes, starts, tokens / counts)
    np.add.at(changes, starts + counts, -tokens / counts)
    return np.cumsum(changes)[:length]


def _attribute(
    scorer: Scorer, number: Any, inputs: tuple[Tensor, ...], baselines: tuple[Tensor, ...], n_steps: int
) -> list[tuple[int, np.ndarray]]:
    """Of each kind of embedding: the bases that it is about, and contributions of each token, float64 [G + T]."""
    encoder = scorer.network.encoder
    widths: dict[nn.Module, int] = {
        layer: width
        for layer, width in (
            (encoder.token_embedding, scorer.tokenizer.k), (encoder.base_embedding, scorer.tokenizer.stride),
            (encoder.amino_embedding, scorer.tokenizer.k), (encoder.word_embedding, scorer.tokenizer.k),
        )
        if layer is not None
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that layers might follow from each other: these are summands
        method: Any = LayerIntegratedGradients(number, list(widths))
    at_once = max(1, TOKENS_AT_ONCE // inputs[0].shape[1])
    with torch.enable_grad(), refusals_explained():
        found = method.attribute(inputs, baselines, n_steps=n_steps, internal_batch_size=at_once)
    parts = [part.detach().sum(dim=-1)[0].double().cpu().numpy() for part in found]
    return list(zip(widths.values(), parts, strict=True))


def _unknown(name: str, tensor: Tensor, n_global_tokens: int) -> Tensor:
    """The same input of a sequence of unknown bases; global tokens stay what they are."""
    found = tensor.clone()
    found[:, n_global_tokens:] = N_CODE if name == "base_codes" else UNK_ID
    return found
