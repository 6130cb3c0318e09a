"""Tables of a prediction, read again: a damaged one is said to be so, with its line."""

import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from genoformer.errors import DataError
from genoformer.labels.tables import read_table_rows

FIX = "Run predict again, or give an output folder that nobody changed."


def predicted_rows(path: Path, columns: Collection[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Where each row of a table of a prediction stands, and its cells by column.

    Args:
        path: The table.
        columns: Those that it must have.

    Raises:
        MissingFileError: If there is no such file.
        DataError: If it cannot be read, or lacks one of the columns.
    """
    for where, cells in read_table_rows(path):
        if missing := [name for name in columns if name not in cells]:
            raise damaged(f"there is no column {missing[0]!r}", where)
        yield where, cells


def predicted_number(cells: Mapping[str, str], name: str, where: str) -> float:
    """The finite number in a cell; DataError if it holds none."""
    try:
        number = float(cells[name])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise damaged(f"expected a number in column {name!r}, found {cells[name][:40]!r}", where)
    return number


def predicted_probability(cells: Mapping[str, str], name: str, where: str) -> float:
    """The number from 0 to 1 in a cell; DataError if it holds none."""
    number = predicted_number(cells, name, where)
    if not 0 <= number <= 1:
        raise damaged(f"expected a probability in column {name!r}, found {cells[name][:40]!r}", where)
    return number


def damaged(what: str, where: str) -> DataError:
    """The error for a file that ``predict`` has not written so."""
    return DataError("EVAL-024", f"this is no whole file of a prediction: {what}.", where=where, fix=FIX)
