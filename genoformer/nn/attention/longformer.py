"""Longformer self-attention: a sliding window around each token, and global tokens that see and are seen by all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from genoformer.nn.attention.backends import check_backend, make_window, window_queries
from genoformer.nn.attention.fused import fused_can_run, projected_attention
from genoformer.nn.attention.interface import EncoderShape, Kept
from genoformer.nn.attention.masks import TokenRoles, Window, masked_score
from genoformer.nn.attention.pieces import cut_pieces, piece_tokens
from genoformer.nn.layers.checks import check_share, frozen, is_whole
from genoformer.nn.layers.linear import Linear, as_computed
from genoformer.nn.layers.positions import Rotary

Dilation = int | tuple[int, ...]
"""Of all heads of a layer, or of each."""


@dataclass(frozen=True)
class LongformerConfig:
    """Settings of windows with global tokens.

    Args:
        window_radius: Tokens seen on each side, for all layers or one per layer. Longer than the input is legal.
        dilation: Step between the tokens of a window, for all layers or one per layer; a layer's may be a list with one
            step per head.
        dropout: Share of the attention weights that is dropped in training.
        backend: How attention is computed, see ``backends.BACKENDS``; "auto" chooses by length.
        causal: A window looks back only: ``window_radius`` tokens and the token itself. Without global tokens.

    Raises:
        ValueError: If a value is out of range; the sentence names it.
    """

    name: ClassVar[str] = "longformer"
    free: ClassVar[tuple[str, ...]] = ("backend", "window_radius", "dilation", "causal")

    window_radius: int | tuple[int, ...] = 96
    dilation: int | tuple[Dilation, ...] = 1
    dropout: float = 0.0
    backend: str = "auto"
    causal: bool = False

    def __post_init__(self) -> None:
        for name in ("window_radius", "dilation"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for radius in _values(self.window_radius):
            _check_steps("window_radius", radius)
        for dilation in _values(self.dilation):
            for step in _values(dilation):
                _check_steps("dilation", step)
        check_share("dropout of attention", self.dropout)
        check_causal(self.causal)
        check_backend(self.backend, self.dropout, self.causal)

    def check(self, encoder: EncoderShape) -> None:
        """Settings of layers and heads are as many as there are, and nothing looks ahead of a causal window.

        Raises:
            ValueError: If it is otherwise.
        """
        check_no_globals(self.causal, encoder)
        for name in ("window_radius", "dilation"):
            values = getattr(self, name)
            if isinstance(values, tuple) and len(values) != encoder.n_layers:
                raise ValueError(f"{name} names {len(values)} layers, but n_layers is {encoder.n_layers}.")
        for step in self.dilations(encoder.n_layers):
            if isinstance(step, tuple) and len(step) != encoder.n_heads:
                raise ValueError(f"dilation {list(step)} names {len(step)} heads, but n_heads is {encoder.n_heads}.")

    def radii(self, n_layers: int) -> tuple[int, ...]:
        """Window radius of each layer, tokens."""
        return _per_layer(self.window_radius, n_layers)

    def dilations(self, n_layers: int) -> tuple[Dilation, ...]:
        """Dilation of each layer, of all heads or of each."""
        return _per_layer(self.dilation, n_layers)

    def reaches(self, n_layers: int) -> tuple[int, ...]:
        """Tokens on each side that a layer's widest heads see."""
        steps = (max(_values(step)) for step in self.dilations(n_layers))
        return tuple(radius * step for radius, step in zip(self.radii(n_layers), steps, strict=True))


def build_longformer(config: LongformerConfig, encoder: EncoderShape, layer: int) -> "LongformerSelfAttention":
    """The attention of one layer, with random weights."""
    return LongformerSelfAttention(
        encoder.d_model, encoder.n_heads, window_radius=config.radii(encoder.n_layers)[layer],
        dilation=config.dilations(encoder.n_layers)[layer], has_global=encoder.n_global_tokens > 0,
        dropout=config.dropout, backend=config.backend, is_causal=config.causal,
    )  # fmt: skip


def check_causal(causal: object) -> None:
    """ValueError if the setting is neither true nor false."""
    if not isinstance(causal, bool):
        raise ValueError(f"causal must be true or false, not {causal!r}.")


