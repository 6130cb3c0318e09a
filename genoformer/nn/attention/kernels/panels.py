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
from numba.core import cgutils
from numba.extending import intrinsic

from genoformer.nn.attention.kernels.softmax_rows import MASKED, as_float32, as_int32
from genoformer.nn.layers.vectors import (
    LANES,
    filled,
    load,
    load_from,
    load_halves,
    minus,
    plus,
    store,
    store_halves,
    store_to,
    times,
    turn,
)

CHUNK_TOKENS = 2048
compiled = numba.njit(  # type: ignore[call-overload]  # numba's types leave out its keywords for wrappers
    error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)
"""For what compiled code alone calls: a wrapper for Python would take longer to compile than the function."""
part_of_caller = numba.njit(error_model="numpy", inline="always")
"""For long functions with one caller: compiled as a part of it, not by themselves as well."""


class States(NamedTuple):
    """[B, H, T, d_head] in memory: rows of ``d_head`` numbers, the distances between them in bytes; maybe bfloat16."""

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
    is_half: int  # 1 where states are bfloat16
    is_causal: int  # 1 where a window ends with the token itself
    tile_settings: int  # where those of ``tiles`` lie; 0 where products are of single numbers


class Line(NamedTuple):
    """One head of one sample, tokens ``phase``, ``phase + step``, …"""

    sample: int
    head: int
    phase: int
    step: int
    n_tokens: int
    radius: int
    ahead: int  # tokens of the window behind its own one


@intrinsic
def pointer_to(typing, address):
    """An address as a pointer."""

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), generate


@intrinsic
def prefetch(typing, address):
    """Ask for the cache line of an address, which nobody waits for."""

    def generate(context, builder, signature, arguments):
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        of_pointer = ir.FunctionType(ir.VoidType(), (pointer, number, number, number))
        function = cgutils.get_or_insert_function(builder.module, of_pointer, "llvm.prefetch.p0i8")
        place = builder.inttoptr(arguments[0], pointer)
        builder.call(function, (place, number(0), number(3), number(1)))  # to read, to all caches, data
        return context.get_dummy_value()

    return types.void(types.int64), generate


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
def address_of(states, line, token):
    """Of the row of a token."""
    return (
        states.address
        + line.sample * states.sample_stride
        + line.head * states.head_stride
        + token * states.token_stride
    )


@compiled
def load_row(address, is_half, scale, row):
    """The row of a token times ``scale``."""
    scales, whole = filled(scale), len(row) // LANES * LANES
    for c in range(0, whole, LANES):
        store(row, c, times(scales, load_halves(address + 2 * c, row) if is_half else load_from(address, c, row)))
    if is_half:
        halves = carray(pointer_to(address), (len(row),), np.uint16)
        for c in range(whole, len(row)):
            row[c] = scale * as_float32(np.int32(halves[c]) << np.int32(16))
    else:
        source = carray(pointer_to(address), (len(row),), row.dtype)
        for c in range(whole, len(row)):
            row[c] = scale * source[c]


@compiled
def store_row(address, is_half, scale, is_added, row):
    """Write or add ``row`` times ``scale`` to the row of a token."""
    scales, whole = filled(scale), len(row) // LANES * LANES
    for c in range(0, whole, LANES):
        numbers = times(scales, load(row, c))
        if is_added:
            numbers = plus(numbers, load_halves(address + 2 * c, row) if is_half else load_from(address, c, row))
        if is_half:
            store_halves(address + 2 * c, numbers)
        else:
            store_to(address, c, numbers)
    if is_half:
        halves = carray(pointer_to(address), (len(row),), np.uint16)
        for c in range(whole, len(row)):
            before = as_float32(np.int32(halves[c]) << np.int32(16)) if is_added else np.float32(0)
            halves[c] = to_half(np.float32(before + scale * row[c]))
    else:
        target = carray(pointer_to(address), (len(row),), row.dtype)
        for c in range(whole, len(row)):
            target[c] = scale * row[c] + (target[c] if is_added else row.dtype.type(0))


