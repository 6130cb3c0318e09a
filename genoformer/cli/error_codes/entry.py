"""What the register says of one code."""

from typing import NamedTuple


class Entry(NamedTuple):
    """One rule that the package checks, in words that hold wherever it is checked.

    Attributes:
        exit_code: Of the error, as its class in ``genoformer.errors`` says; None for a warning.
        meaning: What was found.
        fix: What the user can do, in general; the message itself knows more.
    """

    exit_code: int | None
    meaning: str
    fix: str
