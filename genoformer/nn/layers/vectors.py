"""Sixteen numbers that compiled code handles as one: a type of numba, and what is done with it.

Loops over rows become vectors by themselves only in whole multiples of what LLVM unrolls, and after tests whether rows
overlap; rows of a window are shorter. These are written out. On processors with smaller registers, LLVM takes several.
"""

import functools

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

LANES = 16

LOG2_E, LN2_HIGH, LN2_LOW, LOWEST = 1.44269504088896341, 0.693359375, -2.12194440e-4, -87.0
POLYNOMIAL = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)


class Vector(types.Type):
    """Sixteen numbers.

    Args:
        dtype: float32 or float64, as numba's type.
    """

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        super().__init__(name=f"Vector({dtype})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, vector: Vector) -> None:
        super().__init__(manager, vector, _in_llvm(vector.dtype))


def _in_llvm(dtype: types.Float) -> ir.VectorType:
    return ir.VectorType(ir.FloatType() if dtype.bitwidth == 32 else ir.DoubleType(), LANES)


def _whole(number) -> ir.VectorType:
    return ir.VectorType(ir.IntType(number), LANES)


@intrinsic
def load(typing, array, place):
    """The sixteen numbers of a flat array from a place on."""
    vector = Vector(array.dtype)

    def generate(context, builder, signature, arguments):
        return builder.load(_place(context, builder, signature.args[0], arguments), align=array.dtype.bitwidth // 8)

    return vector(array, types.int64), generate


@intrinsic
def store(typing, array, place, vector):
    """Write sixteen numbers to a flat array."""

    def generate(context, builder, signature, arguments):
        target = _place(context, builder, signature.args[0], arguments)
        builder.store(arguments[2], target, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, vector), generate


def _place(context, builder, array_type, arguments):
    array = context.make_array(array_type)(context, builder, arguments[0])
    return builder.bitcast(builder.gep(array.data, [arguments[1]]), _in_llvm(array_type.dtype).as_pointer())


@intrinsic
def load_from(typing, address, place, like):
    """Sixteen numbers of the type of an array, from number ``place`` behind an address on."""

    def generate(context, builder, signature, arguments):
        return builder.load(_behind(builder, like.dtype, arguments), align=like.dtype.bitwidth // 8)

    return Vector(like.dtype)(types.int64, types.int64, like), generate


@intrinsic
def store_to(typing, address, place, vector):
    """Write sixteen numbers from number ``place`` behind an address on."""

    def generate(context, builder, signature, arguments):
        builder.store(arguments[2], _behind(builder, vector.dtype, arguments), align=vector.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, vector), generate


def _behind(builder, dtype: types.Float, arguments):
    numbers = _in_llvm(dtype)
    first = builder.inttoptr(arguments[0], numbers.element.as_pointer())
    return builder.bitcast(builder.gep(first, [arguments[1]]), numbers.as_pointer())


@intrinsic
def load_halves(typing, address, like):
    """Sixteen numbers of bfloat16 at an address."""

    def generate(context, builder, signature, arguments):
        halves = builder.load(builder.inttoptr(arguments[0], _whole(16).as_pointer()), align=2)
        bits = builder.shl(builder.zext(halves, _whole(32)), _filled(_whole(32), 16))
        numbers = builder.bitcast(bits, _in_llvm(types.float32))
        return numbers if like.dtype.bitwidth == 32 else builder.fpext(numbers, _in_llvm(types.float64))

    return Vector(like.dtype)(types.int64, like), generate


@intrinsic
def store_halves(typing, address, vector):
    """Write sixteen numbers as bfloat16, each the nearest, or the even one of two; NaN stays NaN."""

    def generate(context, builder, signature, arguments):
        numbers = arguments[1]
        if vector.dtype.bitwidth == 64:
            numbers = builder.fptrunc(numbers, _in_llvm(types.float32))
        halves = builder.trunc(_halves(builder, numbers), _whole(16))
        builder.store(halves, builder.inttoptr(arguments[0], _whole(16).as_pointer()), align=2)
        return context.get_dummy_value()

    return types.void(types.int64, vector), generate


@intrinsic
def store_pairs(typing, array, place, one, other):
    """Write sixteen words to a flat array of float32: a number of each of two vectors as bfloat16."""

    def generate(context, builder, signature, arguments):
        target = _place(context, builder, signature.args[0], arguments)
        if array.dtype.bitwidth == 32:
            low, high = (_halves(builder, numbers) for numbers in arguments[2:])
            words = builder.or_(low, builder.shl(high, _filled(_whole(32), 16)))
            builder.store(builder.bitcast(words, _in_llvm(types.float32)), target, align=4)
        return context.get_dummy_value()

    return types.void(array, types.int64, one, one), generate


def _halves(builder, numbers):
    """Numbers of float32 as bfloat16 in the lower half of words, whose upper half is empty."""
    whole = _whole(32)
    bits = builder.bitcast(numbers, whole)
    last = builder.and_(builder.lshr(bits, _filled(whole, 16)), _filled(whole, 1))
    rounded = builder.lshr(builder.add(builder.add(bits, _filled(whole, 0x7FFF)), last), _filled(whole, 16))
    return builder.select(builder.fcmp_ordered("ord", numbers, numbers), rounded, _filled(whole, 0x7FC0))


@intrinsic
def turn(typing, array, place, step, target, target_place, target_step):
    """Write sixteen vectors of a flat array, ``step`` numbers apart, by columns to another one."""

    def generate(context, builder, signature, arguments):
        def at(kind, source, first, step, number):
            place = builder.add(first, builder.mul(step, step.type(number)))
            return _place(context, builder, kind, (source, place))

        source, first, source_step, *into = arguments
        n_bytes, kinds = array.dtype.bitwidth // 8, signature.args
        rows = [builder.load(at(kinds[0], source, first, source_step, i), align=n_bytes) for i in range(LANES)]
        for _ in range(4):  # sixteen rows that are shuffled like cards four times are columns
            halves = zip(rows[: LANES // 2], rows[LANES // 2 :], strict=True)
            rows = [builder.shuffle_vector(*pair, mask) for pair in halves for mask in _SHUFFLES]
        for i, row in enumerate(rows):
            builder.store(row, at(kinds[3], *into, i), align=n_bytes)
        return context.get_dummy_value()

    index = types.int64
    return types.void(array, index, index, target, index, index), generate


_SHUFFLES = [
    _whole(32)([number // 2 + half + LANES * (number % 2) for number in range(LANES)]) for half in (0, LANES // 2)
]


@intrinsic
def filled(typing, number):
    """Sixteen times one number."""
    vector = Vector(number)

    def generate(context, builder, signature, arguments):
        alone = builder.insert_element(_in_llvm(number)(ir.Undefined), arguments[0], ir.IntType(32)(0))
        return builder.shuffle_vector(alone, alone, _whole(32)(None))

    return vector(number), generate


@intrinsic
def plus(typing, one, other):
    """Sums."""
    return one(one, one), lambda context, builder, signature, arguments: builder.fadd(*arguments)


@intrinsic
def minus(typing, one, other):
    """Differences."""
    return one(one, one), lambda context, builder, signature, arguments: builder.fsub(*arguments)


@intrinsic
def times(typing, one, other):
    """Products."""
    return one(one, one), lambda context, builder, signature, arguments: builder.fmul(*arguments)


@intrinsic
def larger(typing, one, other):
    """The larger of each two; any if one is NaN."""

    def generate(context, builder, signature, arguments):
        return builder.select(builder.fcmp_ordered(">", *arguments), *arguments)

    return one(one, one), generate


@intrinsic
def first_of(typing, vector):
    """The first of the sixteen numbers."""

    def generate(context, builder, signature, arguments):
        return builder.extract_element(arguments[0], ir.IntType(32)(0))

    return vector.dtype(vector), generate


@intrinsic
def sum_of(typing, vector):
    """Of the sixteen numbers."""

    def generate(context, builder, signature, arguments):
        zero = _in_llvm(vector.dtype).element(-0.0)
        return _reduced(builder, "fadd", [zero, arguments[0]], vector.dtype, ("reassoc", "nsz"))

    return vector.dtype(vector), generate


@intrinsic
def largest_of(typing, vector):
    """The largest of the sixteen numbers; any if there is NaN."""

    def generate(context, builder, signature, arguments):
        return _reduced(builder, "fmax", [arguments[0]], vector.dtype, ("nnan", "nsz"))

    return vector.dtype(vector), generate


@intrinsic
def exponential(typing, vector):
    """exp(x), of float32 within two units of the last place for x <= 0, and 0 below -87.

    Reference:
        Cephes mathematical library (Moshier), expf: Cody-Waite reduction and polynomial of degree 5.
    """

    def generate(context, builder, signature, arguments):
        [x] = arguments
        if vector.dtype.bitwidth == 64:
            return _called(builder, "exp", [x])
        whole, constant = _whole(32), functools.partial(_filled, x.type)
        n = _called(builder, "floor", [_multiply_add(builder, x, constant(LOG2_E), constant(0.5))])
        r = _multiply_add(builder, n, constant(-LN2_HIGH), x)
        r = _multiply_add(builder, n, constant(-LN2_LOW), r)
        polynomial = constant(POLYNOMIAL[0])
        for coefficient in POLYNOMIAL[1:]:
            polynomial = _multiply_add(builder, polynomial, r, constant(coefficient))
        value = builder.fadd(_multiply_add(builder, polynomial, builder.fmul(r, r), r), constant(1.0))
        power = builder.shl(builder.add(builder.fptosi(n, whole), _filled(whole, 127)), _filled(whole, 23))
        value = builder.fmul(value, builder.bitcast(power, x.type))
        return builder.select(builder.fcmp_ordered("<", x, constant(LOWEST)), constant(0.0), value)

    return vector(vector), generate


def _multiply_add(builder, one, other, third):
    return _called(builder, "fma", [one, other, third])


def _called(builder, what: str, arguments: list):
    """What LLVM has for vectors, by name."""
    vector = arguments[0].type
    kind = ir.FunctionType(vector, [one.type for one in arguments])
    name = f"llvm.{what}.v{LANES}f{32 if vector.element == ir.FloatType() else 64}"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


def _reduced(builder, what: str, arguments: list, dtype: types.Float, flags: tuple[str, ...]):
    kind = ir.FunctionType(_in_llvm(dtype).element, [one.type for one in arguments])
    name = f"llvm.vector.reduce.{what}.v{LANES}f{dtype.bitwidth}"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments, fastmath=flags)


def _filled(vector: ir.VectorType, number: float):
    """One number in all lanes, rounded to what they hold."""
    if vector.element == ir.FloatType():
        number = float(np.float32(number))
    return vector([number] * LANES)
