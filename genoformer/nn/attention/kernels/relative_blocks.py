"""Attention of segments with relative positions: 64 queries with their keys, forwards and backwards, inside the caches.

The products of queries with distances are made first, [64, W + 63]; row ``i`` of the scores is what lies in row ``i``
from column ``63 - i`` on. With rows that begin one number sooner each, the products with keys are added in place: the
shift costs nothing. In the backward pass the same memory, read in both ways, gives the gradients of both.
"""

from typing import NamedTuple

import numpy as np
from numba import carray

from genoformer.nn.attention.kernels.panels import compiled, part_of_caller, pointer_to, up
from genoformer.nn.attention.kernels.register_blocks import ROWS, product
from genoformer.nn.attention.kernels.softmax_rows import add, dot, exponentials, largest, slopes_of_scores

BLOCK = 64
"""Queries that go through together."""
SPARE_ROWS = 4
"""Rows behind the queries and distances that products read or write, as they come in fours."""
SPARE_COLUMNS = 48
"""Columns behind keys and distances that products read, as they come in sixteens."""


class RelativeJob(NamedTuple):
    """One call: addresses of contiguous arrays, then sizes. N pairs of sample and head, d filled up to 16 numbers."""

    content: int  # [N, T + spare, d], queries with u, scaled
    position: int  # [N, T + spare, d], queries with v, scaled
    key: int  # [N, n, d], those kept of the stretch before in front
    key_columns: int  # [N, d, n + spare]
    value: int  # [N, n, d]
    value_columns: int  # [N, d, n + spare], for the backward pass
    distance: int  # [H, P + spare, d], the largest first
    distance_columns: int  # [H, d, P + spare]
    bias: int  # [B, n], 0 or the masked score of a key
    mixed: int  # [N, T + spare, d], written by the forward pass; its gradient in the backward pass
    normalizers: int  # [N, T]
    content_slopes: int  # gradients, like what they are of
    position_slopes: int
    own_key_slopes: int  # of keys as tokens of a segment
    own_value_slopes: int
    kept_key_slopes: int  # of keys as memory
    kept_value_slopes: int
    distance_slopes: int  # [N, P + spare, d]
    n_pairs: int
    n_heads: int
    n_tokens: int
    n_keys: int
    n_distances: int
    width: int
    segment: int
    memory: int
    is_causal: int
    has_bias: int
    farthest: int


class Span(NamedTuple):
    """Some queries of one segment, and the keys that they meet."""

    first: int  # query
    n_queries: int
    n_rows: int  # queries, filled up
    low: int  # first key
    n_keys: int
    pitch: int  # numbers from one row of products to the next
    offset: int  # first distance


class Places(NamedTuple):
    """Where the parts of a thread's memory begin."""

    slopes: int
    mixed: int
    key_slopes: int
    value_slopes: int
    size: int


@compiled
def plan_relative(job):
    """Room for the widest block; products come first."""
    widest = up(min(job.n_keys, job.memory + job.segment), 16)
    pitch = up(widest + BLOCK, 16)
    slopes = BLOCK * pitch + 64
    mixed = slopes + BLOCK * (widest + 16)
    key_slopes = mixed + BLOCK * (job.width + 1)
    rows = (widest + 16) * job.width
    return Places(slopes, mixed, key_slopes, key_slopes + rows, key_slopes + 2 * rows)


@compiled
def array_of(address, number, size, like):
    """View of the ``number``-th array of that size, of the type of ``like``."""
    return carray(pointer_to(address + number * size * like.itemsize), (size,), like.dtype)


@compiled
def span_of(job, begin, end, first):
    """The block of a segment that begins at a query."""
    n_before = job.n_keys - job.n_tokens
    n_queries = min(BLOCK, end - first)
    n_rows, low = up(n_queries, ROWS), max(0, n_before + begin - job.memory)
    n_keys = n_before + (first + n_queries if job.is_causal else end) - low
    offset = job.farthest - (n_before + first + n_rows - 1 - low)
    return Span(first, n_queries, n_rows, low, n_keys, up(up(n_keys, 16) + n_rows, 16), offset)


