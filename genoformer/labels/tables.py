"""Labelled sequences from tables and FASTA headers; every error names file and line, or file and record.

A table is tab- or comma-separated text (plain or gzip) with a header line. Its sequences stand in a column, or in FASTA
files that it refers to by id. Without a table, the label stands in the FASTA header as ``key=value``.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genoformer.annotation.text_lines import read_head, read_lines
from genoformer.errors import DataError, UsageError, WarningLog
from genoformer.files.limits import MOST_COLUMNS, MOST_WIDE_LINE_BYTES
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.fasta import read_fasta
from genoformer.sequence.records import Record


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSequence:
    """One example.

    Attributes:
        id: Unique name.
        codes: uint8 base codes [L].
        label: Text of the label; not empty.
        group: What must not be divided between training and test; "" when nothing was asked for.
        where: File and line, or file and record.
    """

    id: str
    codes: np.ndarray
    label: str
    group: str
    where: str


@dataclass(frozen=True)
class TableColumns:
    """Which column holds what.

    Attributes:
        label: The label.
        sequence: Bases; None when a FASTA file holds them.
        id: Name of the sequence; None numbers the lines.
        group: Chromosome, species, or ready-made part; None for none. "file" is the name of the file.
        names: Names of the columns in a file that has no header line.
    """

    label: str = "label"
    sequence: str | None = None
    id: str | None = None
    group: str | None = None
    names: tuple[str, ...] | None = None


DATA_OPTIONS = (
    "Name the columns with data.columns.label, .sequence, .id and .group, or all of a file without header line with "
    "data.columns.names."
)
COMMAND_OPTIONS = "Name them with --label-column, --sequence-column and --id-column, as far as this command has these."
_PARQUET = b"PAR1"
_CELL_LETTERS = 1 << 17
"""What the module csv takes by default; a quoted sequence may be longer."""
FILE_GROUP = "file"
"""Group of a sequence whose group column is called so: the name of its file."""


def read_label_table(
    paths: Sequence[str | Path], columns: TableColumns, fasta: Sequence[str | Path], log: WarningLog
) -> list[LabelledSequence]:
    """All rows that have a label.

    Args:
        paths: Tables with the same columns.
        columns: Which column holds what.
        fasta: Files with the sequences, when no column holds them.
        log: Counts rows without a label, and records that no row names.

    Raises:
        UsageError: If neither a column nor a file holds the sequences, or no id column says which is whose.
        DataError: If a column is missing, a row has too few, an id comes twice or has no sequence, or a letter is no
            base.
    """
    if columns.sequence is None and (not fasta or columns.id is None):
        raise UsageError(
            "LABELS-019", "nothing says where the sequences are.", where="data",
            fix="Give data.columns.sequence, or data.fasta and data.columns.id.",
        )  # fmt: skip
    records = {} if columns.sequence is not None else _read_records(fasta, log)
    found: list[LabelledSequence] = []
    lines: dict[str, str] = {}
    for path in paths:
        for where, cells in read_table_rows(path, columns.names):
            _check_columns(cells, columns, where)
            row_id = _row_id(cells, columns.id, path, where)
            if row_id in lines:
                raise DataError(
                    "LABELS-004", f'the id "{row_id}" is also in {lines[row_id]}.', where=where,
                    fix="Make ids unique, or leave out data.columns.id when a column holds the sequences.",
                )  # fmt: skip
            lines[row_id] = where
            if not cells[columns.label]:
                log.add("LABELS-101", f"{where}: no label; such rows are left out.")
                continue
            column = columns.sequence
            codes = _find(records, row_id, where) if column is None else _bases(cells[column], where)
            group = Path(path).name if columns.group == FILE_GROUP else cells.get(columns.group or "", "")
            found.append(LabelledSequence(row_id, codes, cells[columns.label], group, where))
    for row_id in [name for name in records if name not in lines]:
        log.add("LABELS-102", f'record "{row_id}" is in no row of the table; it is not used.')
    return found


def read_labelled_fasta(
    paths: Sequence[str | Path], label_key: str, group_key: str | None, log: WarningLog
) -> list[LabelledSequence]:
    """Records whose header says ``label_key=value``, also in square brackets or quotes.

    Args:
        paths: FASTA files.
        label_key: Word in front of the label.
        group_key: Word in front of the group; "file" is the name of the file; None for no group.
        log: Counts records without a label.

    Raises:
        DataError: If an id comes twice or a record with a label lacks the group.
    """
    found: list[LabelledSequence] = []
    seen: dict[str, str] = {}
    for path in paths:
        for record in read_fasta(path, warnings=log):
            where = f'{path} record "{record.id}"'
            if record.id in seen:
                raise DataError("LABELS-004", f'the id "{record.id}" is also in {seen[record.id]}.', where=where)
            seen[record.id] = str(path)
            label = header_value(record.description, label_key)
            if not label:
                log.add("LABELS-101", f"{where}: no {label_key}= in the header; such records are left out.")
                continue
            group = Path(path).name if group_key == FILE_GROUP else header_value(record.description, group_key or "")
            if group_key and not group:
                raise DataError("LABELS-006", f"there is no {group_key}= in the header.", where=where)
            found.append(LabelledSequence(record.id, record.codes, label, group, where))
    return found


def header_value(description: str, key: str) -> str:
    """The value of ``key=value`` in a FASTA header: up to white space, the closing quote or bracket; "" if not there.

    Example:
        >>> header_value('[locus_tag=b0001] kind="two words" x=1', "kind")
        'two words'
    """
    name = re.escape(key)
    match = re.search(rf'\[{name}=([^\]]*)\]|(?<!\S){name}="([^"]*)"|(?<!\S){name}=(\S*)', description) if key else None
    return next((part for part in match.groups() if part is not None), "").strip() if match else ""


def _read_records(paths: Sequence[str | Path], log: WarningLog) -> dict[str, np.ndarray]:
    records: dict[str, np.ndarray] = {}
    for path in paths:
        for record in read_fasta(path, warnings=log):
            if record.id in records:
                raise DataError("LABELS-004", f'the id "{record.id}" comes twice.', where=str(path))
            records[record.id] = record.codes
    return records


def _find(records: dict[str, np.ndarray], row_id: str, where: str) -> np.ndarray:
    if row_id not in records:
        raise DataError(
            "LABELS-005", f'no FASTA record is called "{row_id}".', where=where,
            fix="An id is the header up to the first white space.",
        )  # fmt: skip
    return records[row_id]


def _bases(text: str, where: str) -> np.ndarray:
    try:
        codes = encode_bases(text)
    except ValueError as error:
        raise DataError("LABELS-007", f"{error}.", where=where) from error
    if not len(codes):
        raise DataError("LABELS-007", "the sequence is empty.", where=where)
    return codes


def read_table_rows(path: str | Path, names: tuple[str, ...] | None = None) -> Iterator[tuple[str, dict[str, str]]]:
    """Where a row stands, and its cells by column name, without white space around them.

    Args:
        path: Tab- or comma-separated text; tabs in the first line decide.
        names: Names of the columns, when there is no header line.

    Raises:
        DataError: If the file cannot be read, holds no row, or a row has another number of cells.
    """
    separator, is_empty = None, True
    _refuse_parquet(path)
    for number, line in read_lines(Path(path), MOST_WIDE_LINE_BYTES):
        if not line.strip():
            continue
        separator = separator or _find_separator(line, f"{path} line {number}")
        if line.count(separator) > MOST_COLUMNS:
            message = f"expected at most {MOST_COLUMNS:,} columns."
            raise DataError("LABELS-003", message, where=f"{path} line {number}")
        cells = [cell.strip() for cell in split_row(line, separator)]
        if names is None:
            names = tuple(cells)
            continue
        if len(cells) != len(names):
            where = f"{path} line {number}"
            raise DataError("LABELS-003", f"expected {len(names)} columns, found {len(cells)}.", where=where)
        is_empty = False
        yield f"{path} line {number}", dict(zip(names, cells, strict=True))
    if is_empty:
        raise DataError("LABELS-008", "the table has no rows.", where=str(path))


def is_parquet(path: str | Path) -> bool:
    """Whether a file begins as Parquet does; MissingFileError or DataError if it cannot be read."""
    return read_head(Path(path), len(_PARQUET)) == _PARQUET


def _refuse_parquet(path: str | Path) -> None:
    if is_parquet(path):
        fix = "Write it as text first, for example with polars.read_parquet(FILE).write_csv(OTHER)."
        raise DataError("LABELS-020", "this is a Parquet file, which is not read here.", where=str(path), fix=fix)


def _find_separator(header: str, where: str) -> str:
    """Tab or comma, as the first line says."""
    if "\t" in header or "," in header or ";" not in header:
        return "\t" if "\t" in header else ","
    fix = "Separate columns by tabs or commas: tr ';' '\\t' < OLD > NEW."
    raise DataError("LABELS-021", "the columns are separated by semicolons.", where=where, fix=fix)


def read_table_sequences(path: str | Path, sequence_column: str, id_column: str | None) -> Iterator[Record]:
    """Sequences of a table without their labels.

    Raises:
        DataError: If the table cannot be read, a column is missing, or a letter is no base.
    """
    columns = TableColumns(sequence_column, sequence_column, id_column)
    for where, cells in read_table_rows(path):
        _check_columns(cells, columns, where, COMMAND_OPTIONS)
        yield Record(_row_id(cells, id_column, path, where), _bases(cells[sequence_column], where))


def read_labels(path: str | Path, columns: TableColumns, log: WarningLog) -> list[LabelledSequence]:
    """Ids and labels of a table, without sequences; rows without a label are left out and counted.

    Raises:
        UsageError: If no column holds ids.
        DataError: If the table cannot be read, a column is missing, or an id comes twice.
    """
    if columns.id is None:
        raise UsageError("EVAL-011", "the reference needs ids.", where="--id-column", fix="Name its column of ids.")
    found: list[LabelledSequence] = []
    lines: dict[str, str] = {}
    for where, cells in read_table_rows(path, columns.names):
        _check_columns(cells, TableColumns(columns.label, None, columns.id), where, COMMAND_OPTIONS)
        row_id = cells[columns.id]
        if row_id in lines:
            raise DataError("LABELS-004", f'the id "{row_id}" is also in {lines[row_id]}.', where=where)
        lines[row_id] = where
        if cells[columns.label]:
            found.append(LabelledSequence(row_id, np.empty(0, np.uint8), cells[columns.label], "", where))
        else:
            log.add("LABELS-101", f"{where}: no label; such rows are left out.")
    return found


def _row_id(cells: dict[str, str], id_column: str | None, path: str | Path, where: str) -> str:
    """Id of a row; without a column of ids, file and line."""
    return cells[id_column] if id_column else f"{Path(path).name}:{where.rpartition(' ')[2]}"


def split_row(line: str, separator: str) -> list[str]:
    """Cells of a line; in comma-separated text a cell may be quoted."""
    if separator != "," or '"' not in line:
        return line.split(separator)
    before = csv.field_size_limit(max(len(line), _CELL_LETTERS))
    try:
        return next(csv.reader([line]))
    finally:
        csv.field_size_limit(before)


def _check_columns(names: Iterable[str], columns: TableColumns, where: str, options: str = DATA_OPTIONS) -> None:
    """Whether the columns are there; ``where`` is the first row, ``options`` say how to name others."""
    group = None if columns.group == FILE_GROUP else columns.group
    for name in (columns.label, columns.sequence, columns.id, group):
        if name is not None and name not in names:
            raise DataError(
                "LABELS-002", f'there is no column "{name}"; there are {", ".join(names)[:200]}.',
                where=where if columns.names else where.rpartition(" line ")[0], fix=options,
            )  # fmt: skip
