"""Transformer-XL: segments that see themselves and a memory of the hidden states before them, by relative positions.

Every layer remembers the states that it was given in the segments before, so that what a token can know grows by one
memory with each layer. An input longer than a segment is walked inside each layer: its input of all segments is there,
and each segment takes its memory from it.

Reference: Dai et al. 2019, arXiv:1901.02860.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from genoformer.nn.attention.interface import Carried, EncoderShape, Kept
from genoformer.nn.attention.longformer import check_causal
from genoformer.nn.attention.masks import TokenRoles
from genoformer.nn.attention.relative import BlockedSegments, Segments
from genoformer.nn.attention.relative_fused import FusedSegments
from genoformer.nn.layers.checks import is_whole
from genoformer.nn.layers.linear import Linear, as_computed
from genoformer.nn.layers.positions import Rotary

SINUSOID_BASE = 10000.0
"""Vaswani et al. 2017, section 3.5."""


@dataclass(frozen=True)
class TransformerXLConfig:
    """Settings of segments with a memory.

    Args:
        segment: Tokens that see each other.
        memory: Tokens in front of a segment that it sees, at most; 0 for none.
        evaluation_memory: The same outside of training; None for ``memory``. It may be longer.
        causal: A token sees none behind itself, as in the paper; else its whole segment.

    Raises:
        ValueError: If a value is out of range; the sentence names it.
    """

    name: ClassVar[str] = "transformer_xl"
    free: ClassVar[tuple[str, ...]] = ("segment", "memory", "evaluation_memory", "causal")

    segment: int = 128
    memory: int = 128
    evaluation_memory: int | None = None
    causal: bool = True

    def __post_init__(self) -> None:
        lowest = {"segment": 1, "memory": 0} | ({} if self.evaluation_memory is None else {"evaluation_memory": 0})
        for name, least in lowest.items():
            value = getattr(self, name)
            if not is_whole(value) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}.")
        check_causal(self.causal)

    @property
    def carried(self) -> Carried:
        """What prediction hands from one stretch to the next."""
        memory = self.memory if self.evaluation_memory is None else self.evaluation_memory
        return Carried(self.segment, memory)

    def check(self, encoder: EncoderShape) -> None:
        """There are no global tokens, and no positions but its own.

        Raises:
            ValueError: If the encoder has some.
        """
        if encoder.n_global_tokens:
            raise ValueError(
                f"n_global_tokens must be 0: attention {self.name} has no global tokens, found "
                f"{encoder.n_global_tokens}."
            )
        if encoder.positions != "none":
            raise ValueError(
                f"positions must be none: attention {self.name} has relative positions of its own, found "
                f"{encoder.positions}."
            )

    def reaches(self, n_layers: int) -> tuple[int | None, ...]:
        """No number: what a token sees depends on where segments begin."""
        return (None,) * n_layers


class TransformerXLAttention(nn.Module):
    """Projections, attention of segments with their memory, output projection.

    Args:
        d_model: Width of the hidden states.
        n_heads: Heads; divides ``d_model``.
        config: Settings.
    """

    reach_tokens = None

    def __init__(self, d_model: int, n_heads: int, config: TransformerXLConfig) -> None:
        super().__init__()
        self.n_heads, self.config = n_heads, config
        self.query_key_value = Linear(d_model, 3 * d_model)
        self.position = nn.Linear(d_model, d_model, bias=False)
        # Vectors, heads side by side: they are no matrices to the optimiser.
        self.content_bias, self.position_bias = (nn.Parameter(torch.zeros(d_model)) for _ in range(2))
        self.output = Linear(d_model, d_model)

    def forward(
        self, hidden: Tensor, *, roles: TokenRoles | None = None, rotary: Rotary | None = None, kept: Kept = ()
    ) -> Tensor:
        """Hidden [B, T, D] to attention output [B, T, D].

        Args:
            hidden: [B, T, D].
            roles: Padding; None = none.
            rotary: Not looked at.
            kept: Hidden states [B, m, D] in front of the first segment, and which of them are real, bool [B, m].
        """
        roles, hidden = roles or TokenRoles(), as_computed(hidden)
        before, is_real = self._before(hidden, kept)
        segments = self.segments()
        farthest, nearest = segments.n_distances(hidden.shape[1], before.shape[1])
        positions = self.position(self.sinusoids(farthest, nearest, hidden))
        mixed = segment_attention(
            hidden, before, as_computed(self.query_key_value.weight), as_computed(self.query_key_value.bias), positions,
            self.content_bias, self.position_bias, _key_mask(is_real, roles.valid_mask, hidden), segments,
        )  # fmt: skip
        if roles.valid_mask is not None:
            mixed = mixed.masked_fill(~roles.valid_mask[..., None], 0.0)
        return self.output(mixed)

    def keep(self, hidden: Tensor, *, roles: TokenRoles, kept: Kept) -> Kept:
        """The last states that the layer was given, [B, m, D], and which of them are real, bool [B, m]."""
        before, is_real = self._before(hidden, kept)
        T, n = hidden.shape[1], self._memory
        ones = torch.ones(hidden.shape[:2], dtype=torch.bool, device=hidden.device)
        valid = ones if roles.valid_mask is None else roles.valid_mask
        n_old = max(0, n - T)
        old = slice(before.shape[1] - min(n_old, before.shape[1]), before.shape[1])
        states = torch.cat((before[:, old], hidden.detach()[:, max(0, T - n) :]), dim=1)
        return states, torch.cat((is_real[:, old], valid[:, max(0, T - n) :]), dim=1)

    def begin_anew(self, kept: Kept, continues: Tensor) -> Kept:
        """What was kept, with nothing of the rows that do not go on; ``continues`` is bool [B]."""
        states, is_real = kept
        return states, is_real & continues[:, None]

    def projections(self) -> dict[str, nn.Linear]:
        """``query_key_value``, ``position`` and ``output``."""
        return {"query_key_value": self.query_key_value, "position": self.position, "output": self.output}

    @property
    def _memory(self) -> int:
        return self.config.memory if self.training else self.config.carried.memory

    def _before(self, hidden: Tensor, kept: Kept) -> tuple[Tensor, Tensor]:
        """Memory in front of the first segment, no longer than it may be."""
        if not kept:
            return hidden.detach()[:, :0], torch.ones(len(hidden), 0, dtype=torch.bool, device=hidden.device)
        states, is_real = kept
        begin = max(0, states.shape[1] - self._memory)
        return states[:, begin:].to(hidden.dtype), is_real[:, begin:]

    def segments(self) -> Segments:
        """Who meets whom, in this mode."""
        return Segments(self.config.segment, self._memory, self.config.causal, self.n_heads)

    def sinusoids(self, farthest: int, nearest: int, like: Tensor) -> Tensor:
        """Sines and cosines [P, D] of all distances, the farthest first."""
        D = like.shape[2]
        distances = torch.arange(farthest, nearest - 1, -1, dtype=torch.float64, device=like.device)
        half = torch.arange(0, D, 2, dtype=torch.float64, device=like.device)
        angles = distances[:, None] * SINUSOID_BASE ** (-half / D)
        return torch.cat((angles.sin(), angles.cos()), dim=1)[:, :D].to(self.position.weight.dtype)


def build_transformer_xl(config: TransformerXLConfig, encoder: EncoderShape, layer: int) -> TransformerXLAttention:
    """The attention of one layer, with random weights."""
    return TransformerXLAttention(encoder.d_model, encoder.n_heads, config)


def segment_attention(
    hidden: Tensor, before: Tensor, weight: Tensor, bias: Tensor, positions: Tensor, content_bias: Tensor,
    position_bias: Tensor, key_mask: Tensor | None, segments: Segments, *, is_fused: bool | None = None,
) -> Tensor:  # fmt: skip
    """Projections and attention of all segments of a stretch.

    Keys and values of a segment's own tokens have a gradient with respect to hidden states; those of its memory have
    none, though the projections learn from them.

    Args:
        hidden: [B, T, D].
        before: Hidden states [B, m, D] in front of the first segment, without a gradient.
        weight: Of query, key and value, [3 D, D].
        bias: [3 D].
        positions: Projected sinusoids [P, D] from the largest distance to the smallest, see ``Segments.n_distances``.
        content_bias: u, [D], heads side by side.
        position_bias: v, [D].
        key_mask: bool [B, m + T], False = never attended to; None = all may be.
        segments: Who meets whom.
        is_fused: By compiled kernels, which run on processors; None where they can.

    Returns:
        [B, T, D], heads side by side, in the type of ``hidden``.
    """
    if is_fused is None:
        is_fused = hidden.device.type == "cpu"
    attend = FusedSegments if is_fused else BlockedSegments
    with torch.autocast(hidden.device.type, enabled=False):
        return attend.apply(hidden, weight, bias, positions, content_bias, position_bias, before, key_mask, segments)


def _key_mask(is_real: Tensor, valid_mask: Tensor | None, hidden: Tensor) -> Tensor | None:
    """Which keys may be seen, bool [B, m + T]; None where that is all of them."""
    if valid_mask is None and bool(is_real.all()):
        return None
    valid = torch.ones(hidden.shape[:2], dtype=torch.bool, device=hidden.device) if valid_mask is None else valid_mask
    return torch.cat((is_real, valid), dim=1)
