"""What 64 queries do with the keys of their windows: scores, weights, and products of weights with rows.

Queries come in groups of ``ROWS``. Of the whole panels that the windows of 64 queries touch, a group leaves out the
keys that none of its queries sees; what the scores hold there is never read.
"""

import numpy as np

from genoformer.nn.attention.kernels.panels import compiled, row_of, up
from genoformer.nn.attention.kernels.register_blocks import ROWS, product
from genoformer.nn.attention.kernels.softmax_rows import MASKED, add, dot, exponentials, largest, slopes_of_scores
from genoformer.nn.attention.kernels.tiles import tile_product

BAND = 32
"""Queries that meet a panel together: fewer see fewer keys in vain, more reuse what is loaded."""


@compiled
def seen_keys(line, middle, n_queries, n_keys):
    """Which keys the queries see that begin at key ``middle``: (first, end), multiples of 16."""
    return max(0, middle - line.radius) // 16 * 16, min(n_keys, up(middle + n_queries + line.ahead, 16))


@compiled
def times_keys(line, at, m, rows, plain_rows, columns, middle, n_panels, global_columns, into):
    """``into`` [64, W + G] = rows times the keys (or values) of a window, and plain rows times the global ones.

    Keys that none of ``BAND`` queries sees are left out.
    """
    d, stride = at.d, n_panels * 64 + at.G
    for r in range(0, 64, BAND):
        low, high = seen_keys(line, middle + r, BAND, n_panels * 64)
        for p in range(low // 64, up(high, 64) // 64):
            begin, end = max(low - p * 64, 0), min(high - p * 64, 64)
            place, target = columns + p * at.panel + begin, into + r * stride + p * 64 + begin
            if at.n_words:
                words, memory = rows + r * at.n_words, m.ctypes.data
                tile_product(
                    memory + 4 * words, 4 * at.n_words, memory + 4 * place, 4 * 64, end - begin, memory + 4 * target,
                    4 * stride, at.n_words, False,
                )  # fmt: skip
            else:
                product(m, rows + r * d, d, 1, BAND, m, place, 64, end - begin, m, target, stride, d, False)
    if at.G:
        product(m, plain_rows, d, 1, 64, m, global_columns, at.G, at.G, m, into + n_panels * 64, stride, d, False)


@compiled
def score(line, at, m, token, first, n_panels, low):
    """Scores of the 64 queries that begin at ``token``; forbidden ones among the seen keys are masked."""
    W, stride, bias = n_panels * 64, n_panels * 64 + at.G, at.bias + (first - low) * 64
    columns = at.key_columns + (first - low) * at.panel
    middle = token - first * 64
    times_keys(line, at, m, at.query, at.plain_query, columns, middle, n_panels, at.global_key_columns, at.scores)
    has_bias = dot(m[bias : bias + W], m[bias : bias + W]) > 0
    for r in range(64):
        row, middle = at.scores + r * stride, token + r - first * 64
        begin, end = seen_keys(line, middle - r % ROWS, ROWS, W)
        for j in range(begin, middle - line.radius):
            m[row + j] = MASKED
        for j in range(middle + line.ahead + 1, end):
            m[row + j] = MASKED
        if has_bias:
            add(m[row + begin : row + end], m[bias + begin : bias + end])
        if at.G:
            add(m[row + W : row + stride], m[at.global_bias : at.global_bias + at.G])


@compiled
def part(number, line, middle, n_keys, stride):
    """Scores of a row that are read: those of seen keys (0), and those of global ones (1); (first, end)."""
    return (n_keys, stride) if number else seen_keys(line, middle // ROWS * ROWS, ROWS, n_keys)


@compiled
def weigh(at, line, m, middle, n_keys):
    """Weights, times their sum, in place of scores.

    The sums are left where the gradient is in the backward pass, and the numbers taken from the scores in ``mixed``.
    """
    stride, n_parts = n_keys + at.G, 2 if at.G else 1
    for r in range(64):
        row, found = m[at.scores + r * stride : at.scores + (r + 1) * stride], m.dtype.type(-np.inf)
        for number in range(n_parts):
            begin, end = part(number, line, middle + r, n_keys, stride)
            found = max(found, largest(row[begin:end]))
        m[at.mixed + r] = found
    for r in range(64):
        row, total = m[at.scores + r * stride : at.scores + (r + 1) * stride], m.dtype.type(0)
        for number in range(n_parts):
            begin, end = part(number, line, middle + r, n_keys, stride)
            total += exponentials(row[begin:end], m[at.mixed + r])
        m[at.gradient + r] = total


@compiled
def weigh_again(job, line, at, m, token, first, n_panels, low):
    """The weights of the forward pass, from scores and normalizers; 0 for rows behind the end."""
    score(line, at, m, token, first, n_panels, low)
    n_keys, n_parts = n_panels * 64, 2 if at.G else 1
    stride = n_keys + at.G
    normalizers = row_of(job.normalizers, line.sample * job.dilations.n_columns + line.head, m)
    for r in range(64):
        row = m[at.scores + r * stride : at.scores + (r + 1) * stride]
        if token + r < line.n_tokens:
            for number in range(n_parts):
                begin, end = part(number, line, token + r - first * 64, n_keys, stride)
                exponentials(row[begin:end], normalizers[line.phase + (token + r) * line.step])
        else:
            row[:] = 0


@compiled
def slope(at, line, m, middle, n_keys):
    """Gradients of the scores in place of those of the weights."""
    stride, n_parts = n_keys + at.G, 2 if at.G else 1
    for r in range(64):
        weights = m[at.scores + r * stride : at.scores + (r + 1) * stride]
        slopes, mean = m[at.slopes + r * stride : at.slopes + (r + 1) * stride], m.dtype.type(0)
        for number in range(n_parts):
            begin, end = part(number, line, middle + r, n_keys, stride)
            mean += dot(weights[begin:end], slopes[begin:end])
        for number in range(n_parts):
            begin, end = part(number, line, middle + r, n_keys, stride)
            slopes_of_scores(slopes[begin:end], weights[begin:end], mean)


@compiled
def times_window(line, at, m, rows, stride, keys, middle, n_keys):
    """``mixed`` [64, d] = rows [64, W] times the keys (or values) of a window, those that are seen."""
    for r in range(0, 64, ROWS):
        begin, end = seen_keys(line, middle + r, ROWS, n_keys)
        place, into = rows + r * stride + begin, at.mixed + r * at.d
        product(m, place, stride, 1, ROWS, m, keys + begin * at.d, at.d, at.d, m, into, at.d, end - begin, False)


@compiled
def add_to_keys(line, at, m, columns, stride, rows, into, middle, n_keys):
    """``into`` [W, d] += transposed columns [64, W] times rows [64, d], of the queries that see a key."""
    for key in range(0, n_keys, ROWS):
        begin, end = max(0, key - line.ahead - middle), min(64, key + ROWS + line.radius - middle)
        if begin < end:
            place, target = columns + begin * stride + key, into + key * at.d
            product(
                m, place, 1, stride, ROWS, m, rows + begin * at.d, at.d, at.d, m, target, at.d, end - begin, True
            )  # fmt: skip
