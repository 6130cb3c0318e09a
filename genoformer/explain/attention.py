"""What the global tokens of an encoder look at, layer by layer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from genoformer.explain.scoring import Scorer
from genoformer.nn.attention.global_weights import global_weights
from genoformer.nn.attention.longformer import LongformerSelfAttention
from genoformer.nn.attention.masks import TokenRoles


def attention_of_globals(scorer: Scorer, codes: np.ndarray) -> np.ndarray:
    """Weights of the global tokens, mean over them and over heads, for each base that of the token that owns it.

    Args:
        scorer: Has a network with global tokens.
        codes: uint8 base codes of what is read, shape [L].

    Returns:
        float64 [n_layers, L].
    """
    network = scorer.network
    given: list[tuple[Tensor, TokenRoles]] = []
    with torch.inference_mode(), _listening(network.encoder.attentions(), given):
        network(**scorer.inputs([codes]))
        layers = [cast(LongformerSelfAttention, layer) for layer in network.encoder.attentions()]
        weights = [global_weights(layer, *found) for layer, found in zip(layers, given, strict=True)]
    means = torch.stack([of_layer[0].mean(dim=(0, 1)) for of_layer in weights])  # [layers, G + T]
    owned = means[:, network.n_global_tokens :].repeat_interleave(scorer.tokenizer.stride, dim=1)
    return owned[:, : len(codes)].double().cpu().numpy()


@contextmanager
def _listening(layers: list[Any], given: list[tuple[Tensor, TokenRoles]]) -> Iterator[None]:
    """Keep what each layer's attention is given while the block runs."""

    def keep(module: nn.Module, args: tuple[Tensor, ...], settings: dict[str, Any]) -> None:
        given.append((args[0], settings["roles"]))

    hooks = [layer.register_forward_pre_hook(keep, with_kwargs=True) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
