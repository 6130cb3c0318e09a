"""Dotted names that another build spells otherwise."""

from collections.abc import Mapping


def renamed(name: str, names: Mapping[str, str | None]) -> str | None:
    """A dotted name as the other build has it.

    Args:
        name: Such as ``encoder.window_radius``.
        names: Other name by name; an entry stands for all names that begin with it and a dot, and the longest decides.
            None takes the name away.
    """
    for known in sorted(names, key=len, reverse=True):
        if name == known or name.startswith(known + "."):
            other = names[known]
            return None if other is None else other + name[len(known) :]
    return name
