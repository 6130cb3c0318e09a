"""YAML that users write, looked at before anything takes it apart: values without end, and what is no YAML.

An alias repeats what its anchor holds, so that a few lines can mean more values than any machine holds, and one inside
its own anchor has no end.
"""

from pathlib import Path
from typing import Any

import yaml

from genoformer.errors import UsageError

MOST_BYTES = 1 << 20
"""Of a configuration; the largest that comes with the package has a few thousand."""
MOST_VALUES = 100_000
"""With what aliases repeat."""
MOST_DEPTH = 50
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNREADABLE = (yaml.YAMLError, ValueError, RecursionError, OverflowError, TypeError, KeyError, AttributeError)
"""What PyYAML raises: ValueError for dates that are none and numbers of thousands of digits."""


def load_yaml(text: str) -> Any:
    """What a text says.

    Raises:
        ValueError: If it is no YAML, or has a value that is none.
    """
    try:
        return yaml.safe_load(text)
    except _UNREADABLE as error:
        raise ValueError(" ".join(str(error).split())[:300] or type(error).__name__) from error


def check_yaml_file(path: Path) -> None:
    """UsageError if a configuration is no text in UTF-8, no YAML, or too long; what cannot be read is left alone."""
    try:
        if not path.is_file():
            return
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError):
        return
    if len(data) > MOST_BYTES:
        raise _error(str(path), f"it is larger than {MOST_BYTES:,} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _error(str(path), f"it is not UTF-8: byte {error.start + 1} is none") from error
    check_yaml_size(text, str(path))
    try:
        load_yaml(text)
    except ValueError as error:
        raise _error(str(path), str(error).rstrip(".")) from error


def check_yaml_size(text: str, where: str) -> None:
    """UsageError if a text has more values than can be meant; what is no YAML is left to its reader.

    Args:
        text: YAML.
        where: It stands, for messages.
    """
    sizes: dict[str, int] = {}
    opened: list[tuple[str | None, int]] = []
    n_values = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            anchor = getattr(event, "anchor", None)
            if isinstance(event, yaml.CollectionStartEvent):
                opened.append((anchor, n_values))
            elif isinstance(event, yaml.CollectionEndEvent):
                name, before = opened.pop()
                sizes |= {name: n_values - before} if name else {}
            elif isinstance(event, yaml.AliasEvent):
                if any(name == anchor for name, _ in opened):
                    raise _error(where, f"the alias *{anchor} stands inside of what it repeats")
                n_values += sizes.get(event.anchor or "", 0)
            elif isinstance(event, yaml.ScalarEvent):
                sizes |= {anchor: 1} if anchor else {}
            n_values += isinstance(event, yaml.NodeEvent)
            if n_values > MOST_VALUES or len(opened) > MOST_DEPTH:
                raise _error(where, f"it has more than {MOST_VALUES:,} values, or {MOST_DEPTH} inside each other")
    except _UNREADABLE:
        return


def _error(where: str, what: str) -> UsageError:
    fix = "Correct it: a configuration is YAML in UTF-8, such as `genoformer configs gene_structure_bacteria` prints."
    return UsageError("CONFIG-031", f"this is no configuration: {what}.", where=where, fix=fix)
