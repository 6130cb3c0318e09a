"""Scores, weights and gradients of a few neighbouring blocks of a line."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genoformer.nn.attention.lines import Group, Line
from genoformer.nn.attention.masks import TokenRoles, Window, masked_score
from genoformer.nn.layers.positions import Rotary, turn

Step = tuple[int, int]


class BlockSteps:
    """The forward pass of one line.

    Args:
        qkv: Query, key and value of the group, not rotated, [3, b, h, T, d_head].
        roles: Padding and global tokens of the group's samples.
        group: What is on the line.
        line: Its geometry.
        window: Who is in whose window.
        rotary: (cosines, sines), or None.
        at_once: Blocks of a step.
        seed: Of the dropped weights.
    """

    def __init__(
        self, qkv: Tensor, roles: TokenRoles, group: Group, line: Line, *,
        window: Window, rotary: Rotary | None, at_once: int, seed: int,
    ) -> None:  # fmt: skip
        self.line, self.at_once, self.dropout, self.seed = line, at_once, window.dropout, seed
        self.scale = qkv.shape[-1] ** -0.5
        query, key = (states if rotary is None else turn(states, *rotary) for states in qkv[:2])
        self.query, self.key = line.lay_queries(query, group.dilation), line.lay_keys(key, group.dilation)
        self.value = line.lay_keys(qkv[2], group.dilation)
        self.band = _band(line, min(window.radius, line.n_tokens), window.is_causal, like=qkv)
        self.bias = _key_bias(line, qkv, roles.window_keys, group.dilation)
        self.runs = line.runs_of_blocks(self.bias)
        self.globals = GlobalKeys(qkv, roles, group, line) if line.n_extra else None
        self._scores: Tensor | None = None

    @property
    def steps(self) -> list[Step]:
        """Stretches of blocks that go through together."""
        n = self.line.n_blocks
        return [(first, min(first + self.at_once, n)) for first in range(0, n, self.at_once)]

    def weights(self, step: Step, *, is_fresh: bool = False) -> Tensor:
        """Softmax over the window and the global keys, [n, c, (2 m + 1) c + G].

        Args:
            step: The blocks.
            is_fresh: Do not reuse the memory of the last call.
        """
        line, W = self.line, self.line.window
        scores = self._memory(step, is_fresh)
        keys = line.windows(self.key, *step, line.n_extra)
        scores.baddbmm_(line.blocks(self.query, *step), keys.transpose(1, 2), beta=0, alpha=self.scale)
        n_cut = self.band.shape[-1]
        scores[..., :n_cut] += self.band[0]
        scores[..., W - n_cut : W] += self.band[1]
        for first, last in self.runs:
            self._forbid(scores, step, max(first, step[0]), min(last, step[1]))
        if self.globals:
            scores[..., W:] = line.blocks(self.globals.scores, *step)
        return torch.softmax(scores, -1, out=scores)

    def drop(self, weights: Tensor, step: Step) -> Tensor:
        """Zero a share of the weights and raise the others; the same ones for the same step."""
        if not self.dropout:
            return weights
        generator = torch.Generator(weights.device).manual_seed(self.seed + step[0])
        mask = torch.empty_like(weights).bernoulli_(1 - self.dropout, generator=generator)
        return weights * mask.div_(1 - self.dropout)

    def mix(self, weights: Tensor, step: Step, into: Tensor) -> None:
        """Values weighed and summed, written to the step's rows of a line of queries."""
        W, mixed = self.line.window, self.line.blocks(into, *step)
        torch.bmm(weights[..., :W], self.line.windows(self.value, *step), out=mixed)
        if self.globals:
            mixed.baddbmm_(weights[..., W:], self.globals.values_of(step))

    def _memory(self, step: Step, is_fresh: bool) -> Tensor:
        shape = (step[1] - step[0], self.line.block, self.line.window + self.line.n_extra)
        if is_fresh or self._scores is None:
            self._scores = self.query.new_empty(shape)
        return self._scores[: shape[0]]

    def _forbid(self, scores: Tensor, step: Step, first: int, last: int) -> None:
        if first < last:
            bias = self.line.windows(self.bias, first, last).transpose(1, 2)
            scores[first - step[0] : last - step[0], :, : self.line.window] += bias


