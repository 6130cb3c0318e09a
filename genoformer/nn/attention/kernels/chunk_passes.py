"""Attention of sorted tokens, chunk by chunk, and its gradients: one head of one sample, without leaving the caches.

A panel holds the tokens of a chunk, filled up with zeros to rows of a multiple of 16 numbers and to a multiple of 16
rows. The memory of a thread is a flat array of numbers and one of marks: the token that stands in each place.
"""

import math
from typing import NamedTuple

import numba
import numpy as np
from numba import carray

from genoformer.nn.attention.kernels.panels import (
    Matrix,
    States,
    by_columns,
    compiled,
    load_row,
    part_of_caller,
    pointer_to,
    prefetch,
    row_of,
    store_row,
    up,
)
from genoformer.nn.attention.kernels.register_blocks import product
from genoformer.nn.attention.kernels.softmax_rows import MASKED, SUMS, exponentials, largest

EMPTY = 2**31 - 1
"""Mark of a place without a token: behind every token."""
ALONE = -1e5
"""As ``reformer_chunks.SELF_SCORE``."""


class ChunkJob(NamedTuple):
    """One call: where everything is."""

    query: States
    key: States
    value: States
    output: States  # written by the forward pass; its gradient in the backward pass
    query_slopes: States  # gradients, to which the backward pass adds
    key_slopes: States
    value_slopes: States
    tops: Matrix  # [B * H, T], largest score of every query
    totals: Matrix  # [B * H, T], sum of exponentials of its scores less the largest; 0 for padding
    means: Matrix  # [B * H, T], product of output and its gradient
    order: Matrix  # int32 [B or B * H, R * n * c]
    n_heads: int
    width: int  # d_head
    chunk: int  # c
    n_chunks: int  # n, of a round
    before: int
    after: int
    is_causal: int
    sees_itself: int
    is_ring: int


class Places(NamedTuple):
    """Where the parts of a thread's memory begin. C places of a panel, P panels in sight, d numbers of a row."""

    d: int
    C: int
    P: int
    panel: int  # C d
    query: int  # [C, d]
    mixed: int  # [C, d]
    gradient: int  # [C, d]
    tops: int  # [C]
    totals: int  # [C]
    scores: int  # [C, P C]
    key: int  # [P, C, d]
    key_columns: int  # [P, d, C]
    value: int  # [P, C, d]
    value_columns: int  # [P, d, C]
    slopes: int  # [C, P C]
    size: int


@compiled
def plan_places(job):
    """Room for both passes."""
    d, C, P = up(job.width, 16), up(job.chunk, 16), job.before + 1 + job.after
    panel, scores = C * d, C * P * C
    key = 3 * panel + 2 * C + scores
    return Places(
        d, C, P, panel, 0, panel, 2 * panel, 3 * panel, 3 * panel + C, 3 * panel + 2 * C,
        key, key + P * panel, key + 2 * P * panel, key + 3 * P * panel, key + 4 * P * panel,
        key + 4 * P * panel + scores,
    )  # fmt: skip


@compiled
def order_of(job, sample, head):
    """View of the tokens of a head in their order, -1 where there is none."""
    is_shared = job.order.n_rows * job.n_heads == job.tops.n_rows and job.n_heads > 1
    number = sample if is_shared else sample * job.n_heads + head
    address = job.order.address + number * job.order.n_columns * 4
    return carray(pointer_to(address), (job.order.n_columns,), np.int32)


@compiled
def address_in(states, sample, head, token):
    """Of the row of a token."""
    return states.address + sample * states.sample_stride + head * states.head_stride + token * states.token_stride


@compiled
def gather(job, states, sample, head, order, chunk, at, m, place):
    """The rows of a chunk to a panel; rows without a token are zero, and so is what fills up."""
    for i in range(place, place + at.panel):
        m[i] = 0
    for r in range(job.chunk):
        token = order[chunk * job.chunk + r]
        if token >= 0:
            begin = place + r * at.d
            row = m[begin : begin + job.width]
            load_row(address_in(states, sample, head, token), False, m.dtype.type(1), row)


