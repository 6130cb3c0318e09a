"""What a model says of many records: made when it is asked for, then shown as tables, files and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from genoformer.errors import counted
from genoformer.inference.figures import figures
from genoformer.inference.presentation import Presentation
from genoformer.inference.results import Result

if TYPE_CHECKING:
    import pandas
    import polars

R = TypeVar("R", bound=Result, covariant=True)
MOST_PICTURES = 5


class Predictions(Generic[R]):
    """The results of one call of ``Model.predict``, in the order of the input.

    Nothing is computed before it is asked for. A loop makes one result after the other and keeps none: any number of
    records goes through little memory, and another loop computes again. Everything that is about all of them (tables,
    files, pictures, ``len``, ``[i]``) makes them once and keeps them; loops take them from there, too.

    Args:
        make: Makes the results, each time it is called.
        shown: How they become tables, files and pictures.
        about: The input and the model, in a line.
    """

    def __init__(self, make: Callable[[], Iterator[R]], shown: Presentation, about: str) -> None:
        self._make, self._shown, self._about = make, shown, about
        self._kept: list[R] | None = None

    def load(self) -> list[R]:
        """All results, made once and kept."""
        if self._kept is None:
            self._kept = list(self._make())
        return self._kept

    def __iter__(self) -> Iterator[R]:
        return self._make() if self._kept is None else iter(self._kept)

    def __len__(self) -> int:
        return len(self.load())

    def __bool__(self) -> bool:
        return True  # or "if predictions:" would compute them

    @overload
    def __getitem__(self, key: int | str) -> R: ...
    @overload
    def __getitem__(self, key: slice) -> list[R]: ...

    def __getitem__(self, key: int | str | slice) -> R | list[R]:
        """A result by its place, or by the id of its record; several by a slice.

        Raises:
            IndexError: If there is no such place.
            KeyError: If there is no such record.
        """
        if not isinstance(key, str):
            return self.load()[key]
        found = next((result for result in self.load() if result.record_id == key), None)
        if found is None:
            raise KeyError(key)
        return found

    def to_dataframe(self) -> pandas.DataFrame:
        """A table of pandas: rows, columns and types of the command's Parquet file, which are those of its TSV file.

        Coordinates are 1-based and inclusive there, as in all files; those of results are 0-based and half-open.

        Raises:
            UsageError: If pandas or pyarrow is not installed.
        """
        return self._shown.to_pandas(self.load())

    def to_polars(self) -> polars.DataFrame:
        """The same table for polars.

        Raises:
            UsageError: If polars or pyarrow is not installed.
        """
        return self._shown.to_polars(self.load())

    def write(self, *paths: str | Path, format: str | None = None) -> list[Path]:
        """Write files, the same as those of ``genoformer predict`` for the same input.

        Args:
            paths: Their names say what they hold: ``genes.gff3``, ``proteins.faa``, or another name with one of these
                suffixes. Existing files are replaced; each appears complete or not at all.
            format: A word of ``--formats`` that says it instead, whatever the names.

        Returns:
            What was written: one file for each path, more where a format has a file for each record or channel.

        Raises:
            UsageError: If a name stands for no file of this model, or a package that it needs is not installed.
            OutputWriteError: If a file cannot be written.
        """
        targets = [(Path(path), self._shown.find_format(Path(path), format)) for path in paths]
        return self._shown.write(self.load(), targets)

    def __repr__(self) -> str:
        state = "not computed yet" if self._kept is None else counted(len(self._kept), "result")
        return f"Predictions({self._about}: {state})"

    def _repr_html_(self) -> str:
        results = self.load()
        shown = [result.captioned() for result in islice(results, MOST_PICTURES)]
        more = len(results) - len(shown)
        foot = f"and {counted(more, 'record')} more" if more else ""
        return figures(shown, head=f"{self._about}: {counted(len(results), 'record')}", foot=foot)
