"""A plugin of pytest for runs in which the interpreter takes the place of compiled functions: a test that needs more
than ``LIMIT_S`` of processor time is skipped there, for its inputs are not tiny. What it ran until then counts.
"""

import signal
from collections.abc import Iterator
from typing import Any

import pytest

LIMIT_S = 10


def _skip(number: int, frame: Any) -> None:
    pytest.skip(f"needs more than {LIMIT_S} s without compiled functions")


def _limited() -> Iterator[None]:
    signal.signal(signal.SIGVTALRM, _skip)
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Limit what a test prepares."""
    return (yield from _limited())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Limit the test itself."""
    return (yield from _limited())
