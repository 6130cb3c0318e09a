"""Products of small matrices in compiled code: a block of the result stays in the vector registers of the processor.

Libraries are made for large matrices. In the 64 x 64 x 576 of a block of attention MKL reaches less than half of what
these blocks do on an AMD EPYC, and what lies between two of its products goes through memory.
"""

import llvmlite.binding
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_FEATURES = llvmlite.binding.get_host_cpu_features()
VECTOR_BYTES, WIDE = (64, 4) if _FEATURES.get("avx512f") else (32, 2) if _FEATURES.get("avx2") else (16, 4)
"""Bytes of a register, and how many of them a wide block has in a row: all of its rows fit in the registers."""
ROWS = 4


@numba.njit
def product(a, a_start, a_row, a_column, n_rows, b, b_start, b_row, n_columns, c, c_start, c_row, n_steps, is_added):
    """``c [n_rows, n_columns] = a [n_rows, n_steps] @ b [n_steps, n_columns]``, or ``+=`` if ``is_added``.

    Each matrix is a flat array, the index of its first number, and the distance between rows; of ``a`` also that
    between columns. ``n_rows`` is a multiple of ``ROWS`` and ``n_columns`` one of 16; nothing is checked.
    """
    narrow = VECTOR_BYTES // c.itemsize
    column = 0
    while column < n_columns:
        is_wide, is_double = column + WIDE * narrow <= n_columns, column + 2 * narrow <= n_columns
        for row in range(0, n_rows, ROWS):
            a_at, b_at, c_at = a_start + row * a_row, b_start + column, c_start + row * c_row + column
            if is_wide and is_added:
                _add_wide(a, a_at, a_row, a_column, b, b_at, b_row, c, c_at, c_row, n_steps)
            elif is_wide:
                _set_wide(a, a_at, a_row, a_column, b, b_at, b_row, c, c_at, c_row, n_steps)
            elif is_double and is_added:
                _add_double(a, a_at, a_row, a_column, b, b_at, b_row, c, c_at, c_row, n_steps)
            elif is_double:
                _set_double(a, a_at, a_row, a_column, b, b_at, b_row, c, c_at, c_row, n_steps)
            elif is_added:
                _add_narrow(a, a_at, a_row, a_column, b, b_at, b_row, c, c_at, c_row, n_steps)
            else:
                _set_narrow(a, a_at, a_row, a_column, b, b_at, b_row, c, c_at, c_row, n_steps)
        column += WIDE * narrow if is_wide else 2 * narrow if is_double else narrow


def _make_block(n_vectors: int, is_added: bool):
    """One block of a product: ``ROWS`` rows and ``n_vectors`` registers of columns; at least one step."""

    @intrinsic
    def block(typing, a, a_start, a_row, a_column, b, b_start, b_row, c, c_start, c_row, n_steps):
        index = types.int64
        signature = types.void(a, index, index, index, b, index, index, c, index, index, index)

        def generate(context, builder, signature, arguments):
            pointers = []
            for place in (0, 4, 7):
                array = context.make_array(signature.args[place])(context, builder, arguments[place])
                pointers.append(builder.gep(array.data, [arguments[place + 1]]))
            vector = ir.VectorType(context.get_data_type(a.dtype), VECTOR_BYTES * 8 // a.dtype.bitwidth)
            targets = [
                _row_of_vectors(builder, pointers[2], arguments[9], row, n_vectors, vector) for row in range(ROWS)
            ]
            start = [[builder.load(t, align=4) if is_added else vector(None) for t in row] for row in targets]
            sums = _emit_steps(builder, pointers, arguments[2:4], arguments[6], arguments[10], start)
            for row, row_sums in zip(targets, sums, strict=True):
                for target, total in zip(row, row_sums, strict=True):
                    builder.store(total, target, align=4)
            return context.get_dummy_value()

        return signature, generate

    return block


def _emit_steps(builder, pointers, a_strides, b_stride, n_steps, start):
    """The loop over the steps: every sum is a register. Returns the sums as they are behind it."""
    index, vector, n_vectors = n_steps.type, start[0][0].type, len(start[0])
    before, loop, behind = builder.block, builder.append_basic_block(), builder.append_basic_block()
    builder.branch(loop)
    builder.position_at_end(loop)
    step, sums = builder.phi(index), [[builder.phi(vector) for _ in row] for row in start]
    b_vectors = _row_of_vectors(builder, pointers[1], b_stride, step, n_vectors, vector)
    b_vectors = [builder.load(pointer, align=4) for pointer in b_vectors]
    a_at = builder.gep(pointers[0], [builder.mul(step, a_strides[1])])
    multiply_add = _multiply_add(builder.module, vector)
    results = []
    for row in range(ROWS):
        factor = _in_all_lanes(
            builder, builder.load(builder.gep(a_at, [builder.mul(a_strides[0], index(row))])), vector
        )
        results.append([builder.call(multiply_add, (factor, b, s)) for b, s in zip(b_vectors, sums[row], strict=True)])
    following = builder.add(step, index(1))
    for value, first, next_value in [(step, index(0), following)] + [
        (sums[row][v], start[row][v], results[row][v]) for row in range(ROWS) for v in range(n_vectors)
    ]:
        value.add_incoming(first, before)
        value.add_incoming(next_value, loop)
    builder.cbranch(builder.icmp_signed("<", following, n_steps), loop, behind)
    builder.position_at_end(behind)
    return results


def _row_of_vectors(builder, pointer, stride, row, n_vectors: int, vector) -> list:
    """Pointers to the registers of a row."""
    row = stride.type(row) if isinstance(row, int) else row
    first = builder.gep(pointer, [builder.mul(stride, row)])
    places = (builder.gep(first, [stride.type(v * vector.count)]) for v in range(n_vectors))
    return [builder.bitcast(place, vector.as_pointer()) for place in places]


def _in_all_lanes(builder, number, vector):
    """A register full of one number."""
    alone = builder.insert_element(vector(ir.Undefined), number, ir.IntType(32)(0))
    return builder.shuffle_vector(alone, alone, ir.VectorType(ir.IntType(32), vector.count)(None))


def _multiply_add(module, vector):
    """LLVM's fused multiply-add of registers, which llvmlite's builder knows for single numbers only."""
    name = f"llvm.fma.v{vector.count}f{64 if vector.element == ir.DoubleType() else 32}"
    return cgutils.get_or_insert_function(module, ir.FunctionType(vector, (vector,) * 3), name)


_set_wide, _add_wide = (_make_block(WIDE, is_added) for is_added in (False, True))
_set_double, _add_double = (_make_block(2, is_added) for is_added in (False, True))
_set_narrow, _add_narrow = (_make_block(1, is_added) for is_added in (False, True))