@compiled
def seen_by(job, span, r):
    """Keys that a query of a block meets."""
    if not job.is_causal:
        return span.n_keys
    return job.n_keys - job.n_tokens + span.first + r + 1 - span.low


@compiled
def queries_of(job, address, pair, like):
    return array_of(address, pair, (job.n_tokens + SPARE_ROWS) * job.width, like)


@compiled
def score_span(job, span, pair, m):
    """Scores of a block, row ``r`` from ``n_rows - 1 + r * (pitch - 1)`` on."""
    d, head = job.width, pair % job.n_heads
    key_row, distance_row = job.n_keys + SPARE_COLUMNS, job.n_distances + SPARE_COLUMNS
    content, position = queries_of(job, job.content, pair, m), queries_of(job, job.position, pair, m)
    keys = array_of(job.key_columns, pair, d * key_row, m)
    distances = array_of(job.distance_columns, head, d * distance_row, m)
    place, shift, pitch = span.first * d, span.n_rows - 1, span.pitch
    product(position, place, d, 1, span.n_rows, distances, span.offset, distance_row, pitch, m, 0, pitch, d, False)
    width = up(span.n_keys, 16)
    product(content, place, d, 1, span.n_rows, keys, span.low, key_row, width, m, shift, pitch - 1, d, True)
    if job.has_bias:
        bias = array_of(job.bias, pair // job.n_heads, job.n_keys, m)[span.low : span.low + span.n_keys]
        for r in range(span.n_queries):
            row = shift + r * (pitch - 1)
            add(m[row : row + span.n_keys], bias)


@compiled
def clear(m, begin, end):
    for i in range(begin, end):
        m[i] = 0


@part_of_caller
def forward_pair(job, pair, at, m):
    """Output and normalizers of one head of one sample."""
    d = job.width
    values = array_of(job.value, pair, job.n_keys * d, m)
    output = queries_of(job, job.mixed, pair, m)
    normalizers = array_of(job.normalizers, pair, job.n_tokens, m)
    for begin in range(0, job.n_tokens, job.segment):
        end = min(job.n_tokens, begin + job.segment)
        for first in range(begin, end, BLOCK):
            span = span_of(job, begin, end, first)
            score_span(job, span, pair, m)
            stride, start = span.pitch - 1, span.n_rows - 1
            for r in range(span.n_queries):
                row, seen = start + r * stride, seen_by(job, span, r)
                top = largest(m[row : row + seen])
                total = exponentials(m[row : row + seen], top)
                normalizers[first + r] = top + np.log(total)
                m[at.mixed + BLOCK * d + r] = 1 / total
                clear(m, row + seen, row + span.n_keys)
            for r in range(0, span.n_rows, ROWS):
                steps = min(span.n_keys, seen_by(job, span, r + ROWS - 1))
                row, into = start + r * stride, at.mixed + r * d
                product(m, row, stride, 1, ROWS, values, span.low * d, d, d, m, into, d, steps, False)
            for r in range(span.n_queries):
                scale = m[at.mixed + BLOCK * d + r]
                for c in range(d):
                    output[(first + r) * d + c] = scale * m[at.mixed + r * d + c]


@compiled
def weigh_span_again(job, span, pair, m):
    """The weights of the forward pass, in place of scores; 0 behind the keys that are seen."""
    score_span(job, span, pair, m)
    normalizers = array_of(job.normalizers, pair, job.n_tokens, m)
    for r in range(span.n_queries):
        row, seen = span.n_rows - 1 + r * (span.pitch - 1), seen_by(job, span, r)
        exponentials(m[row : row + seen], normalizers[span.first + r])
        clear(m, row + seen, row + up(span.n_keys, 16))


@compiled
def slope_span(job, span, at, m):
    """Gradients of the scores in place of the weights; zeros around them."""
    width = up(span.n_keys, 16)
    for r in range(span.n_queries):
        row, seen, place = span.n_rows - 1 + r * (span.pitch - 1), seen_by(job, span, r), at.slopes + r * width
        weights, slopes = m[row : row + seen], m[place : place + seen]
        slopes_of_scores(slopes, weights, dot(slopes, weights))
        clear(m, r * span.pitch, (r + 1) * span.pitch)
        for j in range(seen):
            weights[j] = slopes[j]


@part_of_caller
def backward_span(job, span, pair, at, m):
    """Gradients that a block of queries gives: those of its keys and values go to the memory of the thread."""
    d, pitch, place, shift = job.width, span.pitch, span.first * job.width, span.n_rows - 1
    n_keys, width, value_row = span.n_keys, up(span.n_keys, 16), job.n_keys + SPARE_COLUMNS
    gradient = queries_of(job, job.mixed, pair, m)
    weigh_span_again(job, span, pair, m)
    value_columns = array_of(job.value_columns, pair, d * value_row, m)
    product(
        gradient, place, d, 1, span.n_rows, value_columns, span.low, value_row, width, m, at.slopes, width, d, False
    )
    rows, n = up(n_keys, ROWS), span.n_queries
    product(m, shift, 1, pitch - 1, rows, gradient, place, d, d, m, at.value_slopes, d, n, True)
    slope_span(job, span, at, m)
    content, position = queries_of(job, job.content, pair, m), queries_of(job, job.position, pair, m)
    product(m, shift, 1, pitch - 1, rows, content, place, d, d, m, at.key_slopes, d, n, True)
    keys = array_of(job.key, pair, job.n_keys * d, m)
    content_slopes = queries_of(job, job.content_slopes, pair, m)
    product(m, shift, pitch - 1, 1, span.n_rows, keys, span.low * d, d, d, content_slopes, place, d, n_keys, False)
    size, at_distance = (job.n_distances + SPARE_COLUMNS) * d, span.offset * d
    distances = array_of(job.distance, pair % job.n_heads, size, m)
    distance_slopes = array_of(job.distance_slopes, pair, size, m)
    position_slopes, columns = queries_of(job, job.position_slopes, pair, m), n_keys + span.n_rows - 1
    product(m, 0, pitch, 1, span.n_rows, distances, at_distance, d, d, position_slopes, place, d, columns, False)
    product(m, 0, 1, pitch, up(columns, ROWS), position, place, d, d, distance_slopes, at_distance, d, n, True)


@part_of_caller
def backward_pair(job, pair, at, m):
    """Gradients of one head of one sample. Those of keys are kept apart as tokens of a segment and as memory."""
    d, n_before = job.width, job.n_keys - job.n_tokens
    own_keys, own_values = (
        array_of(job.own_key_slopes, pair, job.n_keys * d, m), array_of(job.own_value_slopes, pair, job.n_keys * d, m)
    )  # fmt: skip
    kept_keys, kept_values = (
        array_of(job.kept_key_slopes, pair, job.n_keys * d, m), array_of(job.kept_value_slopes, pair, job.n_keys * d, m)
    )  # fmt: skip
    for begin in range(0, job.n_tokens, job.segment):
        end = min(job.n_tokens, begin + job.segment)
        low = max(0, n_before + begin - job.memory)
        n_keys, n_kept = n_before + end - low, n_before + begin - low
        clear(m, at.key_slopes, at.key_slopes + up(n_keys, 16) * d)
        clear(m, at.value_slopes, at.value_slopes + up(n_keys, 16) * d)
        for first in range(begin, end, BLOCK):
            backward_span(job, span_of(job, begin, end, first), pair, at, m)
        for i in range(n_kept * d):
            kept_keys[low * d + i] += m[at.key_slopes + i]
            kept_values[low * d + i] += m[at.value_slopes + i]
        for i in range(n_kept * d, n_keys * d):
            own_keys[low * d + i] = m[at.key_slopes + i]
            own_values[low * d + i] = m[at.value_slopes + i]