class GlobalKeys:
    """Global keys of the samples on a line: every query scores them, not rotated.

    Args:
        qkv: As in ``BlockSteps``.
        roles: Of the group's samples; has global tokens.
        group: What is on the line.
        line: Its geometry.
    """

    def __init__(self, qkv: Tensor, roles: TokenRoles, group: Group, line: Line) -> None:
        self.query, self.group, self.line, self.scale = qkv[0], group, line, qkv.shape[-1] ** -0.5
        h, d_head = qkv.shape[2], qkv.shape[-1]
        positions, is_slot = roles.slots
        self.positions = positions[:, None, :, None].expand(-1, h, -1, d_head)
        self.key, value = qkv[1].gather(2, self.positions), qkv[2].gather(2, self.positions)  # [b, h, G, d]
        self.n_unused = line.n_extra - self.key.shape[2]
        scores = (self.query @ self.key.transpose(-1, -2)).mul_(self.scale)
        scores = scores.masked_fill_(~is_slot[:, None, None, :], masked_score(scores.dtype))
        scores = F.pad(scores, (0, self.n_unused), value=masked_score(scores.dtype))
        self.scores = line.lay_queries(scores, group.dilation)
        self.values = F.pad(value, (0, 0, 0, self.n_unused)).flatten(0, 1).repeat_interleave(group.dilation, 0)
        self.sequence = line.sequence_of_blocks(qkv.device)

    def values_of(self, step: Step) -> Tensor:
        """Values that each block of a step meets, [n, G, d]."""
        return self.values[self.sequence[step[0] : step[1]]]

    def add_gradients(self, scores: Tensor, values: Tensor, query: Tensor, key: Tensor, value: Tensor) -> None:
        """Add what flows back through the global keys.

        Args:
            scores: Gradient of the scores, a line of queries.
            values: Gradient of the values, [n_sequences, G, d].
            query: Gradient [b, h, T, d] to be added to.
            key: Like ``query``.
            value: Like ``query``.
        """
        b, h, G, d_head = self.key.shape
        picked = scores.new_empty(b, h, query.shape[2], self.line.n_extra)
        slopes = self.line.pick_queries(scores, picked, self.group.dilation)[..., :G] * self.scale
        query += slopes @ self.key
        key.scatter_add_(2, self.positions, slopes.transpose(-1, -2) @ self.query)
        value.scatter_add_(2, self.positions, values.view(b, h, self.group.dilation, -1, d_head).sum(2)[:, :, :G])


