"""From tensors to the kernels of sorted tokens, on the threads that torch computes with."""

import functools

import numpy as np
import torch
from numba import carray
from torch import Tensor

from genoformer.nn.attention.kernels.bucket_passes import TILE, BucketJob, bucket_memory, order_head
from genoformer.nn.attention.kernels.chunk_passes import ChunkJob, backward_chunks, forward_chunks, plan_places
from genoformer.nn.attention.kernels.own_process import kernel_from_disk
from genoformer.nn.attention.kernels.panels import Matrix, States, compiled, pointer_to
from genoformer.nn.attention.kernels.threads import VECTOR_NUMBERS, aligned, digest_of_sources, on_threads, take

N_STATES, N_MATRICES, N_NUMBERS = 7, 4, 9
"""Fields of ``ChunkJob`` of each kind."""


def run_chunks(is_backward: bool, *, states: list[Tensor], matrices: list[Tensor], numbers: list[int]) -> None:
    """Run a pass on as many threads as torch uses, a head of a sample each.

    Args:
        is_backward: Which of the passes.
        states: Those of ``ChunkJob``, in its order, [B, H, T, d_head], of one dtype, float32 or float64, last stride 1;
            the forward pass has none of the gradients.
        matrices: Those of ``ChunkJob``, in its order, contiguous.
        numbers: Those of ``ChunkJob``, in its order.
    """
    job = [0]  # tasks that have been taken
    for tensor in states:
        job += [tensor.data_ptr(), *(stride * tensor.element_size() for stride in tensor.stride()[:3])]
    job += [0] * (1 + N_STATES * 4 - len(job))
    for matrix in matrices:
        job += [matrix.data_ptr(), *matrix.shape]
    written = np.array([*job, *numbers], dtype=np.int64)
    kernel = _kernel("backward" if is_backward else "forward", states[0].dtype == torch.float64)
    B, H = states[0].shape[:2]
    on_threads(kernel, written.ctypes.data, min(torch.get_num_threads(), B * H))


def run_buckets(states: Tensor, *, matrices: list[Tensor], numbers: list[int]) -> None:
    """Hash and sort on as many threads as torch uses, a head of a sample each.

    Args:
        states: [B, H, T, d_head], float32 or float64, last stride 1.
        matrices: Those of ``BucketJob``, in its order, contiguous; rotations of the dtype of the states.
        numbers: Those of ``BucketJob``, in its order.
    """
    job = [0, states.data_ptr(), *(stride * states.element_size() for stride in states.stride()[:3])]
    for matrix in matrices:
        job += [matrix.data_ptr(), *matrix.shape]
    written = np.array([*job, *numbers], dtype=np.int64)
    kernel = _kernel("order", states.dtype == torch.float64)
    on_threads(kernel, written.ctypes.data, min(torch.get_num_threads(), states.shape[0] * states.shape[1]))


@functools.cache
def _kernel(name: str, is_double: bool):
    """Compiled on first use, then kept on disk as long as the sources stay the same."""
    digest = digest_of_sources()
    make = {"forward": _make_forward, "backward": _make_backward, "order": _make_order}[name]
    return kernel_from_disk(
        make(digest, np.float64 if is_double else np.float32), digest, (__name__, "_kernel", [name, is_double])
    )


def _make_forward(digest, dtype):
    def kernel(address):
        _forward(address, np.empty(len(digest) * 0, dtype))

    return kernel


def _make_backward(digest, dtype):
    def kernel(address):
        _backward(address, np.empty(len(digest) * 0, dtype))

    return kernel


def _make_order(digest, dtype):
    def kernel(address):
        _order(address, np.empty(len(digest) * 0, dtype))

    return kernel


@compiled
def _order(address, none):
    """Take heads until none is left."""
    n, counter = (
        carray(pointer_to(address), (1 + 4 + 3 * 3 + 7,), np.int64),
        carray(pointer_to(address), (1,), np.int64),
    )
    job = BucketJob(
        States(n[1], n[2], n[3], n[4]), Matrix(n[5], n[6], n[7]), Matrix(n[8], n[9], n[10]),
        Matrix(n[11], n[12], n[13]), n[14], n[15], n[16], n[17], n[18], n[19], n[20],
    )  # fmt: skip
    size = bucket_memory(job)
    memory, found = np.empty(size + VECTOR_NUMBERS, none.dtype), np.empty(TILE, np.int32)
    buckets = np.empty(job.n_rounds * job.valid.n_columns, np.int32)
    counts, m, task = np.empty(job.first * job.second + 1, np.int64), aligned(memory, size), take(counter)
    while task < job.order.n_rows:
        order_head(job, task // job.n_heads, task % job.n_heads, m, found, buckets, counts)
        task = take(counter)
    memory[0] = 0  # lives until here


@compiled
def _forward(address, none):
    """Take heads until none is left."""
    job, numbers = _read_job(address), carray(pointer_to(address), (1,), np.int64)
    at = plan_places(job)
    memory, marks = np.empty(at.size + VECTOR_NUMBERS, none.dtype), np.empty(at.P * at.C, np.int32)
    held, m, task = np.empty(at.P, np.int64), aligned(memory, at.size), take(numbers)
    while task < job.tops.n_rows:
        forward_chunks(job, task // job.n_heads, task % job.n_heads, at, m, marks, held)
        task = take(numbers)
    memory[0] = 0  # lives until here


@compiled
def _backward(address, none):
    """Take heads until none is left."""
    job, numbers = _read_job(address), carray(pointer_to(address), (1,), np.int64)
    at = plan_places(job)
    memory, marks = np.empty(at.size + VECTOR_NUMBERS, none.dtype), np.empty(at.P * at.C, np.int32)
    held, m, task = np.empty(at.P, np.int64), aligned(memory, at.size), take(numbers)
    while task < job.tops.n_rows:
        backward_chunks(job, task // job.n_heads, task % job.n_heads, at, m, marks, held)
        task = take(numbers)
    memory[0] = 0  # lives until here


@compiled
def _read_job(address):
    """What ``run_chunks`` wrote."""
    n = carray(pointer_to(address), (1 + N_STATES * 4 + N_MATRICES * 3 + N_NUMBERS,), np.int64)
    return ChunkJob(
        _states(n, 0), _states(n, 1), _states(n, 2), _states(n, 3), _states(n, 4), _states(n, 5), _states(n, 6),
        _matrix(n, 0), _matrix(n, 1), _matrix(n, 2), _matrix(n, 3),
        n[-9], n[-8], n[-7], n[-6], n[-5], n[-4], n[-3], n[-2], n[-1],
    )  # fmt: skip


@compiled
def _states(numbers, place):
    at = 1 + place * 4
    return States(numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3])


@compiled
def _matrix(numbers, place):
    at = 1 + N_STATES * 4 + place * 3
    return Matrix(numbers[at], numbers[at + 1], numbers[at + 2])
