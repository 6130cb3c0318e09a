"""The model pass of ``genoformer embed`` and its files, for the engine of predictions; memory is that of some tiles."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from genoformer.bundle.folder import Bundle
from genoformer.embeddings.embedder import Embedder, Rows, Strands, describe
from genoformer.embeddings.request import FORMATS, EmbedRequest
from genoformer.errors import WarningLog
from genoformer.files.kept import has_arrays, read_own_arrays, write_arrays
from genoformer.inference.formats import RecordFiles
from genoformer.inference.interface import OnBases, Speed, Written
from genoformer.inference.reading import Scan
from genoformer.inference.space import ROW_FILES
from genoformer.sequence.records import Record
from genoformer.stream import fitting_threads

GROUP_BLOCKS, GROUP_BP = 1_000, 1_000_000
"""A file of rows is written when this much is gathered; a killed run loses no more."""
COPIES = {"npz": 2, "h5": 1, "parquet": 1}
"""How much of a file there is at once while it is written: columns of an npz are gathered before they are packed."""

COLUMNS = ("starts", "ends", "known_bp", "values")
"""Of the rows that are kept, see ``Rows``."""
PLACE_BYTES = 28
"""Of a row beside its vector: start, end, known bases, number of the record."""


class Block(NamedTuple):
    """Rows [first, last) of the stretch of a record that is looked at."""

    record: Record
    strands: Strands
    first: int
    last: int
    n_bases: int


@dataclass(frozen=True)
class EmbedPredictor:
    """A request and its model; see ``interface.Predictor``.

    Attributes:
        request: What to do.
        embedder: The model.
    """

    request: EmbedRequest
    embedder: Embedder

    @classmethod
    def from_bundle(cls, request: EmbedRequest, bundle: Bundle, speed: Speed) -> Self:
        """Make ready; UsageError if the bundle has no such layer."""
        return cls(request, Embedder.from_bundle(bundle, speed, request.asked))

    @property
    def precision(self) -> str:
        return self.embedder.plan.precision

    def check(self, scan: Scan) -> None:
        """Records of any length are read."""

    def needed_bytes(self, scan: Scan) -> tuple[int, int]:
        """Rows in the work folder, and in files; see ``interface.Predictor``."""
        windows = self.request.asked.windows
        per_window = -(-scan.n_bases // windows.step_bp) + scan.n_records
        n_rows = {"record": scan.n_records, "base": scan.n_bases}.get(windows.per, per_window)
        n_bytes = n_rows * (self.embedder.width * np.dtype(self.request.asked.dtype).itemsize + PLACE_BYTES)
        return n_bytes, n_bytes * sum(COPIES[word] for word in self.request.formats)

    def run_passes(
        self, paths: list[str], scan: Scan, folder: Path, on_bases: OnBases, share: range | None = None
    ) -> None:
        """Rows of all records, kept in files; there are no shards. See ``interface.Predictor``."""
        with fitting_threads(scan.n_bases):
            for number, group in enumerate(self._groups(paths)):
                path = folder / ROW_FILES.replace("*", f"{number:07d}")
                if has_arrays(path):
                    on_bases(sum(block.n_bases for block in group))
                    continue
                found = []
                for block in group:
                    found.append(self.embedder.rows(block.strands, block.first, block.last))
                    on_bases(block.n_bases)
                columns = {name: np.concatenate([getattr(rows, name) for rows in found]) for name in COLUMNS}
                write_arrays(path, **columns)

    def write(self, paths: list[str], scan: Scan, out: Path, folders: list[Path], warnings: WarningLog) -> Written:
        """The files; see ``interface.Predictor``."""
        about, n_rows, n_unknown = describe(self.embedder), 0, 0
        makers = {word: partial(FORMATS[word].writer.load(), about=about) for word in self.request.formats}
        with RecordFiles(out, self.request.formats, FORMATS, makers) as files:
            for record, rows in self._written(paths, folders[0]):
                files.add(record, rows)
                n_rows += len(rows.starts)
                n_unknown += _count_unknown(record, rows, about["per"], warnings)
        summary = {**about, **scan.summary(), "n_rows": n_rows, "n_unknown_rows": n_unknown}
        return Written(summary, files.names, {"batch_size": self.embedder.plan.batch_size})

    def _groups(self, paths: list[str]) -> Iterator[list[Block]]:
        """Blocks in the order of the input, those of a file together; they follow from input and request alone."""
        group: list[Block] = []
        gathered = 0
        for block in self._blocks(paths):
            group.append(block)
            gathered += block.n_bases
            if gathered >= min(GROUP_BP, self.embedder.block_bp) or len(group) >= GROUP_BLOCKS:
                yield group
                group, gathered = [], 0
        if group:
            yield group

    def _blocks(self, paths: list[str]) -> Iterator[Block]:
        for _, record in self.request.reading.records(paths):
            strands = Strands(self.request.reading.stretch(record))
            length = len(strands.forward)
            n_rows = max(self.request.asked.windows.n_rows(length), 1)
            for first, last in self.embedder.blocks(length):
                yield Block(record, strands, first, last, length * last // n_rows - length * first // n_rows)

    def _written(self, paths: list[str], folder: Path) -> Iterator[tuple[Record, Rows]]:
        """Rows of each block in coordinates of its record."""
        region = self.request.reading.region
        shift = 0 if region is None else region[1]
        for number, group in enumerate(self._groups(paths)):
            stored = read_own_arrays(folder / ROW_FILES.replace("*", f"{number:07d}"))
            starts, ends, known, values = (stored[name] for name in COLUMNS)
            low = 0
            for block in group:
                high = low + block.last - block.first
                found = (column[low:high] for column in (starts + shift, ends + shift, known, values))
                yield block.record, Rows(*found)
                low = high


def _count_unknown(record: Record, rows: Rows, per: str, warnings: WarningLog) -> int:
    """Rows without a known base; those of several bases are zero, which is worth a warning."""
    unknown = np.flatnonzero(rows.known_bp == 0)
    if len(unknown) and per != "base":
        start, end = int(rows.starts[unknown[0]]), int(rows.ends[unknown[0]])
        message = f'"{record.id}" {start + 1}-{end} has no A, C, G or T: its row is zero.'
        warnings.add("EMBED-101", message, len(unknown))
    return len(unknown)
