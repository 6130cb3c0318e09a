"""Linear layers whose products oneDNN computes on processors.

Torch multiplies float32 matrices by MKL, which uses half of the vector width of processors that Intel did not make:
oneDNN was twice as fast on an AMD EPYC, and both are as fast on an Intel Xeon. Both add in float32; results differ in
the last bits. Products of bfloat16 are oneDNN's in torch as well, but with a pass over the result before them for the
bias and one behind them for the GELU.
"""

import functools
import platform
from typing import TypeVar

import llvmlite.binding
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
AMD = ("znver", "bdver", "btver", "amdfam", "barcelona", "k8")
"""How LLVM's names of processors of AMD begin."""

MaybeTensor = TypeVar("MaybeTensor", Tensor, Tensor | None)


class Linear(nn.Linear):
    """``nn.Linear``, with the same parameters and the same meaning."""

    def forward(self, states: Tensor) -> Tensor:
        """States [..., D] to [..., E]."""
        states, weight, bias = as_computed(states), as_computed(self.weight), as_computed(self.bias)
        if not takes_onednn(states, weight):
            return F.linear(states, weight, bias)
        return _Linear.apply(states, weight, bias) if torch.is_grad_enabled() else _product(states, weight, bias)


class FixedLinear:
    """A linear layer without gradients, for many calls: its weights are converted once.

    Args:
        layer: Its weights must not change meanwhile.
    """

    def __init__(self, layer: Linear) -> None:
        self.weight, self.bias = as_computed(layer.weight), as_computed(layer.bias)
        self.dtype = self.weight.dtype

    def __call__(self, states: Tensor) -> Tensor:
        """States [..., D] to [..., E]."""
        return project(states.to(self.weight.dtype), self.weight, self.bias)

    def gelu(self, states: Tensor) -> Tensor:
        """``gelu`` of the result: in float32 by the product itself, in bfloat16 behind it, which oneDNN does slower."""
        states = states.to(self.weight.dtype)
        if self.weight.dtype == torch.float32 and takes_onednn(states, self.weight):
            return _product(states, self.weight, self.bias, "gelu")
        return F.gelu(project(states, self.weight, self.bias))


def as_computed(tensor: MaybeTensor) -> MaybeTensor:
    """In the type that autocast asks for on a processor; float64 stays, and so does a bias that is None."""
    if tensor is None or not torch.is_autocast_enabled("cpu"):
        return tensor
    if tensor.device.type != "cpu" or tensor.dtype == torch.float64:
        return tensor
    return tensor.to(torch.get_autocast_dtype("cpu"))


def takes_onednn(states: Tensor, weight: Tensor) -> bool:
    """Float32 on an x86 processor, and bfloat16 on one that multiplies it."""
    is_on_processor = HAS_ONEDNN and states.device.type == "cpu" and states.dtype == weight.dtype
    is_known = states.dtype == torch.float32 or (states.dtype == torch.bfloat16 and _multiplies_bfloat16())
    return is_on_processor and is_known and states.dim() > 1 and states.numel() > 0


@functools.cache
def _multiplies_bfloat16() -> bool:
    return torch.ops.mkldnn._is_mkldnn_bf16_supported()


@functools.cache
def _torch_is_slow() -> bool:
    """Whether this is a processor for which MKL, which torch multiplies float32 by, uses half of the vector width."""
    return llvmlite.binding.get_host_cpu_name().startswith(AMD)


def project(states: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``states @ weight.T + bias``, [..., D] to [..., E], of one dtype and without a gradient."""
    if takes_onednn(states, weight):
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
        weight_gradient(rows, inputs) if needs[1] else None,
        rows.sum(0) if needs[2] else None,
    )


def weight_gradient(rows: Tensor, inputs: Tensor) -> Tensor:
    """``rows.T @ inputs``, of [n, E] and [n, D], without a gradient.

    Torch reads rows by columns without copying them. Where its products are slow oneDNN does it, which copies the first
    factor: the narrower one, a stretch at a time.
    """
    if rows.dtype != torch.float32 or not takes_onednn(rows, inputs) or not _torch_is_slow():
        with torch.autocast(rows.device.type, enabled=False):
            return rows.t() @ inputs
    is_turned = rows.shape[1] > inputs.shape[1]
    factors = (inputs, rows) if is_turned else (rows, inputs)
    stretches = zip(*(factor.split(ROWS_AT_A_TIME) for factor in factors), strict=True)
    first, second = next(stretches)
    total = _product(first.t(), second.t())
    for first, second in stretches:
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
