"""How what a model says is handed on to people and programs: as files, as tables, as pictures."""

from __future__ import annotations

import importlib
import warnings as python_warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from genoformer.errors import UsageError, WarningLog
from genoformer.inference.formats import Formats, OutputFormat
from genoformer.inference.optional_packages import load_package
from genoformer.inference.parts import Part
from genoformer.report.markup import Markup
from genoformer.sequence.records import Record

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

TABLE = "parquet"
"""The format whose columns a table has."""


class Presented(Protocol):
    """What a model says of one record; see ``results.Result``."""

    @property
    def record(self) -> Record:
        """The record."""

    def given(self, needs: str) -> tuple[Any, dict[str, Any]]:
        """What the writer of a format is given, see ``OutputFormat.needs``, and what it is told besides."""


@dataclass(frozen=True)
class Presentation:
    """How the results of one model are shown.

    Attributes:
        formats: Words of files; None where a model has none.
        settings: What writers know of the model, by what their format needs.
        table: Makes the columns of tables; None for the writer of ``TABLE``.
        draw: Picture of one result as SVG.
        words: What was found in one result, in a few words.
    """

    formats: Part[Formats] | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    table: Part[Any] | None = None
    draw: Part[Any] | None = None
    words: Part[Any] | None = None

    def picture(self, result: Any) -> Markup:
        """What is seen of a result, SVG; empty where there is nothing to draw."""
        return Markup("") if self.draw is None else self.draw.load()(result)

    def find_format(self, path: Path, word: str | None = None) -> OutputFormat:
        """What a file is to hold.

        Args:
            path: Its name says it: that of a file of the command, or else the suffix.
            word: A word of ``--formats``, whatever the name.

        Raises:
            UsageError: If there is no such format, several fit, or a package that it needs is not installed.
        """
        known = self.formats.load() if self.formats else {}
        if word is not None:
            found = [known[word]] if word in known else []
        else:
            found = [row for row in known.values() if path.parts[-row.file.count("/") - 1 :] == _name(row).parts]
            found = found or [row for row in known.values() if _suffix(row) == path.suffix]
        if len(found) != 1:
            raise _no_format(path, word, known)
        if check := found[0].check:
            try:
                check.load()()
            except UsageError as error:  # which speaks of an option of the command
                raise UsageError(error.code, error.message, where=str(path), fix=error.fix) from error
        if hasattr(found[0].writer.load(), "describe"):
            message = "a page about a prediction tells of its command, too."
            fix = "Make it with genoformer predict --formats report."
            raise UsageError("API-004", message, where=str(path), fix=fix)
        return found[0]

    def write(self, results: Iterable[Presented], targets: Sequence[tuple[Path, OutputFormat]]) -> list[Path]:
        """Write files in one go; each appears complete or not at all.

        Args:
            results: In the order of the files.
            targets: Name and format of each. Where a format has a file for each record, that of record 3 of ``map.png``
                is ``map-0003.png``.

        Returns:
            What was written.
        """
        whole = [(path, row) for path, row in targets if not row.is_per_record]
        each = [(path, row, row.writer.load()) for path, row in targets if row.is_per_record]
        written: list[Path] = []
        with ExitStack() as stack:
            writers = [(row, stack.enter_context(self._writer(path, row))) for path, row in whole]
            for number, result in enumerate(results, start=1):
                for row, writer in writers:
                    found, about = result.given(row.needs)
                    writer.add(result.record, found, **about)
                for path, row, write_one in each:
                    written.append(path.with_name(f"{path.stem}-{number:04d}{path.suffix}"))
                    write_one(written[-1], result.record, result.given(row.needs)[0])
        for (path, _), (_, writer) in zip(whole, writers, strict=True):
            _warn(path, getattr(writer, "left_out", None))
            written += [path.parent / Path(name).name for name in getattr(writer, "names", [path.name])]
        return written

    def to_arrow(self, results: Iterable[Presented], where: str) -> pyarrow.Table:
        """The table of the command's Parquet file; UsageError if there is none, or pyarrow is not installed."""
        load_package("pyarrow", where)
        known = self.formats.load() if self.formats else {}
        if self.table is None and TABLE not in known:
            raise UsageError("API-004", "this model has no table.", where=where, fix="Loop over its results.")
        needs = known[TABLE].needs if TABLE in known else TABLE
        make = self.table.load() if self.table else known[TABLE].writer.load()
        writer = make(Path(), **self.settings.get(needs, {}))
        rows = ((result.record, *result.given(needs)) for result in results)
        table: pyarrow.Table = writer.as_table(writer.columns(record, found, **about) for record, found, about in rows)
        return table

    def to_pandas(self, results: Iterable[Presented]) -> pandas.DataFrame:
        """The same as a data frame of pandas; UsageError if that is not installed."""
        load_package("pandas", "to_dataframe")
        frame: pandas.DataFrame = self.to_arrow(results, "to_dataframe").to_pandas()
        return frame

    def to_polars(self, results: Iterable[Presented]) -> polars.DataFrame:
        """The same as a data frame of polars; UsageError if that is not installed."""
        load_package("polars", "to_polars")
        frame: polars.DataFrame = importlib.import_module("polars").from_arrow(self.to_arrow(results, "to_polars"))
        return frame

    def _writer(self, path: Path, row: OutputFormat) -> Any:
        return row.writer.load()(path, **self.settings.get(row.needs, {}))


def _name(row: OutputFormat) -> Path:
    """Name of its file, or of all its files without their numbers."""
    return Path(row.file.replace("-{:04d}", ""))


def _suffix(row: OutputFormat) -> str:
    """Suffix that stands for a format; none for one that has a folder of files."""
    return "" if "/" in row.file else Path(row.file).suffix


def _no_format(path: Path, word: str | None, known: Formats) -> UsageError:
    if not known:
        return UsageError("API-004", "results of this model have no files.", where=str(path), fix="Save their arrays.")
    names = ", ".join(f"{_name(row)} ({name})" for name, row in known.items())
    said = f'the format "{word}"' if word is not None else "this name"
    return UsageError(
        "API-004", f"{said} stands for no one file of this model.", where=str(path), fix=f"Known: {names}."
    )


def _warn(path: Path, left_out: WarningLog | None) -> None:
    for line in left_out.lines() if left_out is not None else ():
        python_warnings.warn(f"{path}: {line}", stacklevel=4)
