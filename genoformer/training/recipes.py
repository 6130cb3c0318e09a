"""Settings that follow from the data: a recipe chooses what nobody has set, and says why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Choice:
    """Settings that one reason decides.

    Attributes:
        settings: Values by full name, such as "model.k".
        why: The reason, in words.
    """

    settings: Mapping[str, Any]
    why: str

    def line(self) -> str:
        """The choice for a terminal."""
        return f"{', '.join(f'{key} {said(value)}' for key, value in self.settings.items())}: {self.why}"


@dataclass
class Chooser:
    """Gathers the choices of a recipe. What was set by somebody is not chosen, and later choices follow it.

    Attributes:
        given: What was set, by full name.
        choices: What was chosen so far.
    """

    given: Mapping[str, Any]
    choices: list[Choice] = field(default_factory=list)

    def take(self, settings: Mapping[str, Any], why: str) -> list[Any]:
        """The values that count for these settings: those that were set, else these, which are noted.

        Args:
            settings: What the recipe would choose, by full name.
            why: The reason.
        """
        free = {key: value for key, value in settings.items() if not self.is_given(key)}
        if free:
            self.choices.append(Choice(free, why))
        return [self.given.get(key, value) for key, value in settings.items()]

    def value(self, key: str, otherwise: Any) -> Any:
        """What was set, or another value where nothing was."""
        return self.given.get(key, otherwise)

    def is_given(self, key: str) -> bool:
        """Whether the setting, or one below it, was set."""
        return any(name == key or name.startswith(f"{key}.") for name in self.given)


Recipe = Callable[[Mapping[str, Any], Mapping[str, Any]], list[Choice]]
"""From a configuration, and the values in it that somebody has set by full name, to choices for others.

It reads the data. The same data and settings give the same choices. Data that cannot be read are the error that
training would raise.
"""


def fill_in(config: Any, choices: list[Choice]) -> None:
    """Write choices into a configuration.

    Args:
        config: Nested mappings or namespaces; changed in place.
        choices: Each setting must have a place; an empty section becomes a mapping.
    """
    for choice in choices:
        for key, value in choice.settings.items():
            *sections, last = key.split(".")
            place = config
            for section in sections:
                if place[section] is None:
                    place[section] = {}
                place = place[section]
            place[last] = value


def said(value: Any) -> str:
    """A value as a configuration has it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {said(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(said, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
