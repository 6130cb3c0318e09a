"""Writers of predicted contacts."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from genoformer.applications.rna_pairs.maps import draw_map
from genoformer.files import atomic_path
from genoformer.inference.chunks import Outputs
from genoformer.inference.text_files import TextWriter
from genoformer.report.pair_drawings import draw_square_map
from genoformer.sequence.records import Record

LISTED_PER_CODON = 2
"""Pairs in the table, for each codon of the sequence."""


class TableWriter(TextWriter):
    """One row for each of the best pairs."""

    header = "record_id\ti\tj\tseparation\tprobability\n"

    def lines(self, record: Record, found: Outputs) -> Iterator[str]:
        n = n_listed(record)
        for (i, j), sure in zip(found["pairs"][:n].tolist(), found["probability"][:n].tolist(), strict=True):
            yield f"{record.id}\t{i + 1}\t{j + 1}\t{j - i}\t{sure:.4f}\n"


def n_listed(record: Record) -> int:
    """How many pairs of a record the table has at most."""
    return LISTED_PER_CODON * (len(record) // 3)


def draw_one(path: Path, record: Record, found: Outputs) -> None:
    """A picture of one record."""
    values = np.zeros((len(record) // 3, len(record) // 3), np.float32)
    i, j = found["pairs"].T
    values[i, j] = values[j, i] = found["probability"]
    with atomic_path(path) as temporary:
        draw_map(temporary, record.id, values, "codon")


def draw_one_svg(path: Path, record: Record, found: Outputs) -> None:
    """A map of the pairs of the table of one record, both halves alike."""
    n = n_listed(record)
    cells = list(zip(found["pairs"][:n].tolist(), found["probability"][:n].tolist(), strict=True))
    pairs = [(i, j, sure) for (i, j), sure in cells]
    draw_square_map(path, record.id, len(record) // 3, above=pairs, below=pairs, unit="codon")
