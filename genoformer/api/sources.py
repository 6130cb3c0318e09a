"""What a program may give a model: files, records of Biopython, a dict, a data frame. All become records."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from Bio.SeqRecord import SeqRecord

from genoformer.annotation.flat_files import to_record
from genoformer.annotation.text_lines import read_head
from genoformer.errors import DataError, UsageError, counted
from genoformer.inference.input_files import read_records
from genoformer.inference.table_records import read_table_records
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.records import Record

SHORTEST_BASES = 8
"""A shorter word of base letters is rather the name of a file that is not there."""
LONGEST_FILE_NAME = 255
LETTERS = set("ACGTUNacgtun")
SEQUENCE_COLUMN, ID_COLUMN = "sequence", "id"
"""Columns of data frames where none are named."""

One: TypeAlias = str | Path | SeqRecord | Record
Source: TypeAlias = One | Sequence[One] | Mapping[str, Any] | Any
"""A path; a record; a list of these; bases by id; a data frame of pandas or polars."""
Read = Callable[[], Iterable[Record]]
"""Gives the records, each time it is called."""


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold what.

    Attributes:
        sequence: Holds bases. None: files are no tables, and a data frame has ``SEQUENCE_COLUMN``.
        id: Holds ids. None: rows of files are called by file and line, those of a data frame by ``ID_COLUMN``, or by
            their number if there is none.
    """

    sequence: str | None = None
    id: str | None = None


def find_records(source: Source, columns: Columns) -> tuple[Read, str]:
    """How to read what was given, and what to call it in a line.

    Args:
        source: What was given.
        columns: Of tables.

    Raises:
        MissingFileError, DataError: If a file is not there, or cannot be read.
        UsageError: If it is nothing that holds records.
    """
    if isinstance(source, str | Path | SeqRecord | Record):
        return _find_one(source, columns)
    if isinstance(source, Mapping):
        return lambda: _of_mapping(source), counted(len(source), "sequence")
    if hasattr(type(source), "columns"):  # of the class: that of a lazy table is computed
        sequences, ids = _frame_columns(source, columns)
        return lambda: _of_frame(sequences, ids), counted(len(sequences), "row")
    if isinstance(source, Sequence) and not isinstance(source, bytes | bytearray):
        parts = [_find_one(part, columns) for part in source]
        return lambda: _joined(read for read, _ in parts), f"a list of {len(parts)}"
    fix = "Give a path, a SeqRecord, a list of them, a dict of bases by id, or a data frame."
    if isinstance(source, Iterable):
        fix = "Models read their input several times: give list(…) of it."
    raise UsageError("API-002", f"nothing is read from a {type(source).__name__}.", where="Model.predict", fix=fix)


def _find_one(source: Any, columns: Columns) -> tuple[Read, str]:
    """The same of what may stand in a list."""
    if isinstance(source, SeqRecord):
        return lambda: [to_record(source, f"SeqRecord {source.id}")], f"{source.id}"
    if isinstance(source, Record):
        return lambda: [source], source.id
    if not isinstance(source, str | Path):
        message = f"a list holds paths and SeqRecords, found a {type(source).__name__}."
        raise UsageError("API-002", message, where="Model.predict", fix="Give a dict of bases by id for sequences.")
    if isinstance(source, str):
        refuse_text(source)
    read_head(Path(source), 1)  # at once, not where the first result is asked for
    sequence, name = columns.sequence, columns.id
    if sequence is not None:
        return lambda: read_table_records(source, sequence, name), Path(source).name
    return lambda: read_records(source), Path(source).name


def refuse_text(text: str) -> None:
    """UsageError if what was given as a path is a sequence, or the text of a file; it is never repeated."""
    if are_bases(text):
        raise UsageError(
            "API-001", f"expected the path of a file, found {len(text)} bases.", where="Model.predict",
            fix='Give them to predict_sequence("name", bases).',
        )  # fmt: skip
    if "\n" in text or max(map(len, Path(text).parts), default=0) > LONGEST_FILE_NAME:
        fix = "Write it to a file, or give a dict of bases by id."
        message = f"expected the path of a file, found a text of {len(text):,} letters."
        raise UsageError("API-002", message, where="Model.predict", fix=fix)
    if text == "-":
        message = "standard input can be read only once, and models read several times."
        raise UsageError("API-002", message, where="Model.predict", fix="Write it to a file.")


def are_bases(path: str) -> bool:
    """Whether what was given as a path is a sequence, and no file of this name is there."""
    if len(path) < SHORTEST_BASES or set(path) - LETTERS:
        return False
    return len(path) > LONGEST_FILE_NAME or not Path(path).exists()


def _of_mapping(source: Mapping[str, Any]) -> Iterator[Record]:
    for name, bases in source.items():
        found = getattr(bases, "seq", bases)
        yield _made(name, str(found) if found is not None else None, f"sequence {name!r}"[:80])


def _frame_columns(frame: Any, columns: Columns) -> tuple[list[Any], list[Any]]:
    """Cells with bases and cells with ids of a data frame; UsageError if there is no such column."""
    if not hasattr(frame, "__len__"):
        raise UsageError("API-002", "this table was not computed yet.", where="Model.predict", fix="Give collect().")
    names = [str(name) for name in frame.columns]
    sequence = SEQUENCE_COLUMN if columns.sequence is None else columns.sequence
    if columns.id is None and ID_COLUMN not in names:
        ids: list[Any] = [f"row{number}" for number in range(1, len(frame) + 1)]
    else:
        ids = list(_column(frame, ID_COLUMN if columns.id is None else columns.id, names))
    return list(_column(frame, sequence, names)), ids


def _column(frame: Any, name: str, names: list[str]) -> Any:
    if name not in names:
        message = f'there is no column "{name}"; there are {", ".join(names)[:200]}.'
        fix = "Name others with sequence_column and id_column."
        raise UsageError("API-003", message, where="Model.predict", fix=fix)
    return frame[name]


def _of_frame(sequences: list[Any], ids: list[Any]) -> Iterator[Record]:
    seen: dict[str, int] = {}
    for number, (name, bases) in enumerate(zip(map(str, ids), sequences, strict=True), start=1):
        if name in seen:
            raise DataError("INPUT-004", f'the id "{name}" is also in row {seen[name]}.', where=f"row {number}")
        seen[name] = number
        yield _made(name, bases, f"row {number}")


def _made(name: str, bases: Any, where: str) -> Record:
    """A record of a program; DataError if its id or its bases are none."""
    if not isinstance(name, str) or name.split() != [name]:
        raise DataError("INPUT-006", f"an id has no white space and is not empty, found {name!r}.", where=where)
    if not isinstance(bases, str):
        raise DataError("INPUT-006", f"expected a sequence, found a {type(bases).__name__}.", where=where)
    try:
        return Record(name, encode_bases(bases))
    except ValueError as error:
        raise DataError("INPUT-006", f"{error}.", where=where) from error


def _joined(parts: Iterable[Read]) -> Iterator[Record]:
    """Records of several sources; DataError if an id is in two of them."""
    seen: set[str] = set()
    for read in parts:
        for record in read():
            if record.id in seen:
                raise DataError("INPUT-001", f'record "{record.id}" comes twice.', where="Model.predict")
            seen.add(record.id)
            yield record
