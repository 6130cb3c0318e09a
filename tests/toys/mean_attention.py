"""The one file of a toy architecture: every token is given the mean of all tokens so far."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from genoformer.nn.attention.interface import Architecture


@dataclass(frozen=True)
class MeanConfig:
    """Settings of the mean."""

    name: ClassVar[str] = "mean"
    free: ClassVar[tuple[str, ...]] = ("scale",)

    scale: float = 1.0
    has_projections: bool = True

    def check(self, encoder):
        if encoder.positions == "rotary":
            raise ValueError("positions rotary mean nothing to attention mean.")

    def reaches(self, n_layers):
        return (None,) * n_layers


class MeanAttention(nn.Module):
    """Every token is given the projected mean of the real ones, those of the stretches before included."""

    reach_tokens = None

    def __init__(self, config, encoder):
        super().__init__()
        self.config = config
        self.value, self.output = (nn.Linear(encoder.d_model, encoder.d_model) for _ in range(2))

    def forward(self, hidden, *, roles, rotary, kept=()):
        total, count = self._sums(hidden, roles, kept)
        return self.output(self.value(total / count.clamp_min(1)) * self.config.scale).expand_as(hidden)

    def keep(self, hidden, *, roles, kept):
        return tuple(part.detach() for part in self._sums(hidden, roles, kept))

    def _sums(self, hidden, roles, kept):
        weights = (
            torch.ones_like(hidden[..., :1]) if roles.valid_mask is None else roles.valid_mask[..., None].to(hidden)
        )
        sums = (hidden * weights).sum(1, keepdim=True), weights.sum(1, keepdim=True)  # [B, 1, D], [B, 1, 1]
        return tuple(one + before for one, before in zip(sums, kept, strict=True)) if kept else sums

    def projections(self):
        return {"value": self.value, "output": self.output} if self.config.has_projections else {}


ROW = Architecture(MeanConfig, lambda config, encoder, layer: MeanAttention(config, encoder))
