"""Linear layers whose float32 products oneDNN computes on the processors where the default library is slow.

Torch multiplies float32 matrices by MKL, which uses half of the vector width of processors that Intel did not make:
oneDNN was twice as fast on an AMD EPYC. Both add in float32; results differ in the last bits.
"""

import platform

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

HAS_ONEDNN = (
    platform.machine() in ("x86_64", "AMD64")
    and torch.backends.mkldnn.is_available()
    and hasattr(torch.ops.mkldnn, "_linear_pointwise")
)


class Linear(nn.Linear):
    """``nn.Linear``, with the same parameters and the same meaning."""

    def forward(self, states: Tensor) -> Tensor:
        """States [..., D] to [..., E]."""
        weight, bias = self.weight, self.bias
        if not takes_onednn(states, weight):
            return F.linear(states, weight, bias)
        return _Linear.apply(states, weight, bias) if torch.is_grad_enabled() else _product(states, weight, bias)


def linear_gelu(layer: Linear, states: Tensor) -> Tensor:
    """``gelu(layer(states))``, without a gradient in one pass over the result."""
    if torch.is_grad_enabled() or not takes_onednn(states, layer.weight):
        return F.gelu(layer(states))
    return _product(states, layer.weight, layer.bias, "gelu")


def takes_onednn(states: Tensor, weight: Tensor) -> bool:
    """Float32 on an x86 processor; autocast has its own rules, and its products are oneDNN's already."""
    is_float = states.dtype == weight.dtype == torch.float32 and states.device.type == "cpu"
    is_matrix = states.dim() > 1 and states.numel() > 0
    return HAS_ONEDNN and is_float and is_matrix and not torch.is_autocast_enabled("cpu")


def _product(states: Tensor, weight: Tensor, bias: Tensor | None = None, after: str = "none") -> Tensor:
    """``after(states @ weight.T + bias)``; the weight may have any strides."""
    return torch.ops.mkldnn._linear_pointwise(states, weight, bias, after, [], "none")


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, states, weight, bias):
        ctx.save_for_backward(states, weight)
        return _product(states, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        states, weight = ctx.saved_tensors
        needs_states, needs_weight, needs_bias = ctx.needs_input_grad
        rows = gradient.flatten(0, -2)
        return (
            _product(gradient, weight.t()) if needs_states else None,
            _product(rows.t(), states.flatten(0, -2).t()) if needs_weight else None,
            rows.sum(0) if needs_bias else None,
        )
