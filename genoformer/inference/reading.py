"""How the input of a prediction is read: which records, or which stretch of one."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from genoformer.errors import DataError, UsageError, WarningLog
from genoformer.files import atomic_path
from genoformer.inference.folder import SPOOL
from genoformer.inference.input_files import read_records
from genoformer.inference.table_records import read_table_records
from genoformer.sequence.byte_chunks import read_chunks
from genoformer.sequence.records import Record, SequenceDigest

OnBadRecord = Literal["error", "skip"]
Region = tuple[str, int, int]
"""Record id, start, end; 0-based, half-open."""


@dataclass(frozen=True)
class Reading:
    """What the user decides about the input, whatever is predicted.

    Attributes:
        on_bad_record: "error" or "skip".
        allow_empty: An empty file is one without records: the coding sequences of a genome without genes.
        region: Only this stretch of one record.
        sequence_column: The input are tables, and this column holds sequences.
        id_column: Holds ids; rows of tables without are called by file and line.
    """

    on_bad_record: OnBadRecord = "error"
    allow_empty: bool = False
    region: Region | None = None
    sequence_column: str | None = None
    id_column: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; nothing of tables where there are none."""
        stored = asdict(self)
        if self.sequence_column is None:
            del stored["sequence_column"], stored["id_column"]
        return stored

    def all_records(self, paths: list[str], warnings: WarningLog | None = None) -> Iterator[tuple[int, Record]]:
        """Every record of the input with its number.

        Raises:
            DataError: If a file cannot be read, or an id is in two files.
        """
        seen: dict[str, str] = {}
        number = 0
        for path in paths:
            if self.allow_empty and is_empty(path):
                continue
            for record in self._read(path, warnings):
                if record.id in seen:
                    raise DataError("INPUT-001", f'record "{record.id}" is also in {seen[record.id]}.', where=path)
                yield number, record
                number += 1
                if len(paths) > 1:  # inside one file the reader sees to it
                    seen[record.id] = path

    def _read(self, path: str, warnings: WarningLog | None) -> Iterator[Record]:
        if self.sequence_column is not None:
            return read_table_records(path, self.sequence_column, self.id_column)
        return read_records(path, on_bad_record=self.on_bad_record, warnings=warnings)

    def records(self, paths: list[str]) -> Iterator[tuple[int, Record]]:
        """The records that the prediction is about, with their number in the input."""
        return (found for found in self.all_records(paths) if self.wants(found[1]))

    def wants(self, record: Record) -> bool:
        """Whether the prediction is about this record."""
        return self.region is None or self.region[0] == record.id

    def stretch(self, record: Record) -> np.ndarray:
        """Base codes of what is looked at, uint8: the record, or its region.

        Raises:
            UsageError: If the region lies behind the record's end.
        """
        if self.region is None:
            return record.codes
        _, start, end = self.region
        if start >= len(record):
            raise UsageError("REGION-002", f'the region begins at {start + 1}, but "{record.id}" has {len(record)} bp.')
        return record.codes[start:end]


@dataclass(frozen=True)
class Scan:
    """What the input holds.

    Attributes:
        n_records: Number of records.
        n_bases: Total length in bp.
        sequence_digest: Of the records, in order.
        longest: Id and length of the longest record; ("", 0) without one.
    """

    n_records: int
    n_bases: int
    sequence_digest: str
    longest: tuple[str, int] = ("", 0)

    def summary(self) -> dict[str, int | str]:
        """What ``summary.json`` says of it."""
        return {"n_records": self.n_records, "n_bases": self.n_bases, "sequence_digest": self.sequence_digest}


def scan_records(records: Iterable[Record], length_bp: Callable[[Record], int] = len) -> Scan:
    """Count records and bases, and digest them.

    Args:
        records: In the order of the input.
        length_bp: How many bases of a record count.
    """
    digest, n_records, n_bases, longest = SequenceDigest(), 0, 0, ("", 0)
    for record in records:
        digest.update(record)
        n_records += 1
        n_bases += length_bp(record)
        longest = max(longest, (record.id, len(record)), key=lambda found: found[1])
    return Scan(n_records, n_bases, digest.hexdigest(), longest)


def is_empty(path: str) -> bool:
    """Whether this is a file without a byte."""
    return Path(path).is_file() and Path(path).stat().st_size == 0


def spooled(paths: list[str], work: Path) -> list[str]:
    """The same inputs with standard input, which can be read once only, kept in the work folder.

    Raises:
        UsageError: If standard input is named twice.
    """
    if paths.count("-") > 1:
        raise UsageError("INPUT-002", 'standard input ("-") can be read only once.')
    if "-" not in paths:
        return paths
    spool = work / SPOOL
    with atomic_path(spool) as temporary, open(temporary, "wb") as file:
        file.writelines(read_chunks("-"))
    return [str(spool) if path == "-" else path for path in paths]
