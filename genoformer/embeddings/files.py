"""Embeddings as npz and HDF5, filled block by block: memory is that of a block.

Both hold the same arrays. Rows are in the order of the input: ``embeddings`` [N, D], ``starts``, ``ends``, ``known_bp``
and ``record`` [N], the number of each row's record in ``ids`` and ``lengths`` [R]. ``about`` says what they are.
"""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np

from genoformer.embeddings.embedder import Rows
from genoformer.files import atomic_path
from genoformer.files.hdf5 import atomic_hdf5
from genoformer.files.held import Holder
from genoformer.sequence.records import Record

CHUNK_BYTES = 1 << 20
ROW_COLUMNS = {"starts": np.int64, "ends": np.int64, "known_bp": np.int64}


class RecordNumbers:
    """Ids and lengths of records in the order in which their rows come."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.lengths: list[int] = []

    def add(self, record: Record) -> int:
        """Number of a record, whose blocks follow each other."""
        if not self.ids or self.ids[-1] != record.id:
            self.ids.append(record.id)
            self.lengths.append(len(record))
        return len(self.ids) - 1


def _columns(number: int, rows: Rows) -> dict[str, np.ndarray]:
    own = {name: getattr(rows, name) for name in ROW_COLUMNS}
    return {"embeddings": rows.values, **own, "record": np.full(len(rows.starts), number, np.int32)}


class NpzWriter(Holder):
    """A file for ``numpy.load``; a context manager: it appears complete when the block ends without an error.

    Columns are gathered in files without a name beside it, as an archive holds one after the other.

    Args:
        path: The final name.
        about: What the rows are, see ``embedding.describe``.
    """

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self.path, self._about, self._records = path, about, RecordNumbers()
        dtypes = {"embeddings": about["dtype"], **ROW_COLUMNS, "record": np.int32}
        self._dtypes = {name: np.dtype(dtype) for name, dtype in dtypes.items()}
        self._gathered: dict[str, IO[bytes]] = {}
        self._n_rows = 0

    def enter(self, stack: ExitStack) -> None:
        """Open the file; see ``Holder``."""
        self._temporary = stack.enter_context(atomic_path(self.path))
        for name in self._dtypes:
            self._gathered[name] = stack.enter_context(tempfile.TemporaryFile(dir=self.path.parent))
        stack.push(self._finish)

    def add(self, record: Record, found: Rows, **about: object) -> None:
        """Append neighbouring rows of one record."""
        for name, values in _columns(self._records.add(record), found).items():
            self._gathered[name].write(np.ascontiguousarray(values, self._dtypes[name]).data)
        self._n_rows += len(found.starts)

    def _finish(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            return
        with zipfile.ZipFile(self._temporary, "w", zipfile.ZIP_STORED) as archive:
            for name, dtype in self._dtypes.items():
                shape = (self._n_rows, self._about["width"]) if name == "embeddings" else (self._n_rows,)
                with _member(archive, name) as member:
                    np.lib.format.write_array_header_1_0(
                        member, {"descr": dtype.str, "fortran_order": False, "shape": shape}
                    )
                    self._gathered[name].seek(0)
                    shutil.copyfileobj(self._gathered[name], member, CHUNK_BYTES)
            small = {
                "ids": np.array(self._records.ids, np.str_), "lengths": np.array(self._records.lengths, np.int64),
                "about": np.array(json.dumps(dict(self._about), sort_keys=True)),
            }  # fmt: skip
            for name, values in small.items():
                with _member(archive, name) as member:
                    np.lib.format.write_array(member, values, allow_pickle=False)


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    # Without a time of its own, so that equal results have equal bytes; sizes are not known before the end.
    return archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True)


class H5Writer(Holder):
    """HDF5 in chunks of about a megabyte; a context manager: it appears complete when the block ends without an error.

    What ``about`` says are attributes of the file.

    Args:
        path: The final name.
        about: What the rows are, see ``embedding.describe``.
    """

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self.path, self._about, self._records = path, about, RecordNumbers()

    def enter(self, stack: ExitStack) -> None:
        """Open the file; see ``Holder``."""
        self._file = stack.enter_context(atomic_hdf5(self.path))
        self._create("embeddings", self._about["dtype"], self._about["width"])
        for name, dtype in {**ROW_COLUMNS, "record": np.int32}.items():
            self._create(name, dtype)
        stack.push(self._finish)

    def _create(self, name: str, dtype: Any, *width: int) -> None:
        n_rows = max(1, CHUNK_BYTES // (np.dtype(dtype).itemsize * (width[0] if width else 1)))
        packing: dict[str, Any] = {} if width else {"compression": "gzip", "compression_opts": 1, "shuffle": True}
        self._file.create_dataset(name, (0, *width), dtype, maxshape=(None, *width), chunks=(n_rows, *width), **packing)

    def add(self, record: Record, found: Rows, **about: object) -> None:
        """Append neighbouring rows of one record."""
        for name, values in _columns(self._records.add(record), found).items():
            dataset = self._file[name]
            before = len(dataset)
            dataset.resize(before + len(values), axis=0)
            dataset[before:] = values

    def _finish(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            return
        self._file.create_dataset("ids", data=self._records.ids, dtype=h5py.string_dtype())
        self._file["lengths"] = np.array(self._records.lengths, np.int64)
        self._file.attrs.update({**self._about, "complete": True})
