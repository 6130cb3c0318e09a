"""Who may attend to whom, as dense boolean matrices, and where the global tokens of a batch are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Window:
    """Who is in whose window, and what happens to the weights.

    Args:
        radius: Tokens seen on each side; more than there are is legal.
        dilations: Step between the tokens of a window: one number for all heads, or one for each.
        dropout: Share of the weights that is dropped.
        is_causal: The side behind a token is left out.
    """

    radius: int
    dilations: tuple[int, ...] = (1,)
    dropout: float = 0.0
    is_causal: bool = False


@dataclass(frozen=True, eq=False)
class TokenRoles:
    """Padding and global tokens of a batch, found once and used by every layer.

    Args:
        valid_mask: bool [B, T], True = real; None when every token is real.
        global_mask: bool [B, T], True = global and real; None when no token is global.
        global_positions: int64 [B, G], G = most global tokens of a sample; None without global tokens.
        is_global_slot: bool [B, G], False where a sample has fewer than G global tokens.
        memory: What a way of computing made of the masks, for the next layer.
    """

    valid_mask: Tensor | None = None
    global_mask: Tensor | None = None
    global_positions: Tensor | None = None
    is_global_slot: Tensor | None = None
    memory: dict = field(default_factory=dict, repr=False)

    @cached_property
    def silent(self) -> Tensor | None:
        """Rows without a window query: padding and global tokens, bool [B, T]; None when there are none."""
        if self.valid_mask is None:
            return self.global_mask
        return ~self.valid_mask if self.global_mask is None else ~self.valid_mask | self.global_mask

    @cached_property
    def window_keys(self) -> Tensor | None:
        """Keys that a window may hold, bool [B, T]; None when that is all of them."""
        return None if self.silent is None else ~self.silent

    @property
    def slots(self) -> tuple[Tensor, Tensor]:
        """``global_positions`` and ``is_global_slot``, where there are global tokens.

        Raises:
            ValueError: If no token is global.
        """
        if self.global_positions is None or self.is_global_slot is None:
            raise ValueError("no token is global.")
        return self.global_positions, self.is_global_slot

    def of(self, samples: slice) -> "TokenRoles":
        """The roles of some samples."""
        return TokenRoles(
            _rows(self.valid_mask, samples), _rows(self.global_mask, samples), _rows(self.global_positions, samples),
            _rows(self.is_global_slot, samples),
        )  # fmt: skip


def _rows(tensor: Tensor | None, samples: slice) -> Tensor | None:
    return None if tensor is None else tensor[samples]


def token_roles(valid_mask: Tensor | None, global_mask: Tensor | None) -> TokenRoles:
    """Look once at the masks of a batch; a mask that says nothing becomes None. Global padding is padding.

    Args:
        valid_mask: bool [B, T] or None.
        global_mask: bool [B, T] or None.
    """
    if valid_mask is not None and bool(valid_mask.all()):
        valid_mask = None
    if global_mask is not None and valid_mask is not None:
        global_mask = global_mask & valid_mask
    if global_mask is None or not bool(global_mask.any()):
        return TokenRoles(valid_mask=valid_mask)
    return TokenRoles(valid_mask, global_mask, *global_slots(global_mask))


def global_slots(global_mask: Tensor) -> tuple[Tensor, Tensor]:
    """Where the global tokens of each sample are, filled up to the sample that has most.

    Args:
        global_mask: bool [B, T].

    Returns:
        (positions int64 [B, G], is_slot bool [B, G]); an empty slot has position 0 and False.
    """
    counts = global_mask.sum(dim=1)
    G = int(counts.max())
    positions = torch.argsort(~global_mask, dim=1, stable=True)[:, :G]
    is_slot = torch.arange(G, device=global_mask.device)[None] < counts[:, None]
    return positions.masked_fill(~is_slot, 0), is_slot


def window_mask(
    n_tokens: int, *, window_radius: int, dilation: int = 1, is_causal: bool = False, device=None
) -> Tensor:
    """Pairs of tokens within one window: ``|i - j| <= dilation * window_radius`` and ``(i - j) % dilation == 0``.

    Causal: and ``j <= i``.

    Args:
        n_tokens: T.
        window_radius: Tokens seen on each side.
        dilation: Step between them.
        is_causal: A token sees none behind itself.
        device: Where the result is made.

    Returns:
        bool [T, T], True = query i (row) may attend key j (column).
    """
    index = torch.arange(n_tokens, device=device)
    offset = index[:, None] - index[None, :]
    near = (offset.abs() <= dilation * window_radius) & (offset % dilation == 0)
    return near & (offset >= 0) if is_causal else near


def attention_mask(
    valid_mask: Tensor,
    global_mask: Tensor,
    *,
    window_radius: int,
    dilation: int | Sequence[int] = 1,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor]:
    """The two kinds of pairs: through the window, and through a global token.

    A global key leaves the window and is seen by every valid query, so no pair is in both results. A global query
    sees every valid key. Padding neither sees nor is seen; a token that is padding and global is padding.

    Args:
        valid_mask: bool [B, T], True = real.
        global_mask: bool [B, T], True = global.
        window_radius: Tokens seen on each side.
        dilation: Step between them, for all heads or one per head.
        is_causal: A token sees none behind itself through the window; global tokens see and are seen as ever.

    Returns:
        (window [B, 1 or H, T, T], through_global [B, 1, T, T]), bool.
    """
    steps = [dilation] if isinstance(dilation, int) else dilation
    T, device = valid_mask.shape[1], valid_mask.device
    near = torch.stack(
        [
            window_mask(T, window_radius=window_radius, dilation=step, is_causal=is_causal, device=device)
            for step in steps
        ]
    )
    is_global = global_mask & valid_mask
    both_valid = valid_mask[:, :, None] & valid_mask[:, None, :]
    touches_global = is_global[:, :, None] | is_global[:, None, :]
    window = near & (both_valid & ~touches_global)[:, None]
    through_global = touches_global & both_valid
    return window, through_global[:, None]


def masked_score(dtype: torch.dtype) -> float:
    """The score of a forbidden pair: its weight is exactly zero, yet two of them still add up to a finite number."""
    return max(-1e30, torch.finfo(dtype).min / 4)