@compiled
def fetch_row(states, sample, head, token, n_bytes):
    """Ask for the row of a token."""
    address = address_in(states, sample, head, token)
    for line in range(0, n_bytes, 64):
        prefetch(address + line)


@compiled
def fetch_ahead(job, sample, head, order, chunk, r, m, is_backward):
    """Ask for what the next chunk needs of its ``r``-th tokens, while this one is computed."""
    n_bytes, place = job.width * m.itemsize, (chunk + 1) * job.chunk + r
    if place < len(order) and order[place] >= 0:
        token = order[place]
        fetch_row(job.query, sample, head, token, n_bytes)
        fetch_row(job.output, sample, head, token, n_bytes)
        if is_backward:
            fetch_row(job.query_slopes, sample, head, token, n_bytes)
    place += job.after * job.chunk
    if place < len(order) and order[place] >= 0:
        token = order[place]
        fetch_row(job.key, sample, head, token, n_bytes)
        fetch_row(job.value, sample, head, token, n_bytes)
        if is_backward:
            fetch_row(job.key_slopes, sample, head, token, n_bytes)
            fetch_row(job.value_slopes, sample, head, token, n_bytes)


@compiled
def scatter_add(job, states, sample, head, marks, first, at, m, place):
    """Add the rows of a panel to those of its tokens."""
    for r in range(at.C):
        token = marks[first + r]
        if token != EMPTY:
            begin = place + r * at.d
            row = m[begin : begin + job.width]
            store_row(address_in(states, sample, head, token), False, m.dtype.type(1), True, row)


@compiled
def seen_chunk(job, chunk, offset, n_all):
    """Number of the chunk that stands ``offset`` from another one; -1 for none."""
    if job.is_ring and job.n_chunks > 1:
        return (chunk + offset + n_all * (job.before + job.after)) % n_all
    place = chunk % job.n_chunks + offset
    return chunk + offset if 0 <= place < job.n_chunks else -1


@compiled
def look(job, sample, head, order, chunk, at, m, marks, held, is_backward):
    """Load the panels in sight of a chunk; those of the chunk before stay where they are."""
    n_all = len(order) // job.chunk
    for number in range(at.P):
        offset = number - job.before
        seen = seen_chunk(job, chunk, offset, n_all)
        slot = number if job.is_ring else (chunk + offset + at.P) % at.P
        if seen >= 0 and held[slot] == seen:
            continue
        if seen < 0 and held[slot] == -1:
            continue
        held[slot] = seen
        load_panel_in_sight(job, sample, head, order, seen, slot, at, m, marks, is_backward)


@compiled
def load_panel_in_sight(job, sample, head, order, seen, slot, at, m, marks, is_backward):
    """Keys, values and marks of one panel; all empty for -1."""
    first, place = slot * at.C, slot * at.panel
    for r in range(at.C):
        marks[first + r] = EMPTY
    if seen < 0:
        for i in range(at.panel):
            m[at.key + place + i] = 0
            m[at.key_columns + place + i] = 0
            m[at.value + place + i] = 0
            m[at.value_columns + place + i] = 0
        return
    for r in range(job.chunk):
        token = order[seen * job.chunk + r]
        marks[first + r] = token if token >= 0 else EMPTY
    key, value = at.key + place, at.value + place
    gather(job, job.key, sample, head, order, seen, at, m, key)
    by_columns(m[key : key + at.panel], at.C, at.d, m[at.key_columns + place : at.key_columns + place + at.panel])
    gather(job, job.value, sample, head, order, seen, at, m, value)
    if is_backward:
        columns = at.value_columns + place
        by_columns(m[value : value + at.panel], at.C, at.d, m[columns : columns + at.panel])


