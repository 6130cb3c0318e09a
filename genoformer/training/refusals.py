"""What Lightning's trainer refuses, told from faults of code."""

import traceback

from pytorch_lightning.utilities.exceptions import MisconfigurationException

LIGHTNING, OURS = ("pytorch_lightning", "lightning_fabric"), "genoformer"
OF_VALUES = (ValueError, TypeError, IndexError, OverflowError, RuntimeError, ImportError)
"""What Python raises for a value that Lightning takes without a look; ImportError where a package is missing."""


def is_refusal(error: Exception) -> bool:
    """Whether an error that came while a trainer was made is about a setting.

    It is if Lightning says so, or if it is about a value and came out of Lightning's code: what came out of code of
    ours that Lightning has called, or is of another kind, is a bug.
    """
    if isinstance(error, MisconfigurationException):
        return True
    return isinstance(error, OF_VALUES) and _last_package(error) in LIGHTNING


def _last_package(error: Exception) -> str:
    """The package that ran last, of Lightning's and ours; what these have called does not count."""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    packages = [module.partition(".")[0] for module in modules]
    return next((package for package in reversed(packages) if package in (*LIGHTNING, OURS)), "")
