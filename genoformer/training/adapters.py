"""Low-rank adapters: a frozen matrix learns a change of low rank, which goes into the matrix when training has ended.

Reference: Hu et al. 2021, arXiv:2106.09685, section 4.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from genoformer.bundle.folder import network_of
from genoformer.bundle.header import BundleConfig
from genoformer.errors import UsageError
from genoformer.nn.encoder import Encoder
from genoformer.nn.networks import Network


class LowRankChange(nn.Module):
    """A matrix plus the product of two thin ones; nothing at first.

    Args:
        n_out: Rows.
        n_in: Columns.
        rank: Width of the thin matrices.
    """

    def __init__(self, n_out: int, n_in: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, n_in) / n_in**0.5)
        self.up = nn.Parameter(torch.zeros(n_out, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """Weight [out, in] to the same shape."""
        return weight + self.up @ self.down


def add_adapters(encoder: Encoder, rank: int) -> None:
    """Give every projection of every attention layer an adapter; only these are trained from then on.

    Args:
        encoder: Changed in place; its own weights must be frozen.
        rank: Rank of the changes.

    Raises:
        UsageError: If a layer's attention has no projections: nothing of it would be trained.
    """
    projections = [list(attention.projections().values()) for attention in encoder.attentions()]
    if not all(projections):
        raise UsageError(
            "CONFIG-023", f"attention {encoder.config.attention.name} has no projections that adapters could change.",
            where="model.adapter_rank", fix="Set it to 0; model.freeze_layers chooses what is trained.",
        )  # fmt: skip
    for linear in [linear for of_layer in projections for linear in of_layer]:
        n_out, n_in = linear.weight.shape
        parametrize.register_parametrization(linear, "weight", LowRankChange(n_out, n_in, rank))


def merged(model: Network, config: BundleConfig) -> Network:
    """A copy of a network on the CPU, in which adapters have become part of their matrices: an ordinary one.

    Args:
        model: With or without adapters.
        config: What it was built from.
    """
    with torch.random.fork_rng(devices=[]):
        plain = network_of(config)
    state = {name: tensor for name, tensor in model.state_dict().items() if ".parametrizations." not in name}
    adapted = {name: module for name, module in model.named_modules() if parametrize.is_parametrized(module, "weight")}
    plain.load_state_dict(state | {f"{name}.weight": module.weight.detach() for name, module in adapted.items()})
    return plain
