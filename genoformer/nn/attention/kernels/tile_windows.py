"""The same windows by products of bfloat16 in tiles: what they read, in words of two numbers, and what they add up.

Rows of words go in as they are, keys as columns of words. Gradients of keys and values are gathered by columns, so that
weights need no turning: a word of two queries is one of a column already.
"""

from genoformer.nn.attention.kernels.key_windows import BAND, part, seen_keys
from genoformer.nn.attention.kernels.panels import by_columns, compiled, load_panel, up
from genoformer.nn.attention.kernels.tiles import BLOCK, narrow, pair_rows, tile_product
from genoformer.nn.layers.vectors import LANES, load, store_pairs


@compiled
def load_key_words(job, line, at, m, panel, place, is_turned, is_backward):
    """Key columns of a panel, and pairs of its values; in the backward pass value columns and pairs of keys."""
    value, size, one = at.value + place, at.panel, m.dtype.type(1)
    rows, n_columns = m[value : value + size], 64 * at.n_words
    load_panel(job, line, job.key, panel, is_turned, one, rows)  # where the values will be
    if is_backward:
        pair_rows(m, value, at.key + place // 2, 64, at.d)
    narrow(m, value, value, size)
    by_columns(rows, 64, at.n_words, m[at.key_columns + place : at.key_columns + place + n_columns])
    load_panel(job, line, job.value, panel, False, one, rows)
    if is_backward:
        narrow(m, value, value, size)
        by_columns(rows, 64, at.n_words, m[at.value_columns + place : at.value_columns + place + n_columns])
    else:
        pair_rows(m, value, at.value + place // 2, 64, at.d)


@compiled
def narrow_and_turn(at, m, rows, words):
    """Rows [64, d] as words [64, d / 2], and behind them, in the backward pass alone, as words of columns [d, 32]."""
    if at.is_backward:
        pair_rows(m, rows, at.mixed, 64, at.d)
    narrow(m, rows, words, at.panel)
    if at.is_backward:
        columns = words + 64 * at.n_words
        by_columns(m[at.mixed : at.mixed + 32 * at.d], 32, at.d, m[columns : columns + 32 * at.d])


@compiled
def clear(m, first, end):
    for number in range(first, end):
        m[number] = 0


@compiled
def times_window_words(line, at, m, rows, stride, keys, middle, n_keys):
    """``mixed`` [64, d] = rows [64, W] times the pairs of keys (or values) of a window.

    Rows are written over by their words, with zeros for keys that a group does not see and others of its band do.
    """
    for r in range(0, 64, BAND):
        low, high = seen_keys(line, middle + r, BAND, n_keys)
        low, high = low // 32 * 32, up(high, 32)
        for i in range(r, r + BAND):
            row = rows + i * stride
            begin, end = part(0, line, middle + i, n_keys, stride)
            narrow(m, row + begin, row + begin // 2, end - begin)
            clear(m, row + low // 2, row + begin // 2)
            clear(m, row + end // 2, row + high // 2)
        memory, words, place = m.ctypes.data, rows + r * stride + low // 2, keys + low // 2 * at.d
        tile_product(
            memory + 4 * words, 4 * stride, memory + 4 * place, 4 * at.d, at.d, memory + 4 * (at.mixed + r * at.d),
            4 * at.d, (high - low) // 2, False,
        )  # fmt: skip


@compiled
def pair_queries(line, at, m, rows, into, stride, middle, n_keys):
    """Words of two queries each, [32, W], of rows [64, W], in place or apart; zeros as in ``times_window_words``."""
    for r in range(0, 64, 2):
        low, high = seen_keys(line, middle + r // BAND * BAND, BAND, n_keys)
        begin, end = part(0, line, middle + r, n_keys, stride)
        row, target = rows + r * stride, into + r // 2 * stride
        for c in range(begin, end, LANES):
            store_pairs(m, target + c, load(m, row + c), load(m, row + stride + c))
        clear(m, target + low, target + begin)
        clear(m, target + end, target + high)


@compiled
def add_to_key_columns(line, at, m, pairs, stride, columns, into, middle, n_keys):
    """``into`` [P, d, 64] += words of columns [d, 32] times pairs [32, W], of the keys that each half sees."""
    memory = m.ctypes.data
    for r in range(0, 64, BAND):
        low, high = seen_keys(line, middle + r, BAND, n_keys)
        for p in range(low // 64, up(high, 64) // 64):
            begin, end = max(low - p * 64, 0), min(high - p * 64, 64)
            place = pairs + r // 2 * stride + p * 64 + begin
            for c in range(0, at.d, BLOCK):
                words, target = columns + c * 32 + r // 2, into + p * at.panel + c * 64 + begin
                tile_product(
                    memory + 4 * words, 4 * 32, memory + 4 * place, 4 * stride, end - begin, memory + 4 * target,
                    4 * 64, BAND // 2, True,
                )  # fmt: skip
