"""Where the tests find real data and tools of others.

A test that needs the folder of real genomes, or a program that is not a Python dependency, skips with a reason on a
user's machine; with ``CI=true`` a missing one is a failure, so that CI never passes by not looking.
"""

import importlib
import os
import shutil
from pathlib import Path

import pytest

DATA = Path(os.environ.get("GENOFORMER_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
IN_CI = os.environ.get("CI", "").lower() == "true"


def _missing(reason: str) -> None:
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


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
