"""Numbers as text and JSON have them: what is none, or of another shape, is refused before anything is computed."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

MOST_DIGITS = 15
"""Of a number in a file: more than any sequence has bases, and what fits 64 bits."""
WHOLE_NUMBER = re.compile(f"[0-9]{{1,{MOST_DIGITS}}}")
"""Digits of ASCII: "²" is a digit to Python, and no number."""


def whole_number(text: str) -> int | None:
    """The number that ``text`` is, from 0 on; None if it is none, or too long to be meant."""
    return int(text) if WHOLE_NUMBER.fullmatch(text) else None


def read_number(stored: Any) -> float:
    """A finite number; TypeError or ValueError if it is something else."""
    if isinstance(stored, bool) or not isinstance(stored, int | float):
        raise TypeError(f"expected a number, found {type(stored).__name__}")
    if not math.isfinite(stored):
        raise ValueError(f"expected a number, found {stored}")
    return float(stored)


def read_numbers(stored: Mapping[str, Any], names: Iterable[str]) -> dict[str, float]:
    """Numbers by name; others than these are not looked at.

    Raises:
        KeyError, TypeError, ValueError: If one is missing, or no number.
    """
    if not isinstance(stored, Mapping):
        raise TypeError(f"expected an object, found {type(stored).__name__}")
    return {name: read_number(stored[name]) for name in names}


def read_table(stored: Any, *shape: int | None) -> np.ndarray:
    """An array of finite numbers, float64.

    Args:
        stored: Nested lists.
        shape: Expected lengths; None for any from 1 on.

    Raises:
        TypeError, ValueError: If it is something else.
    """
    table = np.array(stored, dtype=np.float64)
    fits = table.ndim == len(shape) and all(
        found == wanted or wanted is None for found, wanted in zip(table.shape, shape, strict=True)
    )
    if not fits or table.size == 0 or not np.isfinite(table).all():
        raise ValueError(f"expected numbers of shape {shape}, found {table.shape}")
    return table