@compiled
def times_columns(at, m, rows, columns, into):
    """``into`` [C, P C] = rows [C, d] times the columns of all panels in sight."""
    stride = at.P * at.C
    for p in range(at.P):
        product(m, rows, at.d, 1, at.C, m, columns + p * at.panel, at.C, at.C, m, into + p * at.C, stride, at.d, False)


@numba.njit(error_model="numpy")
def mask(row, marks, alone, limit):
    """Score of the token ``alone`` with itself, and of places behind ``limit``."""
    for j in range(len(row)):
        mark, score = marks[j], row[j]
        score = row.dtype.type(ALONE) if mark == alone else score
        row[j] = row.dtype.type(MASKED) if mark > limit else score


@compiled
def masked_row(job, at, m, marks, r, token):
    """The scores of a query, those of what it does not see included."""
    stride = at.P * at.C
    row = m[at.scores + r * stride : at.scores + (r + 1) * stride]
    alone = np.int32(-1) if job.sees_itself else token
    limit = token if job.is_causal else np.int32(EMPTY - 1)
    mask(row, marks, alone, limit)
    return row


@compiled
def merge(job, at, m, r, address, tops, totals, token):
    """Add the values that a round has mixed for a token to those of the rounds before."""
    top, total, begin = m[at.tops + r], m[at.totals + r], at.mixed + r * at.d
    row = m[begin : begin + job.width]
    target = carray(pointer_to(address), (job.width,), m.dtype)
    if totals[token] == 0:
        tops[token], totals[token] = top, total
        for c in range(job.width):
            target[c] = row[c]
        return
    highest = max(top, tops[token])
    of_old, of_round = math.exp(tops[token] - highest), math.exp(top - highest)
    old, fresh = m.dtype.type(of_old), m.dtype.type(of_round)
    tops[token], totals[token] = highest, totals[token] * old + total * fresh
    for c in range(job.width):
        target[c] = target[c] * old + row[c] * fresh


@compiled
def finish(job, sample, head, m, totals):
    """Divide by the sums; rows of padding are zero."""
    for token in range(len(totals)):
        target = carray(pointer_to(address_in(job.output, sample, head, token)), (job.width,), m.dtype)
        scale = 1 / totals[token] if totals[token] != 0 else m.dtype.type(0)
        for c in range(job.width):
            target[c] = target[c] * scale if scale != 0 else m.dtype.type(0)


