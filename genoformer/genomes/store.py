"""The HDF5 store of a training set: bases, label tracks and genes of each record, one byte per base.

Tokens are made when a crop is read, so one store serves every k, stride, shift and strand. All datasets are chunked
and carry Fletcher-32 checksums, without compression: a flipped bit is an error, and a random crop costs microseconds.

Layout, schema version 1:
    /                       attributes: schema, sequence_digest, parameters (JSON), n_records, about_digest,
                            complete (written last)
    /records/00000000       attributes: genome, id, circular, genetic_code, length
    /records/00000000/bases   uint8 [L], base codes of ``sequence.alphabet``
    /records/00000000/tracks  uint8 [2, L], bits of ``annotation.tracks``; row 0 is "+", row 1 is "-"; without labels of
                              RNA genes their bits are 0, which says nothing of them
    /records/00000000/genes   structured [n], dtype ``annotation.tracks.GENE_TABLE``
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from genoformer.errors import DataError, MissingFileError
from genoformer.files.hdf5 import atomic_hdf5, check_heaps, read_text, write_text
from genoformer.sequence.records import Record, SequenceDigest

SCHEMA = 1
CHUNK_BP = 16_384
CACHE_BYTES = 256 * 2**20
"""Chunk cache of one open store, shared out over its datasets."""
MIN_DATASET_CACHE_BYTES = 2**20
CACHE_SLOTS = 12_421
"""A prime, as the HDF5 manual asks (H5Pset_chunk_cache); about three times the chunks that the largest cache holds."""

_READ_ERRORS = (KeyError, OSError, RuntimeError, TypeError, ValueError)
"""What h5py raises for damaged files, by the place of the damage."""

Source = tuple[str, Record, np.ndarray, np.ndarray, bool, int]


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record of a store, without its bases; ``length`` in bp."""

    index: int
    genome: str
    id: str
    length: int
    circular: bool
    genetic_code: int


def write_store(path: str | Path, sources: Iterable[Source], attrs: dict) -> None:
    """Write a store in one pass; under the final name there is nothing, the old file or the complete one.

    Args:
        path: The file to write.
        sources: ``(genome, record, tracks uint8 [2, L], gene table [n], circular, genetic_code)`` of each record.
        attrs: Parameters that change the contents, JSON types only; read back as ``Store.parameters``.

    Raises:
        DataError: If there is no record, a record is empty, or one genome holds the same id twice.
        ValueError: If tracks do not fit their record.
    """
    digest, seen, about = SequenceDigest(), set(), []
    with atomic_hdf5(path, libver="v110") as file:
        records = file.create_group("records")
        for index, source in enumerate(sources):
            key = (source[0], source[1].id)
            if key in seen:
                raise DataError("STORE-001", f"record {key[1]!r} comes twice in genome {key[0]!r}.", where=str(path))
            seen.add(key)
            _write_record(records.create_group(_group_name(index)), source)
            digest.update(source[1])
            genome, record, _, _, circular, genetic_code = source
            about.append(StoredRecord(index, genome, record.id, len(record), bool(circular), int(genetic_code)))
        if not seen:
            raise DataError("STORE-002", "there is no record to store.", where=str(path))
        file.attrs["schema"] = SCHEMA
        write_text(file.attrs, "sequence_digest", digest.hexdigest())
        write_text(file.attrs, "parameters", json.dumps(attrs, sort_keys=True))
        file.attrs["n_records"] = len(seen)
        write_text(file.attrs, "about_digest", _about_digest(digest.hexdigest(), attrs, about))
        file.flush()
        file.attrs["complete"] = True


def _about_digest(sequence_digest: str, parameters: dict, records: list[StoredRecord]) -> str:
    """SHA-256 of what a store says beside its datasets: HDF5 has checksums for those, and none for attributes."""
    about = [sequence_digest, parameters, [[getattr(one, name) for name in one.__slots__] for one in records]]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def _group_name(index: int) -> str:
    return f"{index:08d}"


