"""Candidates of many records on disk, in few files: what an interrupted prediction continues from."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

import numpy as np

from genoformer.decoding.caller import CallOptions
from genoformer.files import atomic_path
from genoformer.inference.gene_calls import GeneFinder

CHUNK_BP = 2_000_000
CHUNK_RECORDS = 1_000
"""A file is written when this much is gathered: a file for each of 100 000 contigs would take longer than the model."""

PASS_FILES = "passes-*.npz"


class ModelPasses:
    """Candidates by the number of their record; a context manager that writes what is gathered when the block ends.

    Records are gathered into files of ``CHUNK_BP`` of sequence or ``CHUNK_RECORDS``, each complete or not there. A
    process that is killed loses what it had gathered since the last file, one that is interrupted or fails loses
    nothing.

    Args:
        folder: Holds the files; those that are there are read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file_of: dict[int, Path] = {}
        for path in sorted(folder.glob(PASS_FILES)):
            with np.load(path) as chunk:
                self._file_of |= dict.fromkeys(chunk["numbers"].tolist(), path)
        self._gathered: dict[int, np.ndarray] = {}
        self._gathered_bp = 0
        self._read: tuple[Path | None, dict[int, np.ndarray]] = (None, {})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._write()

    def __contains__(self, number: int) -> bool:
        return number in self._file_of or number in self._gathered

    def add(self, number: int, candidates: np.ndarray, *, length_bp: int) -> None:
        """Keep the candidates of one record.

        Args:
            number: Of the record in the input.
            candidates: Rows of one type for all records, such as ``CANDIDATE_DTYPE``.
            length_bp: Length of the record.

        Raises:
            OutputWriteError: If a file cannot be written.
        """
        self._gathered[number] = candidates
        self._gathered_bp += length_bp
        if self._gathered_bp >= CHUNK_BP or len(self._gathered) >= CHUNK_RECORDS:
            self._write()

    def __getitem__(self, number: int) -> np.ndarray:
        """Candidates of one record; fast when asked in the order in which they were added.

        Raises:
            KeyError: If there are none.
        """
        if number in self._gathered:
            return self._gathered[number]
        path = self._file_of[number]
        if self._read[0] != path:
            self._read = path, _read_chunk(path)
        return self._read[1][number]

    def _write(self) -> None:
        # Taken out first: a write that failed is not tried again when the block ends.
        gathered, self._gathered, self._gathered_bp = self._gathered, {}, 0
        if not gathered:
            return
        numbers = np.array(list(gathered), np.int64)
        ends = np.cumsum([len(candidates) for candidates in gathered.values()])
        rows = np.concatenate(list(gathered.values()))
        path = self._folder / PASS_FILES.replace("*", f"{numbers[0]:07d}")
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, numbers=numbers, ends=ends, rows=rows)
        self._file_of |= dict.fromkeys(gathered, path)


def pass_records(
    finder: GeneFinder,
    records: Iterable[tuple[int, np.ndarray, CallOptions, np.ndarray | None]],
    folder: Path,
    on_bases: Callable[[int], None],
) -> ModelPasses:
    """Candidates of every record; those that an interrupted run left in the folder are not made again.

    Args:
        finder: The model.
        records: Number, uint8 base codes [L], options and masked intervals (see ``GeneFinder.candidates``) of each.
        folder: Of the files.
        on_bases: Called with bases done since the last call.
    """
    with ModelPasses(folder) as passes:
        for number, codes, options, masked in records:
            if number in passes:
                on_bases(len(codes))
                continue
            passes.add(number, finder.candidates(codes, options, on_bases, masked), length_bp=len(codes))
    return passes


def _read_chunk(path: Path) -> dict[int, np.ndarray]:
    with np.load(path) as chunk:
        parts = np.split(chunk["rows"], chunk["ends"][:-1])
        return dict(zip(chunk["numbers"].tolist(), parts, strict=True))
