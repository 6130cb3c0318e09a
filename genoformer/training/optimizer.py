"""The optimiser: Muon for the weight matrices of the layers, AdamW for everything else, behaving as one.

Muon makes every update of a matrix orthogonal, so that all its directions learn at one pace; networks leave the plateau
of the first steps several times sooner (docs/results.md). Embeddings, heads, norms and biases are no such matrices.

Reference: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; the scaling that lets both share one learning
rate is that of Liu et al. 2025, arXiv:2502.16982, section 2.2.
"""

from collections.abc import Iterable

import torch
from torch import nn

ADAM_BETAS = (0.9, 0.98)
"""Vaswani et al. 2017, section 5.3: a shorter memory of squared gradients than the default suits attention."""


EMBEDDING_FACTOR = 3.0
"""How much faster embeddings learn: one of thousands of rows is read seldom, and starts from a large random value."""


class MuonAdamW(torch.optim.Optimizer):
    """Two optimisers behind one interface, with one state: what is saved and loaded is that of a plain optimiser.

    Args:
        matrices: Weight matrices for Muon, each [out, in].
        embeddings: Tables for AdamW with ``EMBEDDING_FACTOR`` times the learning rate.
        others: Parameters for AdamW.
        lr: Learning rate.
        weight_decay: Of the matrices only.
    """

    def __init__(
        self, matrices: Iterable[nn.Parameter], embeddings: Iterable[nn.Parameter], others: Iterable[nn.Parameter],
        *, lr: float, weight_decay: float,
    ) -> None:  # fmt: skip
        self.parts: list[torch.optim.Optimizer] = []
        muon = torch.optim.Muon(matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
        groups = [{"params": list(embeddings), "lr": EMBEDDING_FACTOR * lr}, {"params": list(others)}]
        adamw = torch.optim.AdamW(groups, lr=lr, betas=ADAM_BETAS, weight_decay=0.0)
        super().__init__([*muon.param_groups, *adamw.param_groups], {})
        self.parts = [muon, adamw]
        self._share()

    def _share(self) -> None:
        """Let both parts work on the groups and the state of the whole."""
        muon, adamw = self.parts
        muon.param_groups, adamw.param_groups = self.param_groups[:1], self.param_groups[1:]
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


def build_optimizer(model: nn.Module, *, lr: float, weight_decay: float) -> MuonAdamW:
    """The optimiser of a network with an ``encoder``; matrices inside its layers go to Muon.

    Args:
        model: Its frozen parameters are left out.
        lr: Highest learning rate.
        weight_decay: Of the matrices.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    inside = {id(p) for p in model.encoder.layers.parameters() if p.ndim == 2}
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    return MuonAdamW(
        [p for p in trained if id(p) in inside],
        [p for p in trained if id(p) in tables],
        [p for p in trained if id(p) not in inside | tables],
        lr=lr, weight_decay=weight_decay,
    )  # fmt: skip
