"""Kernels of the fused attention on processors, compiled by numba: from query, key and value to output in one pass."""
