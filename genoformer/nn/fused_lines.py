"""What the fused kernels read and write: one head of one sample, every ``step``-th token in order: a line.

Tokens of a line are laid in panels of 64 rows, filled up with zeros: to whole panels, and to rows of a multiple of 16
numbers. The memory of a thread is one flat array. Arrays of the caller are addresses, as compiling functions that hand
on many arrays takes minutes.
"""

from typing import NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from genoformer.nn.rows import MASKED

CHUNK_TOKENS = 2048
compiled = numba.njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""For what compiled code alone calls: a wrapper for Python would take longer to compile than the function."""


class States(NamedTuple):
    """[B, H, T, d_head] in memory: rows of ``d_head`` numbers, the distances between them in bytes."""

    address: int
    sample_stride: int
    head_stride: int
    token_stride: int


class Matrix(NamedTuple):
    """Contiguous rows in memory."""

    address: int
    n_rows: int
    n_columns: int


class Job(NamedTuple):
    """One call: where everything is. Masks are uint8; a matrix without rows or columns stands for "none"."""

    query: States  # not turned, like key and value
    key: States
    value: States
    output: States  # written by the forward pass; its gradient in the backward pass
    query_slopes: States  # gradients, written by the backward pass
    key_slopes: States
    value_slopes: States
    cosines: Matrix  # [T or 0, d_head / 2]
    sines: Matrix
    normalizers: Matrix  # [B * H, T], log of the sum of exponentials of every query
    window_keys: Matrix  # [B, T], 1 where a window may hold the key
    silent: Matrix  # [B, T], 1 where a row has no window query
    is_slot: Matrix  # [B, G], 0 where a sample has fewer global tokens
    positions: Matrix  # int64 [B, G], where the global tokens are
    dilations: Matrix  # int64 [1, H]
    width: int  # d_head
    radius: int


class Line(NamedTuple):
    """One head of one sample, tokens ``phase``, ``phase + step``, …"""

    sample: int
    head: int
    phase: int
    step: int
    n_tokens: int
    radius: int


@intrinsic
def pointer_to(typing, address):
    """An address as a pointer."""

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), generate


@compiled
def row_of(matrix, number, like):
    """View of a row of a matrix, of the type of ``like``."""
    address = matrix.address + number * matrix.n_columns * like.itemsize
    return carray(pointer_to(address), (matrix.n_columns,), like.dtype)


@compiled
def marks_of(matrix, number):
    """View of a row of a mask."""
    return carray(pointer_to(matrix.address + number * matrix.n_columns), (matrix.n_columns,), np.uint8)


@compiled
def indices_of(matrix, number):
    """View of a row of int64."""
    return carray(pointer_to(matrix.address + number * matrix.n_columns * 8), (matrix.n_columns,), np.int64)


@compiled
def row_at(states, line, token, width, like):
    """View of the row of a token."""
    address = states.address + line.sample * states.sample_stride + line.head * states.head_stride
    return carray(pointer_to(address + token * states.token_stride), (width,), like.dtype)


@compiled
def make_line(job, sample, head, phase):
    step = indices_of(job.dilations, 0)[head]
    n_tokens = (job.silent.n_columns - phase + step - 1) // step
    return Line(sample, head, phase, step, n_tokens, min(job.radius, n_tokens))


@compiled
def up(number, multiple):
    """The next multiple."""
    return (number + multiple - 1) // multiple * multiple


@compiled
def chunk_of(line):
    """Queries that go through with the keys of their windows: several times as many as are read on both sides."""
    return max(CHUNK_TOKENS, up(8 * line.radius, 64))


@compiled
def first_panel(line, token):
    """Of the window of a query."""
    return max(0, token - line.radius) // 64


@compiled
def end_panel(line, token):
    """Behind the windows of the 64 queries that begin here."""
    return min(up(line.n_tokens, 64), up(token + 64 + line.radius, 64)) // 64


@compiled
def load_panel(job, line, states, panel, is_turned, scale, rows):
    """64 tokens of a line times ``scale`` to flat ``rows``, turned by their positions on request."""
    row_width, n_rows = up(job.width, 16), min(64, line.n_tokens - panel * 64)
    if n_rows < 64 or row_width > job.width:
        for i in range(64 * row_width):
            rows[i] = 0
    for r in range(n_rows):
        token = line.phase + (panel * 64 + r) * line.step
        source = row_at(states, line, token, job.width, rows)
        row = rows[r * row_width : r * row_width + job.width]
        if is_turned:
            turn_row(source, row_of(job.cosines, token, rows), row_of(job.sines, token, rows), scale, scale, row)
        else:
            for c in range(len(row)):
                row[c] = scale * source[c]


@compiled
def store_panel(job, line, rows, panel, is_turned, is_added, scale, states):
    """Write or add flat ``rows`` times ``scale`` to 64 tokens of a line, turned back on request."""
    row_width = up(job.width, 16)
    for r in range(min(64, line.n_tokens - panel * 64)):
        token = line.phase + (panel * 64 + r) * line.step
        target = row_at(states, line, token, job.width, rows)
        row = rows[r * row_width : r * row_width + job.width]
        if is_turned:
            turn_row(row, row_of(job.cosines, token, rows), row_of(job.sines, token, rows), scale, -scale, target)
        elif is_added:
            for c in range(len(row)):
                target[c] += scale * row[c]
        else:
            for c in range(len(row)):
                target[c] = scale * row[c]


@compiled
def turn_row(source, cosines, sines, cosine_scale, sine_scale, row):
    """Rotary turn, see ``positions.rotate``; with a negative ``sine_scale`` back."""
    half = len(cosines)
    for c in range(half):
        first, second = source[c], source[half + c]
        cosine, sine = cosine_scale * cosines[c], sine_scale * sines[c]
        row[c] = first * cosine - second * sine
        row[half + c] = second * cosine + first * sine


@compiled
def by_columns(rows, n_rows, row_width, columns):
    """``rows`` [n_rows, row_width] to ``columns`` [row_width, n_rows], both flat."""
    for c in range(row_width):
        for r in range(n_rows):
            columns[c * n_rows + r] = rows[r * row_width + c]


@compiled
def load_bias(job, line, panel, bias):
    """0 or the masked score of the 64 keys of a panel."""
    allowed = marks_of(job.window_keys, line.sample)
    for r in range(64):
        i = panel * 64 + r
        bias[r] = 0 if i < line.n_tokens and allowed[line.phase + i * line.step] else MASKED


@compiled
def clear_silent(job, line, rows, panel):
    """Zero the rows of queries that are padding or global."""
    row_width, silent = up(job.width, 16), marks_of(job.silent, line.sample)
    for r in range(min(64, line.n_tokens - panel * 64)):
        if silent[line.phase + (panel * 64 + r) * line.step]:
            for c in range(row_width):
                rows[r * row_width + c] = 0


@compiled
def load_globals(job, line, states, rows, bias):
    """Rows of the global tokens, not turned, to flat ``rows``, and 0 or the masked score to ``bias``."""
    row_width, is_slot = up(job.width, 16), marks_of(job.is_slot, line.sample)
    positions = indices_of(job.positions, line.sample)
    for g in range(len(bias)):
        bias[g] = 0 if g < len(positions) and is_slot[g] else MASKED
    for i in range(len(rows)):
        rows[i] = 0
    for g in range(len(positions)):
        source = row_at(states, line, positions[g], job.width, rows)
        for c in range(job.width if is_slot[g] else 0):
            rows[g * row_width + c] = source[c]


@compiled
def add_globals(job, line, rows, states):
    """Add flat ``rows`` to the rows of the global tokens."""
    row_width, is_slot = up(job.width, 16), marks_of(job.is_slot, line.sample)
    positions = indices_of(job.positions, line.sample)
    for g in range(len(positions)):
        target = row_at(states, line, positions[g], job.width, rows)
        for c in range(job.width if is_slot[g] else 0):
            target[c] += rows[g * row_width + c]
