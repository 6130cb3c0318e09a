"""Parquet files of a prediction, filled record by record; pyarrow writes.

It is loaded by name (``optional_packages``): a format is refused before any work where it is not installed.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from genoformer.files import atomic_path
from genoformer.files.held import Holder
from genoformer.sequence.records import Record

GROUP_ROWS = 50_000
"""Rows that wait in memory: readers work through row groups, which should not be many."""

Columns = Mapping[str, Sequence[Any]]
TEXT, WHOLE, REAL = pa.string(), pa.int64(), pa.float64()
TEXTS, REALS = pa.list_(TEXT), pa.list_(REAL)


class ParquetWriter(Holder):
    """A context manager: the file appears complete under its name when the block ends without an error.

    Args:
        path: The final name.
        columns: Type of each column, by name.
    """

    def __init__(self, path: Path, columns: Mapping[str, pa.DataType]) -> None:
        self.path = path
        self._schema = pa.schema(list(columns.items()))
        self._waiting: list[Columns] = []
        self._n_waiting = 0

    def enter(self, stack: ExitStack) -> None:
        """Open the file; see ``Holder``."""
        temporary = stack.enter_context(atomic_path(self.path))
        self._file = stack.enter_context(pq.ParquetWriter(temporary, self._schema, compression="zstd"))
        stack.push(self._finish)

    def add(self, record: Record, found: Any, **about: Any) -> None:
        """Append the rows of one record."""
        columns = self.columns(record, found, **about)
        self._waiting.append(columns)
        self._n_waiting += len(next(iter(columns.values())))
        if self._n_waiting >= GROUP_ROWS:
            self._write()

    def columns(self, record: Record, found: Any, **about: Any) -> Columns:
        """Values of every column for one record, all of one length."""
        raise NotImplementedError

    def as_table(self, waiting: Iterable[Columns]) -> pa.Table:
        """The rows of some records as a table in memory, with the columns of the file.

        Args:
            waiting: From ``columns``, for each record.
        """
        kept = list(waiting)
        arrays = [
            pa.array(chain.from_iterable(columns[field.name] for columns in kept), field.type) for field in self._schema
        ]
        return pa.Table.from_arrays(arrays, schema=self._schema)

    def _finish(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._write()

    def _write(self) -> None:
        waiting, self._waiting, self._n_waiting = self._waiting, [], 0
        if waiting:
            self._file.write_table(self.as_table(waiting))
