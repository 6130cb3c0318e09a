"""What a step is: one command of genoformer, and which of its files later commands start from."""

from collections.abc import Sequence
from dataclasses import dataclass, field

INPUTS = "../../inputs"
"""Every command runs in a folder of its own, ``outputs/STEP``; this leads from there to the inputs."""


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: Of its folder in ``outputs``.
        words: Arguments of genoformer.
        kept_as: Files and folders that it writes, by the name that they get among the inputs. Steps that follow read
            them there, and a later run with ``--inputs`` takes them from the earlier one.
        code: Expected exit code.
        stdin: A file of the inputs that standard input comes from.
    """

    name: str
    words: Sequence[str]
    kept_as: dict[str, str] = field(default_factory=dict)
    code: int = 0
    stdin: str | None = None


def step(
    name: str, line: str, kept_as: dict[str, str] | None = None, *, code: int = 0, stdin: str | None = None
) -> Step:
    """A step from a line of words.

    Args:
        name: Of the step.
        line: Arguments, none with a space inside; one that begins with "@" is a file of the inputs.
        kept_as: As in ``Step``.
        code: Expected exit code.
        stdin: A file of the inputs.
    """
    return Step(name, [input_path(word) for word in line.split()], kept_as or {}, code, stdin)


def input_path(word: str) -> str:
    """The path of an input, seen from where commands run, if the word begins with "@"; else the word."""
    return f"{INPUTS}/{word[1:]}" if word.startswith("@") else word
