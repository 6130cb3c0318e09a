"""Predicted states as Parquet: the columns of ``structure.tsv`` with types."""

from pathlib import Path

from genoformer.applications.codon_structure.outputs import HEAD
from genoformer.inference.chunks import Outputs
from genoformer.inference.parquet_files import REAL, TEXT, WHOLE, Columns, ParquetWriter
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.records import Record


class StateParquetWriter(ParquetWriter):
    """One row per codon.

    Args:
        path: The final name.
        channels: Letters of the states.
    """

    def __init__(self, path: Path, channels: tuple[str, ...]) -> None:
        self._channels = channels
        types = dict.fromkeys(HEAD, TEXT) | {"codon": WHOLE, "probability": REAL}
        super().__init__(path, types | dict.fromkeys(channels, REAL))

    def columns(self, record: Record, found: Outputs, **about: object) -> Columns:
        values, bases = found["probabilities"], decode_bases(record.codes)
        n = len(values)
        head = (
            [record.id] * n, range(1, n + 1), [bases[3 * i : 3 * i + 3] for i in range(n)],
            [self._channels[number] for number in values.argmax(axis=1)], values.max(axis=1).tolist() if n else [],
        )  # fmt: skip
        return dict(zip((*HEAD, *self._channels), (*head, *values.T.tolist()), strict=True))
