"""From tensors to the kernels of ``relative_blocks``, on the threads that torch computes with."""

import functools

import numpy as np
import torch
from numba import carray
from torch import Tensor

from genoformer.nn.attention.kernels.own_process import kernel_from_disk
from genoformer.nn.attention.kernels.panels import compiled, pointer_to
from genoformer.nn.attention.kernels.relative_blocks import RelativeJob, backward_pair, forward_pair, plan_relative
from genoformer.nn.attention.kernels.threads import VECTOR_NUMBERS, aligned, digest_of_sources, on_threads, take

N_ARRAYS = 18
N_SIZES = 11


def run_relative(is_backward: bool, arrays: list[Tensor], sizes: list[int]) -> None:
    """Run a pass on as many threads as torch uses.

    Args:
        is_backward: Which of the passes.
        arrays: Those of ``RelativeJob``, in its order, contiguous and of one dtype, float32 or float64; the forward
            pass has none of the gradients.
        sizes: Those of ``RelativeJob``, in its order.
    """
    addresses = [array.data_ptr() for array in arrays]
    job = np.array([0, *addresses, *[0] * (N_ARRAYS - len(arrays)), *sizes], dtype=np.int64)
    kernel = _kernel(is_backward, arrays[0].dtype == torch.float64)
    on_threads(kernel, job.ctypes.data, min(torch.get_num_threads(), sizes[0]))


@functools.cache
def _kernel(is_backward: bool, is_double: bool):
    """Compiled on first use, then kept on disk as long as the sources stay the same."""
    digest = digest_of_sources()
    make = _make_backward if is_backward else _make_forward
    return kernel_from_disk(
        make(digest, np.float64 if is_double else np.float32), digest, (__name__, "_kernel", [is_backward, is_double])
    )


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
    """Take heads until none is left."""
    job, numbers = _read_job(address), carray(pointer_to(address), (1,), np.int64)
    at = plan_relative(job)
    memory, pair = np.empty(at.size + VECTOR_NUMBERS, none.dtype), take(numbers)
    m = aligned(memory, at.size)
    while pair < job.n_pairs:
        forward_pair(job, pair, at, m)
        pair = take(numbers)
    memory[0] = 0  # lives until here


@compiled
def _backward(address, none):
    """Take heads until none is left."""
    job, numbers = _read_job(address), carray(pointer_to(address), (1,), np.int64)
    at = plan_relative(job)
    memory, pair = np.empty(at.size + VECTOR_NUMBERS, none.dtype), take(numbers)
    m = aligned(memory, at.size)
    while pair < job.n_pairs:
        backward_pair(job, pair, at, m)
        pair = take(numbers)
    memory[0] = 0  # lives until here


@compiled
def _read_job(address):
    """What ``run_relative`` wrote."""
    n = carray(pointer_to(address), (1 + N_ARRAYS + N_SIZES,), np.int64)
    return RelativeJob(
        n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11], n[12], n[13], n[14], n[15], n[16], n[17],
        n[18], n[19], n[20], n[21], n[22], n[23], n[24], n[25], n[26], n[27], n[28], n[29],
    )  # fmt: skip
