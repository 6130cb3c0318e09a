"""Longformer self-attention: a sliding window around each token, and global tokens that see and are seen by all."""

import torch
from torch import Tensor, nn

from genoformer.nn.masks import TokenRoles, masked_score, token_roles
from genoformer.nn.reference import reference_attention
from genoformer.nn.windowed import Rotary, fast_attention

BACKENDS = ("auto", "reference", "blocked", "sdpa")


def windowed_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    window_radius: int,
    dilation: int = 1,
    valid_mask: Tensor | None = None,
    global_mask: Tensor | None = None,
    rotary: Rotary | None = None,
    backend: str = "auto",
) -> Tensor:
    """Attention of the window queries; ``reference.reference_attention`` defines it.

    Args:
        query: [B, H, T, d_head], not rotated.
        key: Like ``query``.
        value: Like ``query``.
        window_radius: Tokens seen on each side; longer than the input is legal.
        dilation: Step between the tokens of a window.
        valid_mask: bool [B, T], True = real; None = all.
        global_mask: bool [B, T], True = global; None = none.
        rotary: (cosines, sines), each [T, d_head / 2]; None = no turn.
        backend: "blocked" (linear in T), "sdpa" (dense), "reference", or "auto".

    Returns:
        [B, H, T, d_head]; rows of padding and of global queries are zero.

    Raises:
        ValueError: If ``window_radius``, ``dilation`` or ``backend`` is not legal.
    """
    check_window(window_radius, dilation, backend)
    roles = token_roles(valid_mask, global_mask)
    return _window_queries(query, key, value, roles, window_radius, dilation, rotary, backend)


def check_window(window_radius: int, dilation: int, backend: str) -> None:
    """Raises:
    ValueError: If ``window_radius`` or ``dilation`` is below 1, or ``backend`` is unknown.
    """
    if window_radius < 1:
        raise ValueError(f"window_radius must be at least 1, not {window_radius}.")
    if dilation < 1:
        raise ValueError(f"dilation must be at least 1, not {dilation}.")
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, not {backend!r}.")


def _window_queries(query, key, value, roles: TokenRoles, radius, dilation, rotary, backend) -> Tensor:
    if backend == "reference":
        return reference_attention(
            query, key, value, window_radius=radius, dilation=dilation, valid_mask=roles.valid_mask,
            global_mask=roles.global_mask, rotary=rotary,
        )  # fmt: skip
    return fast_attention(
        query, key, value, roles, window_radius=radius, dilation=dilation, rotary=rotary, backend=backend
    )


