"""Hidden states of any layer as outputs of a network, so that whatever runs networks gives them."""

from copy import copy
from typing import Any

from torch import Tensor, nn

from genoformer.nn.encoder import Encoder
from genoformer.nn.model import GenomeModel


class OwnedBases(nn.Module):
    """A head without weights: each base has the state of the token that owns it.

    Args:
        stride: Bases that a token owns.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, hidden: Tensor, global_hidden: Tensor | None = None, valid_mask: Tensor | None = None) -> Tensor:
        """Hidden [B, T, D] to [B, T * stride, D]; what else a head may see is not looked at."""
        return hidden.repeat_interleave(self.stride, dim=1)


def first_layers(encoder: Encoder, n_layers: int) -> Encoder:
    """An encoder that ends behind some of its layers; it shares the weights.

    The norm behind the last layer belongs to the last layer: before it states are those that the next layer reads, as
    in the ``hidden_states`` of Hugging Face.

    Args:
        encoder: The whole one; it stays as it is.
        n_layers: 0 ends behind the embeddings.

    Raises:
        ValueError: If there are fewer layers.
    """
    if not 0 <= n_layers <= len(encoder.layers):
        raise ValueError(f"expected 0 to {len(encoder.layers)} layers, found {n_layers}.")
    if n_layers == len(encoder.layers):
        return encoder
    part = copy(encoder)
    part._modules = dict(encoder._modules)  # a copy of a module shares the dict of its parts
    part.layers, part.final_norm = encoder.layers[:n_layers], nn.Identity()
    return part


def states_network(encoder: Encoder, layer: int) -> GenomeModel:
    """A network whose outputs per base are hidden states.

    Args:
        encoder: Token ids to hidden states.
        layer: States behind so many layers, 0 to ``n_layers``.

    Raises:
        ValueError: If there is no such layer.
    """
    config = encoder.config
    head: Any = OwnedBases(config.stride)
    network = GenomeModel(first_layers(encoder, layer), head, n_global_tokens=config.n_global_tokens)
    return network.train(encoder.training)
