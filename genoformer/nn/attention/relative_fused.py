"""Attention with relative positions on a processor: projections in torch, all between them in compiled kernels."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from genoformer.nn.attention.kernels.relative_blocks import SPARE_COLUMNS, SPARE_ROWS
from genoformer.nn.attention.kernels.relative_threads import run_relative
from genoformer.nn.attention.masks import masked_score
from genoformer.nn.attention.relative import Segments, projection_gradients
from genoformer.nn.layers.linear import project

LANES = 16


class FusedSegments(torch.autograd.Function):
    """As ``transformer_xl.segment_attention`` describes it; float64 is computed as such, everything else in float32."""

    @staticmethod
    def forward(ctx, hidden, weight, bias, positions, content_bias, position_bias, before, key_mask, segments):
        D = hidden.shape[2]
        projected, kept = project(hidden, weight, bias), project(before, weight[D:], bias[D:])
        arrays = _Arrays.make(projected, kept, positions, content_bias, position_bias, key_mask, segments)
        run_relative(False, arrays.of_forward(), arrays.sizes)
        ctx.save_for_backward(
            hidden, weight, bias, positions, content_bias, position_bias, before, key_mask, projected, kept,
            arrays.normalizers,
        )  # fmt: skip
        ctx.segments = segments
        return _tokens(arrays.mixed, hidden.shape[1], D).to(hidden.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        hidden, weight, _, positions, content_bias, position_bias, before, key_mask, *made = ctx.saved_tensors
        projected, kept, normalizers = made
        arrays = _Arrays.make(projected, kept, positions, content_bias, position_bias, key_mask, ctx.segments)
        arrays.mixed = _rows(gradient.to(normalizers.dtype), ctx.segments.n_heads, SPARE_ROWS)
        arrays.normalizers = normalizers
        slopes = [torch.empty_like(one) for one in (arrays.content, arrays.position)]
        slopes += [torch.zeros_like(one) for one in (arrays.key, arrays.value) * 2]
        shape = (*arrays.content.shape[:2], *arrays.distance.shape[-2:])
        slopes.append(arrays.distance.new_zeros(shape))
        run_relative(True, [*arrays.of_backward(), *slopes], arrays.sizes)
        (_, T, D), n = hidden.shape, arrays.key.shape[2]
        content, position, *of_keys = (
            _tokens(one, length, D) for one, length in zip(slopes[:6], (T, T, n, n, n, n), strict=True)
        )
        of_positions = _tokens(slopes[6].sum(0, keepdim=True), len(positions), D)[0]
        found = projection_gradients(
            content, position, *of_keys, hidden=hidden, before=before, weight=weight, n_heads=ctx.segments.n_heads,
            needs=ctx.needs_input_grad,
        )  # fmt: skip
        of_hidden, of_weight, of_bias, *of_biases = found
        return of_hidden, of_weight, of_bias, of_positions.to(positions.dtype), *of_biases, None, None, None


@dataclass(eq=False)
class _Arrays:
    """What the kernels read, filled up, see ``kernels.relative_blocks.RelativeJob``."""

    content: Tensor
    position: Tensor
    key: Tensor
    value: Tensor
    distance: Tensor
    bias: Tensor
    mixed: Tensor
    normalizers: Tensor
    sizes: list[int]

    @classmethod
    def make(
        cls, projected: Tensor, kept: Tensor, positions: Tensor, content_bias: Tensor, position_bias: Tensor,
        key_mask: Tensor | None, segments: Segments,
    ) -> Self:  # fmt: skip
        exact = torch.promote_types(projected.dtype, torch.float32)
        (B, T, _), D, H = projected.shape, kept.shape[2] // 2, segments.n_heads
        scale, n = (D // H) ** -0.5, kept.shape[1] + T
        query = projected[..., :D].to(exact)
        content, position = (
            _rows(query.add(one.to(exact)).mul_(scale), H, SPARE_ROWS) for one in (content_bias, position_bias)
        )
        key, value = (
            _rows(projected[..., (1 + i) * D : (2 + i) * D].to(exact), H, 0, kept[..., i * D : (i + 1) * D].to(exact))
            for i in range(2)
        )
        distance = _rows(positions[None].to(exact), H, SPARE_COLUMNS)[0]
        bias = torch.zeros(0, dtype=exact)
        if key_mask is not None:
            bias = torch.zeros(key_mask.shape, dtype=exact).masked_fill_(~key_mask, masked_score(exact))
        farthest, _ = segments.n_distances(T, n - T)
        sizes = [B * H, H, T, n, len(positions), key.shape[-1], segments.segment, segments.memory]
        sizes += [segments.is_causal, key_mask is not None, farthest]
        normalizers = torch.empty(B * H, T, dtype=exact)
        return cls(content, position, key, value, distance, bias, torch.empty_like(content), normalizers, sizes)

    def of_forward(self) -> list[Tensor]:
        """In the order of the job; what the forward pass does not read is left out by repeating another."""
        columns = [_columns(self.key), _columns(self.distance, 0)]
        return [
            self.content, self.position, self.key, columns[0], self.value, self.value, self.distance, columns[1],
            self.bias, self.mixed, self.normalizers,
        ]  # fmt: skip

    def of_backward(self) -> list[Tensor]:
        """In the order of the job."""
        arrays = self.of_forward()
        arrays[5] = _columns(self.value)
        return arrays


def _rows(states: Tensor, n_heads: int, n_spare: int, before: Tensor | None = None) -> Tensor:
    """[B, n, D] to [B, H, m + n + spare, d], zeros behind the end and behind d; ``before`` [B, m, D] in front."""
    B, n, D = states.shape
    d, m = D // n_heads, 0 if before is None else before.shape[1]
    filled = -(-d // LANES) * LANES
    rows = states.new_empty(B, n_heads, m + n + n_spare, filled)
    if filled > d:
        rows.zero_()
    rows[:, :, m + n :].zero_()
    rows[:, :, m : m + n, :d] = states.reshape(B, n, n_heads, d).transpose(1, 2)
    if before is not None:
        rows[:, :, :m, :d] = before.reshape(B, m, n_heads, d).transpose(1, 2)
    return rows


def _columns(rows: Tensor, n_spare: int = SPARE_COLUMNS) -> Tensor:
    """[..., n, d] to [..., d, n + spare], zeros behind the end."""
    columns = rows.new_empty(*rows.shape[:-2], rows.shape[-1], rows.shape[-2] + n_spare)
    columns[..., rows.shape[-2] :].zero_()
    columns[..., : rows.shape[-2]] = rows.transpose(-1, -2)
    return columns


def _tokens(rows: Tensor, n: int, d_model: int) -> Tensor:
    """[B, H, n + spare, d] to [B, n, D]."""
    d = d_model // rows.shape[1]
    return rows[:, :, :n, :d].transpose(1, 2).flatten(2)
