"""The optimiser: Muon for the weight matrices of the layers, AdamW for everything else, behaving as one.

Muon makes every update of a matrix orthogonal, so that all its directions learn at one pace; networks leave the plateau
of the first steps several times sooner (docs/results.md). Embeddings, heads, norms and biases are no such matrices.

Reference: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; the scaling that lets both share one learning
rate is that of Liu et al. 2025, arXiv:2502.16982, section 2.2.
"""

import torch
from torch import nn

from genoformer.nn.networks import Network

ADAM_BETAS = (0.9, 0.98)
"""Vaswani et al. 2017, section 5.3: a shorter memory of squared gradients than the default suits attention."""

ADAPTER_MARK = "parametrizations"
"""In the name of a low-rank adapter (see ``training.adapters``): its two thin matrices are no layer's directions."""

EMBEDDING_FACTOR = 3.0
"""How much faster embeddings learn: one of thousands of rows is read seldom, and starts from a large random value."""


class MuonAdamW(torch.optim.Optimizer):
    """Two optimisers behind one interface, with one state: what is saved and loaded is that of a plain optimiser.

    Args:
        matrices: Groups of weight matrices for Muon, each [out, in]: "params", and "lr" where it is another.
        others: Groups of parameters for AdamW.
        lr: Learning rate.
        weight_decay: Of the matrices only.
    """

    def __init__(
        self, matrices: list[dict], others: list[dict], *, lr: float, weight_decay: float,
    ) -> None:  # fmt: skip
        self.parts: list[torch.optim.Optimizer] = []
        muon = torch.optim.Muon(matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
        adamw = torch.optim.AdamW(others, lr=lr, betas=ADAM_BETAS, weight_decay=0.0)
        super().__init__([*muon.param_groups, *adamw.param_groups], {})
        self.parts = [muon, adamw]
        self._share()

    def _share(self) -> None:
        """Let both parts work on the groups and the state of the whole."""
        muon, adamw = self.parts
        n = len(muon.param_groups)
        muon.param_groups, adamw.param_groups = self.param_groups[:n], self.param_groups[n:]
        muon.state = adamw.state = self.state

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        if self.parts:
            self._share()

    @torch.no_grad()
    def step(self, closure=None):
        """One step of both; ``closure`` computes the gradients and the loss that is returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            part.step()
        return loss


def build_optimizer(model: Network, *, lr: float, weight_decay: float, layer_decay: float = 1.0) -> MuonAdamW:
    """The optimiser of a network with an ``encoder``; matrices inside its layers go to Muon.

    Args:
        model: Its frozen parameters are left out.
        lr: Highest learning rate.
        weight_decay: Of the matrices.
        layer_decay: Factor on the learning rate for each layer below the top one; embeddings come below the first.
    """
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    groups: dict[str, dict[float, list]] = {"matrices": {1.0: []}, "embeddings": {}, "others": {1.0: []}}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            is_matrix = name.startswith("encoder.layers.") and parameter.ndim == 2 and ADAPTER_MARK not in name
            kind = "embeddings" if id(parameter) in tables else "matrices" if is_matrix else "others"
            factor = layer_decay ** _layers_above(name, len(model.encoder.layers))
            factor *= EMBEDDING_FACTOR if kind == "embeddings" else 1.0
            groups[kind].setdefault(factor, []).append(parameter)
    found = {
        kind: [{"params": parameters, "lr": factor * lr} for factor, parameters in parts.items()]
        for kind, parts in groups.items()
    }
    return MuonAdamW(found["matrices"], found["embeddings"] + found["others"], lr=lr, weight_decay=weight_decay)


def _layers_above(name: str, n_layers: int) -> int:
    """Layers between a parameter and the head, by its name."""
    if name.startswith("encoder.layers."):
        return n_layers - 1 - int(name.split(".")[2])
    return n_layers if name.startswith("encoder.") and not name.startswith("encoder.final_norm.") else 0
