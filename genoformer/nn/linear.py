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
ROWS_AT_A_TIME = 1024
"""Of the long side of a weight's gradient: what oneDNN copies of them stays in the cache."""


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
    return _is_for_onednn(states, weight) and not torch.is_autocast_enabled("cpu")


def _is_for_onednn(states: Tensor, weight: Tensor) -> bool:
    is_float = states.dtype == weight.dtype == torch.float32 and states.device.type == "cpu"
    return HAS_ONEDNN and is_float and states.dim() > 1 and states.numel() > 0


def project(states: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``states @ weight.T + bias``, [..., D] to [..., E], of one dtype and without a gradient."""
    if _is_for_onednn(states, weight):
        return _product(states, weight, bias)
    with torch.autocast(states.device.type, enabled=False):
        return F.linear(states, weight, bias)


def project_back(
    gradient: Tensor, states: Tensor, weight: Tensor, needs: tuple[bool, bool, bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Gradients of ``project``.

    Args:
        gradient: Of the result, [..., E].
        states: As given to ``project``.
        weight: Likewise.
        needs: Whether those of states, weight and bias are wanted; others are None.
    """
    rows, inputs = gradient.flatten(0, -2), states.flatten(0, -2)
    return (
        project(gradient, weight.t(), None) if needs[0] else None,
        _weight_gradient(rows, inputs) if needs[1] else None,
        rows.sum(0) if needs[2] else None,
    )


def _weight_gradient(rows: Tensor, inputs: Tensor) -> Tensor:
    """``rows.T @ inputs``. oneDNN copies the first factor, so that is the narrower one, a stretch at a time."""
    if not _is_for_onednn(rows, inputs):
        return project(rows.t(), inputs.t(), None)
    is_turned = rows.shape[1] > inputs.shape[1]
    factors = (inputs, rows) if is_turned else (rows, inputs)
    total = None
    for first, second in zip(*(factor.split(ROWS_AT_A_TIME) for factor in factors), strict=True):
        if total is None:
            total = _product(first.t(), second.t())
        else:
            total = torch.ops.mkldnn._linear_pointwise.binary(first.t(), total, second.t(), None, "add")
    return total.t() if is_turned else total


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
        return project_back(gradient, *ctx.saved_tensors, ctx.needs_input_grad)
