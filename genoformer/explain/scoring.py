"""The number that is explained: one output of a network, of one strand as the network reads it.

A ``View`` is what is read; what a change of a base can reach follows from the architecture. Where it is known, only
that is computed again (``mutant_scores``), which gives what the whole gives.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genoformer.embeddings.embedder import reach_tokens
from genoformer.explain.target import OVERALL, PER_TOKEN, Target
from genoformer.nn.model import GenomeModel
from genoformer.sequence.alphabet import N_CODE
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.sequence.tiles import Tile
from genoformer.stream import model_inputs, refusals_explained

BLOCK = 16
"""Neighbouring bases that are changed in one batch: they share the stretch that is read again."""
N_BASES = 4
HELD_NUMBERS = 16_000_000
"""States of a head for whole sequences that are made at once."""

Outputs = tuple[int, int]
"""Tokens [first, last) whose outputs a change reaches."""


@dataclass(frozen=True)
class View:
    """What a network reads of a record.

    Attributes:
        codes: uint8 base codes of the strand, 5′ to 3′, shape [L].
        span: Bases of it whose outputs count; all of them for an output of the whole sequence.
    """

    codes: np.ndarray
    span: tuple[int, int]


@dataclass(frozen=True)
class Scorer:
    """An output of a network as a number.

    Attributes:
        network: In evaluation mode.
        tokenizer: The model's tokenizer.
        target: The output.
        is_exclusive: Classes of a sequence exclude each other: the number is then the log-odds of the class against
            all others. Everything else is a logit, or a sum of logits.
        batch_size: Sequences per call of the network, at most.
    """

    network: GenomeModel
    tokenizer: KmerTokenizer
    target: Target
    is_exclusive: bool = False
    batch_size: int = BLOCK * (N_BASES - 1) + 1

    @property
    def reach_tokens(self) -> int | None:
        """See ``embedding.reach_tokens``."""
        return reach_tokens(self.network.encoder.config)

    def score(self, view: View) -> float:
        """The number, from one call of the network on everything that is read."""
        with torch.inference_mode(), refusals_explained():
            return float(self.of_logits(self.network(**self.inputs([view.codes])), view, 0)[0])

    def inputs(self, sequences: Sequence[np.ndarray], n_read: int | None = None) -> dict[str, Tensor]:
        """Arguments of the network for sequences of one length; bases behind ``n_read`` only end the last tokens."""
        length = len(sequences[0]) if n_read is None else n_read
        tile = Tile(0, length, 0, length)
        reads = [(codes, tile) for codes in sequences]
        return model_inputs(self.network.encoder.config, self.tokenizer, reads, self.network)

    def of_logits(self, logits: Tensor, view: View, first: int) -> Tensor:
        """The number of each row, in the network's precision, [B].

        Args:
            logits: [B, C] of sequences, or [B, n, C] of bases or tokens.
            view: Has the positions that count.
            first: The token that the logits begin with.
        """
        if self.target.head == OVERALL:
            chosen = logits[:, self.target.channel]
            if not self.is_exclusive or logits.shape[1] == 1:
                return chosen
            others = [number for number in range(logits.shape[1]) if number != self.target.channel]
            return chosen - logits[:, others].logsumexp(dim=1)
        is_token = self.target.head == PER_TOKEN
        low, high = self.tokens_of(view) if is_token else view.span
        shift = first if is_token else first * self.tokenizer.stride
        return logits[:, max(low - shift, 0) : max(high - shift, 0), self.target.channel].sum(dim=1)

    def tokens_of(self, view: View) -> Outputs:
        """Tokens whose outputs count."""
        stride = self.tokenizer.stride
        return view.span[0] // stride, -(-view.span[1] // stride)

    def reached(self, view: View, start: int, end: int) -> Outputs | None:
        """Tokens that count and that changes of bases [start, end) can reach; None where none is."""
        low, high = self.tokens_of(view)
        reach = self.reach_tokens
        if reach is not None:
            first, last = self._touched(start, end)
            low, high = max(low, first - reach), min(high, last + reach)
        return (low, high) if low < high else None

    def _touched(self, start: int, end: int) -> Outputs:
        """Tokens whose bases include some of [start, end)."""
        stride, k = self.tokenizer.stride, self.tokenizer.k
        return max(0, -(-(start - k + 1) // stride)), (end - 1) // stride + 1

    def reaching(self, view: View) -> tuple[int, int]:
        """Bases, as read, whose change can matter."""
        reach, length = self.reach_tokens, len(view.codes)
        if reach is None:
            return 0, length
        low, high = self.tokens_of(view)
        stride, k = self.tokenizer.stride, self.tokenizer.k
        return max(0, (low - reach) * stride), min(length, (high + reach - 1) * stride + max(k, stride))

    def read_span(self, outputs: Outputs, length: int) -> Outputs:
        """Tokens that have to be read for those outputs to be what they are in the whole."""
        reach, n_tokens = self.reach_tokens, self.tokenizer.n_tokens(length)
        if reach is None:
            return 0, n_tokens
        return max(0, outputs[0] - reach), min(n_tokens, outputs[1] + reach)

    def mutant_scores(self, view: View, first: int, last: int) -> Iterator[tuple[int, np.ndarray]]:
        """What each base instead of that of the record changes, block by block.

        Args:
            view: What is read.
            first: First base that is changed.
            last: One past the last.

        Yields:
            First base of a block, and differences to the unchanged record, float64 [n, 4]: 0 for its own base, NaN
            where the base is unknown.
        """
        states = self._whole_states(view)
        for start in range(first, last, BLOCK):
            end = min(start + BLOCK, last)
            yield start, self._block(view, start, end, states)

    def _block(self, view: View, start: int, end: int, states: Tensor | None) -> np.ndarray:
        known = view.codes[start:end] < N_CODE
        found = np.where(known[:, None], np.zeros((end - start, N_BASES)), np.nan)
        outputs = self.reached(view, start, end)
        places = [(i, base) for i in np.flatnonzero(known).tolist() for base in range(N_BASES)]
        places = [(i, base) for i, base in places if base != view.codes[start + i]]
        if outputs is None or not places:
            return found
        span, stride = self.read_span(outputs, len(view.codes)), self.tokenizer.stride
        begin, stop = span[0] * stride, min(span[1] * stride, len(view.codes))
        unchanged = view.codes[begin : stop + self.tokenizer.k]
        for chosen in _parts(places, self.batch_size - 1):
            sequences = [unchanged]
            for i, base in chosen:
                changed = unchanged.copy()
                if 0 <= start + i - begin < len(changed):
                    changed[start + i - begin] = base
                sequences.append(changed)
            scores = self._scores(sequences, stop - begin, view, outputs, span, states)
            for (i, base), score in zip(chosen, scores[1:] - scores[0], strict=True):
                found[i, base] = score
        return found

    def _scores(
        self, sequences: list[np.ndarray], n_read: int, view: View, outputs: Outputs, span: Outputs,
        states: Tensor | None,
    ) -> np.ndarray:  # fmt: skip
        """The numbers of versions of a stretch, float64 [B]; of those that count, outputs that none reaches are left
        out."""
        with torch.inference_mode(), refusals_explained():
            inputs = self.inputs(sequences, n_read)
            if self.reach_tokens is None:
                return self.of_logits(self.network(**inputs), view, 0).double().cpu().numpy()
            own = slice(outputs[0] - span[0], outputs[1] - span[0])
            hidden = self.network.encoder(inputs.pop("token_ids"), **inputs)[:, own]
            if states is None:
                return self.of_logits(self.network.head(hidden), view, outputs[0]).double().cpu().numpy()
            return np.concatenate([self._of_whole(part, view, outputs, states) for part in _split(hidden, states)])

    def _of_whole(self, hidden: Tensor, view: View, outputs: Outputs, states: Tensor) -> np.ndarray:
        """A head over the whole sequence, of which some tokens have other states."""
        whole = states.repeat(len(hidden), 1, 1)
        whole[:, outputs[0] : outputs[1]] = hidden
        return self.of_logits(self.network.head(whole, whole[:, :0]), view, 0).double().cpu().numpy()

    def _whole_states(self, view: View) -> Tensor | None:
        """States of the unchanged sequence, [1, T, D], for a head that looks at all of them."""
        if self.target.head != OVERALL or self.reach_tokens is None:
            return None
        with torch.inference_mode(), refusals_explained():
            inputs: dict[str, Any] = self.inputs([view.codes])
            return self.network.encoder(inputs.pop("token_ids"), **inputs)


def _parts(places: list[tuple[int, int]], size: int) -> Iterator[list[tuple[int, int]]]:
    return (places[at : at + size] for at in range(0, len(places), size))


def _split(hidden: Tensor, states: Tensor) -> Sequence[Tensor]:
    """Rows that go through the head at once."""
    return hidden.split(max(1, HELD_NUMBERS // states[0].numel()))
