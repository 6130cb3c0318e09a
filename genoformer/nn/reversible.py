"""Reversible residual layers: the backward pass computes what a layer read from what it gave, so nothing of it is kept.

Two streams begin as the same embeddings. In each layer the attention of the second is added to the first, then the
feed-forward of the first to the second: either can be taken away again.

Reference:
    Gomez et al. 2017, arXiv:1707.04585; Kitaev et al. 2020, arXiv:2001.04451, section 3.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from genoformer.nn.attention.interface import ReversibleAttention
from genoformer.nn.attention.masks import TokenRoles
from genoformer.nn.layers.linear import FixedLinear, Linear
from genoformer.nn.layers.positions import Rotary

TOKENS_AT_A_TIME = 1024
"""Tokens whose feed-forward is computed together: its wide states stay in the cache, and are never all there."""
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"gelu": F.gelu, "relu": F.relu}

Streams = tuple[Tensor, Tensor]


class ReversibleLayer(nn.Module):
    """Attention and feed-forward of a Reformer, each a branch from one stream to the other.

    Args:
        attention: The attention module.
        d_model: Width of a stream.
        d_ff: Width of the feed-forward layer.
        dropout: Probability on both branches.
        norm_eps: Added to the variance in both norms.
        activation: Key of ``ACTIVATIONS``.
    """

    def __init__(
        self,
        attention: ReversibleAttention,
        *,
        d_model: int,
        d_ff: int,
        dropout: float,
        norm_eps: float,
        activation: str,
    ) -> None:
        super().__init__()
        self.attention, self.activation = attention, activation
        self.attention_norm, self.feed_forward_norm = (nn.LayerNorm(d_model, eps=norm_eps) for _ in range(2))
        self.widen, self.narrow = Linear(d_model, d_ff), Linear(d_ff, d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, first: Tensor, second: Tensor, roles: TokenRoles, rotary: Rotary | None) -> Streams:
        """Both streams [B, T, D] to both; autograd keeps what any layer keeps."""
        first = first + self.attend(second, roles, rotary)[0]
        return first, second + self.feed_forward(first)

    def attend(
        self, second: Tensor, roles: TokenRoles, rotary: Rotary | None, order: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """What attention adds to the first stream, and the order that it was computed in."""
        output, order = self.attention.attend(self.attention_norm(second), roles=roles, rotary=rotary, order=order)
        return self.dropout(output), order

    def feed_forward(self, first: Tensor) -> Tensor:
        """What the feed-forward adds to the second stream [B, T, D], some tokens at a time."""
        return torch.cat([self.feed_forward_of(rows) for rows in _pieces(first)]).view(first.shape)

    def feed_forward_of(self, rows: Tensor) -> Tensor:
        """The same of some tokens, [N, D]."""
        states = self.feed_forward_norm(rows)
        if torch.is_grad_enabled() or rows.device.type != "cpu":
            return self.dropout(self.narrow(ACTIVATIONS[self.activation](self.widen(states))))
        widen, narrow = FixedLinear(self.widen), FixedLinear(self.narrow)
        wide = widen.gelu(states) if self.activation == "gelu" else F.relu(widen(states))
        return self.dropout(narrow(wide))

    @property
    def is_random(self) -> bool:
        """Whether a second pass needs the random numbers of the first."""
        return self.training and self.dropout.p > 0


def _pieces(stream: Tensor) -> tuple[Tensor, ...]:
    return stream.reshape(-1, stream.shape[-1]).split(TOKENS_AT_A_TIME)


def read_reversibly(
    layers: Sequence[ReversibleLayer], hidden: Tensor, *, roles: TokenRoles, rotary: Rotary | None
) -> Streams:
    """Embeddings through all layers. Memory for the backward pass hardly grows with their number.

    It keeps both streams behind the last layer and, for each layer, the order of the tokens.

    Args:
        layers: The layers.
        hidden: Embeddings [B, T, D], the beginning of both streams.
        roles: Padding.
        rotary: (cosines, sines), or None.

    Returns:
        Both streams, each [B, T, D].
    """
    parameters = [weight for layer in layers for weight in layer.parameters()]
    return _Reversible.apply(hidden, _Course(tuple(layers), roles, rotary), *parameters)


@dataclass(frozen=True, eq=False)
class _Course:
    """Layers, and what all of them are given."""

    layers: tuple[ReversibleLayer, ...]
    roles: TokenRoles
    rotary: Rotary | None


@dataclass(frozen=True, eq=False)
class _Passed:
    """What the backward pass must know of a layer beside its weights."""

    order: Tensor
    before_attention: "_RandomState"
    before_feed_forward: "_RandomState"


class _RandomState:
    """Torch's generators as they were; nothing where no random numbers are drawn."""

    def __init__(self, layer: ReversibleLayer, device: torch.device) -> None:
        self.devices = [device] if layer.is_random and device.type == "cuda" else []
        self.on_cpu = torch.get_rng_state() if layer.is_random else None
        self.on_devices = [torch.cuda.get_rng_state(one) for one in self.devices]

    @contextmanager
    def again(self) -> Iterator[None]:
        """Draw the same numbers, then go on as if nothing had been drawn."""
        if self.on_cpu is None:
            yield
            return
        with torch.random.fork_rng(self.devices):
            torch.set_rng_state(self.on_cpu)
            for device, state in zip(self.devices, self.on_devices, strict=True):
                torch.cuda.set_rng_state(state, device)
            yield


