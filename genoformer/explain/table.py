"""Explanations as a table: one row for each base, positions 1-based."""

import csv
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from genoformer.explain.kept import Kept, per_base
from genoformer.explain.request import GLOBALS, MUTAGENESIS
from genoformer.files import atomic_path
from genoformer.files.held import Holder
from genoformer.sequence.alphabet import BASE_LETTERS, decode_bases
from genoformer.sequence.records import Record


class TableWriter(Holder):
    """A context manager: the file appears complete under its name when the block ends without an error.

    Columns: record, position, base, and for each method its number for the base. ``ism_A`` to ``ism_T`` are what that
    base instead would change, empty for the base that is there and where it is unknown; ``attention_1`` … are layers.

    Args:
        path: The final name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._has_header = False

    def enter(self, stack: ExitStack) -> None:
        """Open the file; see ``Holder``."""
        temporary = stack.enter_context(atomic_path(self.path))
        file = stack.enter_context(open(temporary, "w", encoding="utf-8", newline=""))
        self._rows = csv.writer(file, delimiter="\t", lineterminator="\n")

    def add(self, record: Record, found: Kept, **about: object) -> None:
        """Append the bases of one record."""
        columns = self._columns(record, found)
        if not self._has_header:
            self._rows.writerow(["record", "position", "base", *columns])
            self._has_header = True
        start = int(found["start"])
        n_rows = len(next(iter(columns.values())))
        bases = decode_bases(record.codes[start : start + n_rows])
        for i, (base, *values) in enumerate(zip(bases, *columns.values(), strict=True)):
            self._rows.writerow([record.id, start + i + 1, base, *values])

    def _columns(self, record: Record, found: Kept) -> dict[str, list[str]]:
        columns: dict[str, list[str]] = {}
        for name, values in per_base(found).items():
            columns[name] = _texts(values)
            if name == MUTAGENESIS:
                changes = found[MUTAGENESIS].copy()
                own = record.codes[int(found["start"]) :][: len(changes)]
                known = np.flatnonzero(own < changes.shape[1])
                changes[known, own[known]] = np.nan
                columns |= {f"{name}_{BASE_LETTERS[base]}": _texts(changes[:, base]) for base in range(4)}
            elif name == GLOBALS:
                columns |= {f"{name}_{i + 1}": _texts(layer) for i, layer in enumerate(found[GLOBALS])}
        return columns


def _texts(values: np.ndarray) -> list[str]:
    return ["" if np.isnan(value) else f"{value:.6g}" for value in values.tolist()]
