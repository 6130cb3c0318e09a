"""Threads for NumPy and compiled code, which leave Python's lock to others; how many is for the command to say."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_N_THREADS = ContextVar("n_threads", default=1)


@contextmanager
def working_threads(n_threads: int) -> Iterator[None]:
    """Let ``on_threads`` use so many, in this thread, until the block ends."""
    token = _N_THREADS.set(n_threads)
    try:
        yield
    finally:
        _N_THREADS.reset(token)


def on_threads(call: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """What ``call`` gives of each item, in order; calls that run inside others get no threads of their own.

    Args:
        call: Changes nothing that another call sees.
        items: What it is called with.
    """
    items = list(items)
    n_threads = min(_N_THREADS.get(), len(items))
    if n_threads < 2:
        return [call(item) for item in items]
    with ThreadPoolExecutor(n_threads, "genoformer-work") as pool:
        return list(pool.map(call, items))
