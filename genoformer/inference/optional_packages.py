"""Packages that some formats, tables and methods need and that not everyone has installed."""

import importlib
from types import ModuleType

from genoformer.errors import UsageError


def load_pyarrow(where: str = "--formats") -> ModuleType:
    """The package that reads and writes Parquet; UsageError if it is not installed.

    Args:
        where: The option or file that needs it.
    """
    return _load("pyarrow", "FORMATS-003", "Parquet needs", "tables", where)


def load_pybigtools() -> ModuleType:
    """The package that writes bigWig; UsageError if it is not installed."""
    return _load("pybigtools", "FORMATS-004", "bigWig needs", "tracks", "--formats")


def load_package(name: str, where: str) -> ModuleType:
    """A package that tables of Python need; UsageError if it is not installed.

    Args:
        name: pandas, polars or pyarrow.
        where: What needs it.
    """
    return _load(name, "API-005", "tables need", _EXTRAS.get(name, ""), where)


_EXTRAS = {"pandas": "tables", "pyarrow": "tables"}
"""Of the package, by what they bring."""


def load_captum() -> ModuleType:
    """The package that computes integrated gradients; UsageError if it is not installed."""
    return _load("captum", "EXPLAIN-007", "integrated gradients need", "explain", "--methods ig")


def load_pysam() -> ModuleType:
    """The package that compresses by bgzip, and indexes; UsageError if it is not installed."""
    return _load("pysam", "VARIANTS-010", "bgzip needs", "hts", "--formats")


def _load(name: str, code: str, what: str, extra: str, where: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = f"{what} the package {name}, which is not installed."
        wanted = f'"genoformer[{extra}]"' if extra else name
        fix = f"Install it: pip install {wanted}."
        raise UsageError(code, message, where=where, fix=fix) from error
