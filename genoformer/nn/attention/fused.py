"""Sliding-window attention on a processor by kernels that go from queries, keys and values to the output in one pass.

Nothing as long as the window is kept: the backward pass computes the weights again from one number for each query.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from genoformer.nn.attention.kernels.threads import run
from genoformer.nn.attention.masks import TokenRoles, Window
from genoformer.nn.layers.linear import as_computed, project, project_back
from genoformer.nn.layers.positions import Rotary
from genoformer.nn.layers.refusals import BackendError


def fused_can_run(device: torch.device, dtype: torch.dtype, window: Window) -> bool:
    """On processors, without dropped weights."""
    known = dtype in (torch.float32, torch.float64, torch.bfloat16)
    return device.type == "cpu" and known and not window.dropout


def fused_attention(qkv: Tensor, roles: TokenRoles, window: Window, *, rotary: Rotary | None = None) -> Tensor:
    """Attention of the window queries. Float64 is computed as such, bfloat16 in float32.

    Args:
        qkv: Query, key and value, not rotated, [3, B, H, T, d_head], any strides.
        roles: Padding and global tokens.
        window: Who is in whose window.
        rotary: (cosines, sines), each [T, d_head / 2]; None = no turn.

    Returns:
        [B, H, T, d_head]; rows of padding and of global queries are zero.

    Raises:
        BackendError: If it cannot run here.
    """
    _check_can_run(qkv, window)
    return _FusedAttention.apply(qkv, _Settings(roles, window, rotary))


def projected_attention(
    hidden: Tensor, weight: Tensor, bias: Tensor, n_heads: int, roles: TokenRoles, window: Window, *,
    rotary: Rotary | None = None,
) -> Tensor:  # fmt: skip
    """Attention of the window queries of hidden states: projections and ``fused_attention`` in one.

    In the backward pass the gradients of queries, keys and values take the place of queries, keys and values.

    Args:
        hidden: [B, T, D].
        weight: Of the projections to query, key and value, [3 D, D].
        bias: [3 D].
        n_heads: H.
        roles: Padding and global tokens.
        window: Who is in whose window.
        rotary: (cosines, sines), each [T, d_head / 2]; None = no turn.

    Returns:
        [B, T, D], heads side by side; rows of padding and of global queries are zero.

    Raises:
        BackendError: If it cannot run here.
    """
    hidden, weight, bias = as_computed(hidden), as_computed(weight), as_computed(bias)
    _check_can_run(hidden, window)
    return _ProjectedAttention.apply(hidden, weight, bias, n_heads, _Settings(roles, window, rotary))


def _check_can_run(states: Tensor, window: Window) -> None:
    if not fused_can_run(states.device, states.dtype, window):
        message = (
            f"attention backend fused needs a processor, float32, float64 or bfloat16 and no dropout of attention in "
            f"training; found {states.device.type}, {states.dtype} and dropout {window.dropout}."
        )
        raise BackendError(message)


@dataclass(frozen=True, eq=False)
class _Settings:
    """All but the states."""

    roles: TokenRoles
    window: Window
    rotary: Rotary | None

    def run(self, is_backward: bool, states: list[Tensor], normalizers: Tensor) -> None:
        """Run a pass; see ``kernels.threads.run``."""
        cosines, sines, *masks = self._matrices(states[0], normalizers.dtype)
        run(
            is_backward, states=states, matrices=[cosines, sines, normalizers, *masks], width=states[0].shape[-1],
            radius=self.window.radius, is_causal=self.window.is_causal,
        )  # fmt: skip

    def _matrices(self, query: Tensor, dtype: torch.dtype) -> list[Tensor]:
        """All but the normalizers, as kernels read them; made once for all layers with the same window."""
        roles, name = self.roles, ("fused", self.window, query.shape, dtype)
        if name in roles.memory and roles.memory[name][0] is self.rotary:
            return roles.memory[name][1]
        B, H, T, d_head = query.shape
        silent = torch.zeros(B, T, dtype=torch.bool) if roles.silent is None else roles.silent
        if roles.global_positions is None:
            positions, is_slot = torch.zeros(B, 0, dtype=torch.int64), torch.zeros(B, 0, dtype=torch.bool)
        else:
            positions, is_slot = roles.slots
        angles = [query.new_zeros(0, d_head // 2)] * 2 if self.rotary is None else self.rotary
        dilations = torch.tensor([self.window.dilations]).expand(1, H)
        matrices = [*(angle.to(dtype) for angle in angles), ~silent, silent, is_slot, positions, dilations]
        matrices = [matrix.contiguous() for matrix in matrices]
        roles.memory[name] = (self.rotary, matrices)
        return matrices


class _FusedAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx, qkv, settings):
        output, normalizers = _attend(qkv, settings)
        ctx.save_for_backward(qkv, normalizers)
        ctx.settings = settings
        return output.unflatten(-1, (qkv.shape[2], -1)).transpose(1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        qkv, normalizers = ctx.saved_tensors
        _, B, H, T, d_head = qkv.shape
        # In the order of the projections, so that their gradient needs no copy.
        total = qkv.new_empty(B, T, 3, H, d_head).permute(2, 0, 3, 1, 4)
        _attend_back(qkv, gradient, total, ctx.settings, normalizers)
        return total, None


class _ProjectedAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx, hidden, weight, bias, n_heads, settings):
        projected = project(hidden, weight, bias)
        output, normalizers = _attend(_by_heads(projected, n_heads), settings)
        ctx.save_for_backward(hidden, weight, bias, projected, normalizers)
        ctx.settings, ctx.n_heads, ctx.is_spent = settings, n_heads, False
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        hidden, weight, bias, projected, normalizers = ctx.saved_tensors
        if ctx.is_spent:  # a retained graph: gradients lie where the states were
            projected = project(hidden, weight, bias)
        ctx.is_spent = True
        qkv, gradient = _by_heads(projected, ctx.n_heads), gradient.unflatten(-1, (ctx.n_heads, -1)).transpose(1, 2)
        _attend_back(qkv, gradient, qkv, ctx.settings, normalizers)
        return *project_back(projected, hidden, weight, ctx.needs_input_grad[:3]), None, None


def _by_heads(projected: Tensor, n_heads: int) -> Tensor:
    """[B, T, 3 D] as query, key and value, a view [3, B, H, T, d_head]."""
    return projected.unflatten(-1, (3, n_heads, -1)).permute(2, 0, 3, 1, 4)


def _attend(qkv: Tensor, settings: _Settings) -> tuple[Tensor, Tensor]:
    """Output [B, T, D] and normalizers [B * H, T]."""
    _, B, H, T, d_head = qkv.shape
    output = qkv.new_empty(B, T, H * d_head)
    normalizers = qkv.new_empty(B * H, T, dtype=torch.promote_types(qkv.dtype, torch.float32))
    settings.run(False, [*_readable(qkv), output.view(B, T, H, d_head).transpose(1, 2)], normalizers)
    return output, normalizers


def _attend_back(qkv: Tensor, gradient: Tensor, total: Tensor, settings: _Settings, normalizers: Tensor) -> None:
    """Write the gradient of ``qkv`` to ``total``, which may be ``qkv``: rows are read before they are written."""
    settings.run(True, [*_readable(qkv), _readable(gradient), *total], normalizers)


def _readable(states: Tensor) -> Tensor:
    """Rows without holes."""
    return states if states.stride(-1) == 1 else states.contiguous()
