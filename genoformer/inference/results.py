"""What a model says of one record, as a value of Python: its table, its files, its picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genoformer.inference.figures import figures
from genoformer.inference.presentation import Presentation
from genoformer.report.markup import Markup
from genoformer.sequence.records import Record

if TYPE_CHECKING:
    import pandas
    import polars


@dataclass(frozen=True, repr=False)
class Result(ABC):
    """What a model says of one record.

    Attributes:
        record_id: The record.
        length: Its length in bp.
        record: The record itself.
        shown: How results of its model become files, tables and pictures.
    """

    record_id: str
    length: int
    record: Record = field(kw_only=True, compare=False)
    shown: Presentation = field(kw_only=True, compare=False)

    @abstractmethod
    def given(self, needs: str) -> tuple[Any, dict[str, Any]]:
        """What the writer of a format is given, see ``OutputFormat.needs``, and what it is told besides.

        Raises:
            UsageError: If the result does not hold it.
        """

    @abstractmethod
    def in_words(self) -> str:
        """What was found, in a few words."""

    def to_dataframe(self) -> pandas.DataFrame:
        """The rows of this record, as in the table of the command; see ``Predictions.to_dataframe``."""
        return self.shown.to_pandas([self])

    def to_polars(self) -> polars.DataFrame:
        """The same for polars; see ``Predictions.to_polars``."""
        return self.shown.to_polars([self])

    def write(self, *paths: str | Path, format: str | None = None) -> list[Path]:
        """Write files of this record alone; see ``Predictions.write``."""
        return self.shown.write([self], [(Path(path), self.shown.find_format(Path(path), format)) for path in paths])

    def picture(self) -> Markup:
        """What was found, drawn as SVG."""
        return self.shown.picture(self)

    def captioned(self) -> tuple[Markup, str]:
        """The picture, and the words below it."""
        return self.picture(), f"{self.record_id}, {self.length:,} bp: {self.in_words()}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.record_id!r}, {self.length:,} bp: {self.in_words()})"

    def _repr_html_(self) -> str:
        return figures([self.captioned()])
