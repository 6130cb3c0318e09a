"""Calls on threads of their own: in order, bounded, and without a trace."""

import threading
import time

import pytest
import torch

from genoformer.nn.side_by_side import side_by_side


@pytest.fixture(params=[1, 2, 5])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_come_in_the_order_of_the_items(threads):
    def call(item):
        time.sleep(0.02 if item % 2 == 0 else 0.0)
        return item * 10

    assert list(side_by_side(call, range(7), 3)) == [item * 10 for item in range(7)]
    assert torch.get_num_threads() == threads


def test_calls_share_the_threads_and_are_no_more_than_wanted(threads):
    running, most, inner, lock = [0], [0], [], threading.Lock()

    def call(item):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
            inner.append(torch.get_num_threads())
        time.sleep(0.01)
        with lock:
            running[0] -= 1

    list(side_by_side(call, range(8), 2))
    assert most[0] == min(threads, 2)
    assert set(inner) == {max(1, threads // 2)}


def test_items_are_read_no_further_ahead_than_calls_run(threads):
    read = []

    def items():
        for item in range(20):
            read.append(item)
            yield item

    for done, _ in enumerate(side_by_side(lambda item: item, items(), 2)):
        assert len(read) <= done + 2


def test_an_error_of_a_call_is_raised_and_leaves_the_number_of_threads(threads):
    def call(item):
        if item == 3:
            raise ValueError("three")
        return item

    with pytest.raises(ValueError, match="three"):
        list(side_by_side(call, range(9), 2))
    assert torch.get_num_threads() == threads
