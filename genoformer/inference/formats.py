"""Words of ``--formats``: what each stands for, and the files of a prediction filled together, record by record."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from genoformer.errors import UsageError, WarningLog
from genoformer.files.held import Holder
from genoformer.inference.parts import Part
from genoformer.sequence.records import Record


class Writer(Protocol):
    """One file of a prediction: it appears complete under its name when the block ends without an error."""

    def __enter__(self) -> Any:
        """Begin the file."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> bool | None:
        """Finish the file, or leave nothing of it."""

    @property
    def add(self) -> Callable[..., None]:
        """Appends what was found in a record, called with both and what ``OutputFormat.needs`` brings along."""


class MakeWriter(Protocol):
    """Makes the writer of a file."""

    def __call__(self, path: Path, /) -> Writer:
        """A writer for the file of this name."""


@dataclass(frozen=True)
class OutputFormat:
    """One word of ``--formats``.

    Attributes:
        file: Name of the file; with "{:04d}" there is one for each record, by its number.
        about: What it holds, in a few words of help.
        needs: What its writer is given of each record: "genes", "functions", "pairs", "states" or "contacts"; what
            that is stands beside the ``FORMATS`` of the application.
        writer: Makes the writer of a file. With a file for each record, writes one: called with path, record and what
            was found.
        is_default: Written when ``--formats`` is not given.
        beside: Names of other files that come with it.
        check: Called before any work; an error says that the format cannot be written here.
    """

    file: str
    about: str
    needs: str
    writer: Part[Any]
    is_default: bool = False
    beside: tuple[str, ...] = ()
    check: Part[Any] | None = None

    @property
    def is_per_record(self) -> bool:
        """Whether each record has a file of its own."""
        return "{" in self.file

    @property
    def pattern(self) -> str:
        """Pattern of the names of its files."""
        head, brace, _ = self.file.partition("{")
        return f"{head}*{Path(self.file).suffix}" if brace else self.file


Formats = Mapping[str, OutputFormat]


def default_formats(formats: Formats) -> tuple[str, ...]:
    """The words that stand when none are given."""
    return tuple(word for word, row in formats.items() if row.is_default)


def check_formats(words: Iterable[str] | None, formats: Formats) -> tuple[str, ...]:
    """Words of an option without repeats; those of the default for None.

    Raises:
        UsageError: If there is none, one is unknown, or one cannot be written here.
    """
    chosen = default_formats(formats) if words is None else tuple(dict.fromkeys(words))
    unknown = [word for word in chosen if word not in formats]
    if unknown or not chosen:
        message = f'unknown output format "{", ".join(unknown)}"; known: {", ".join(formats)}.'
        raise UsageError("FORMATS-001", message, where="--formats")
    for word in chosen:
        if check := formats[word].check:
            check.load()()
    return chosen


def stored_formats(words: Iterable[str], formats: Formats) -> tuple[str, ...]:
    """Words of a stored request; ValueError if one is unknown."""
    found = tuple(words)
    if unknown := [word for word in found if word not in formats]:
        raise ValueError(f"there is no output format {str(unknown[0])[:60]!r}")
    return found


def file_names(formats: Formats) -> list[str]:
    """Names, and patterns of names, of all files that the formats stand for."""
    return [name for row in formats.values() for name in (row.pattern, *row.beside)]


class RecordFiles(Holder):
    """The files of a prediction: a context manager, all appear complete when the block ends without an error.

    Args:
        out: Output folder; files of an earlier prediction that have a record each are removed.
        words: Of the formats.
        formats: What the words stand for.
        makers: Writers that take the place of those of the formats, by word.
    """

    def __init__(
        self, out: Path, words: Iterable[str], formats: Formats, makers: Mapping[str, MakeWriter] | None = None
    ) -> None:
        rows = {word: formats[word] for word in words}
        self._out, self._n_records = out, 0
        self._each = [(row.file, row.writer.load()) for row in rows.values() if row.is_per_record]
        self._whole = [row.file for row in rows.values() if not row.is_per_record]
        made = {word: (makers or {}).get(word) or row.writer.load() for word, row in rows.items()}
        self._writers = [made[word](out / row.file) for word, row in rows.items() if not row.is_per_record]
        self._stale = [row.pattern for row in formats.values() if row.is_per_record]
        self._names: list[str] = []

    @property
    def names(self) -> list[str]:
        """Files that were written, those of records last; writers of several files have their ``names``."""
        several = (getattr(writer, "names", [file]) for file, writer in zip(self._whole, self._writers, strict=True))
        return [*chain.from_iterable(several), *self._names]

    @property
    def reports(self) -> list[Any]:
        """Writers of pages about the prediction as a whole, see ``report_files.ReportWriter``."""
        return [writer for writer in self._writers if hasattr(writer, "describe")]

    def enter(self, stack: ExitStack) -> None:
        """Begin all files, without those of earlier runs; see ``Holder``."""
        for stale in [path for pattern in self._stale for path in self._out.glob(pattern)]:
            stale.unlink()
        for writer in self._writers:
            stack.enter_context(writer)

    def left_out(self, warnings: WarningLog) -> dict[str, int]:
        """What formats had no form for: how much of it by file, none where nothing was; ``warnings`` counts it, too.

        Writers that leave out anything have a ``WarningLog`` of that name.
        """
        found = {}
        for name, writer in zip(self._whole, self._writers, strict=True):
            log: WarningLog | None = getattr(writer, "left_out", None)
            if log is not None and log.counts:
                found[name] = log.counts.total()
                warnings.update(log)
        return found

    def add(self, record: Record, found: Any, **about: Any) -> None:
        """Append one record to every file."""
        self._n_records += 1
        for writer in self._writers:
            writer.add(record, found, **about)
        for file, write in self._each:
            name = file.format(self._n_records)
            write(self._out / name, record, found)
            self._names.append(name)
