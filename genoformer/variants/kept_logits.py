"""Outputs of the reference for every base, kept in a file of each record while its genes are looked for."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from genoformer.files import write_bytes_atomic
from genoformer.files.kept import read_object, remove, write_object

N_STRANDS = 2
READ_BYTES = 1 << 24


class KeptLogits:
    """Files of outputs in a work folder; what an interrupted run has written is kept.

    Beside each file is the digest of its first bases, as many as were written when ``flush`` was called. They are
    written once, or again with what they were.

    Args:
        folder: Of the files.
        n_channels: Outputs per base.

    Attributes:
        keeps_next: Outputs of the record that comes next are wanted.
    """

    def __init__(self, folder: Path, n_channels: int) -> None:
        self._folder, self._n_channels = folder, n_channels
        self._open: dict[int, np.memmap] = {}
        self._n_bytes: dict[int, int] = {}
        self._digests: dict[int, tuple[int, Any]] = {}
        self.keeps_next = True

    @property
    def kept(self) -> "KeptLogits":
        """What has ``flush``: itself."""
        return self

    def flush(self) -> list[str]:
        """Put on disk what was written.

        Returns:
            Names of the digests of what was written since the last call.
        """
        self._flush()
        return [self._keep_digest(number) for number in list(self._n_bytes)]

    def is_intact(self, name: str) -> bool:
        """Whether a digest is there, and is that of its file."""
        try:
            stored = read_object(self._folder / name)
            with open((self._folder / name).with_suffix(".f32"), "rb") as file:
                n_bytes, digest = 0, hashlib.sha256()
                while part := file.read(min(READ_BYTES, stored["n_bytes"] - n_bytes)):
                    digest.update(part)
                    n_bytes += len(part)
        except (OSError, ValueError, TypeError, KeyError):
            return False
        return n_bytes == stored["n_bytes"] and digest.hexdigest() == stored["sha256"]

    def keep(self, names: set[str]) -> None:
        """Remove all files but those of these digests: what they hold is made again."""
        for path in self._folder.glob("logits-*"):
            if path.with_suffix(".json").name not in names:
                remove(path)

    def _flush(self) -> None:
        for held in self._open.values():
            held.flush()

    def _keep_digest(self, number: int) -> str:
        """Digest of the first bytes of a file; those of the last time are not read again."""
        path, n_bytes = self._path(number), self._n_bytes.pop(number)
        before, digest = self._digests.pop(number, (0, hashlib.sha256()))
        with open(path, "rb") as file:
            file.seek(before)
            while part := file.read(min(READ_BYTES, n_bytes - before)):
                digest.update(part)
                before += len(part)
        self._digests = {number: (n_bytes, digest)}
        name = path.with_suffix(".json").name
        write_object(self._folder / name, {"n_bytes": n_bytes, "sha256": digest.hexdigest()})
        return name

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
                row = N_STRANDS * self._n_channels * 4
                self._n_bytes[number] = max(self._n_bytes.get(number, 0), end * row, self._digests.get(number, (0,))[0])

        return keep

    def read(self, number: int, length: int) -> np.ndarray | None:
        """Outputs of a record, float32 [2, length, C] in forward coordinates; None where there are none.

        Args:
            number: Of the record.
            length: Of the record in its opened form, in bp.
        """
        self._flush()
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
            self._flush()
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
