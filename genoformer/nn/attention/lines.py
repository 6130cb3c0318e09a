"""Sequences laid end to end in whole blocks, with gaps between them, so that the window of every block is a slice.

A line of keys begins with a gap of ``m`` blocks; then each sequence follows in ``n`` blocks, with ``m`` more blocks of
gap. Query block ``x`` of the line, counted without the first gap, sees the key rows ``[x c, (x + 2 m + 1) c)``: windows
of neighbouring blocks overlap in memory, and no key is copied for them.

A dilated sequence is as many sequences as its dilation: in each of them the window has no holes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

Runs = list[tuple[int, int]]


@dataclass(frozen=True)
class Group:
    """Rows of a batch that share one line: some heads, of one dilation, in some samples.

    Args:
        samples: Samples of the batch.
        heads: Heads of each of them.
        dilation: Step between the tokens of a window.
    """

    samples: slice
    heads: slice
    dilation: int

    def of(self, states: Tensor) -> Tensor:
        """View [b, h, T, d] of [B, H, T, d]."""
        return states[self.samples, self.heads]

    def of_qkv(self, states: Tensor) -> Tensor:
        """View [3, b, h, T, d] of [3, B, H, T, d]."""
        return states[:, self.samples, self.heads]


@dataclass(frozen=True)
class Line:
    """Geometry of a line.

    Args:
        n_sequences: Sequences in it, after folding.
        n_tokens: Tokens of the longest of them.
        block: Queries of a block, c.
        reach: Blocks of a gap, m.
        n_extra: Key rows behind the end, for columns that hold other keys.
    """

    n_sequences: int
    n_tokens: int
    block: int
    reach: int
    n_extra: int = 0

    @property
    def pitch(self) -> int:
        """Blocks from the start of one sequence to that of the next."""
        return -(-self.n_tokens // self.block) + self.reach

    @property
    def window(self) -> int:
        """Keys that a block meets."""
        return (2 * self.reach + 1) * self.block

    @property
    def n_blocks(self) -> int:
        """Query blocks, gaps between sequences included, the gap behind the last one not."""
        return self.n_sequences * self.pitch - self.reach

    def queries(self, width: int, like: Tensor) -> Tensor:
        """Zeros for the rows of queries."""
        return like.new_zeros(self.n_sequences * self.pitch * self.block, width)

    def keys(self, width: int, like: Tensor) -> Tensor:
        """Zeros for the rows of keys."""
        n_blocks = self.n_sequences * self.pitch + self.reach
        return like.new_zeros(n_blocks * self.block + self.n_extra, width)

    def lay_queries(self, states: Tensor, dilation: int) -> Tensor:
        """Put [b, h, T, d] on a line of queries."""
        rows = self.queries(states.shape[-1], states)
        return self._lay(rows, rows, states, dilation)

    def lay_keys(self, states: Tensor, dilation: int, rows: Tensor | None = None) -> Tensor:
        """Put [b, h, T, d] on a line of keys, on ``rows`` if given."""
        rows = self.keys(states.shape[-1], states) if rows is None else rows
        return self._lay(rows, self._behind_first_gap(rows), states, dilation)

    def pick_queries(self, rows: Tensor, into: Tensor, dilation: int) -> Tensor:
        """Copy a line of queries back to ``into`` [b, h, T, d]."""
        for phase, n, part in self._parts(rows, into, dilation):
            into[:, :, phase::dilation] = part[:, :, :n]
        return into

    def pick_keys(self, rows: Tensor, into: Tensor, dilation: int) -> Tensor:
        """Copy a line of keys back to ``into`` [b, h, T, d]."""
        return self.pick_queries(self._behind_first_gap(rows), into, dilation)

    def blocks(self, rows: Tensor, first: int, last: int) -> Tensor:
        """View of query blocks, or of key blocks of a line of keys: [n, c, d]."""
        return rows[first * self.block : last * self.block].view(last - first, self.block, rows.shape[-1])

    def windows(self, rows: Tensor, first: int, last: int, n_extra: int = 0) -> Tensor:
        """View of the keys that query blocks see, overlapping, [n, (2 m + 1) c + n_extra, d]."""
        width = rows.shape[-1]
        shape, strides = (last - first, self.window + n_extra, width), (self.block * width, width, 1)
        return rows.as_strided(shape, strides, rows.storage_offset() + first * self.block * width)

    def sequence_of_blocks(self, device: torch.device) -> Tensor:
        """Which sequence each query block is of, int64."""
        return torch.arange(self.n_blocks, device=device) // self.pitch

    def runs_of_blocks(self, bias: Tensor) -> Runs:
        """Stretches of query blocks whose windows hold a forbidden key.

        Args:
            bias: Line of keys, one column, 0 where a key may be seen.
        """
        if bias.device.type != "cpu":  # to look would stop the device
            return [(0, self.n_blocks)]
        n_key_blocks = self.n_blocks + 2 * self.reach
        marked = self.blocks(bias, 0, n_key_blocks).ne(0).flatten(1).any(1)
        return _runs(marked.unfold(0, 2 * self.reach + 1, 1).any(1).tolist())

    def _behind_first_gap(self, rows: Tensor) -> Tensor:
        return rows[self.reach * self.block :]

    def _lay(self, rows: Tensor, body: Tensor, states: Tensor, dilation: int) -> Tensor:
        for phase, n, part in self._parts(body, states, dilation):
            part[:, :, :n] = states[:, :, phase::dilation]
        return rows

    def _parts(self, body: Tensor, states: Tensor, dilation: int) -> Iterator[tuple[int, int, Tensor]]:
        """For each phase of the dilation: its number, its tokens, and its rows [b, h, pitch c, d]."""
        b, h, T, width = states.shape
        n_rows = self.n_sequences * self.pitch * self.block
        body = body[:n_rows].view(b, h, dilation, self.pitch * self.block, width)
        for phase in range(dilation):
            yield phase, len(range(phase, T, dilation)), body[:, :, phase]


def _runs(marks: list[bool]) -> Runs:
    """Stretches of True: (first, one behind the last)."""
    edges = [i for i in range(len(marks) + 1) if (i < len(marks) and marks[i]) != (i > 0 and marks[i - 1])]
    return list(zip(edges[::2], edges[1::2], strict=True))


def head_runs(dilations: tuple[int, ...], n_heads: int) -> list[tuple[slice, int]]:
    """Neighbouring heads of one dilation; a single dilation is that of all heads."""
    if len(dilations) == 1:
        return [(slice(0, n_heads), dilations[0])]
    starts = [i for i in range(n_heads) if i == 0 or dilations[i] != dilations[i - 1]]
    return [(slice(start, end), dilations[start]) for start, end in zip(starts, [*starts[1:], n_heads], strict=True)]
