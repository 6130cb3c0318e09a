"""Calls of a network side by side: each on a thread of its own that shares no product with another.

Threads that share products wait for each other at the end of each of them, thousands of times per megabase. Those that
spin meanwhile burn what others could use, and on a busy machine they spin for the one among them that is not running:
a genome took five times its processor time. Whole calls have nothing to wait for but their end, asleep.
"""

import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(call: Callable[[Item], Result], items: Iterable[Item], most: int) -> Iterator[Result]:
    """What ``call`` gives of each item, in order, computed on as many threads as torch has.

    Threads that calls leave over are divided among them.

    Args:
        call: Changes nothing that another call sees.
        items: What it is called with; read as far ahead as calls run.
        most: Calls that run at a time, at most.
    """
    n_threads = torch.get_num_threads()
    n_calls = max(1, min(n_threads, most))
    if n_calls == 1:
        yield from map(call, items)
        return
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(_pool(n_calls).submit(_call_on, n_threads // n_calls, call, item))
            if len(waiting) == n_calls:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        torch.set_num_threads(n_threads)  # torch gives threads that begin later what it was told last, wherever
        for future in waiting:
            future.cancel()


def _call_on(n_threads: int, call: Callable[[Item], Result], item: Item) -> Result:
    if torch.get_num_threads() != n_threads:
        torch.set_num_threads(n_threads)
    return call(item)


@functools.cache
def _pool(n_calls: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_calls, "genoformer-call")
