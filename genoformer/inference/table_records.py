"""Tables with a column of sequences as input of predictions: CSV and TSV, plain or gzip, and Parquet."""

import importlib
from collections.abc import Iterator
from pathlib import Path

from genoformer.errors import DataError
from genoformer.inference.optional_packages import load_pyarrow
from genoformer.labels.tables import is_parquet, read_table_rows
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.records import Record

ROWS = 1_000
"""Of a Parquet file, held at a time."""

Row = tuple[str, str, str]
"""Where it stands, id, sequence."""


def read_table_records(path: str | Path, sequence_column: str, id_column: str | None) -> Iterator[Record]:
    """The sequences of a table, one held at a time; the content says which kind of table it is.

    Args:
        path: Tab- or comma-separated text with a header line, or Parquet.
        sequence_column: Holds sequences.
        id_column: Holds ids; None for the name of the file and the number of the line, or of the row of Parquet.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and row, if the table cannot be read, a column is missing, a cell is no sequence or no id,
            or an id comes twice.
        UsageError: If the package that reads Parquet is not installed.
    """
    seen: dict[str, str] = {}
    rows = _parquet_rows if is_parquet(path) else _text_rows
    for where, name, bases in rows(path, sequence_column, id_column):
        if not name or name.split() != [name]:
            raise DataError("INPUT-006", f"an id has no white space and is not empty, found {name!r}.", where=where)
        if name in seen:
            raise DataError("INPUT-004", f'the id "{name}" is also in {seen[name]}.', where=where)
        seen[name] = where
        try:
            codes = encode_bases(bases)
        except ValueError as error:
            raise DataError("INPUT-006", f"{error}.", where=where) from error
        if not len(codes):
            raise DataError("INPUT-006", "the sequence is empty.", where=where)
        yield Record(name, codes)


def _text_rows(path: str | Path, sequence_column: str, id_column: str | None) -> Iterator[Row]:
    for where, cells in read_table_rows(path):
        _check_columns(path, list(cells), sequence_column, id_column)
        line = where.rpartition(" ")[2]
        yield where, cells[id_column] if id_column else f"{Path(path).name}:{line}", cells[sequence_column]


def _parquet_rows(path: str | Path, sequence_column: str, id_column: str | None) -> Iterator[Row]:
    arrow = load_pyarrow(str(path))
    number = 0
    try:
        table = importlib.import_module("pyarrow.parquet").ParquetFile(path)
        _check_columns(path, table.schema_arrow.names, sequence_column, id_column)
        for batch in table.iter_batches(ROWS, columns=[sequence_column, *([id_column] if id_column else [])]):
            bases = batch.column(sequence_column).to_pylist()
            names = batch.column(id_column).to_pylist() if id_column else [None] * len(bases)
            for name, text in zip(names, bases, strict=True):
                number += 1
                where = f"{path} row {number}"
                if not isinstance(text, str):
                    raise DataError("INPUT-006", f"expected a sequence, found {text!r}.", where=where)
                called = f"{Path(path).name}:{number}" if id_column is None else "" if name is None else str(name)
                yield where, called, text
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError("INPUT-005", f"this is no whole Parquet file: {error}.", where=str(path)) from error


def _check_columns(path: str | Path, names: list[str], sequence_column: str, id_column: str | None) -> None:
    for name in (sequence_column, id_column):
        if name is not None and name not in names:
            message = f'there is no column "{name}"; there are {", ".join(names)[:200]}.'
            raise DataError(
                "INPUT-005", message, where=str(path), fix="Name another with --sequence-column, --id-column."
            )
