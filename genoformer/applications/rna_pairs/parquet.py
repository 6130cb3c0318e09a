"""Predicted base pairs as Parquet: the columns of ``pairs.tsv`` with types."""

from pathlib import Path

import pyarrow as pa

from genoformer.applications.rna_pairs.writers import letters, listed_pairs
from genoformer.inference.chunks import Outputs
from genoformer.inference.parquet_files import REAL, TEXT, WHOLE, Columns, ParquetWriter
from genoformer.sequence.records import Record


class PairParquetWriter(ParquetWriter):
    """One row for each pair that is in the structure, or probable.

    Args:
        path: The final name.
    """

    def __init__(self, path: Path) -> None:
        types = {"record_id": TEXT, "i": WHOLE, "j": WHOLE, "base_i": TEXT, "base_j": TEXT}
        super().__init__(path, types | {"probability": REAL, "in_structure": pa.bool_()})

    def columns(self, record: Record, found: Outputs, **about: object) -> Columns:
        bases, rows = letters(record), list(listed_pairs(found))
        return {
            "record_id": [record.id] * len(rows),
            "i": [i + 1 for i, *_ in rows],
            "j": [j + 1 for _, j, *_ in rows],
            "base_i": [bases[i] for i, *_ in rows],
            "base_j": [bases[j] for _, j, *_ in rows],
            "probability": [sure for *_, sure, _ in rows],
            "in_structure": [chosen for *_, chosen in rows],
        }
