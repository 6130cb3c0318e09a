"""Where the tests find real data and tools of others, and what makes them alike on every machine.

A test that needs the folder of real genomes, or a program that is not a Python dependency, skips with a reason on a
user's machine; with ``CI=true`` a missing one is a failure, so that CI never passes by not looking.

Tests write nothing into the checkout.
"""

import importlib
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, configuration, settings

# Property tests: no time limits, which a busy machine would break, and no files in the current folder. Examples are the
# same in every run; ``pytest --hypothesis-profile random`` draws others.
settings.register_profile("random", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("alike", settings.get_profile("random"), derandomize=True)
settings.load_profile("alike")
configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir(), f"hypothesis-{os.getuid()}"))

if "PYTEST_XDIST_WORKER" in os.environ:
    # There is a worker for each core, whose threads would fight for it. To be said before torch is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

MOST_WORKERS = 8
"""Each needs up to 1.5 GB and ten seconds to begin; more would hardly be faster."""

DATA = Path(os.environ.get("GENOFORMER_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
IN_CI = os.environ.get("CI", "").lower() == "true"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Workers of ``-n auto``: the cores that this process may use, also those that share a processor's arithmetic."""
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(n_cores, MOST_WORKERS)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--slow``: what CI runs always."""
    parser.addoption("--slow", action="store_true", help="also the slowest tests, as with CI=true")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Slow tests are for CI and ``--slow``; they come first, so that no worker sits alone over one at the end."""
    slow = {item for item in items if item.get_closest_marker("slow")} | _left_to_ci(items)
    items.sort(key=lambda item: item not in slow)
    if not (IN_CI or config.getoption("--slow")):
        for item in slow:
            item.add_marker(pytest.mark.skip(reason="is left to CI: make test SLOW=1"))


def _left_to_ci(items: list[pytest.Item]) -> set[pytest.Item]:
    """Cases of tests that are marked ``one_in(n)``: all but the first of every n."""
    number: Counter[str] = Counter()
    left = set()
    for item in items:
        if (marker := item.get_closest_marker("one_in")) is not None:
            name = item.nodeid.split("[")[0]
            if number[name] % marker.args[0]:
                left.add(item)
            number[name] += 1
    return left


def _missing(reason: str) -> None:
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module", autouse=True)
def kernels_of_float64(request: pytest.FixtureRequest):
    """Kernels of float64, which nothing but tests computes with, take ten seconds each to compile: as slow tests."""
    if IN_CI or request.config.getoption("--slow") or "torch" not in sys.modules:
        yield
        return
    from genoformer.nn.attention.kernels import own_process

    compile_kernel = own_process._compile

    def compile_or_skip(remake):
        if remake[2][-1:] == [True]:
            pytest.skip("needs a kernel of float64, which takes more than ten seconds to compile: make test SLOW=1")
        return compile_kernel(remake)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_process, "_compile", compile_or_skip)
        yield


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real genomes; set GENOFORMER_TEST_DATA to name it."""
    if not (DATA / "README.md").is_file():
        _missing(f"the folder of real genomes is not at {DATA}; set GENOFORMER_TEST_DATA")
    return DATA


@pytest.fixture(scope="session")
def need_tool():
    """``need_tool("gt")`` gives the path of a program, or skips with a reason."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            _missing(f"the program {name} is not installed")
        return path

    return find


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory) -> Path:
    """Folder of a gene-structure bundle small enough for tests; it finds genes by their open frames."""
    from tiny_bundle import write_tiny_bundle  # needs torch, which most tests do without

    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def need_package():
    """``need_package("RNA")`` gives an optional Python package, or skips with a reason."""

    def find(name: str):
        try:
            return importlib.import_module(name)
        except ImportError:
            return _missing(f"the Python package {name} is not installed")

    return find


@pytest.fixture(scope="session")
def need_igv():
    """``need_igv()`` skips with a reason where the genome browser of reports was not taken."""
    from genoformer.report import fetch_igv

    def check() -> None:
        if not fetch_igv.is_there():
            _missing("igv.js was not taken: python genoformer/report/fetch_igv.py")

    return check


@pytest.fixture(scope="module")
def chromium(need_tool, need_package, tmp_path_factory):
    """A ``Chromium`` for all tests of a file."""
    need_package("selenium")
    from chromium import Chromium  # needs selenium, which most tests do without

    driver, browser = need_tool("chromedriver"), need_tool("chromium")
    with Chromium(driver, browser, tmp_path_factory.mktemp("chromium")) as opened:
        yield opened