def check_no_globals(causal: bool, encoder: EncoderShape) -> None:
    """ValueError if there are global tokens, which see everything, where nothing may look ahead."""
    if causal and encoder.n_global_tokens:
        raise ValueError(
            f"n_global_tokens must be 0 with causal attention, as global tokens look ahead, found "
            f"{encoder.n_global_tokens}."
        )


def _values(value: Any) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def _per_layer(value: Any, n_layers: int) -> tuple:
    return value if isinstance(value, tuple) else (value,) * n_layers


def _check_steps(name: str, value: object) -> None:
    if not is_whole(value) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}.")


class LongformerSelfAttention(nn.Module):
    """Projections, sliding-window attention with global tokens, output projection.

    Args:
        d_model: Width of the hidden states.
        n_heads: Heads; divides ``d_model``.
        window_radius: Tokens seen on each side; None = all (full attention).
        dilation: Step between the tokens of a window, for all heads or one per head.
        has_global: Make the projections of global queries.
        dropout: Share of the weights of window queries that is dropped in training.
        backend: See ``windowed_attention``.
        is_causal: A token sees none behind itself.

    Raises:
        ValueError: If a value is not legal.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        window_radius: int | None,
        dilation: int | Sequence[int] = 1,
        has_global: bool = False,
        dropout: float = 0.0,
        backend: str = "auto",
        is_causal: bool = False,
    ) -> None:
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"d_model {d_model} is not a multiple of n_heads {n_heads}.")
        self.is_full = window_radius is None
        self.window = make_window(window_radius or 1, dilation, n_heads, dropout, backend, is_causal)
        self.n_heads, self.backend = n_heads, backend
        self.query_key_value = Linear(d_model, 3 * d_model)
        self.output = Linear(d_model, d_model)
        names = ("query_global", "key_global", "value_global") if has_global else ()
        self.global_projections = nn.ModuleDict({name: nn.Linear(d_model, d_model) for name in names})
        if has_global:
            # Equal for all keys of a query, so that it cancels in the softmax and never has a gradient.
            self.global_projections["key_global"].bias.requires_grad_(False)

    def forward(
        self, hidden: Tensor, *, roles: TokenRoles | None = None, rotary: Rotary | None = None, kept: Kept = ()
    ) -> Tensor:
        """Hidden [B, T, D] to attention output [B, T, D].

        Args:
            hidden: [B, T, D].
            roles: Padding and global tokens; None = none of either.
            rotary: (cosines, sines), each [T, d_head / 2]; None = no turn.
            kept: Not looked at: a window ends with its stretch.

        Raises:
            ValueError: If there are global tokens and the layer has no projections for them.
        """
        roles, hidden = roles or TokenRoles(), as_computed(hidden)
        if roles.global_mask is not None and not self.global_projections:
            raise ValueError("there are global tokens, but the model was made with n_global_tokens 0.")
        if self._goes_in_pieces(hidden):
            return self._forward_in_pieces(hidden, roles, rotary)
        if roles.global_mask is None or self.backend == "reference":
            return self.output(self._mix(hidden, roles, rotary))
        # Before the windows, so that the backward pass has done with those when it makes more gradients of all tokens.
        rows = self._global_rows(hidden, roles)
        mixed = self._mix(hidden, roles, rotary)
        add = mixed.scatter_add_ if self._is_fused(hidden) else mixed.scatter_add
        positions, _ = roles.slots
        return self.output(add(1, positions[..., None].expand_as(rows), rows.to(mixed.dtype)))

    @property
    def reach_tokens(self) -> int | None:
        """Tokens on each side that the widest heads see; None with full attention."""
        return None if self.is_full else self._window_reach

    def keep(self, hidden: Tensor, *, roles: TokenRoles, kept: Kept) -> Kept:
        """Nothing."""
        return ()

    def projections(self) -> dict[str, nn.Linear]:
        """``query_key_value``, ``output`` and, with global tokens, those of global queries."""
        return {"query_key_value": self.query_key_value, "output": self.output, **self._of_global_queries()}

    def _of_global_queries(self) -> dict[str, nn.Linear]:
        return {name: cast(nn.Linear, layer) for name, layer in self.global_projections.items()}

    def _mix(self, hidden: Tensor, roles: TokenRoles, rotary: Rotary | None) -> Tensor:
        """Weighed values [B, T, D] of the window queries; rows of global queries are zero unless by the reference."""
        B, T, D = hidden.shape
        window, layer = self._window_of(T), self.query_key_value
        if self._is_fused(hidden):
            return projected_attention(hidden, layer.weight, layer.bias, self.n_heads, roles, window, rotary=rotary)
        qkv = layer(hidden).view(B, T, 3, self.n_heads, -1).permute(2, 0, 3, 1, 4)  # [3, B, H, T, d]
        is_reference = self.backend == "reference" and roles.global_mask is not None
        projections = self._project_all(hidden) if is_reference else None
        mixed = window_queries(qkv, roles, window, rotary, self.backend, projections)
        return mixed.transpose(1, 2).reshape(B, T, D)

    def _is_fused(self, hidden: Tensor) -> bool:
        """Whether projections and windows are one step, whose result nothing else keeps."""
        can_run = fused_can_run(hidden.device, hidden.dtype, self._window_of(hidden.shape[1]))
        return self.backend in ("auto", "fused") and can_run

    def _goes_in_pieces(self, hidden: Tensor) -> bool:
        """Long inputs without gradients go through piece by piece, so that memory hardly grows with length."""
        is_linear = not self.is_full and self.backend in ("auto", "fused", "blocked") and hidden.device.type == "cpu"
        return is_linear and not torch.is_grad_enabled() and hidden.shape[1] >= 2 * piece_tokens(self._window_reach)

    def _forward_in_pieces(self, hidden: Tensor, roles: TokenRoles, rotary: Rotary | None) -> Tensor:
        rows = self._global_rows(hidden, roles) if roles.global_mask is not None else None
        pieces = []
        for piece in cut_pieces(hidden, roles, reach=self._window_reach, n_tokens=piece_tokens(self._window_reach)):
            n_read = piece.hidden.shape[1]
            turned = None if rotary is None else (rotary[0][:n_read], rotary[1][:n_read])
            mixed = self._mix(piece.hidden, piece.roles, turned)[:, piece.kept]
            if rows is not None:
                piece.write_global_rows(mixed, rows.to(mixed.dtype), roles)
            pieces.append(self.output(mixed))
        return torch.cat(pieces, dim=1)

    @property
    def _window_reach(self) -> int:
        return self.window.radius * max(self.window.dilations)

    def _window_of(self, n_tokens: int) -> Window:
        """The window for this length and mode: weights are dropped in training only."""
        radius = n_tokens if self.is_full else self.window.radius
        dropout = self.window.dropout if self.training else 0.0
        return Window(radius, self.window.dilations, dropout, self.window.is_causal)

    def _project_all(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Global query, key and value of every token, each [B, H, T, d_head]."""
        projected = (layer(hidden) for layer in self.global_projections.values())
        return tuple(states.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for states in projected)

    def _global_rows(self, hidden: Tensor, roles: TokenRoles) -> Tensor:
        """Global queries over all tokens, [B, G, D]; empty slots are zero.

        Keys and values of all tokens are never made: ``q (W_k x) = (W_k^T q) x``, and the bias of the keys, which is
        the same for every token, cancels in the softmax; likewise ``sum p (W_v x) = W_v (sum p x)``.
        """
        positions, is_slot = roles.slots
        global_hidden = hidden.gather(1, positions[..., None].expand(-1, -1, hidden.shape[2]))
        B, G, D = global_hidden.shape
        query_layer, key_layer, value_layer = self._of_global_queries().values()
        query = query_layer(global_hidden).view(B, G, self.n_heads, -1)
        key_weight = key_layer.weight.view(self.n_heads, -1, D)
        absorbed = torch.einsum("bghd,hde->bhge", query * query.shape[-1] ** -0.5, key_weight.to(query.dtype))
        # In this order neither product copies the hidden states to turn them.
        scores = (hidden.to(absorbed.dtype) @ absorbed.flatten(1, 2).transpose(1, 2)).transpose(1, 2)  # [B, H * G, T]
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
        if roles.valid_mask is not None:
            scores = scores.masked_fill(~roles.valid_mask[:, None], masked_score(scores.dtype))
        averages = scores.softmax(-1).to(absorbed.dtype) @ hidden.to(absorbed.dtype)  # [B, H * G, D]
        value_weight = value_layer.weight.view(self.n_heads, -1, D).to(averages.dtype)
        rows = torch.einsum("bhge,hde->bghd", averages.view(B, self.n_heads, G, D), value_weight)
        rows = rows.flatten(2) + value_layer.bias.to(rows.dtype)
        return rows.masked_fill(~is_slot[..., None], 0.0)
