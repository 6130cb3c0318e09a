"""Packages that some formats need and that not everyone has installed."""

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


def load_pysam() -> ModuleType:
    """The package that compresses by bgzip, and indexes; UsageError if it is not installed."""
    return _load("pysam", "VARIANTS-010", "bgzip needs", "hts", "--formats")


def _load(name: str, code: str, what: str, extra: str, where: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = f"{what} the package {name}, which is not installed."
        fix = f'Install it: pip install "genoformer[{extra}]".'
        raise UsageError(code, message, where=where, fix=fix) from error
