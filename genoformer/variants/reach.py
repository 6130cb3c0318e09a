"""Outputs of a changed strand, computed only where the change can reach; everything else is the reference's.

A change reaches the tokens that hold its bases, what the embeddings of their neighbours see of them, and in each layer
as far again as its attention sees. Hidden states of the reference in front of each layer are kept around the place, so
that each layer computes no more tokens than change in it. Nothing is left out: the result is what a pass over the
whole changed strand gives, but for the order of sums.

Tokens lie on a grid that begins with the first base of the strand. Behind an insertion or deletion that is no multiple
of the stride, the same bases stand otherwise on that grid: what the model says of them there is what it says of the
reference on another grid, which begins one or more bases later.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from genoformer.bundle.folder import model_device
from genoformer.errors import UsageError
from genoformer.nn.attention.masks import TokenRoles, token_roles
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import EncoderLayer
from genoformer.sequence.alphabet import N_CODE
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.variants.alleles import Change

BLOCK_TOKENS = 4096
"""Tokens whose states are computed and kept together."""
KEPT_BLOCKS = 12
DENSE_BP = 2_500
"""Changes that are closer together than this, on average, share enough states of the reference."""


def reaches(network: Any, name: str) -> list[int]:
    """Tokens on each side that each layer sees.

    Args:
        network: With an encoder.
        name: Of the model, for the message.

    Raises:
        UsageError: If an output can depend on all of the sequence, or on where in it a token stands.
    """
    config: EncoderConfig = network.encoder.config
    known = [attention.reach_tokens for attention in network.encoder.attentions()]
    is_local = config.carried is None and config.reversible is None and None not in known
    if not is_local or config.n_global_tokens or config.positions == "learned":
        message = "each output of the model can depend on the whole sequence, so that no part can be computed alone."
        fix = "Use a model with windowed attention, without global tokens and learned positions."
        raise UsageError("VARIANTS-013", message, where=name, fix=fix)
    return cast(list[int], known)


@dataclass(frozen=True)
class _Block:
    """States of neighbouring tokens of the reference.

    Attributes:
        states: In front of each layer, float32 [layers, BLOCK_TOKENS, D]; zero behind the end.
        logits: Of the bases that they own, float32 [BLOCK_TOKENS × stride, C].
    """

    states: Tensor
    logits: np.ndarray


@dataclass(frozen=True)
class Stretch:
    """Outputs of neighbouring bases of a changed strand.

    Attributes:
        start: First of them.
        logits: float32 [n, C].
    """

    start: int
    logits: np.ndarray

    @property
    def end(self) -> int:
        """One past the last."""
        return self.start + len(self.logits)


class StrandReader:
    """One strand of a record, and changed forms of it.

    Args:
        network: Base-level model in evaluation mode, see ``reaches``.
        tokenizer: The model's tokenizer.
        codes: uint8 base codes of the strand, 5′ to 3′, shape [L].
        precision: "float32", or "bfloat16" for autocast.
        known: Outputs of the reference, float32 [L, C], where they were kept.
        block_tokens: Tokens whose states are computed and kept together: few where changes lie far apart.
    """

    def __init__(
        self, network: Any, tokenizer: KmerTokenizer, codes: np.ndarray, precision: str,
        known: np.ndarray | None = None, block_tokens: int = BLOCK_TOKENS,
    ) -> None:  # fmt: skip
        self._network, self._encoder, self._tokenizer = network, network.encoder, tokenizer
        self._codes, self._precision, self._known, self._block_tokens = codes, precision, known, block_tokens
        self._reaches = reaches(network, "--model")
        self._before, self._behind = network.encoder.config.embedded_neighbours
        self._halo = sum(self._reaches) + max(self._before, self._behind)
        self._blocks: OrderedDict[tuple[int, int], _Block] = OrderedDict()

    def grid_behind(self, change: Change) -> int:
        """The grid of the reference on which the bases behind a change stand in the changed strand."""
        return -change.growth_bp % self._tokenizer.stride

    def reference(self, start: int, end: int, grid: int = 0) -> np.ndarray:
        """Outputs of the reference, float32 [end - start, C].

        Args:
            start: First base, at or behind ``grid``.
            end: One past the last.
            grid: Base that the first token begins with.
        """
        if grid == 0 and self._known is not None:
            return np.asarray(self._known[start:end])
        stride = self._tokenizer.stride
        size = self._block_tokens * stride
        parts = []
        for number in range((start - grid) // size, -(-(end - grid) // size)):
            first = grid + number * size
            low, high = max(start, first) - first, min(end, first + size) - first
            parts.append(self._block(grid, number).logits[low:high])
        return np.concatenate(parts)

    def changed(self, changes: Sequence[Change]) -> list[Stretch]:
        """Outputs of the changed strands wherever they can differ from the reference.

        Args:
            changes: Each is made by itself; in coordinates of the strand.
        """
        if not changes:
            return []
        places = [
            _Place.of(change, len(self._codes), self._tokenizer, self._before, self._behind) for change in changes
        ]
        width, grown = max(place.end - place.start for place in places), sum(self._reaches)
        far = changes[-1].start - changes[0].start
        is_dense = abs(far) < DENSE_BP * (len(changes) - 1)
        with self._computing():
            logits = (self._by_states if is_dense else self._by_reading)(changes, places, width)
        return [self._stretch(place, grown, rows) for place, rows in zip(places, logits, strict=True)]

    def _by_states(self, changes: Sequence[Change], places: Sequence["_Place"], width: int) -> np.ndarray:
        """Outputs that change, from states of the reference that neighbouring changes share."""
        hidden = self._embedded(changes, places, width, 0)
        sides = [self._sides(place, width) for place in places]
        for number, (layer, reach) in enumerate(zip(self._encoder.layers, self._reaches, strict=True)):
            hidden = self._through(layer, number, reach, hidden, sides, places)
        return self._outputs(hidden)

    def _by_reading(self, changes: Sequence[Change], places: Sequence["_Place"], width: int) -> np.ndarray:
        """The same by reading all that they see: less than states of the reference take where nobody shares them."""
        margin = 2 * sum(self._reaches)
        hidden = self._embedded(changes, places, width, margin)
        for layer, reach in zip(self._encoder.layers, self._reaches, strict=True):
            roles = self._roles([place.start - margin for place in places], hidden.shape[1], places)
            hidden, _ = layer(hidden, roles=roles, rotary=self._rotary(hidden), margin=reach)
            margin -= reach
        return self._outputs(hidden)

    def window(self, change: Change, stretch: Stretch, start: int, end: int) -> np.ndarray:
        """Outputs of a window of the changed strand, float32 [end - start + growth, C].

        Args:
            change: The change.
            stretch: Of ``changed``.
            start: Of the window, in coordinates of the reference, in front of the change.
            end: Of the window, likewise, behind it.
        """
        growth = change.growth_bp
        low, high = max(stretch.start, start), min(stretch.end, end + growth)
        before = self.reference(start, low) if start < low else stretch.logits[:0]
        behind = self.reference(high - growth, end, self.grid_behind(change)) if high - growth < end else before[:0]
        return np.concatenate((before, stretch.logits[low - stretch.start : high - stretch.start], behind))

    def reference_window(self, change: Change, start: int, end: int) -> np.ndarray:
        """Outputs of a window of the reference on the grids of the changed strand, float32 [end - start, C].

        Arguments as for ``window``.
        """
        grid = self.grid_behind(change)
        if grid == 0:
            return self.reference(start, end)
        turn = min(max(change.end, grid, start), end)
        return np.concatenate((self.reference(start, turn), self.reference(turn, end, grid)))

    def _block(self, grid: int, number: int) -> _Block:
        key = grid, number
        if key in self._blocks:
            self._blocks.move_to_end(key)
            return self._blocks[key]
        self._blocks[key] = self._read_block(grid, number)
        if len(self._blocks) > KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return self._blocks[key]

    def _read_block(self, grid: int, number: int) -> _Block:
        stride, n_tokens = self._tokenizer.stride, self._tokenizer.n_tokens(len(self._codes) - grid)
        first = max(number * self._block_tokens - self._halo, 0)
        last = min((number + 1) * self._block_tokens + self._halo, n_tokens)
        own = slice(number * self._block_tokens - first, min((number + 1) * self._block_tokens, n_tokens) - first)
        states = []
        with self._computing():
            inputs = self._inputs([self._codes[grid + first * stride :]], last - first)
            roles = TokenRoles()
            hidden = self._embed(inputs, roles)
            rotary = self._rotary(hidden)
            for layer in self._encoder.layers:
                states.append(hidden[0, own].float())
                hidden, _ = layer(hidden, roles=roles, rotary=rotary)
            logits = self._outputs(hidden[:, own])[0]
        kept = torch.zeros((len(states), self._block_tokens, states[0].shape[1]), device=hidden.device)
        kept[:, : own.stop - own.start] = torch.stack(states)
        return _Block(kept, logits)

    def _states(self, grid: int, first: int, last: int) -> Tensor:
        """States in front of each layer of tokens [first, last) of a grid, [layers, n, D]; zero outside the strand."""
        n_tokens = self._tokenizer.n_tokens(len(self._codes) - grid)
        low, high = min(max(first, 0), n_tokens), max(min(last, n_tokens), 0)
        parts = []
        for number in range(low // self._block_tokens, -(-high // self._block_tokens) if low < high else 0):
            begin = number * self._block_tokens
            states = self._block(grid, number).states
            parts.append(states[:, max(low - begin, 0) : min(high - begin, self._block_tokens)])
        found = torch.cat(parts, dim=1) if parts else self._no_states()
        in_front = max(0, min(low - first, last - first))
        return torch.nn.functional.pad(found, (0, 0, in_front, last - first - in_front - found.shape[1]))

    def _no_states(self) -> Tensor:
        config = self._encoder.config
        return torch.zeros((config.n_layers, 0, config.d_model), device=model_device(self._network))

    def _sides(self, place: "_Place", width: int) -> tuple[Tensor, Tensor]:
        """States of the reference on both sides of what changes, as far as any layer looks."""
        far = sum(self._reaches) + max(self._reaches)
        behind = place.behind(place.start + width)
        return self._states(0, place.start - far, place.start), self._states(place.grid, behind, behind + far)

    def _through(
        self, layer: EncoderLayer, number: int, reach: int, hidden: Tensor, sides: Sequence[tuple[Tensor, Tensor]],
        places: Sequence["_Place"],
    ) -> Tensor:  # fmt: skip
        """A layer: of [B, T, D] that changed in front of it to [B, T + 2 reach, D] that changed behind it."""
        grown = sum(self._reaches[:number])
        n_sides, n_own = 2 * reach, hidden.shape[1]
        left = torch.stack([one[number, one.shape[1] - grown - n_sides : one.shape[1] - grown] for one, _ in sides])
        right = torch.stack([one[number, grown : grown + n_sides] for _, one in sides])
        window = torch.cat((left, hidden.float(), right), dim=1)
        first = [place.start - grown - n_sides for place in places]
        roles = self._roles(first, n_own + 2 * n_sides, places)
        output, _ = layer(window, roles=roles, rotary=self._rotary(window), margin=reach)
        return output

    def _roles(self, first: Sequence[int], n: int, places: Sequence["_Place"]) -> TokenRoles:
        """Which of ``n`` tokens from each first one on there are."""
        if all(low >= 0 and low + n <= place.n_tokens for low, place in zip(first, places, strict=True)):
            return TokenRoles()
        index = torch.arange(n)[None] + torch.tensor(first)[:, None]
        ends = torch.tensor([place.n_tokens for place in places])[:, None]
        return token_roles(((index >= 0) & (index < ends)).to(model_device(self._network)), None)

    def _embedded(self, changes: Sequence[Change], places: Sequence["_Place"], width: int, margin: int) -> Tensor:
        """What the first layer is given of changed tokens, and of some on both sides, [B, width + 2 margin, D]."""
        stride = self._tokenizer.stride
        n = width + 2 * margin + self._before + self._behind
        first = [place.start - margin - self._before for place in places]
        pieces = [self._piece(change, low * stride, n * stride) for change, low in zip(changes, first, strict=True)]
        roles = self._roles(first, n, places)
        hidden = self._embed(self._inputs(pieces, n), roles)
        return hidden[:, self._before : n - self._behind]

    def _piece(self, change: Change, start: int, n: int) -> np.ndarray:
        """Bases of the changed strand from ``start`` on, with lookahead; N stands in front of its begin."""
        end = start + n + self._tokenizer.k
        before = self._codes[max(start, 0) : change.start]
        behind = self._codes[change.end : max(end - change.growth_bp, change.end)]
        piece = np.concatenate((before, change.bases, behind))
        skipped = max(max(start, 0) - change.start, 0)  # the piece begins inside the inserted bases
        return np.concatenate((np.full(max(-start, 0), N_CODE, np.uint8), piece[skipped:]))[: n + self._tokenizer.k]

    def _inputs(self, pieces: Sequence[np.ndarray], n_tokens: int) -> tuple[Tensor, Tensor | None]:
        """Token ids [B, T], and the bases that tokens own where the model reads them."""
        stride, ids, owned = self._tokenizer.stride, [], []
        for piece in pieces:
            padded = np.full(n_tokens * stride + self._tokenizer.k, N_CODE, np.uint8)
            padded[: min(len(piece), len(padded))] = piece[: len(padded)]
            own, ahead = padded[: n_tokens * stride], padded[n_tokens * stride :]
            ids.append(self._tokenizer.encode(own, lookahead=ahead))
            owned.append(self._tokenizer.owned_bases(own))
        device = model_device(self._network)
        tokens = torch.from_numpy(np.stack(ids).astype(np.int64)).to(device)
        if not self._encoder.config.base_embedding:
            return tokens, None
        return tokens, torch.from_numpy(np.stack(owned)).to(device)

    def _embed(self, inputs: tuple[Tensor, Tensor | None], roles: TokenRoles) -> Tensor:
        return self._encoder.embed(inputs[0], roles, inputs[1])

    def _rotary(self, hidden: Tensor) -> Any:
        rotary = self._encoder.rotary
        return None if rotary is None else rotary(hidden.shape[1], dtype=hidden.dtype, device=hidden.device)

    def _outputs(self, hidden: Tensor) -> np.ndarray:
        """Logits of the bases that tokens own, float32 [B, T × stride, C]."""
        hidden = self._encoder.final_norm(hidden)
        return self._network.head(hidden, hidden[:, :0], None).float().cpu().numpy()

    def _stretch(self, place: "_Place", grown: int, logits: np.ndarray) -> Stretch:
        start = (place.start - grown) * self._tokenizer.stride
        low, high = max(0, -start), min(len(logits), place.length - start)
        return Stretch(start + low, logits[low:high])

    def _computing(self) -> Any:
        return _inference(model_device(self._network), self._precision)


@contextmanager
def _inference(device: torch.device, precision: str) -> Iterator[None]:
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        yield


@dataclass(frozen=True)
class _Place:
    """Where a change lies among the tokens of the changed strand.

    Attributes:
        start: First token whose embedding can differ; it may lie before the first one.
        end: One past the last.
        length: Of the changed strand in bp.
        n_tokens: That own its bases.
        growth: By how much it is longer than the reference.
        grid: Of the reference, on which the bases behind the change stand.
        stride: Bases that a token owns.
    """

    start: int
    end: int
    length: int
    n_tokens: int
    growth: int
    grid: int
    stride: int

    @classmethod
    def of(cls, change: Change, length: int, tokenizer: KmerTokenizer, before: int, behind: int) -> "_Place":
        """Of a change of a strand of this length, whose embeddings see so many tokens in front and behind."""
        stride, growth = tokenizer.stride, change.growth_bp
        first = max(-(-(change.start - tokenizer.k + 1) // stride), 0)
        last = -(-(change.start + len(change.bases)) // stride)
        n_tokens = tokenizer.n_tokens(length + growth)
        return cls(first - behind, last + before, length + growth, n_tokens, growth, -growth % stride, stride)

    def behind(self, token: int) -> int:
        """Number on its grid of the reference of a token behind the change."""
        return (token * self.stride - self.growth - self.grid) // self.stride
