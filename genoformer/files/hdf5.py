"""HDF5 files that are complete or not there, also when the disk is full."""

import _thread
import contextlib
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from genoformer.files import atomic_path


@contextlib.contextmanager
def atomic_hdf5(final: str | Path, **settings: Any) -> Iterator[h5py.File]:
    """A new HDF5 file that takes its name when the block ends without an error; errors as in ``atomic_path``.

    HDF5 writes to the disk when a file is closed or its cache is full, and may end the process when that fails. Here
    it writes to a ``_PatientFile``, which never fails; what happened is raised when the file was closed.

    Args:
        final: Name of the finished file; its folder must exist.
        settings: For ``h5py.File``.
    """
    with atomic_path(final) as temporary, _PatientFile(temporary) as target:
        try:
            with h5py.File(target, "w", **settings) as file:
                yield file
        finally:
            target.raise_failure()


class _PatientFile(io.RawIOBase):
    """A file that takes everything: after a write has failed, or was interrupted, it holds its tongue until asked.

    Args:
        path: An existing empty file.
    """

    SOON_S = 0.2
    """After an interrupt inside of HDF5 it comes again at this interval, until it is heard."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._at = self._size = 0
        self._failure: BaseException | None = None
        self._is_heard = threading.Event()

    def raise_failure(self) -> None:
        """Raise what went wrong first, if anything did."""
        self._is_heard.set()
        if self._failure is not None:
            raise self._failure

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        left, at = memoryview(data), self._at
        self._at += len(left)
        self._size = max(self._size, self._at)
        try:
            while left and self._failure is None:
                written = os.pwrite(self._descriptor, left, at)
                left, at = left[written:], at + written
        except BaseException as error:
            self._keep(error)
        return len(memoryview(data))

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        view[:] = bytes(len(view))  # what was not written, because writing fails, is zeros
        with contextlib.suppress(OSError):
            os.preadv(self._descriptor, [view], self._at)
        self._at += len(view)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        self._size = self._at if size is None else size
        try:
            os.ftruncate(self._descriptor, self._size)
        except BaseException as error:
            self._keep(error)
        return self._size

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()

    def _keep(self, error: BaseException) -> None:
        if self._failure is None and not isinstance(error, Exception):
            # Ctrl-C or SIGTERM: the caller shall stop as soon as HDF5 has returned, which may swallow it again
            threading.Thread(target=self._remind, daemon=True).start()
        self._failure = self._failure or error

    def _remind(self) -> None:
        while not self._is_heard.wait(self.SOON_S):
            _thread.interrupt_main()
