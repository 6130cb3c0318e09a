"""From tensors to the fused kernels, on the threads that torch computes with."""

import ctypes
import functools
import hashlib
from pathlib import Path

import numpy as np
import torch
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic
from torch import Tensor

from genoformer.nn.attention.kernels.line_passes import backward_head, forward_part, plan_memory
from genoformer.nn.attention.kernels.own_process import kernel_from_disk
from genoformer.nn.attention.kernels.panels import CHUNK_TOKENS, Job, Matrix, States, compiled, pointer_to
from genoformer.nn.attention.kernels.tiles import begin_tiles, end_tiles, tile_settings
from genoformer.nn.layers import vectors

SOURCES = [*sorted(Path(__file__).parent.glob("*.py")), Path(vectors.__file__)]
N_STATES, N_MATRICES = 7, 8
VECTOR_NUMBERS = 16


def run(
    is_backward: bool, *, states: list[Tensor], matrices: list[Tensor], width: int, radius: int, is_causal: bool
) -> None:
    """Run a pass on as many threads as torch uses.

    Args:
        is_backward: Which of the passes.
        states: Those of ``Job``, in its order, [B, H, T, d_head], of one dtype, last stride 1; the forward pass
            has none of the gradients.
        matrices: Those of ``Job``, in its order, contiguous.
        width: d_head.
        radius: Of the window.
        is_causal: Whether it ends with the token itself.
    """
    numbers = [0]  # tasks that have been taken
    for tensor in states:
        numbers += [tensor.data_ptr(), *(stride * tensor.element_size() for stride in tensor.stride()[:3])]
    numbers += [0] * (1 + N_STATES * 4 - len(numbers))
    for matrix in matrices:
        numbers += [matrix.data_ptr(), *matrix.shape]
    is_half = states[0].dtype == torch.bfloat16
    settings = tile_settings() if is_half else None
    of_tiles = 0 if settings is None else settings.ctypes.data
    job = np.array([*numbers, width, radius, is_half, is_causal, of_tiles], dtype=np.int64)
    B, H, T, _ = states[0].shape
    n_tasks = B * H * (1 if is_backward else -(-T // CHUNK_TOKENS))
    kernel = _kernel(is_backward, states[0].dtype == torch.float64)
    on_threads(kernel, job.ctypes.data, min(torch.get_num_threads(), n_tasks))


def on_threads(kernel, job: int, n_threads: int) -> None:
    """Call a kernel on each of torch's own threads: others would fight with them for the cores."""
    parallel = _openmp_parallel() if n_threads > 1 else None
    if parallel is None:
        kernel.ctypes(job)
    else:
        parallel(kernel.address, job, n_threads, 0)


@functools.cache
def _openmp_parallel():
    """``GOMP_parallel`` of the OpenMP library that torch has loaded; None where there is none of that name.

    Reference:
        GCC's libgomp, ``GOMP_parallel(function, data, num_threads, flags)``; LLVM's library has it as well.
    """
    try:
        parallel = ctypes.CDLL(None).GOMP_parallel
    except (AttributeError, OSError, TypeError):
        return None
    parallel.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
    parallel.restype = None
    return parallel


@functools.cache
def _kernel(is_backward: bool, is_double: bool):
    """Compiled on first use, then kept on disk as long as the sources stay the same."""
    digest = digest_of_sources()
    make = _make_backward if is_backward else _make_forward
    return kernel_from_disk(
        make(digest, np.float64 if is_double else np.float32), digest, (__name__, "_kernel", [is_backward, is_double])
    )


def digest_of_sources() -> str:
    """SHA-256 of all files that kernels are made of."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES)).hexdigest()


def _make_forward(digest, dtype):
    def kernel(address):
        _forward(address, np.empty(len(digest) * 0, dtype))

    return kernel


def _make_backward(digest, dtype):
    def kernel(address):
        _backward(address, np.empty(len(digest) * 0, dtype))

    return kernel


@compiled
def _forward(address, none):
    """Take parts of heads until none is left."""
    job, numbers = _read_job(address), carray(pointer_to(address), (1,), np.int64)
    at, n_heads, n_parts = (
        plan_memory(job, False),
        job.dilations.n_columns,
        max(1, job.silent.n_columns // CHUNK_TOKENS),
    )
    memory, task = np.empty(at.size + VECTOR_NUMBERS, none.dtype), take(numbers)
    m, kept = aligned(memory, at.size), np.empty(64, np.uint8)
    if job.tile_settings:
        begin_tiles(job.tile_settings, kept.ctypes.data)
    while task < job.silent.n_rows * n_heads * n_parts:
        # All heads of a part, one after the other: their rows share the lines of the caches.
        part, head = task // n_heads, task % n_heads
        forward_part(job, part // n_parts, head, part % n_parts, n_parts, at, m)
        task = take(numbers)
    if job.tile_settings:
        end_tiles(kept.ctypes.data)
    memory[0] = kept[0] = 0  # live until here


@compiled
def _backward(address, none):
    """Take heads until none is left."""
    job, numbers = _read_job(address), carray(pointer_to(address), (1,), np.int64)
    at, n_heads = plan_memory(job, True), job.dilations.n_columns
    memory, head = np.empty(at.size + VECTOR_NUMBERS, none.dtype), take(numbers)
    m, kept = aligned(memory, at.size), np.empty(64, np.uint8)
    if job.tile_settings:
        begin_tiles(job.tile_settings, kept.ctypes.data)
    while head < job.silent.n_rows * n_heads:
        backward_head(job, head // n_heads, head % n_heads, at, m)
        head = take(numbers)
    if job.tile_settings:
        end_tiles(kept.ctypes.data)
    memory[0] = kept[0] = 0  # live until here


@compiled
def aligned(memory, size):
    """View of ``memory`` from a multiple of a vector on. It counts no references, which every slice would do."""
    n_bytes = VECTOR_NUMBERS * memory.itemsize
    address = (memory.ctypes.data + n_bytes - 1) // n_bytes * n_bytes
    return carray(pointer_to(address), (size,), memory.dtype)


@compiled
def _read_job(address):
    """What ``run`` wrote."""
    n = carray(pointer_to(address), (1 + N_STATES * 4 + N_MATRICES * 3 + 5,), np.int64)
    return Job(
        _states(n, 0), _states(n, 1), _states(n, 2), _states(n, 3), _states(n, 4), _states(n, 5), _states(n, 6),
        _matrix(n, 0), _matrix(n, 1), _matrix(n, 2), _matrix(n, 3), _matrix(n, 4), _matrix(n, 5), _matrix(n, 6),
        _matrix(n, 7), n[-5], n[-4], n[-3], n[-2], n[-1],
    )  # fmt: skip


@compiled
def _states(numbers, place):
    at = 1 + place * 4
    return States(numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3])


@compiled
def _matrix(numbers, place):
    at = 1 + N_STATES * 4 + place * 3
    return Matrix(numbers[at], numbers[at + 1], numbers[at + 2])


@intrinsic
def take(typing, counter):
    """Add one to a counter that threads share; its value before."""

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.atomic_rmw("add", array.data, ir.IntType(64)(1), "monotonic")

    return types.int64(counter), generate