def _write_record(group: h5py.Group, source: Source) -> None:
    genome, record, tracks, genes, circular, genetic_code = source
    length = len(record)
    if length == 0:
        raise DataError("STORE-003", f"record {record.id!r} of genome {genome!r} has no sequence.")
    if tracks.shape != (2, length) or tracks.dtype != np.uint8 or record.codes.dtype != np.uint8:
        raise ValueError(f"record {record.id!r}: tracks {tracks.dtype} {tracks.shape} do not fit {length} bases")
    chunk = min(length, CHUNK_BP)
    group.create_dataset("bases", data=record.codes, chunks=(chunk,), fletcher32=True)
    group.create_dataset("tracks", data=tracks, chunks=(2, chunk), fletcher32=True)
    # A resizable shape lets an empty table be chunked, too.
    group.create_dataset(
        "genes", data=genes, chunks=(max(1, min(len(genes), 4096)),), maxshape=(None,), fletcher32=True
    )
    write_text(group.attrs, "genome", genome)
    write_text(group.attrs, "id", record.id)
    group.attrs["length"] = length
    group.attrs["circular"], group.attrs["genetic_code"] = bool(circular), int(genetic_code)


class Store:
    """Random access to a store, read-only.

    The constructor checks the file and closes it; each process opens it on its first read. A store can be pickled, and
    a forked child opens its own handle. The file must not point to other files.

    Args:
        path: A file written by ``write_store``.

    Raises:
        MissingFileError: If there is no such file.
        DataError: If it is not HDF5, not complete, of another schema, or holds links or external storage.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._file: h5py.File | None = None
        self._pid = 0
        self._datasets: dict[tuple[int, str], h5py.Dataset] = {}
        with _open(self.path) as file:
            self.sequence_digest, parameters, n_records = _read_root(file, self.path)
            self.parameters: dict = parameters
            self.records: list[StoredRecord] = list(_read_records(file, n_records, self.path))
            expected = _read_about_digest(file, self.path)
        # Older stores have none.
        if expected not in (None, _about_digest(self.sequence_digest, parameters, self.records)):
            raise _damaged(self.path, "what it says of its records does not match its checksum")

    def bases(self, index: int, start: int, end: int) -> np.ndarray:
        """Base codes of ``[start, end)`` of record ``index``, uint8 [end - start]; ValueError outside the record."""
        self._check_range(index, start, end)
        return self._read(index, "bases", slice(start, end))

    def tracks(self, index: int, start: int, end: int) -> np.ndarray:
        """Label tracks of ``[start, end)`` of record ``index``, uint8 [2, end - start], forward coordinates."""
        self._check_range(index, start, end)
        return self._read(index, "tracks", (slice(None), slice(start, end)))

    def genes(self, index: int) -> np.ndarray:
        """All genes of record ``index``, structured [n] as in ``annotation.tracks.GENE_TABLE``."""
        return self._read(index, "genes", slice(None))

    def close(self) -> None:
        """Close this process's handle; the next read opens it again."""
        self._datasets.clear()
        if self._file is not None:
            self._file.close()
        self._file = None

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_file": None, "_pid": 0, "_datasets": {}}

    def _check_range(self, index: int, start: int, end: int) -> None:
        if not 0 <= start <= end <= self.records[index].length:
            raise ValueError(f"[{start}, {end}) is outside record {index} of {self.records[index].length} bp")

    def _read(self, index: int, name: str, selection) -> np.ndarray:
        if self._file is None or self._pid != os.getpid():
            self.close()
            self._file, self._pid = _open(self.path), os.getpid()
        dataset = self._datasets.get((index, name))
        try:
            if dataset is None:
                dataset = self._datasets[index, name] = self._open_dataset(self._file, index, name)
            return dataset[selection]
        except _READ_ERRORS as error:
            raise _damaged(self.path, f"{name} of record {self.records[index].id!r}: {error}") from error

    def _open_dataset(self, file: h5py.File, index: int, name: str) -> h5py.Dataset:
        size = max(MIN_DATASET_CACHE_BYTES, CACHE_BYTES // (2 * len(self.records)))
        access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
        access.set_chunk_cache(CACHE_SLOTS, size, 1.0)
        path = f"/records/{_group_name(index)}/{name}".encode()
        # Told that it is read-only, h5py keeps shape and type: three to four times the windows per second.
        return h5py.Dataset(h5py.h5d.open(file.id, path, access), readonly=True)


def _open(path: str) -> h5py.File:
    if not Path(path).is_file():
        raise MissingFileError("STORE-004", "there is no such store.", where=path, fix="Check the path.")
    # Replaced by renaming, never changed in place: a lock is not needed, and read-only mounts refuse one.
    try:
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        raise _damaged(path, f"it cannot be opened as HDF5 ({error})") from error
    return file


def _read_root(file: h5py.File, path: str) -> tuple[str, dict, int]:
    """Sequence digest, parameters and number of records, after the marks of completeness and schema were seen."""
    try:
        complete, schema = bool(file.attrs.get("complete", False)), int(file.attrs.get("schema", -1))
        if not complete:
            raise _damaged(path, "it has no mark of completeness")
        if schema != SCHEMA:
            raise DataError(
                "STORE-006",
                f"expected a store of schema {SCHEMA}, found {schema}.",
                where=path,
                fix="Prepare it again.",
            )
        if file.attrs.get_id("parameters").get_type().is_variable_str():  # of older stores
            check_heaps(path)
        parameters = json.loads(read_text(file.attrs, "parameters"))
        return read_text(file.attrs, "sequence_digest"), parameters, int(file.attrs["n_records"])
    except _READ_ERRORS as error:
        raise _damaged(path, f"its attributes cannot be read ({error})") from error


def _read_about_digest(file: h5py.File, path: str) -> str | None:
    try:
        return read_text(file.attrs, "about_digest") if "about_digest" in file.attrs else None
    except _READ_ERRORS as error:
        raise _damaged(path, f"its attributes cannot be read ({error})") from error


def _read_records(file: h5py.File, n_records: int, path: str) -> Iterator[StoredRecord]:
    for index in range(n_records):
        name = f"records/{_group_name(index)}"
        try:
            _require_hard_link(file, "records", path)
            _require_hard_link(file, name, path)
            attrs = file[name].attrs
            record = StoredRecord(
                index, read_text(attrs, "genome"), read_text(attrs, "id"), int(attrs["length"]),
                bool(attrs["circular"]), int(attrs["genetic_code"]),
            )  # fmt: skip
            _check_datasets(file, name, record.length, path)
        except _READ_ERRORS as error:
            raise _damaged(path, f"{name} cannot be read ({error})") from error
        yield record


def _require_hard_link(file: h5py.File, name: str, path: str) -> None:
    link = file.get(name, getlink=True)
    if isinstance(link, h5py.SoftLink | h5py.ExternalLink):
        raise DataError("STORE-007", f"{name} is a link; a store holds its own data.", where=path, fix="Do not use it.")


def _check_datasets(file: h5py.File, name: str, length: int, path: str) -> None:
    shapes = {"bases": (length,), "tracks": (2, length)}
    for part in ("bases", "tracks", "genes"):
        _require_hard_link(file, f"{name}/{part}", path)
        dataset = file[f"{name}/{part}"]
        if not isinstance(dataset, h5py.Dataset):
            raise _damaged(path, f"{name}/{part} is not a dataset")
        if dataset.external or dataset.is_virtual:
            raise DataError(
                "STORE-007", f"{name}/{part} is kept in another file.", where=path, fix="Do not use this file."
            )
        is_expected = dataset.dtype == np.uint8 and dataset.shape == shapes[part] if part in shapes else True
        if not is_expected or not dataset.fletcher32:
            raise _damaged(path, f"{name}/{part} has another shape or type, or no checksum")


def _damaged(path: str, what: str) -> DataError:
    return DataError("STORE-005", f"this is not a complete store: {what}.", where=path, fix="Prepare it again.")
