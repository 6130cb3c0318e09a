"""Softmax of rows of scores in compiled code, forwards and backwards, sixteen numbers at a time."""

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from genoformer.nn.layers.vectors import (
    LANES,
    exponential,
    filled,
    first_of,
    larger,
    largest_of,
    load,
    minus,
    plus,
    store,
    sum_of,
    times,
)

SUMS = {"reassoc", "contract", "nsz"}
"""Sums may be taken in any order, which vectors need. NaN stays NaN."""
MASKED = -1e30


@intrinsic
def as_float32(typing, bits):
    """The float32 with these 32 bits."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@intrinsic
def as_int32(typing, number):
    """The 32 bits of a float32."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), generate


@numba.njit
def exponentials(scores, shift):
    """``exp(scores - shift)`` in place.

    Returns:
        Their sum.
    """
    shifts, totals, whole = filled(shift), filled(scores.dtype.type(0)), len(scores) // LANES * LANES
    for j in range(0, whole, LANES):
        weights = exponential(minus(load(scores, j), shifts))
        store(scores, j, weights)
        totals = plus(totals, weights)
    total = sum_of(totals)
    for j in range(whole, len(scores)):
        weight = first_of(exponential(filled(scores[j] - shift)))
        scores[j] = weight
        total += weight
    return total


@numba.njit
def add(row, other):
    """``row += other``."""
    whole = len(row) // LANES * LANES
    for j in range(0, whole, LANES):
        store(row, j, plus(load(row, j), load(other, j)))
    for j in range(whole, len(row)):
        row[j] += other[j]


@numba.njit
def largest(scores):
    """The largest of a row; any number if there is NaN, which ``exponentials`` spreads."""
    found, whole = filled(scores[0]), len(scores) // LANES * LANES
    for j in range(0, whole, LANES):
        found = larger(found, load(scores, j))
    top = largest_of(found)
    for j in range(whole, len(scores)):
        top = max(top, scores[j])
    return top


@numba.njit(fastmath={"contract"})
def dot(one, other):
    """Sum of products."""
    totals, whole = filled(one.dtype.type(0)), len(one) // LANES * LANES
    for j in range(0, whole, LANES):
        totals = plus(totals, times(load(one, j), load(other, j)))
    total = sum_of(totals)
    for j in range(whole, len(one)):
        total += one[j] * other[j]
    return total


@numba.njit
def slopes_of_scores(slopes, weights, mean):
    """Gradient of the weights to that of the scores, in place; ``mean`` is the dot product of both."""
    means, whole = filled(mean), len(slopes) // LANES * LANES
    for j in range(0, whole, LANES):
        store(slopes, j, times(load(weights, j), minus(load(slopes, j), means)))
    for j in range(whole, len(slopes)):
        slopes[j] = weights[j] * (slopes[j] - mean)
