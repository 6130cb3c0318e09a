"""Work is done by as many threads as the command says, and comes back in order."""

import threading

import pytest

from genoformer.threads import on_threads, working_threads


def test_results_come_in_order_from_as_many_threads_as_asked_for():
    meet = threading.Barrier(3, timeout=30)

    def call(number):
        meet.wait()  # passed by three at a time alone
        return number, threading.current_thread().name

    with working_threads(3):
        found = on_threads(call, range(6))
    assert [number for number, _ in found] == list(range(6))
    assert len({name for _, name in found}) == 3


def test_nobody_asked_means_the_caller_itself_and_so_do_calls_inside_others():
    def name(_=None):
        return threading.current_thread().name

    assert on_threads(name, range(3)) == [name()] * 3
    with working_threads(2):
        inside = on_threads(lambda _: (name(), on_threads(name, range(2))), range(4))
        assert on_threads(name, [0]) == [name()]
    assert all(inner == [outer] * 2 and outer != name() for outer, inner in inside)
    assert on_threads(name, range(3)) == [name()] * 3


def test_an_error_of_a_thread_is_the_callers():
    def call(number):
        if number == 2:
            raise KeyError(number)

    with working_threads(2), pytest.raises(KeyError, match="2"):
        on_threads(call, range(4))
