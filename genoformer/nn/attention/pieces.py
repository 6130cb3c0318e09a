"""Long inputs cut into pieces with all that their windows see, for passes without gradients."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from genoformer.nn.attention.masks import TokenRoles, token_roles

PIECE_TOKENS = 8192


@dataclass(frozen=True, eq=False)
class Piece:
    """Some tokens of a batch, their neighbours, and the global tokens in front.

    Args:
        start: First token of the piece.
        hidden: [B, G + t, D].
        roles: Of ``hidden``; global tokens among the neighbours count as padding, those in front stand for them.
        kept: Where the piece's own tokens are in ``hidden``.
    """

    start: int
    hidden: Tensor
    roles: TokenRoles
    kept: slice

    def write_global_rows(self, states: Tensor, rows: Tensor, roles: TokenRoles) -> None:
        """Add rows [B, G, D] of global queries to ``states`` [B, kept, D] where their tokens are in the piece.

        Args:
            states: What the piece's own tokens gave; the rows of global tokens are zero.
            rows: Of the global queries of the whole input.
            roles: Of the whole input.
        """
        positions, _ = roles.slots
        place = positions - self.start
        is_here = (place >= 0) & (place < states.shape[1])
        place = place.clamp(0, states.shape[1] - 1)[..., None].expand(-1, -1, states.shape[2])
        states.scatter_add_(1, place, rows.masked_fill(~is_here[..., None], 0.0))


def piece_tokens(reach: int) -> int:
    """Tokens of a piece: several times what is read on both sides of it. The same for any batch, as results must be."""
    return max(PIECE_TOKENS, 8 * reach)


def cut_pieces(hidden: Tensor, roles: TokenRoles, *, reach: int, n_tokens: int) -> Iterator[Piece]:
    """Pieces that cover the input once, in order.

    Offsets between tokens of a piece are those of the whole, so that windows and rotary scores are the same.

    Args:
        hidden: [B, T, D].
        roles: Padding and global tokens.
        reach: Tokens that a window sees on each side, dilation included.
        n_tokens: Own tokens of a piece.
    """
    B, T, D = hidden.shape
    front, is_slot = hidden[:, :0], torch.ones(B, 0, dtype=torch.bool, device=hidden.device)
    if roles.global_mask is not None:
        positions, is_slot = roles.slots
        front = hidden.gather(1, positions[..., None].expand(-1, -1, D))
    G = front.shape[1]
    for start in range(0, T, n_tokens):
        low, end = max(0, start - reach), min(T, start + n_tokens)
        high = min(T, end + reach)
        valid = hidden.new_ones(B, high - low, dtype=torch.bool)
        if roles.window_keys is not None:
            valid = roles.window_keys[:, low:high]
        is_global = torch.cat((is_slot, torch.zeros_like(valid)), dim=1)
        piece_roles = token_roles(torch.cat((is_slot, valid), dim=1), is_global)
        read = torch.cat((front, hidden[:, low:high]), dim=1)
        yield Piece(start, read, piece_roles, slice(G + start - low, G + end - low))
