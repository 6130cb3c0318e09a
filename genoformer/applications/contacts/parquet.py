"""Predicted contacts as Parquet: the columns of ``contacts.tsv`` with types."""

from pathlib import Path

from genoformer.applications.contacts.writers import n_listed
from genoformer.inference.chunks import Outputs
from genoformer.inference.parquet_files import REAL, TEXT, WHOLE, Columns, ParquetWriter
from genoformer.sequence.records import Record


class ContactParquetWriter(ParquetWriter):
    """One row for each of the best pairs.

    Args:
        path: The final name.
    """

    def __init__(self, path: Path) -> None:
        types = {"record_id": TEXT, "i": WHOLE, "j": WHOLE, "separation": WHOLE, "probability": REAL}
        super().__init__(path, types)

    def columns(self, record: Record, found: Outputs, **about: object) -> Columns:
        listed = slice(n_listed(record))
        pairs, sure = found["pairs"][listed], found["probability"][listed]
        i, j = pairs.T.tolist()
        return {
            "record_id": [record.id] * len(pairs), "i": [k + 1 for k in i], "j": [k + 1 for k in j],
            "separation": (pairs[:, 1] - pairs[:, 0]).tolist(), "probability": sure.tolist(),
        }  # fmt: skip
