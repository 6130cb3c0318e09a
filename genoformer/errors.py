"""Errors and counted warnings: what the user reads, and the exit code that follows.

Every failure a user can cause is a ``GenoformerError``. Its class fixes the exit code, its ``code`` names the rule that
was broken, ``where`` says which file, line, record or config key, and ``fix`` says what to do about it.
"""

import errno
from collections import Counter

STORAGE_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""What the system says where something could not be written."""
MAX_MESSAGE_LINES = 5
MAX_MESSAGE_LETTERS = 4_500
"""Of each part of a message: paths may have 4,096, and columns of a broken file megabytes."""


class GenoformerError(Exception):
    """Base of all errors that are not our bug.

    Args:
        code: Rule name such as ``"FASTA-005"``.
        message: What was expected and what was found; one sentence.
        where: File and line, record id or config key.
        fix: What the user can do; one sentence.
    """

    exit_code = 70

    def __init__(self, code: str, message: str, *, where: str = "", fix: str = "") -> None:
        self.code, self.message, self.where, self.fix = code, message, where, fix
        super().__init__(code, message, where, fix)

    def __str__(self) -> str:
        parts = [f"error[{self.code}]"]
        if self.where:
            parts.append(f"{self.where}:")
        parts.append(self.message)
        if self.fix:
            parts.append(self.fix)
        return " ".join(parts)

    def __reduce__(self):
        return _rebuild, (type(self), self.code, self.message, self.where, self.fix)


def _rebuild(kind, code, message, where, fix):
    return kind(code, message, where=where, fix=fix)


class CheckFailedError(GenoformerError):
    """A check ran and said no (exit 1)."""

    exit_code = 1


class UsageError(GenoformerError):
    """Command line or configuration (exit 2)."""

    exit_code = 2


class DataError(GenoformerError):
    """Bad input data or an unreadable bundle (exit 65)."""

    exit_code = 65


class MissingFileError(GenoformerError):
    """A file, config, checkpoint or model that is not there (exit 66)."""

    exit_code = 66


class OutputExistsError(GenoformerError):
    """Output that cannot be created or must not be replaced (exit 73)."""

    exit_code = 73


class OutputWriteError(GenoformerError):
    """An input/output error while writing (exit 74)."""

    exit_code = 74


class BusyError(GenoformerError):
    """Locked by another run, or a worker died: try again (exit 75)."""

    exit_code = 75


class DivergedError(GenoformerError):
    """Training produced a loss that is not finite (exit 76)."""

    exit_code = 76


class RefusedError(GenoformerError):
    """Refused for safety (exit 77)."""

    exit_code = 77


def counted(n: int, noun: str) -> str:
    """A number with thousands separated and its noun: "1 record", "2,000 records"."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def escape_control(text: str) -> str:
    """Make control characters visible, so that a message from a broken file cannot steer the terminal."""
    return "".join(c if c == "\n" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def format_error(error: GenoformerError, *, program: str = "genoformer") -> str:
    """The message as printed on standard error: at most five lines, control characters escaped."""
    shown = type(error)(error.code, _shortened(error.message), where=_shortened(error.where), fix=_shortened(error.fix))
    lines = escape_control(f"{program}: {shown}").splitlines()
    return "\n".join(lines[:MAX_MESSAGE_LINES])


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE_LETTERS else f"{text[:MAX_MESSAGE_LETTERS]}…"


class WarningLog:
    """Warnings by rule, counted; the first of each rule is kept as the example.

    A reader never skips or changes data silently: it adds here, and the command prints ``lines()`` once at the end.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    def add(self, code: str, example: str, n: int = 1) -> None:
        """Count ``n`` events of rule ``code``; ``example`` is a sentence about the first."""
        self.counts[code] += n
        self.examples.setdefault(code, example)

    def update(self, other: "WarningLog") -> None:
        """Count what another log has counted, too."""
        for code, n in other.counts.items():
            self.add(code, other.examples[code], n)

    def lines(self) -> list[str]:
        """One line per rule: code, count, first example."""
        return [
            escape_control(f"warning[{code}] {count} ×, first: {_shortened(self.examples[code])}")
            for code, count in sorted(self.counts.items())
        ]
