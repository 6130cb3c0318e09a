"""Files of probabilities per base: HDF5, bedGraph, and what all such files share."""

from contextlib import ExitStack
from itertools import product
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np

from genoformer.errors import DataError
from genoformer.files import atomic_path, write_text_atomic
from genoformer.files.hdf5 import atomic_hdf5
from genoformer.files.held import Holder
from genoformer.inference.tracks import MAX_ERROR, STEPS, STRANDS, Track, decode_probabilities
from genoformer.sequence.records import Record

FORMAT_VERSION = 1
CHUNK_BP = 32_768
CACHE_BYTES = 1 << 24
"""More than a chunk of any task: a chunk that is filled piece by piece is packed once."""
INDEX_COLUMNS = ("file", "channel", "strand", "max_error")


class ProbabilityH5Writer(Holder):
    """All probabilities in one dataset, uint8 [2, C, bases]; those of record r end at ``ends[r]``.

    A probability is the value times the attribute ``scale``. A context manager: the file appears complete under its
    name when the block ends without an error.

    Args:
        path: The final name.
        channels: Names of the outputs.
    """

    def __init__(self, path: Path, channels: tuple[str, ...]) -> None:
        self.path, self._channels = path, channels
        self._ids: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []

    def enter(self, stack: ExitStack) -> None:
        """Open the file; see ``Holder``."""
        self._file = stack.enter_context(atomic_hdf5(self.path, rdcc_nbytes=CACHE_BYTES))
        shape = (len(STRANDS), len(self._channels))
        self._values = self._file.create_dataset(
            "probabilities", (*shape, 0), np.uint8, maxshape=(*shape, None), chunks=(*shape, CHUNK_BP),
            compression="gzip", compression_opts=1, fletcher32=True,
        )  # fmt: skip
        stack.push(self._finish)

    def add(self, record: Record, found: Track, **about: object) -> None:
        """Append the probabilities of one record."""
        n_channels, begin = len(self._channels), self._values.shape[-1]
        self._values.resize(begin + found.end - found.start, axis=2)
        rows = range(len(STRANDS) * n_channels)
        for pieces in zip(*(found.store.pieces(found.number, row) for row in rows), strict=True):
            low = begin + pieces[0][0] - found.start
            steps = np.stack([steps for _, steps in pieces]).reshape(len(STRANDS), n_channels, -1)
            self._values[:, :, low : low + steps.shape[-1]] = steps
        self._ids.append(record.id)
        self._starts.append(found.start)
        self._ends.append(self._values.shape[-1])

    def _finish(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            return
        file, text = self._file, h5py.string_dtype()
        file.create_dataset("ids", data=self._ids, dtype=text)
        file["starts"], file["ends"] = np.array(self._starts, np.int64), np.array(self._ends, np.int64)
        file.create_dataset("channels", data=list(self._channels), dtype=text)
        file.create_dataset("strands", data=list(STRANDS), dtype=text)
        file.attrs.update(scale=1 / STEPS, max_error=MAX_ERROR, format_version=FORMAT_VERSION, complete=True)


def read_probabilities(path: str | Path, record_id: str) -> np.ndarray:
    """Probabilities of one record of a ``probabilities.h5``, float32 [2, C, L]; row 0 is "+", row 1 "-".

    Args:
        path: The file.
        record_id: The record.

    Raises:
        DataError: If the file is not there, is none of these, or has no such record.
    """
    try:
        with h5py.File(path, "r") as file:
            number = file["ids"].asstr()[:].tolist().index(record_id)
            ends = [0, *file["ends"][:].tolist()]
            return decode_probabilities(file["probabilities"][:, :, ends[number] : ends[number + 1]])
    except (OSError, KeyError, ValueError) as error:
        fix = "Give a file of predict --formats h5, and one of its records."
        message = f'this is no file of probabilities with a record "{record_id}".'
        raise DataError("FORMATS-005", message, where=str(path), fix=fix) from error


class TrackFolder:
    """A file for each channel and strand, and a table that says which is which; a context manager.

    Files are written when the block ends without an error, one after the other: memory holds the names of records.

    Args:
        path: The table; the others come into its folder.
        channels: Names of the outputs.
    """

    suffix = ""

    def __init__(self, path: Path, channels: tuple[str, ...]) -> None:
        self.path, self._channels = path, channels
        self._found: list[tuple[str, int, Track]] = []

    @property
    def names(self) -> list[str]:
        """Files, relative to the folder of the prediction."""
        return [f"{self.path.parent.name}/{name}" for name in (self.path.name, *self._files())]

    def __enter__(self) -> Self:
        self.path.parent.mkdir(exist_ok=True)
        for stale in [*self.path.parent.glob(f".*{self.suffix}*"), *self.path.parent.glob(f".{self.path.name}*")]:
            stale.unlink()  # of a run that was killed
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            return
        for row, name in enumerate(self._files()):
            self.write_file(self.path.with_name(name), self._found, row)
        rows = [
            (name, channel, strand, f"{MAX_ERROR:.4f}")
            for name, (strand, channel) in zip(self._files(), product(STRANDS, self._channels), strict=True)
        ]
        write_text_atomic(self.path, "".join("\t".join(row) + "\n" for row in (INDEX_COLUMNS, *rows)))

    def add(self, record: Record, found: Track, **about: object) -> None:
        """Take note of one record."""
        self._found.append((record.id, len(record), found))

    def write_file(self, path: Path, found: list[tuple[str, int, Track]], row: int) -> None:
        """Write one channel of one strand: id, length in bp and probabilities of each record."""
        raise NotImplementedError

    def _files(self) -> list[str]:
        return [f"{channel}.{strand}{self.suffix}" for strand, channel in product(STRANDS, self._channels)]


class BedGraphWriter(TrackFolder):
    """Runs of equal probability as rows of text, in the order of the input.

    Reference: https://genome.ucsc.edu/goldenPath/help/bedgraph.html.
    """

    suffix = ".bedgraph"

    def write_file(self, path: Path, found: list[tuple[str, int, Track]], row: int) -> None:
        words = [f"{value:.4f}\n" for value in decode_probabilities(np.arange(STEPS + 1))]
        with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
            for name, _, track in found:
                for runs in track.runs(row):
                    columns = zip(*(column.tolist() for column in runs), strict=True)
                    file.writelines(f"{name}\t{start}\t{end}\t{words[step]}" for start, end, step in columns)