class BlockGradients:
    """The backward pass of one line.

    Args:
        forward: Its forward pass.
        gradient: Gradient of the output, a line of queries.
    """

    def __init__(self, forward: BlockSteps, gradient: Tensor) -> None:
        self.forward, self.gradient = forward, gradient
        self.query, self.key, self.value = (torch.zeros_like(s) for s in (forward.query, forward.key, forward.value))
        if forward.globals:
            self.extra_scores = torch.zeros_like(forward.globals.scores)
            self.extra_values = torch.zeros_like(forward.globals.values)
        self._memory: Tensor | None = None

    def add(self, step: Step, weights: Tensor | None) -> None:
        """Add the gradients of one step.

        Args:
            step: The blocks.
            weights: As ``BlockSteps.weights`` gave them; None computes them again.
        """
        forward, line, W = self.forward, self.forward.line, self.forward.line.window
        weights = forward.weights(step) if weights is None else weights
        gradient = line.blocks(self.gradient, *step)
        dropped = forward.drop(weights, step)
        self._add_windows(self.value, dropped, gradient, step)
        slopes = self._slopes_of_weights(gradient, weights, step)
        if forward.globals:
            sequence = forward.globals.sequence[step[0] : step[1]]
            self.extra_values.index_add_(0, sequence, dropped[..., W:].transpose(1, 2) @ gradient)
        slopes = torch.ops.aten._softmax_backward_data.out(slopes, weights, -1, weights.dtype, grad_input=slopes)
        query = line.blocks(self.query, *step)
        query.baddbmm_(slopes[..., :W], line.windows(forward.key, *step), beta=0, alpha=forward.scale)
        self._add_windows(self.key, slopes, line.blocks(forward.query, *step), step, alpha=forward.scale)
        if forward.globals:
            line.blocks(self.extra_scores, *step).copy_(slopes[..., W:])

    def pick(self, total: Tensor, group: Group, rotary: Rotary | None) -> None:
        """Write the gradients of query, key and value to ``total`` [3, b, h, T, d]."""
        line = self.forward.line
        line.pick_queries(self.query, total[0], group.dilation)
        line.pick_keys(self.key, total[1], group.dilation)
        line.pick_keys(self.value, total[2], group.dilation)
        if rotary is not None:
            cosines, sines = rotary
            for states in total[:2]:
                states.copy_(turn(states, cosines, -sines))
        if self.forward.globals:
            self.forward.globals.add_gradients(self.extra_scores, self.extra_values, *total)

    def _slopes_of_weights(self, gradient: Tensor, weights: Tensor, step: Step) -> Tensor:
        forward, line, W = self.forward, self.forward.line, self.forward.line.window
        if self._memory is None:
            self._memory = torch.empty_like(weights)
        slopes = self._memory[: len(weights)]
        values = line.windows(forward.value, *step, line.n_extra)
        slopes.baddbmm_(gradient, values.transpose(1, 2), beta=0)
        if forward.globals:
            slopes[..., W:] = gradient @ forward.globals.values_of(step).transpose(1, 2)
        return forward.drop(slopes, step)

    def _add_windows(self, rows: Tensor, columns: Tensor, states: Tensor, step: Step, alpha: float = 1.0) -> None:
        """``rows[window of block] += columns[block].T @ states[block]``: one part of the windows after the other, as
        parts of the same number do not overlap."""
        line = self.forward.line
        for part in range(2 * line.reach + 1):
            target = line.blocks(rows, step[0] + part, step[1] + part)
            of_part = columns[..., part * line.block : (part + 1) * line.block]
            target.baddbmm_(of_part.transpose(1, 2), states, alpha=alpha)


def _band(line: Line, radius: int, is_causal: bool, like: Tensor) -> Tensor:
    """What keeps a block inside its window: 0 or the masked score for its first and its last keys, [2, c, n]."""
    n_cut = line.reach * line.block - radius + line.block - 1
    if is_causal:  # all from the block's own keys on
        n_cut = (line.reach + 1) * line.block
    row = torch.arange(line.block, device=like.device)[:, None] + line.reach * line.block
    first = torch.arange(n_cut, device=like.device)[None]
    last = first + line.window - n_cut
    ahead = 0 if is_causal else radius
    far = torch.stack([(row - column > radius) | (column - row > ahead) for column in (first, last)])
    return torch.zeros_like(far, dtype=like.dtype).masked_fill_(far, masked_score(like.dtype))


def _key_bias(line: Line, qkv: Tensor, window_keys: Tensor | None, dilation: int) -> Tensor:
    """0 or the masked score of every key on the line, one column; gaps are forbidden."""
    rows = line.keys(1, qkv).fill_(masked_score(qkv.dtype))
    b, h, T = qkv.shape[1:4]
    bias = qkv.new_zeros(1, 1, T, 1).expand(b, h, T, 1)
    if window_keys is not None:
        bias = bias.masked_fill(~window_keys[:, None, :, None], masked_score(qkv.dtype))
    return line.lay_keys(bias, dilation, rows)