@part_of_caller
def forward_chunks(job, sample, head, at, m, marks, held):
    """Output, largest scores and sums of one head of one sample."""
    order, number = order_of(job, sample, head), sample * job.n_heads + head
    tops, totals = row_of(job.tops, number, m), row_of(job.totals, number, m)
    totals[:] = 0
    held[:] = -2
    stride = at.P * at.C
    for chunk in range(len(order) // job.chunk):
        if order[chunk * job.chunk] < 0:
            continue  # real tokens come first
        look(job, sample, head, order, chunk, at, m, marks, held, False)
        gather(job, job.query, sample, head, order, chunk, at, m, at.query)
        times_columns(at, m, at.query, at.key_columns, at.scores)
        for r in range(job.chunk):
            fetch_ahead(job, sample, head, order, chunk, r, m, False)
            token = order[chunk * job.chunk + r]
            if token >= 0:
                row = masked_row(job, at, m, marks, r, token)
                m[at.tops + r] = largest(row)
                m[at.totals + r] = exponentials(row, m[at.tops + r])
        product(m, at.scores, stride, 1, at.C, m, at.value, at.d, at.d, m, at.mixed, at.d, stride, False)
        for r in range(job.chunk):
            token = order[chunk * job.chunk + r]
            if token >= 0:
                merge(job, at, m, r, address_in(job.output, sample, head, token), tops, totals, token)
    finish(job, sample, head, m, totals)


@numba.njit(error_model="numpy", fastmath=SUMS)
def slopes_in_sight(slopes, weights, mean, marks, alone):
    """Gradient of the weights to that of the scores, in place; a token's score with itself is a constant."""
    for j in range(len(slopes)):
        slope = weights[j] * (slopes[j] - mean)
        slopes[j] = slopes.dtype.type(0) if marks[j] == alone else slope


@compiled
def load_gradient(job, sample, head, order, chunk, at, m, totals):
    """Rows of the gradient of the output, divided by the sums of exponentials."""
    gather(job, job.output, sample, head, order, chunk, at, m, at.gradient)
    for r in range(job.chunk):
        token = order[chunk * job.chunk + r]
        if token >= 0:
            scale = 1 / totals[token]
            for c in range(at.gradient + r * at.d, at.gradient + (r + 1) * at.d):
                m[c] *= scale


@compiled
def weigh_chunk(job, order, chunk, at, m, marks, tops):
    """Weights of the queries of a chunk, times their sums; 0 for rows without a query."""
    stride = at.P * at.C
    for r in range(at.C):
        token = order[chunk * job.chunk + r] if r < job.chunk else np.int32(-1)
        if token >= 0:
            exponentials(masked_row(job, at, m, marks, r, token), tops[token])
        else:
            for j in range(at.scores + r * stride, at.scores + (r + 1) * stride):
                m[j] = 0


@part_of_caller
def backward_chunks(job, sample, head, at, m, marks, held):
    """Add the gradients of one head of one sample."""
    order, number = order_of(job, sample, head), sample * job.n_heads + head
    tops, totals, means = row_of(job.tops, number, m), row_of(job.totals, number, m), row_of(job.means, number, m)
    held[:] = -2
    stride = at.P * at.C
    for chunk in range(len(order) // job.chunk):
        if order[chunk * job.chunk] < 0:
            continue
        look(job, sample, head, order, chunk, at, m, marks, held, True)
        gather(job, job.query, sample, head, order, chunk, at, m, at.query)
        load_gradient(job, sample, head, order, chunk, at, m, totals)
        times_columns(at, m, at.query, at.key_columns, at.scores)
        weigh_chunk(job, order, chunk, at, m, marks, tops)
        times_columns(at, m, at.gradient, at.value_columns, at.slopes)
        for r in range(at.C):
            fetch_ahead(job, sample, head, order, chunk, r, m, True)
            token = order[chunk * job.chunk + r] if r < job.chunk else np.int32(-1)
            weights = m[at.scores + r * stride : at.scores + (r + 1) * stride]
            slopes = m[at.slopes + r * stride : at.slopes + (r + 1) * stride]
            mean = means[token] / totals[token] if token >= 0 else m.dtype.type(0)
            alone = np.int32(-1) if job.sees_itself else token
            slopes_in_sight(slopes, weights, mean, marks, alone)
        add_to_keys_in_sight(job, job.value_slopes, sample, head, at, m, marks, at.scores, at.gradient)
        add_to_keys_in_sight(job, job.key_slopes, sample, head, at, m, marks, at.slopes, at.query)
        product(m, at.slopes, stride, 1, at.C, m, at.key, at.d, at.d, m, at.mixed, at.d, stride, False)
        for r in range(job.chunk):
            token = order[chunk * job.chunk + r]
            if token >= 0:
                begin = at.mixed + r * at.d
                address = address_in(job.query_slopes, sample, head, token)
                store_row(address, False, m.dtype.type(1), True, m[begin : begin + job.width])


@compiled
def add_to_keys_in_sight(job, states, sample, head, at, m, marks, columns, rows):
    """Rows of the keys in sight += transposed columns [C, P C] times rows [C, d]."""
    stride = at.P * at.C
    for p in range(at.P):
        product(
            m, columns + p * at.C, 1, stride, at.C, m, rows, at.d, at.d, m, at.mixed, at.d, at.C, False
        )  # fmt: skip
        scatter_add(job, states, sample, head, marks, p * at.C, at, m, at.mixed)
