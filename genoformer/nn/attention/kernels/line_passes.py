"""Scores, softmax and mixed values of 64 queries of a line, and their gradients, without leaving the caches."""

from typing import NamedTuple

import numpy as np

from genoformer.nn.attention.kernels.key_windows import (
    add_to_keys,
    score,
    slope,
    times_keys,
    times_window,
    weigh,
    weigh_again,
)
from genoformer.nn.attention.kernels.panels import (
    add_globals,
    by_columns,
    chunk_of,
    clear_silent,
    compiled,
    end_panel,
    first_panel,
    indices_of,
    load_bias,
    load_globals,
    load_panel,
    make_line,
    part_of_caller,
    row_of,
    store_panel,
    up,
)  # fmt: skip
from genoformer.nn.attention.kernels.register_blocks import product
from genoformer.nn.attention.kernels.tile_windows import (
    add_to_key_columns,
    load_key_words,
    narrow_and_turn,
    pair_queries,
    times_window_words,
)


class Memory(NamedTuple):
    """Where the parts of a thread's memory begin. W keys of a window, G global keys, d numbers of a row, P panels of a
    chunk, all filled up. Slopes are for the backward pass.

    For tiles, queries are rows of words, key and value columns [P, d / 2, 64] words; pairs of keys or values [P, 32, d]
    words lie where they were, without holes; slopes of both are columns, [P, d, 64]. See ``tile_windows``.
    """

    d: int
    G: int
    is_backward: int
    n_words: int  # of a row in bfloat16 for ``tiles``; 0 where products are of single numbers
    panel: int  # 64 d
    query: int  # [64, d], turned and scaled
    plain_query: int  # [64, d], scaled
    mixed: int  # [64, d]
    gradient: int  # [64, d]
    scores: int  # [64, W + G]
    bias: int  # [P, 64]
    key: int  # [P, 64, d], turned
    key_columns: int  # [P, d, 64]
    value: int  # [P, 64, d]
    global_bias: int  # [G]
    global_key: int  # [G, d]
    global_key_columns: int  # [d, G]
    global_value: int  # [G, d]
    slopes: int  # [64, W + G]
    value_columns: int  # [P, d, 64]
    key_slopes: int  # [P, 64, d]
    value_slopes: int  # [P, 64, d]
    global_value_columns: int  # [d, G]
    global_key_slopes: int  # [G, d]
    global_value_slopes: int  # [G, d]
    gradient_words: int  # [64, d]
    size: int


