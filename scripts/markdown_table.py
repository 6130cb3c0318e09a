"""A table as Markdown lines."""

from collections.abc import Iterable


def table(header: str, body: Iterable[list]) -> str:
    """A Markdown table."""
    rule = "|" + "---|" * (header.count("|") - 1)
    return "\n".join([header, rule, *("| " + " | ".join(map(str, cells)) + " |" for cells in body)]) + "\n"