class LongformerSelfAttention(nn.Module):
    """Projections, sliding-window attention with global tokens, output projection.

    Args:
        d_model: Width of the hidden states.
        n_heads: Heads; divides ``d_model``.
        window_radius: Tokens seen on each side; None = all (full attention).
        dilation: Step between the tokens of a window.
        has_global: Make the projections of global queries.
        backend: See ``windowed_attention``.

    Raises:
        ValueError: If a value is not legal.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        window_radius: int | None,
        dilation: int = 1,
        has_global: bool = False,
        backend: str = "auto",
    ) -> None:
        super().__init__()
        check_window(1 if window_radius is None else window_radius, dilation, backend)
        if d_model % n_heads:
            raise ValueError(f"d_model {d_model} is not a multiple of n_heads {n_heads}.")
        self.n_heads, self.window_radius, self.dilation, self.backend = n_heads, window_radius, dilation, backend
        self.query_key_value = nn.Linear(d_model, 3 * d_model)
        self.output = nn.Linear(d_model, d_model)
        names = ("query_global", "key_global", "value_global") if has_global else ()
        self.global_projections = nn.ModuleDict({name: nn.Linear(d_model, d_model) for name in names})
        if has_global:
            # Equal for all keys of a query, so that it cancels in the softmax and never has a gradient.
            self.global_projections["key_global"].bias.requires_grad_(False)

    def forward(self, hidden: Tensor, *, roles: TokenRoles | None = None, rotary: Rotary | None = None) -> Tensor:
        """Hidden [B, T, D] to attention output [B, T, D].

        Args:
            hidden: [B, T, D].
            roles: Padding and global tokens; None = none of either.
            rotary: (cosines, sines), each [T, d_head / 2]; None = no turn.

        Raises:
            ValueError: If there are global tokens and the layer has no projections for them.
        """
        B, T, D = hidden.shape
        roles = roles or TokenRoles()
        if roles.global_mask is not None and not self.global_projections:
            raise ValueError("there are global tokens, but the model was made with n_global_tokens 0.")
        radius = T if self.window_radius is None else self.window_radius
        heads = self.query_key_value(hidden).view(B, T, 3, self.n_heads, -1)
        query, key, value = (states.transpose(1, 2) for states in heads.unbind(2))  # [B, H, T, d_head]
        if self.backend == "reference" and roles.global_mask is not None:
            mixed = reference_attention(
                query, key, value, window_radius=radius, dilation=self.dilation, valid_mask=roles.valid_mask,
                global_mask=roles.global_mask, rotary=rotary, global_projections=self._project_all(hidden),
            ).transpose(1, 2).reshape(B, T, D)  # fmt: skip
            return self.output(mixed)
        mixed = _window_queries(query, key, value, roles, radius, self.dilation, rotary, self.backend)
        mixed = mixed.transpose(1, 2).reshape(B, T, D)
        if roles.global_mask is not None:
            mixed = self._write_global_rows(mixed, hidden, roles)
        return self.output(mixed)

    def _project_all(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Global query, key and value of every token, each [B, H, T, d_head]."""
        projected = (layer(hidden) for layer in self.global_projections.values())
        return tuple(states.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for states in projected)

    def _write_global_rows(self, mixed: Tensor, hidden: Tensor, roles: TokenRoles) -> Tensor:
        """Add the rows of the global queries, which are zero in ``mixed`` [B, T, D]."""
        positions = roles.global_positions[..., None].expand(-1, -1, hidden.shape[2])
        rows = self._global_rows(hidden, hidden.gather(1, positions), roles)
        rows = rows.masked_fill(~roles.is_global_slot[..., None], 0.0)
        return mixed.scatter_add(1, positions, rows.to(mixed.dtype))

    def _global_rows(self, hidden: Tensor, global_hidden: Tensor, roles: TokenRoles) -> Tensor:
        """Global queries over all tokens, [B, G, D].

        Keys and values of all tokens are never made: ``q (W_k x) = (W_k^T q) x``, and the bias of the keys, which is
        the same for every token, cancels in the softmax; likewise ``sum p (W_v x) = W_v (sum p x)``.
        """
        B, G, D = global_hidden.shape
        query_layer, key_layer, value_layer = self.global_projections.values()
        query = query_layer(global_hidden).view(B, G, self.n_heads, -1)
        key_weight = key_layer.weight.view(self.n_heads, -1, D)
        absorbed = torch.einsum("bghd,hde->bhge", query * query.shape[-1] ** -0.5, key_weight.to(query.dtype))
        scores = absorbed.flatten(1, 2) @ hidden.transpose(1, 2).to(absorbed.dtype)  # [B, H * G, T]
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
        if roles.valid_mask is not None:
            scores = scores.masked_fill(~roles.valid_mask[:, None], masked_score(scores.dtype))
        averages = scores.softmax(-1).to(absorbed.dtype) @ hidden.to(absorbed.dtype)  # [B, H * G, D]
        value_weight = value_layer.weight.view(self.n_heads, -1, D).to(averages.dtype)
        rows = torch.einsum("bhge,hde->bghd", averages.view(B, self.n_heads, G, D), value_weight)
        return rows.flatten(2) + value_layer.bias.to(rows.dtype)
