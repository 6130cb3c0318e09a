"""Softmax of rows of scores in compiled code, forwards and backwards, in loops that become vectors."""

import math

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

SUMS = {"reassoc", "contract", "nsz"}
"""Sums may be taken in any order, which vectors need. NaN stays NaN."""
MASKED = -1e30

_LOG2_E, _HALF = np.float32(1.44269504088896341), np.float32(0.5)
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_P = tuple(
    np.float32(c)
    for c in (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
)
_LOWEST, _ONE, _ZERO = np.float32(-87.0), np.float32(1.0), np.float32(0.0)


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


@intrinsic
def _maximum(typing, one, other):
    """The larger of two numbers, any if one is NaN; a comparison would not become vectors."""

    def generate(context, builder, signature, arguments):
        number = arguments[0].type
        name = f"llvm.maximum.f{one.bitwidth}"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(number, (number,) * 2), name)
        return builder.call(function, arguments, fastmath=("nnan", "nsz"))

    return one(one, one), generate


@numba.njit(fastmath={"contract"})
def _exp_float32(x):
    """exp(x) within two units of the last place for x <= 0; 0 below -87.

    Reference:
        Cephes mathematical library (Moshier), expf: Cody-Waite reduction and polynomial of degree 5.
    """
    n = np.floor(x * _LOG2_E + _HALF)
    r = x - n * _LN2_HIGH
    r = r - n * _LN2_LOW
    p = ((((_P[0] * r + _P[1]) * r + _P[2]) * r + _P[3]) * r + _P[4]) * r + _P[5]
    y = (p * (r * r) + r + _ONE) * as_float32((np.int32(n) + np.int32(127)) << np.int32(23))
    return _ZERO if x < _LOWEST else y


@numba.njit(fastmath=SUMS)
def exponentials(scores, shift):
    """``exp(scores - shift)`` in place.

    Returns:
        Their sum.
    """
    total = scores.dtype.type(0)
    if scores.itemsize == 4:
        for j in range(len(scores)):
            weight = _exp_float32(scores[j] - shift)
            scores[j] = weight
            total += weight
    else:
        for j in range(len(scores)):
            weight = math.exp(scores[j] - shift)
            scores[j] = weight
            total += weight
    return total


@numba.njit(fastmath=SUMS)
def add(row, other):
    """``row += other``."""
    for j in range(len(row)):
        row[j] += other[j]


@numba.njit
def largest(scores):
    """The largest of a row; any number if there is NaN, which ``exponentials`` spreads."""
    found = scores[0]
    for j in range(len(scores)):
        found = _maximum(found, scores[j])
    return found


@numba.njit(fastmath=SUMS)
def dot(one, other):
    """Sum of products."""
    total = one.dtype.type(0)
    for j in range(len(one)):
        total += one[j] * other[j]
    return total


@numba.njit(fastmath=SUMS)
def slopes_of_scores(slopes, weights, mean):
    """Gradient of the weights to that of the scores, in place; ``mean`` is the dot product of both."""
    for j in range(len(slopes)):
        slopes[j] = weights[j] * (slopes[j] - mean)
