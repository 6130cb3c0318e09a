"""Settings that a configuration leaves empty although they need a value: jsonargparse takes ``null`` for any."""

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from jsonargparse import Namespace

from genoformer.files.typed import allows_none


def first_empty(values: Mapping[str, Any], takes: Callable, name: str) -> str:
    """Name of the first setting that is empty and may not be; "" if there is none.

    Args:
        values: Settings as they were parsed.
        takes: What they are given to: its types say which may be empty.
        name: Of the section.
    """
    found = (_empty(values[key], hint, f"{name}.{key}") for key, hint in get_type_hints(takes).items() if key in values)
    return next(filter(None, found), "")


def _empty(value: Any, hint: Any, name: str) -> str:
    if value is None:
        return "" if allows_none(hint) else name
    inside = [one for one in (hint, *get_args(hint)) if is_dataclass(one) and isinstance(one, type)]
    if len(inside) != 1 or not isinstance(value, Namespace):
        return ""
    return first_empty(vars(value), inside[0].__init__, name)
