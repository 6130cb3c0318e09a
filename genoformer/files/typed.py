"""Whether values that were read from a file are what the attributes of a dataclass are declared as."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def check_types(instance: Any) -> None:
    """Look at every attribute, and at those of dataclasses inside.

    Raises:
        TypeError: If a value is of another type; True is no number.
    """
    hints = get_type_hints(type(instance))
    for field in fields(instance):
        value = getattr(instance, field.name)
        if not _fits(value, hints[field.name]):
            raise TypeError(f"{field.name}: {str(value)[:60]!r} is of another type")


def allows_none(hint: Any) -> bool:
    """Whether what is declared as this may be None."""
    return _fits(None, hint)


def _fits(value: Any, hint: Any) -> bool:
    origin, inside = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in inside)
    if origin is Literal:
        return value in inside
    if origin is tuple:
        return isinstance(value, tuple) and _fit_in_order(value, inside)
    if origin is list:
        return isinstance(value, list) and all(_fits(one, inside[0]) for one in value)
    if origin is not None:
        return isinstance(value, origin) and (not isinstance(value, Mapping) or all(isinstance(k, str) for k in value))
    if is_dataclass(value) and not isinstance(value, type) and type(value) is hint:
        check_types(value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))


def _fit_in_order(values: tuple, hints: tuple) -> bool:
    if len(hints) == 2 and hints[1] is Ellipsis:
        hints = hints[:1] * len(values)
    return len(values) == len(hints) and all(map(_fits, values, hints))
