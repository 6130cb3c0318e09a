"""Outputs of the reference for every base, kept in a file of each record while its genes are looked for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from genoformer.files import write_bytes_atomic

N_STRANDS = 2


class KeptLogits:
    """Files of outputs in a work folder; what an interrupted run has written is kept.

    Args:
        folder: Of the files.
        n_channels: Outputs per base.

    Attributes:
        keeps_next: Outputs of the record that comes next are wanted.
    """

    def __init__(self, folder: Path, n_channels: int) -> None:
        self._folder, self._n_channels = folder, n_channels
        self._open: dict[int, np.memmap] = {}
        self.keeps_next = True

    @property
    def kept(self) -> "KeptLogits":
        """What has ``flush``: itself."""
        return self

    def flush(self) -> None:
        """Put on disk what was written."""
        for held in self._open.values():
            held.flush()

    def of(self, number: int, codes: np.ndarray, options: object, owned_from: int) -> Callable[..., None]:
        """What is called with the outputs of one record; see ``applications.genes.passes.pass_records``.

        Args:
            number: Of the record in the input.
            codes: Of the record: not looked at.
            options: Likewise.
            owned_from: Likewise, as what is written twice is the same.
        """

        is_wanted = self.keeps_next

        def keep(start: int, end: int, logits: np.ndarray) -> None:
            if is_wanted:
                self._writable(number, end)[:, start:end] = logits

        return keep

    def read(self, number: int, length: int) -> np.ndarray | None:
        """Outputs of a record, float32 [2, length, C] in forward coordinates; None where there are none.

        Args:
            number: Of the record.
            length: Of the record in its opened form, in bp.
        """
        self.flush()
        path = self._path(number)
        if not path.exists():
            return None
        shape = (length, N_STRANDS, self._n_channels)
        if path.stat().st_size < np.prod(shape) * 4:
            return None
        return np.memmap(path, np.float32, "r", shape=shape).transpose(1, 0, 2)

    def _path(self, number: int) -> Path:
        return self._folder / f"logits-{number:07d}.f32"

    def _writable(self, number: int, end: int) -> np.ndarray:
        """Room for the first ``end`` bases at least, as [2, n, C]; files grow base by base, so strands lie together."""
        held = self._open.get(number)
        if held is None or len(held) < end:
            self.flush()
            self._open.clear()
            path, row = self._path(number), N_STRANDS * self._n_channels * 4
            if not path.exists():
                write_bytes_atomic(path, b"")
            with open(path, "r+b") as file:
                file.truncate(max(path.stat().st_size, end * row))
            n = path.stat().st_size // row
            held = np.memmap(path, np.float32, "r+", shape=(n, N_STRANDS, self._n_channels))
            self._open[number] = held
        return held.transpose(1, 0, 2)
