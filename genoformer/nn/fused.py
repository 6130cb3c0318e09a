"""Sliding-window attention on a processor by kernels that go from queries, keys and values to the output in one pass.

Nothing as long as the window is kept: the backward pass computes the weights again from one number for each query.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from genoformer.errors import UsageError
from genoformer.nn.fused_threads import run
from genoformer.nn.masks import TokenRoles, Window
from genoformer.nn.positions import Rotary


def fused_can_run(device: torch.device, dtype: torch.dtype, window: Window) -> bool:
    """On processors, without dropped weights."""
    known = dtype in (torch.float32, torch.float64, torch.bfloat16)
    return device.type == "cpu" and known and not window.dropout


def fused_attention(qkv: Tensor, roles: TokenRoles, window: Window, *, rotary: Rotary | None = None) -> Tensor:
    """Attention of the window queries. Float64 is computed as such, all else in float32.

    Args:
        qkv: Query, key and value, not rotated, [3, B, H, T, d_head], any strides.
        roles: Padding and global tokens.
        window: Who is in whose window.
        rotary: (cosines, sines), each [T, d_head / 2]; None = no turn.

    Returns:
        [B, H, T, d_head]; rows of padding and of global queries are zero.

    Raises:
        UsageError: If it cannot run here.
    """
    if not fused_can_run(qkv.device, qkv.dtype, window):
        message = (
            f"attention backend fused needs a processor, float32, float64 or bfloat16 and no attention_dropout in "
            f"training; found {qkv.device.type}, {qkv.dtype} and attention_dropout {window.dropout}."
        )
        raise UsageError("MODEL-021", message, where="encoder.backend", fix="Set it to auto.")
    return _FusedAttention.apply(qkv, _Settings(roles, window, rotary))


@dataclass(frozen=True, eq=False)
class _Settings:
    """All but the states."""

    roles: TokenRoles
    window: Window
    rotary: Rotary | None

    def run(self, is_backward: bool, states: list[Tensor], normalizers: Tensor) -> None:
        """Run a pass; see ``fused_threads.run``."""
        query, roles = states[0], self.roles
        B, H, T, d_head = query.shape
        silent = torch.zeros(B, T, dtype=torch.bool) if roles.silent is None else roles.silent
        positions, is_slot = roles.global_positions, roles.is_global_slot
        if positions is None:
            positions, is_slot = torch.zeros(B, 0, dtype=torch.int64), torch.zeros(B, 0, dtype=torch.bool)
        angles = [query.new_zeros(0, d_head // 2)] * 2 if self.rotary is None else self.rotary
        dilations = torch.tensor([self.window.dilations]).expand(1, H)
        matrices = [
            *(angle.to(query.dtype) for angle in angles),
            normalizers,
            ~silent,
            silent,
            is_slot,
            positions,
            dilations,
        ]
        matrices = [matrix.contiguous() for matrix in matrices]
        run(is_backward, states=states, matrices=matrices, width=d_head, radius=self.window.radius)


class _FusedAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx, qkv, settings):
        exact = _readable(qkv)
        _, B, H, T, d_head = exact.shape
        output, normalizers = exact.new_empty(B, T, H, d_head).transpose(1, 2), exact.new_empty(B * H, T)
        settings.run(False, [*exact, output], normalizers)
        ctx.save_for_backward(qkv, normalizers)
        ctx.settings = settings
        return output.to(qkv.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        qkv, normalizers = ctx.saved_tensors
        exact = _readable(qkv)
        _, B, H, T, d_head = exact.shape
        # In the order of the projections, so that their gradient needs no copy.
        total = exact.new_empty(B, T, 3, H, d_head).permute(2, 0, 3, 1, 4)
        ctx.settings.run(True, [*exact, _readable(gradient), *total], normalizers)
        return total.to(qkv.dtype), None


def _readable(states: Tensor) -> Tensor:
    """Float32 or float64, and rows without holes."""
    states = states.to(torch.promote_types(states.dtype, torch.float32))
    return states if states.stride(-1) == 1 else states.contiguous()
