"""The plotting library, where it is installed."""

import importlib
from types import ModuleType

from genoformer.errors import UsageError


def load_pyplot(code: str = "FORMATS-002", where: str = "--formats") -> ModuleType:
    """The plotting library without a screen; UsageError with this code and option if it is not installed."""
    try:
        importlib.import_module("matplotlib").use("Agg")
        return importlib.import_module("matplotlib.pyplot")
    except ImportError as error:
        raise UsageError(
            code, "pictures need the package matplotlib, which is not installed.", where=where,
            fix='Install it: pip install "genoformer[plot]".',
        ) from error  # fmt: skip
