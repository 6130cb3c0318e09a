"""Attention through windows with global keys, by the slow definition or in one of the fast ways, chosen by name."""

from collections.abc import Sequence

import torch
from torch import Tensor

from genoformer.nn.attention.masks import TokenRoles, Window, token_roles
from genoformer.nn.attention.reference import reference_attention
from genoformer.nn.attention.windowed import fast_attention
from genoformer.nn.layers.checks import check_share
from genoformer.nn.layers.positions import Rotary

BACKENDS = ("auto", "reference", "fused", "blocked", "flex", "sdpa")
"""How windows may be computed: as ``fastest_backend`` chooses, by the slow definition, or in one of the fast ways."""
WITHOUT_DROPOUT = ("flex", "fused")
WITHOUT_CAUSAL = ("flex",)


def check_backend(backend: str, dropout: float = 0.0, is_causal: bool = False) -> None:
    """Whether there is such a way, and whether it can drop weights, or look back only, where it shall.

    Raises:
        ValueError: If not.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, not {backend!r}.")
    if backend in WITHOUT_DROPOUT and dropout:
        raise ValueError(
            f"backend {backend} cannot drop attention weights: set the dropout of attention to 0 or backend to auto."
        )
    if backend in WITHOUT_CAUSAL and is_causal:
        raise ValueError(f"backend {backend} cannot be causal: set causal to false or backend to auto.")


def windowed_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    window_radius: int,
    dilation: int | Sequence[int] = 1,
    valid_mask: Tensor | None = None,
    global_mask: Tensor | None = None,
    rotary: Rotary | None = None,
    dropout: float = 0.0,
    backend: str = "auto",
    is_causal: bool = False,
) -> Tensor:
    """Attention of the window queries; ``reference.reference_attention`` defines it.

    Args:
        query: [B, H, T, d_head], not rotated.
        key: Like ``query``.
        value: Like ``query``.
        window_radius: Tokens seen on each side; longer than the input is legal.
        dilation: Step between the tokens of a window, for all heads or one per head.
        valid_mask: bool [B, T], True = real; None = all.
        global_mask: bool [B, T], True = global; None = none.
        rotary: (cosines, sines), each [T, d_head / 2]; None = no turn.
        dropout: Share of the weights that is dropped; which ones depends on torch's seed and the backend.
        backend: "fused" (linear in T, processors), "blocked" (linear in T), "flex" (linear in T, NVIDIA GPUs), "sdpa"
            (dense), "reference", or "auto".
        is_causal: A token sees none behind itself.

    Returns:
        [B, H, T, d_head]; rows of padding and of global queries are zero.

    Raises:
        ValueError: If ``window_radius``, ``dilation``, ``dropout`` or ``backend`` is not legal.
        BackendError: If ``backend`` is "flex" or "fused" and cannot run here.
    """
    window = make_window(window_radius, dilation, query.shape[1], dropout, backend, is_causal)
    roles = token_roles(valid_mask, global_mask)
    return window_queries(torch.stack((query, key, value)), roles, window, rotary, backend)


def make_window(
    radius: int, dilation: int | Sequence[int], n_heads: int, dropout: float, backend: str, is_causal: bool = False
) -> Window:
    """The window of a layer.

    Raises:
        ValueError: If a value is not legal.
    """
    dilations = (dilation,) if isinstance(dilation, int) else tuple(dilation)
    if radius < 1:
        raise ValueError(f"window_radius must be at least 1, not {radius}.")
    if min(dilations, default=0) < 1 or len(dilations) not in (1, n_heads):
        raise ValueError(f"dilation must be at least 1, for all or for each of {n_heads} heads, not {dilation}.")
    check_share("dropout of attention", dropout)
    check_backend(backend, is_causal=is_causal)
    return Window(radius, dilations[:1] if len(set(dilations)) == 1 else dilations, dropout, is_causal)


def window_queries(
    qkv: Tensor, roles: TokenRoles, window: Window, rotary: Rotary | None, backend: str,
    global_projections: tuple[Tensor, Tensor, Tensor] | None = None,
) -> Tensor:  # fmt: skip
    """Attention of the window queries of a layer.

    Args:
        qkv: Query, key and value, not rotated, [3, B, H, T, d_head].
        roles: Padding and global tokens.
        window: Who is in whose window.
        rotary: (cosines, sines), or None.
        backend: See ``windowed_attention``.
        global_projections: Query, key and value of the global queries, for the reference; only it computes their rows.

    Returns:
        [B, H, T, d_head]; rows of padding are zero.

    Raises:
        BackendError: If ``backend`` cannot run here.
    """
    if backend == "reference":
        return reference_attention(
            *qkv, window_radius=window.radius, dilation=window.dilations, valid_mask=roles.valid_mask,
            global_mask=roles.global_mask, rotary=rotary, global_projections=global_projections,
            dropout=window.dropout, is_causal=window.is_causal,
        )  # fmt: skip
    return fast_attention(qkv, roles, window, rotary=rotary, backend=backend)
