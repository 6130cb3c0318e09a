"""Settings that jsonargparse takes and nothing can use: ``null`` where a value is needed, names that are no text."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from jsonargparse import Namespace

from genoformer.errors import UsageError
from genoformer.files.typed import allows_none

NEEDED = ("seed_everything", "name", "recipe", "overwrite", "monitor", "checkpoint_every_n_steps")
"""Settings of a run that may not be left empty."""


def check_settings(config: Namespace, sections: Mapping[str, Callable]) -> None:
    """Refuse what has no value or no name.

    Args:
        config: Settings as they were parsed.
        sections: What a section is given to: its types say which settings may be empty.

    Raises:
        UsageError: If a setting is odd.
    """
    empty = [name for name in NEEDED if config[name] is None]
    for name, takes in sections.items():
        empty += _empty_ones(vars(config[name]), takes, name)
    if empty:
        raise UsageError("CONFIG-003", "expected a value, found none.", where=empty[0])
    for name in sections:
        for where, key in _odd_keys(vars(config[name]), name):
            raise UsageError("CONFIG-003", f"expected the name of a setting, found {str(key)[:60]}.", where=where)


def _empty_ones(values: Mapping[str, Any], takes: Callable, name: str) -> Iterator[str]:
    for key, hint in get_type_hints(takes).items():
        if key in values:
            yield from _empty(values[key], hint, f"{name}.{key}")


def _empty(value: Any, hint: Any, name: str) -> Iterator[str]:
    if value is None and not allows_none(hint):
        yield name
    inside = [one for one in (hint, *get_args(hint)) if is_dataclass(one) and isinstance(one, type)]
    if len(inside) == 1 and isinstance(value, Namespace):
        yield from _empty_ones(vars(value), inside[0].__init__, name)


def _odd_keys(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Keys that are no text, each with where it stands."""
    value = vars(value) if isinstance(value, Namespace) else value
    for key, inner in value.items() if isinstance(value, dict) else ():
        if not isinstance(key, str):
            yield name, key
        yield from _odd_keys(inner, f"{name}.{key}")