class _Reversible(torch.autograd.Function):
    @staticmethod
    def forward(ctx, hidden, course, *parameters):
        first, second, passed = hidden.clone(), hidden.clone(), []
        for layer in course.layers:
            before_attention = _RandomState(layer, hidden.device)
            branch, order = layer.attend(second, course.roles, course.rotary)
            first += branch
            before_feed_forward = _RandomState(layer, hidden.device)
            for target, rows in zip(_pieces(second), _pieces(first), strict=True):
                target += layer.feed_forward_of(rows)
            passed.append(_Passed(order, before_attention, before_feed_forward))
        ctx.save_for_backward(first, second)
        ctx.course, ctx.passed, ctx.autocast = course, passed, _autocast_of(hidden.device)
        return first, second

    @staticmethod
    @once_differentiable
    def backward(ctx, of_first, of_second):
        first, second = (stream.clone() for stream in ctx.saved_tensors)
        # Gradients of the caller are not ours to change.
        slopes = _Slopes(first, second, of_first.clone(), of_second.clone())
        found: list[Tensor | None] = []
        with ctx.autocast():
            for layer, passed in zip(reversed(ctx.course.layers), reversed(ctx.passed), strict=True):
                found = [*slopes.go_back(layer, passed, ctx.course), *found]
        return (slopes.of_first + slopes.of_second, None, *found)


def _autocast_of(device: torch.device) -> Callable[[], Any]:
    """The number format of the forward pass, for the backward pass."""
    if not torch.is_autocast_enabled(device.type):
        return nullcontext
    dtype = torch.get_autocast_dtype(device.type)
    return lambda: torch.autocast(device.type, dtype)


class _Slopes:
    """Both streams at some depth and their gradients, on the way down; changed in place.

    Args:
        first: [B, T, D].
        second: Likewise.
        of_first: Gradient of ``first``.
        of_second: Likewise.
    """

    def __init__(self, first: Tensor, second: Tensor, of_first: Tensor, of_second: Tensor) -> None:
        self.first, self.second, self.of_first, self.of_second = first, second, of_first, of_second

    def go_back(self, layer: ReversibleLayer, passed: _Passed, course: _Course) -> list[Tensor | None]:
        """From behind a layer to before it.

        Returns:
            Gradients of the parameters of the layer, in their order; None for those that are frozen.
        """
        totals = _Totals(layer.parameters())
        with passed.before_feed_forward.again():
            parts = (_pieces(s) for s in (self.first, self.second, self.of_first, self.of_second))
            for rows, target, of_rows, gradient in zip(*parts, strict=True):
                branch, slope = totals.back(layer.feed_forward_of, rows, gradient)
                target -= branch
                of_rows += slope
        with passed.before_attention.again():
            branch, slope = totals.back(
                lambda second: layer.attend(second, course.roles, course.rotary, passed.order)[0],
                self.second, self.of_first,
            )  # fmt: skip
            self.first -= branch
            self.of_second += slope
        return totals.gradients


class _Totals:
    """Sums of gradients of the parameters of a layer."""

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        self.parameters = list(parameters)
        self.gradients: list[Tensor | None] = [None] * len(self.parameters)

    def back(self, branch: Callable[[Tensor], Tensor], states: Tensor, gradient: Tensor) -> Streams:
        """The branch of states once more, and the gradient of the states; those of parameters are added."""
        with torch.enable_grad():
            states = states.detach().requires_grad_()
            output = branch(states)
        trained = [i for i, weight in enumerate(self.parameters) if weight.requires_grad]
        slope, *found = torch.autograd.grad(
            output, (states, *(self.parameters[i] for i in trained)), gradient.to(output.dtype), allow_unused=True
        )
        for i, of_weight in zip(trained, found, strict=True):
            before = self.gradients[i]
            if of_weight is not None:
                self.gradients[i] = of_weight if before is None else before.add_(of_weight)
        return output.detach(), slope
