"""Buckets and order of the tokens of one head of one sample: 64 tokens at a time, then one count over all."""

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
    marks_of,
    part_of_caller,
    pointer_to,
    up,
)
from genoformer.nn.attention.kernels.register_blocks import product

TILE = 64


class BucketJob(NamedTuple):
    """One call: where everything is."""

    states: States
    rotations: Matrix  # [H * d_head, W], W = R * (first + second) / 2, filled up to a multiple of 4
    valid: Matrix  # uint8 [B, T], 1 = real
    order: Matrix  # int32 [B * H, R * places], written
    n_heads: int
    width: int  # d_head
    n_rounds: int  # R
    first: int  # factors of the number of buckets; the second is 1 where there is one only
    second: int
    align: int  # places: every bucket begins at a multiple of it
    between: int  # places that stay empty behind a bucket


@numba.njit(error_model="numpy")
def farthest(products, n_columns, best, found):
    """Which of the columns is largest in size for each of 64 tokens; those behind ``n_columns`` stand for opposites."""
    for j in range(TILE):
        best[j] = products.dtype.type(-1)
        found[j] = 0
    for i in range(n_columns):
        column = products[i * TILE : (i + 1) * TILE]
        for j in range(TILE):
            size = abs(column[j])
            direction = np.int32(i) if column[j] >= 0 else np.int32(i + n_columns)
            found[j] = direction if size > best[j] else found[j]
            best[j] = max(size, best[j])


@compiled
def hash_tile(job, sample, head, tile, m, found, buckets):
    """Buckets of 64 tokens, [R, T]."""
    n_tokens, d, W = job.valid.n_columns, up(job.width, 16), job.rotations.n_columns
    columns, products, best = TILE * d, 2 * TILE * d, 2 * TILE * d + W * TILE
    for i in range(TILE * d):
        m[i] = 0
    for r in range(min(TILE, n_tokens - tile)):
        address = (
            job.states.address + sample * job.states.sample_stride + head * job.states.head_stride
            + (tile + r) * job.states.token_stride
        )  # fmt: skip
        load_row(address, False, m.dtype.type(1), m[r * d : r * d + job.width])
    by_columns(m[: TILE * d], TILE, d, m[columns : columns + TILE * d])
    rotations = carray(
        pointer_to(job.rotations.address + head * job.width * W * m.itemsize), (job.width * W,), m.dtype
    )  # fmt: skip
    product(rotations, 0, 1, W, W, m, columns, TILE, TILE, m, products, TILE, job.width, False)
    n_first, n_second = job.first // 2, job.second // 2
    for number in range(job.n_rounds):
        place = products + number * (n_first + n_second) * TILE
        mine = buckets[number * n_tokens + tile : number * n_tokens + min(n_tokens, tile + TILE)]
        farthest(m[place : place + n_first * TILE], n_first, m[best : best + TILE], found)
        for j in range(len(mine)):
            mine[j] = found[j]
        if n_second:
            place += n_first * TILE
            farthest(m[place : place + n_second * TILE], n_second, m[best : best + TILE], found)
            for j in range(len(mine)):
                mine[j] += job.first * found[j]


@compiled
def count_and_place(buckets, valid, counts, order, align, between):
    """Tokens by bucket, within a bucket by position; padding is left out, and places without a token are -1."""
    counts[:] = 0
    for token in range(len(buckets)):
        if valid[token]:
            counts[buckets[token] + 1] += 1
    begin = 0
    for bucket in range(len(counts) - 1):
        n = counts[bucket + 1]
        counts[bucket] = begin
        begin += (n + align - 1) // align * align + (between if n else 0)
    order[:] = -1
    for token in range(len(buckets)):
        if valid[token]:
            order[counts[buckets[token]]] = token
            counts[buckets[token]] += 1


@compiled
def bucket_memory(job):
    """Numbers that a thread needs."""
    return 2 * TILE * up(job.width, 16) + (job.rotations.n_columns + 1) * TILE


@part_of_caller
def order_head(job, sample, head, m, found, buckets, counts):
    """Order of the tokens of one head of one sample, in all rounds."""
    n_tokens, valid = job.valid.n_columns, marks_of(job.valid, sample)
    for tile in range(0, n_tokens, TILE):
        hash_tile(job, sample, head, tile, m, found, buckets)
    n_all = job.order.n_columns
    row = carray(
        pointer_to(job.order.address + (sample * job.n_heads + head) * n_all * 4), (n_all,), np.int32
    )  # fmt: skip
    n_places = n_all // job.n_rounds
    for number in range(job.n_rounds):
        of_round = buckets[number * n_tokens : (number + 1) * n_tokens]
        places = row[number * n_places : (number + 1) * n_places]
        count_and_place(of_round, valid, counts, places, job.align, job.between)
