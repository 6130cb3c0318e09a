"""Products of bfloat16 by the tiles of Intel's AMX: 16 x 16 sums of 32 products each in one instruction.

A tile holds 16 rows of 64 bytes. The first factor lies in memory by rows, two of its numbers in a word; of the second
one, a word holds two rows of a column. Sums are float32. Products of pairs that AVX-512 has were tried as well: they
took twice as long as float32 on an Intel Xeon of 2023.
"""

import ctypes
import functools
import platform

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

from genoformer.nn.attention.kernels.panels import compiled
from genoformer.nn.layers.vectors import LANES, load, store_halves, store_pairs

_FEATURES = llvmlite.binding.get_host_cpu_features()
IS_EMITTED = (
    all(_FEATURES.get(name) for name in ("amx-tile", "amx-bf16", "avx512f"))
    and not config.CPU_NAME  # type: ignore[attr-defined]  # numba sets these when it is imported
    and not config.CPU_FEATURES  # type: ignore[attr-defined]
)
"""Whether compiled code holds these instructions; nobody calls it where it does not."""
ARCH_PRCTL, REQUEST_PERMISSION, TILE_DATA = 158, 0x1023, 18
"""Linux on x86-64: the system call, and what it is asked for."""
TILE_ROWS, TILE_BYTES, STEP_WORDS = 16, 64, 16
BLOCK = 32
"""Rows, and columns, of the result that are made together."""


@functools.cache
def tile_settings() -> np.ndarray | None:
    """What ``begin_tiles`` reads, 64 bytes: eight whole tiles; None where there are none or the system denies them.

    Reference:
        Intel Architecture Instruction Set Extensions Programming Reference, chapter on AMX: palette 1.
    """
    if not IS_EMITTED or platform.system() != "Linux" or platform.machine() != "x86_64":
        return None
    if ctypes.CDLL(None).syscall(ARCH_PRCTL, REQUEST_PERMISSION, TILE_DATA):
        return None
    settings = np.zeros(64, np.uint8)
    settings[0] = 1
    settings[16:32:2] = TILE_BYTES
    settings[48:56] = TILE_ROWS
    return settings


_BYTE, _INDEX = ir.IntType(8), ir.IntType(64)


def _instruction(builder, name: str, numbers: tuple[int, ...], address=None, row_bytes=None) -> None:
    """An instruction that LLVM knows by name, with numbers of tiles."""
    if not IS_EMITTED:
        return
    arguments = [_BYTE(number) for number in numbers]
    if address is not None:
        arguments.append(builder.inttoptr(address, _BYTE.as_pointer()))
    if row_bytes is not None:
        arguments.append(row_bytes)
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.{name}"), arguments)


def _plain(name: str, *each: tuple[int, ...]):
    """An instruction for each of some tuples of tiles."""

    @intrinsic
    def instructions(typing):
        def generate(context, builder, signature, words):
            for numbers in each:
                _instruction(builder, name, numbers)
            return context.get_dummy_value()

        return types.void(), generate

    return instructions


def _of_address(name: str):
    @intrinsic
    def instruction(typing, address):
        def generate(context, builder, signature, words):
            _instruction(builder, name, (), *words)
            return context.get_dummy_value()

        return types.void(types.int64), generate

    return instruction


def _of_rows(name: str, number: int):
    """Of a tile, an address and the bytes from row to row."""

    @intrinsic
    def instruction(typing, address, row_bytes):
        def generate(context, builder, signature, words):
            _instruction(builder, name, (number,), *words)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return instruction


_configure, _keep_settings = _of_address("ldtilecfg"), _of_address("sttilecfg")
_clear = _plain("tilezero", (0,), (1,), (2,), (3,))
_load_upper, _load_lower, _load_left, _load_right = (_of_rows("tileloadd64", number) for number in (4, 5, 6, 7))
_multiply_left, _multiply_right = _plain("tdpbf16ps", (0, 4, 6), (1, 5, 6)), _plain("tdpbf16ps", (2, 4, 7), (3, 5, 7))
_store_upper_left, _store_lower_left, _store_upper_right, _store_lower_right = (
    _of_rows("tilestored64", number) for number in range(4)
)
_read_upper_left, _read_lower_left, _read_upper_right, _read_lower_right = (
    _of_rows("tileloadd64", number) for number in range(4)
)


@compiled
def begin_tiles(settings, kept):
    """Set up the tiles of this thread by the settings at an address; what was set before is kept at another one."""
    _keep_settings(kept)
    _configure(settings)


@compiled
def end_tiles(kept):
    """Set up the tiles as they were: libraries may count on it."""
    _configure(kept)


@compiled
def tile_product(a, a_row, b, b_row, n_columns, c, c_row, n_words, is_added):
    """``c [BLOCK, n_columns] = a [BLOCK, 2 n_words] @ b [2 n_words, n_columns]``, or ``+=`` if ``is_added``.

    All lie in memory: addresses of the first numbers, and bytes from row to row. ``c`` is float32; a word of ``a``
    holds two numbers of a row, one of ``b`` two of a column. ``n_columns`` and ``n_words`` are multiples of 16; nothing
    is checked.
    """
    for column in range(0, n_columns, BLOCK):
        is_wide, b_at, c_at = column + 16 < n_columns, b + 4 * column, c + 4 * column
        lower_c = c_at + TILE_ROWS * c_row
        if is_added:
            _read_upper_left(c_at, c_row)
            _read_lower_left(lower_c, c_row)
            if is_wide:
                _read_upper_right(c_at + TILE_BYTES, c_row)
                _read_lower_right(lower_c + TILE_BYTES, c_row)
        else:
            _clear()
        for word in range(0, n_words, STEP_WORDS):
            _load_upper(a + 4 * word, a_row)
            _load_lower(a + 4 * word + TILE_ROWS * a_row, a_row)
            _load_left(b_at + word * b_row, b_row)
            _multiply_left()
            if is_wide:
                _load_right(b_at + word * b_row + TILE_BYTES, b_row)
                _multiply_right()
        _store_upper_left(c_at, c_row)
        _store_lower_left(lower_c, c_row)
        if is_wide:
            _store_upper_right(c_at + TILE_BYTES, c_row)
            _store_lower_right(lower_c + TILE_BYTES, c_row)


@compiled
def narrow(m, source, target, n_numbers):
    """Numbers of ``m``, whole vectors, as bfloat16 in words from ``target`` on; in place or before the source."""
    address = m.ctypes.data + 4 * target
    for c in range(0, n_numbers, LANES):
        store_halves(address + 2 * c, load(m, source + c))


@compiled
def pair_rows(m, source, target, n_rows, width):
    """Words that hold two rows of a column, [n_rows / 2, width], of rows of numbers; in place or before the source."""
    for r in range(0, n_rows, 2):
        for c in range(0, width, LANES):
            one, other = load(m, source + r * width + c), load(m, source + (r + 1) * width + c)
            store_pairs(m, target + r // 2 * width + c, one, other)
