"""Mutants that change nothing which anyone can see, each with the reason."""

EQUIVALENT: dict[str, str] = {}
"""Reason by file, line and change."""


def reason_of(name: str) -> str | None:
    """Why a mutant is equivalent; None if it is not."""
    return EQUIVALENT.get(name)
