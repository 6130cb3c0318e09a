"""Settings of a task from a configuration or a bundle."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

Options = TypeVar("Options")


def read_options(kind: type[Options], values: Mapping[str, Any] | None, task: str) -> Options:
    """Settings of a task; those that are left out have their defaults.

    Args:
        kind: Frozen dataclass of the settings.
        values: By name.
        task: Name of the task.

    Raises:
        ValueError: If one is unknown, or out of range as the class says it.
    """
    values = values or {}
    if unknown := sorted(set(values) - {field.name for field in fields(kind)}):  # type: ignore[arg-type]  # a dataclass
        raise ValueError(f"unknown settings of the task {task}: {', '.join(unknown)}.")
    return kind(**values)
