"""Embeddings as Parquet, one row for each; pyarrow writes.

It is loaded by name (``optional_packages``): the format is refused before any work where it is not installed.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from genoformer.embeddings.embedder import Rows
from genoformer.files import atomic_path
from genoformer.files.held import Holder
from genoformer.sequence.records import Record

GROUP_BYTES = 1 << 26
"""Of a row group, in memory, about; readers work through row groups, which should not be many."""


class ParquetWriter(Holder):
    """A context manager: the file appears complete under its name when the block ends without an error.

    Args:
        path: The final name.
        about: What the rows are, see ``embedding.describe``; in the file's metadata under "genoformer", as JSON.
    """

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self.path, self._width = path, about["width"]
        value = {"float32": pa.float32(), "float16": pa.float16()}[about["dtype"]]
        columns = {
            "record": pa.string(), "start": pa.int64(), "end": pa.int64(), "known_bp": pa.int64(),
            "embedding": pa.list_(value, self._width),
        }  # fmt: skip
        self._schema = pa.schema(list(columns.items()), {"genoformer": json.dumps(dict(about), sort_keys=True)})
        self._waiting: list[pa.RecordBatch] = []
        self._n_bytes = 0

    def enter(self, stack: ExitStack) -> None:
        """Open the file; see ``Holder``."""
        temporary = stack.enter_context(atomic_path(self.path))
        self._file = stack.enter_context(pq.ParquetWriter(temporary, self._schema, compression="zstd"))
        stack.push(self._finish)

    def add(self, record: Record, found: Rows, **about: object) -> None:
        """Append neighbouring rows of one record."""
        values = pa.array(np.ascontiguousarray(found.values).ravel())
        columns = [
            pa.DictionaryArray.from_arrays(np.zeros(len(found.starts), np.int32), [record.id]).cast(pa.string()),
            *(pa.array(column) for column in (found.starts, found.ends, found.known_bp)),
            pa.FixedSizeListArray.from_arrays(values, self._width),
        ]
        self._waiting.append(pa.RecordBatch.from_arrays(columns, schema=self._schema))
        self._n_bytes += found.values.nbytes
        if self._n_bytes >= GROUP_BYTES:
            self._write()

    def _finish(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._write()

    def _write(self) -> None:
        waiting, self._waiting, self._n_bytes = self._waiting, [], 0
        if waiting:
            self._file.write_table(pa.Table.from_batches(waiting, self._schema))