@compiled
def to_half(number):
    """The upper half of a float32, rounded to the nearest, or to even; NaN stays NaN."""
    bits = as_int32(number)
    rounded = (bits + np.int32(0x7FFF) + ((bits >> np.int32(16)) & np.int32(1))) >> np.int32(16)
    return np.uint16(rounded if number == number else 0x7FC0)


@compiled
def make_line(job, sample, head, phase):
    step = indices_of(job.dilations, 0)[head]
    n_tokens = (job.silent.n_columns - phase + step - 1) // step
    radius = min(job.radius, n_tokens)
    return Line(sample, head, phase, step, n_tokens, radius, 0 if job.is_causal else radius)


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
    return min(up(line.n_tokens, 64), up(token + 64 + line.ahead, 64)) // 64


@compiled
def load_panel(job, line, states, panel, is_turned, scale, rows):
    """64 tokens of a line times ``scale`` to flat ``rows``, turned by their positions on request."""
    row_width, n_rows = up(job.width, 16), min(64, line.n_tokens - panel * 64)
    if n_rows < 64 or row_width > job.width:
        for i in range(64 * row_width):
            rows[i] = 0
    n_bytes = job.width * (2 if job.is_half else rows.itemsize)
    for r in range(n_rows):
        token, row = line.phase + (panel * 64 + r) * line.step, rows[r * row_width : r * row_width + job.width]
        address = address_of(states, line, token)
        for ahead in range(0, n_bytes, 64):
            prefetch(address + 64 * line.step * states.token_stride + ahead)  # rows lie too far apart to be foreseen
        load_row(address, job.is_half, scale, row)
        if is_turned:
            turn_row(row, row_of(job.cosines, token, rows), row_of(job.sines, token, rows), 1)


@compiled
def store_panel(job, line, rows, panel, is_turned, is_added, scale, states):
    """Write or add flat ``rows`` times ``scale`` to 64 tokens of a line; they are turned back on request, in place."""
    row_width = up(job.width, 16)
    for r in range(min(64, line.n_tokens - panel * 64)):
        token, row = line.phase + (panel * 64 + r) * line.step, rows[r * row_width : r * row_width + job.width]
        if is_turned:
            turn_row(row, row_of(job.cosines, token, rows), row_of(job.sines, token, rows), -1)
        store_row(address_of(states, line, token), job.is_half, scale, is_added, row)


@compiled
def turn_row(row, cosines, sines, direction):
    """Rotary turn in place, see ``positions.rotate``; -1 turns back."""
    half, signs = len(cosines), filled(row.dtype.type(direction))
    whole = half // LANES * LANES
    for c in range(0, whole, LANES):
        first, second, cosine = load(row, c), load(row, half + c), load(cosines, c)
        sine = times(signs, load(sines, c))
        store(row, c, minus(times(first, cosine), times(second, sine)))
        store(row, half + c, plus(times(second, cosine), times(first, sine)))
    for c in range(whole, half):
        one, other, sine_of_it = row[c], row[half + c], direction * sines[c]
        row[c] = one * cosines[c] - other * sine_of_it
        row[half + c] = other * cosines[c] + one * sine_of_it


@compiled
def by_columns(rows, n_rows, row_width, columns):
    """``rows`` [n_rows, row_width] to ``columns`` [row_width, n_rows], both flat and multiples of 16."""
    for c in range(0, row_width, LANES):
        for r in range(0, n_rows, LANES):
            turn(rows, r * row_width + c, row_width, columns, c * n_rows + r, n_rows)


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
        if is_slot[g]:
            row = rows[g * row_width : g * row_width + job.width]
            load_row(address_of(states, line, positions[g]), job.is_half, rows.dtype.type(1), row)


@compiled
def add_globals(job, line, rows, states):
    """Add flat ``rows`` to the rows of the global tokens."""
    row_width, is_slot = up(job.width, 16), marks_of(job.is_slot, line.sample)
    positions = indices_of(job.positions, line.sample)
    for g in range(len(positions)):
        if is_slot[g]:
            row = rows[g * row_width : g * row_width + job.width]
            store_row(address_of(states, line, positions[g]), job.is_half, rows.dtype.type(1), True, row)