@compiled
def plan_memory(job, is_backward):
    """Room for the longest line."""
    line = make_line(job, 0, np.argmin(indices_of(job.dilations, 0)), 0)
    d, G, n_panels = up(job.width, 16), up(job.positions.n_columns, 16), up(line.n_tokens, 64) // 64
    reach = up(line.radius, 64) // 64 + 1
    P, W = min(n_panels, chunk_of(line) // 64 + 2 * reach), 64 * min(n_panels, 2 * reach + 1)
    panel, scores, chunk = 64 * d, 64 * (W + G), P * 64 * d
    bias = 4 * panel + scores
    key = bias + P * 64
    far = key + 3 * chunk
    slopes = far + G + 3 * G * d
    back = slopes + scores
    far_back = back + 3 * chunk
    words = far_back + 3 * G * d
    n_words = d // 2 if job.tile_settings and d % 32 == 0 else 0
    return Memory(
        d, G, is_backward, n_words, panel, 0, panel, 2 * panel, 3 * panel, 4 * panel, bias, key, key + chunk,
        key + 2 * chunk, far, far + G, far + G + G * d, far + G + 2 * G * d,
        slopes, back, back + chunk, back + 2 * chunk, far_back, far_back + G * d, far_back + 2 * G * d,
        words, words + panel if is_backward else slopes,
    )  # fmt: skip


@compiled
def load_keys(job, line, at, m, low, high, is_backward):
    """Keys, values and bias of the panels ``low`` to ``high``."""
    is_turned, one = job.cosines.n_rows > 0, m.dtype.type(1)
    for number in range(high - low):
        place, size = number * at.panel, at.panel
        if at.n_words:
            load_key_words(job, line, at, m, low + number, place, is_turned, is_backward)
        else:
            key, value = m[at.key + place : at.key + place + size], m[at.value + place : at.value + place + size]
            load_panel(job, line, job.key, low + number, is_turned, one, key)
            by_columns(key, 64, at.d, m[at.key_columns + place : at.key_columns + place + size])
            load_panel(job, line, job.value, low + number, False, one, value)
            if is_backward:
                by_columns(value, 64, at.d, m[at.value_columns + place : at.value_columns + place + size])
        load_bias(job, line, low + number, m[at.bias + number * 64 : at.bias + number * 64 + 64])


@compiled
def load_global_keys(job, line, at, m, is_backward):
    """Keys, values and bias of the global tokens."""
    size, bias = at.G * at.d, m[at.global_bias : at.global_bias + at.G]
    key, value = m[at.global_key : at.global_key + size], m[at.global_value : at.global_value + size]
    load_globals(job, line, job.key, key, bias)
    by_columns(key, at.G, at.d, m[at.global_key_columns : at.global_key_columns + size])
    load_globals(job, line, job.value, value, bias)
    if is_backward:
        by_columns(value, at.G, at.d, m[at.global_value_columns : at.global_value_columns + size])


@compiled
def load_queries(job, line, at, m, panel):
    """64 queries, scaled: turned for the window, plain for the global keys."""
    scale = m.dtype.type(1 / np.sqrt(job.width))
    load_panel(job, line, job.query, panel, job.cosines.n_rows > 0, scale, m[at.query : at.query + at.panel])
    if at.n_words:
        narrow_and_turn(at, m, at.query, at.query)
    if at.G:
        load_panel(job, line, job.query, panel, False, scale, m[at.plain_query : at.plain_query + at.panel])


@part_of_caller
def forward_chunk(job, line, at, m, begin, end):
    """Output and normalizers of the queries ``begin`` to ``end``, whole panels."""
    low, d = first_panel(line, begin), at.d
    load_keys(job, line, at, m, low, end_panel(line, end - 64), False)
    normalizers = row_of(job.normalizers, line.sample * job.dilations.n_columns + line.head, m)
    mixed = m[at.mixed : at.mixed + at.panel]
    for token in range(begin, end, 64):
        first = first_panel(line, token)
        n_panels = end_panel(line, token) - first
        n_keys, stride, middle = n_panels * 64, n_panels * 64 + at.G, token - first * 64
        load_queries(job, line, at, m, token // 64)
        score(line, at, m, token, first, n_panels, low)
        weigh(at, line, m, middle, n_keys)
        for r in range(min(64, line.n_tokens - token)):
            normalizers[line.phase + (token + r) * line.step] = m[at.mixed + r] + np.log(m[at.gradient + r])
        place = (first - low) * at.panel
        if at.n_words:
            times_window_words(line, at, m, at.scores, stride, at.value + place // 2, middle, n_keys)
        else:
            times_window(line, at, m, at.scores, stride, at.value + place, middle, n_keys)
        if at.G:
            product(m, at.scores + n_keys, stride, 1, 64, m, at.global_value, d, d, m, at.mixed, d, at.G, True)
        for r in range(64):
            scale = 1 / m[at.gradient + r]
            for c in range(d):
                mixed[r * d + c] *= scale
        clear_silent(job, line, mixed, token // 64)
        store_panel(job, line, mixed, token // 64, False, False, m.dtype.type(1), job.output)


@part_of_caller
def backward_panel(job, line, at, m, token, low):
    """Write the gradient of 64 queries, and add to those of the keys and values that they see."""
    first, d, G, panel = first_panel(line, token), at.d, at.G, token // 64
    n_panels = end_panel(line, token) - first
    n_keys, place, stride = n_panels * 64, (first - low) * at.panel, n_panels * 64 + at.G
    gradient = m[at.gradient : at.gradient + at.panel]
    load_queries(job, line, at, m, panel)
    load_panel(job, line, job.output, panel, False, m.dtype.type(1), gradient)
    clear_silent(job, line, gradient, panel)
    rows = at.gradient
    if at.n_words:
        rows = at.gradient_words
        narrow_and_turn(at, m, at.gradient, rows)
    weigh_again(job, line, at, m, token, first, n_panels, low)
    columns = at.value_columns + place
    middle, far_columns = token - first * 64, at.global_value_columns
    times_keys(line, at, m, rows, at.gradient, columns, middle, n_panels, far_columns, at.slopes)
    if at.n_words:
        add_window_words(line, at, m, place, stride, middle, n_keys)
    else:
        add_to_keys(line, at, m, at.scores, stride, at.gradient, at.value_slopes + place, middle, n_keys)
        slope(at, line, m, middle, n_keys)
        add_to_keys(line, at, m, at.slopes, stride, at.query, at.key_slopes + place, middle, n_keys)
        times_window(line, at, m, at.slopes, stride, at.key + place, middle, n_keys)
    store_query_slopes(job, line, at, m, panel, job.cosines.n_rows > 0, False)
    if G:
        far = at.slopes + n_keys
        product(m, at.scores + n_keys, 1, stride, G, m, at.gradient, d, d, m, at.global_value_slopes, d, 64, True)
        product(m, far, 1, stride, G, m, at.plain_query, d, d, m, at.global_key_slopes, d, 64, True)
        product(m, far, stride, 1, 64, m, at.global_key, d, d, m, at.mixed, d, G, False)
        store_query_slopes(job, line, at, m, panel, False, True)


@compiled
def add_window_words(line, at, m, place, stride, middle, n_keys):
    """Add to the gradients of keys and values in tiles, and leave that of the queries in ``mixed``."""
    slope(at, line, m, middle, n_keys)
    pairs, columns = at.scores + 32 * stride, 64 * at.n_words
    pair_queries(line, at, m, at.scores, at.scores, stride, middle, n_keys)  # half of the room is free then
    pair_queries(line, at, m, at.slopes, pairs, stride, middle, n_keys)
    values, keys = at.value_slopes + place, at.key_slopes + place
    add_to_key_columns(line, at, m, at.scores, stride, at.gradient_words + columns, values, middle, n_keys)
    add_to_key_columns(line, at, m, pairs, stride, at.query + columns, keys, middle, n_keys)
    times_window_words(line, at, m, at.slopes, stride, at.key + place // 2, middle, n_keys)


@compiled
def store_key_slopes(job, line, at, m, slopes, panel, is_turned, states):
    """Write the gradient of 64 keys or values, which is gathered by columns for tiles."""
    rows = m[slopes : slopes + at.panel]
    if at.n_words:
        rows = m[at.mixed : at.mixed + at.panel]
        by_columns(m[slopes : slopes + at.panel], at.d, 64, rows)
    store_panel(job, line, rows, panel, is_turned, False, m.dtype.type(1), states)


@compiled
def store_query_slopes(job, line, at, m, panel, is_turned, is_added):
    scale = m.dtype.type(1 / np.sqrt(job.width))
    mixed = m[at.mixed : at.mixed + at.panel]
    store_panel(job, line, mixed, panel, is_turned, is_added, scale, job.query_slopes)


@part_of_caller
def backward_line(job, line, at, m):
    """Gradients of a line. Those of keys are written when no later window adds to them; the others move up."""
    chunk, is_turned = chunk_of(line), job.cosines.n_rows > 0
    low, n_kept = 0, 0
    for begin in range(0, line.n_tokens, chunk):
        end = min(begin + chunk, up(line.n_tokens, 64))
        high = end_panel(line, end - 64)
        load_keys(job, line, at, m, low, high, True)
        for i in range(n_kept * at.panel, (high - low) * at.panel):
            m[at.key_slopes + i] = 0
            m[at.value_slopes + i] = 0
        for token in range(begin, end, 64):
            backward_panel(job, line, at, m, token, low)
        next_low = high if end >= line.n_tokens else first_panel(line, end)
        for number in range(next_low - low):
            key, value = at.key_slopes + number * at.panel, at.value_slopes + number * at.panel
            store_key_slopes(job, line, at, m, key, low + number, is_turned, job.key_slopes)
            store_key_slopes(job, line, at, m, value, low + number, False, job.value_slopes)
        n_kept = high - next_low
        for i in range(n_kept * at.panel):
            m[at.key_slopes + i] = m[at.key_slopes + (next_low - low) * at.panel + i]
            m[at.value_slopes + i] = m[at.value_slopes + (next_low - low) * at.panel + i]
        low = next_low


@part_of_caller
def backward_head(job, sample, head, at, m):
    """Gradients of one head of one sample."""
    size = at.G * at.d
    key, value = at.global_key_slopes, at.global_value_slopes
    for i in range(size):
        m[key + i] = 0
        m[value + i] = 0
    for phase in range(min(indices_of(job.dilations, 0)[head], job.silent.n_columns)):
        line = make_line(job, sample, head, phase)
        if at.G and phase == 0:
            load_global_keys(job, line, at, m, True)
        backward_line(job, line, at, m)
    line = make_line(job, sample, head, 0)
    add_globals(job, line, m[key : key + size], job.key_slopes)
    add_globals(job, line, m[value : value + size], job.value_slopes)


@part_of_caller
def forward_part(job, sample, head, number, n_parts, at, m):
    """Every ``n_parts``-th chunk of one head of one sample."""
    for phase in range(min(indices_of(job.dilations, 0)[head], job.silent.n_columns)):
        line = make_line(job, sample, head, phase)
        if at.G and phase == 0:
            load_global_keys(job, line, at, m, False)
        chunk = chunk_of(line)
        for begin in range(number * chunk, line.n_tokens, n_parts * chunk):
            forward_chunk(job, line, at, m, begin, min(begin + chunk, up(line.n_tokens, 64)))
