"""Maps of pairs, of bases or of codons, as HDF5 and as pictures."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import h5py
import numpy as np

from genoformer.errors import DataError
from genoformer.files.hdf5 import atomic_hdf5
from genoformer.files.held import Holder
from genoformer.inference.chunks import Outputs
from genoformer.report.pyplot import load_pyplot
from genoformer.sequence.records import Record

FORMAT_VERSION = 1


class PairMapWriter(Holder):
    """Listed pairs of all records: ``pairs`` [n, 2] and ``probability`` [n]; those of record r end at ``ends[r]``.

    A context manager: the file appears complete under its name when the block ends without an error.

    Args:
        path: The final name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def enter(self, stack: ExitStack) -> None:
        """Open the file; see ``Holder``."""
        self._open(stack.enter_context(atomic_hdf5(self.path)))
        stack.push(self._complete)

    def _open(self, file: h5py.File) -> None:
        self.file = file
        options = {"maxshape": (None,), "fletcher32": True}
        self.pairs = self.file.create_dataset(
            "pairs", (0, 2), np.int32, maxshape=(None, 2), chunks=(16_384, 2), fletcher32=True
        )
        self.sure = self.file.create_dataset("probability", (0,), np.float32, chunks=(16_384,), **options)
        self.ids: list[str] = []
        self.lengths: list[int] = []
        self.ends: list[int] = []

    def add(self, record: Record, found: Outputs) -> None:
        """Append the pairs of one record."""
        start = len(self.sure)
        end = start + len(found["pairs"])
        self.pairs.resize(end, axis=0)
        self.sure.resize(end, axis=0)
        self.pairs[start:end], self.sure[start:end] = found["pairs"], found["probability"]
        self.ids.append(record.id)
        self.lengths.append(len(record))
        self.ends.append(end)

    def _complete(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            return
        self.file.create_dataset("ids", data=self.ids, dtype=h5py.string_dtype())
        self.file["lengths"], self.file["ends"] = np.array(self.lengths, int), np.array(self.ends, int)
        self.file.attrs["format_version"] = FORMAT_VERSION
        self.file.attrs["complete"] = True


def read_pairs_h5(path: str | Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Id, pairs [n, 2] (0-based, i < j) and their probabilities of every record of a ``pairs.h5``.

    Raises:
        DataError: If the file is not there, or is none of these.
    """
    try:
        with h5py.File(path, "r") as file:
            ends = _checked_ends(file)
            for name, start, end in zip(file["ids"].asstr()[:], [0, *ends[:-1]], ends, strict=True):
                pairs, probability = file["pairs"][start:end], file["probability"][start:end]
                if not ((pairs[:, 0] >= 0) & (pairs[:, 0] < pairs[:, 1])).all():
                    raise ValueError(f"the pairs of {name} are none")
                if not ((probability >= 0) & (probability <= 1)).all():
                    raise ValueError(f"the probabilities of {name} are none")
                yield name, pairs, probability
    except Exception as error:  # what HDF5 and h5py raise for damaged files is of many kinds
        fix = "Give an output folder of predict."
        raise DataError("EVAL-019", "this is no file of predicted pairs.", where=str(path), fix=fix) from error


def _checked_ends(file: h5py.File) -> list[int]:
    """Where the pairs of each record end; ValueError if the arrays do not fit each other."""
    for name in ("ids", "ends", "pairs", "probability"):
        if not isinstance(file.get(name, getlink=True), h5py.HardLink) or file[name].external or file[name].is_virtual:
            raise ValueError(f"{name} is not in the file")
    n = len(file["probability"])
    if file["pairs"].shape != (n, 2) or file["pairs"].dtype.kind != "i" or file["probability"].dtype.kind != "f":
        raise ValueError("the arrays have other shapes or types")
    ends = file["ends"][:].tolist()
    if len(file["ids"]) != len(ends) or ends != sorted(ends) or (ends and (ends[0] < 0 or ends[-1] != n)):
        raise ValueError("the records do not fit the pairs")
    return ends


def draw_map(path: Path, title: str, values: np.ndarray, label: str, n: int | None = None) -> None:
    """A picture of a map.

    Args:
        path: PNG file.
        title: Above the map.
        values: 0 to 1, float, square.
        label: Below the map.
        n: Length of the axes; as many as there are values by default.
    """
    pyplot, length = load_pyplot(), max(1, len(values) if n is None else n)
    figure, axes = pyplot.subplots(figsize=(6, 6), dpi=150)
    extent = (0.5, length + 0.5, length + 0.5, 0.5)
    cells = values.reshape(max(1, len(values)), -1)
    axes.imshow(cells, cmap="Greys", vmin=0, vmax=1, extent=extent, interpolation="nearest")
    axes.plot(extent[:2], extent[:2], color="0.7", linewidth=0.5)
    axes.set_title(title, fontsize=8)
    axes.set_xlabel(label)
    # Without this word the file would say which version drew it.
    figure.savefig(path, format="png", metadata={"Software": None})
    pyplot.close(figure)
