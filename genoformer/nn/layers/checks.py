"""Values of configurations: whole numbers and shares, lists in JSON that are tuples here."""

from typing import TypeGuard


def is_whole(value: object) -> TypeGuard[int]:
    """A whole number; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def check_share(name: str, value: object) -> None:
    """A share may be 0 and is never 1.

    Raises:
        ValueError: If it is anything else; the sentence names it.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0.0 <= value < 1.0:
        raise ValueError(f"{name} must be at least 0 and below 1, not {value!r}.")


def frozen(value: object) -> object:
    """Lists to tuples, at any depth."""
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value


def thawed(value: object) -> object:
    """Tuples to lists, at any depth."""
    return list(map(thawed, value)) if isinstance(value, tuple) else value
