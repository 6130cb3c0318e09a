"""Checkpoints that are complete or not there, and that notice a single flipped bit.

The file is what ``torch.save`` writes, with the SHA-256 of those bytes as comment of the ZIP archive: ``torch.load``
reads it, and one rename puts file and checksum in place together.
"""

import io
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import CheckpointIO

from genoformer.errors import DataError, MissingFileError, OutputWriteError, RefusedError
from genoformer.files import atomic_path
from genoformer.files.sealed import seal, unseal


class AtomicCheckpointIO(CheckpointIO):
    """Lightning's door to checkpoint files; local files only."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write under a temporary name in the same folder, read back, rename.

        Raises:
            OutputExistsError: If the file cannot be created.
            OutputWriteError: If writing fails, or what was written reads back otherwise.
        """
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = pack_checkpoint(checkpoint)
        with atomic_path(path) as temporary:
            temporary.write_bytes(data)
            if temporary.read_bytes() != data:
                raise OutputWriteError("CKPT-001", "the file reads back otherwise than written.", where=str(path))

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read and verify; only tensors and plain values are loaded, never code.

        Raises:
            RefusedError: If ``path`` is an address on the network.
            MissingFileError: If there is no such file.
            DataError: If it is no checkpoint of ours, or a bit has changed.
        """
        check_checkpoint_path(path)
        return unpack_checkpoint(Path(path).read_bytes(), where=str(path), map_location=map_location)

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint, if it is there."""
        Path(path).unlink(missing_ok=True)


def check_checkpoint_path(path: str | Path) -> None:
    """Refuse network addresses and missing files, before anything else is done.

    Raises:
        RefusedError: If ``path`` is an address on the network.
        MissingFileError: If there is no such file.
    """
    if "://" in str(path):
        raise RefusedError(
            "CKPT-002", "checkpoints are not loaded from the network.", where=str(path),
            fix="Download the file from a source you trust and name it.",
        )  # fmt: skip
    if not Path(path).is_file():
        raise MissingFileError("CKPT-003", "there is no such checkpoint.", where=str(path), fix="Check the path.")


def pack_checkpoint(checkpoint: dict[str, Any]) -> bytes:
    """Bytes of a checkpoint file."""
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    return seal(buffer.getvalue())


def unpack_checkpoint(data: bytes, *, where: str, map_location: Any = None) -> dict[str, Any]:
    """The inverse of ``pack_checkpoint``.

    Raises:
        DataError: If ``data`` is no checkpoint of ours, or a bit has changed.
    """
    try:
        archive = unseal(data)
    except ValueError as error:
        raise _damaged(str(error), where) from error
    return torch.load(io.BytesIO(archive), map_location=map_location, weights_only=True)


def _damaged(reason: str, where: str) -> DataError:
    return DataError(
        "CKPT-004", f"this is not an intact checkpoint of genoformer: {reason}.", where=where,
        fix="Delete it to begin again, or name another.",
    )  # fmt: skip
