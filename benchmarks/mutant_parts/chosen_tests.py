"""A plugin of pytest: which lines each test runs and how long it takes, or a few tests alone, the shortest first."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

CHOSEN, TOOK = "MUTANTS_CHOSEN", "MUTANTS_TOOK"
"""Variables of the environment that name files: the tests to run, in this order; where to write what tests took."""

_took: dict[str, float] = {}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that were chosen."""
    if CHOSEN in os.environ:
        order = {name: i for i, name in enumerate(json.loads(Path(os.environ[CHOSEN]).read_text()))}
        items[:] = sorted((one for one in items if one.nodeid in order), key=lambda one: order[one.nodeid])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Tell coverage which test runs."""
    measured = coverage.Coverage.current()
    if measured is not None:
        measured.switch_context(item.nodeid)
    begin = time.process_time()
    try:
        return (yield)
    finally:
        _took[item.nodeid] = time.process_time() - begin
        if measured is not None:
            measured.switch_context("")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test that fails or skips where nothing was changed says nothing of a change."""
    if not report.passed:
        _took[report.nodeid] = float("inf")


def pytest_sessionfinish() -> None:
    """Write what was measured."""
    if TOOK in os.environ:
        finite = {name: seconds for name, seconds in _took.items() if seconds < float("inf")}
        Path(os.environ[TOOK]).write_text(json.dumps(finite))
