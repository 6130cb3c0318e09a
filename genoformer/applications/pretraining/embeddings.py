"""Embeddings of records as the rows of a table."""

from pathlib import Path

import numpy as np

from genoformer.inference.parquet_files import REAL, TEXT, WHOLE, Columns, ParquetWriter
from genoformer.sequence.records import Record


class EmbeddingWriter(ParquetWriter):
    """One row for each record: its id, its length, and a column for each number of its embedding.

    Args:
        path: The final name.
        width: How many numbers there are.
    """

    def __init__(self, path: Path, width: int) -> None:
        self._names = [f"embedding_{i}" for i in range(width)]
        super().__init__(path, {"record_id": TEXT, "length_bp": WHOLE, **dict.fromkeys(self._names, REAL)})

    def columns(self, record: Record, found: np.ndarray, **about: object) -> Columns:
        head: Columns = {"record_id": [record.id], "length_bp": [len(record)]}
        return {**head, **{name: [value] for name, value in zip(self._names, found.tolist(), strict=True)}}
