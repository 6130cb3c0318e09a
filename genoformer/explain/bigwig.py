"""Explanations as bigWig, a file for each method; pybigtools writes, and is loaded by name as other formats are."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from genoformer.explain.kept import Kept, per_base
from genoformer.files import atomic_path
from genoformer.inference.bigwig_files import Row, write_rows
from genoformer.sequence.records import Record


class BigWigWriter:
    """A context manager: files appear complete when the block ends without an error; numbers of bases are in memory.

    Args:
        path: Its folder gets the files, ``ism.bw`` and so on.
    """

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._lengths: dict[str, int] = {}
        self._found: dict[str, dict[str, tuple[int, np.ndarray]]] = defaultdict(dict)

    @property
    def names(self) -> list[str]:
        """Files that were written."""
        return [f"{method}.bw" for method in self._found]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if kind is None:
            for method, records in self._found.items():
                with atomic_path(self._folder / f"{method}.bw") as temporary:
                    write_rows(temporary, dict(sorted(self._lengths.items(), key=_by_bytes)), self._rows(records))
        return None

    def add(self, record: Record, found: Kept, **about: object) -> None:
        """Keep the numbers of one record."""
        self._lengths[record.id] = len(record)
        for method, values in per_base(found).items():
            self._found[method][record.id] = int(found["start"]), values

    def _rows(self, records: dict[str, tuple[int, np.ndarray]]) -> Iterator[Row]:
        for name, (start, values) in sorted(records.items(), key=_by_bytes):
            for i, value in enumerate(values.tolist()):
                yield name, start + i, start + i + 1, value


def _by_bytes(item: tuple[str, object]) -> bytes:
    return item[0].encode()
