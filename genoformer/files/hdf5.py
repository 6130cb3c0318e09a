"""HDF5 files that are complete or not there, also when the disk is full."""

import contextlib
import io
import mmap
import os
import signal
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import h5py
import numpy as np

from genoformer.files import atomic_path


@contextlib.contextmanager
def atomic_hdf5(final: str | Path, **settings: Any) -> Iterator[h5py.File]:
    """A new HDF5 file that takes its name when the block ends without an error; errors as in ``atomic_path``.

    HDF5 writes to the disk when a file is closed or its cache is full, and may end the process when that fails. Here
    it writes to a ``_PatientFile``, which never fails; what happened is raised when the file was closed. Signals are
    heard between its calls.

    Args:
        final: Name of the finished file; its folder must exist.
        settings: For ``h5py.File``.
    """
    with atomic_path(final) as temporary, _PatientFile(temporary) as target, _signals_between_calls():
        try:
            with h5py.File(target, "w", **settings) as file:
                yield file
        finally:
            target.raise_failure()


def write_text(attributes: h5py.AttributeManager, name: str, text: str) -> None:
    """Write an attribute of fixed length.

    Text of any length would lie in a heap without a checksum, where a single flipped bit can make HDF5 read forever.

    Args:
        attributes: Of a file with ``libver="v110"`` or later, in which attributes have checksums.
        name: Of the attribute.
        text: Any.
    """
    data = text.encode("utf-8", "surrogateescape")
    attributes.create(name, np.array(data, dtype=h5py.string_dtype("utf-8", max(1, len(data)))))


def read_text(attributes: h5py.AttributeManager, name: str) -> str:
    """Read an attribute of fixed or, as other writers have it, of any length.

    Raises:
        KeyError, OSError, RuntimeError, ValueError: If it is not there, no text, or damaged.
    """
    stored = attributes[name]
    if not isinstance(stored, str | bytes):
        raise ValueError(f"{name} is no text")
    return stored if isinstance(stored, str) else stored.decode("utf-8", "surrogateescape")


def check_heaps(path: str | Path) -> None:
    """Look at the heaps of a file in which text of any length lies, before HDF5 does: it may never come back.

    Raises:
        OSError: If one is damaged.

    Reference:
        HDF5 File Format Specification 3.0, III.E, global heap.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(_HEAP)
        while at >= 0:
            if not _is_whole_heap(data, at):
                raise OSError("a heap of texts in it is damaged")
            at = data.find(_HEAP, at + len(_HEAP))


_HEAP = b"GCOL\1\0\0\0"
_HEAP_SIZE, _HEAP_OBJECT = struct.Struct("<Q"), struct.Struct("<H6xQ")


def _is_whole_heap(data: mmap.mmap, at: int) -> bool:
    """Whether the objects of a heap stand one behind the other and end where it ends."""
    header = len(_HEAP) + _HEAP_SIZE.size
    end = at + _HEAP_SIZE.unpack_from(data, at + len(_HEAP))[0] if at + header <= len(data) else len(data) + 1
    at += header
    while at + _HEAP_OBJECT.size <= end <= len(data):
        number, size = _HEAP_OBJECT.unpack_from(data, at)
        step = _HEAP_OBJECT.size + size + -size % 8 if number else size  # 0: what is free, with its own header
        if step < _HEAP_OBJECT.size:
            return False
        at += step
    return at <= end <= len(data)


class _PatientFile(io.RawIOBase):
    """A file that takes everything: after a write has failed, it holds its tongue until asked.

    Args:
        path: An existing empty file.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._at = self._size = 0
        self._failure: BaseException | None = None

    def raise_failure(self) -> None:
        """Raise what went wrong first, if anything did."""
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
            self._failure = self._failure or error
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
            self._failure = self._failure or error
        return self._size

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


SOON_S = 0.2
"""A signal that came inside of HDF5 comes again at this interval, until it is heard."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
_CALLED_BY_HDF5 = {
    getattr(_PatientFile, name).__code__ for name in ("seek", "tell", "write", "readinto", "truncate")
}  # fmt: skip


@contextlib.contextmanager
def _signals_between_calls() -> Iterator[None]:
    """Handlers of signals run outside of HDF5: what they raise inside would be lost, or leave it in disorder."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    waiting: set[int] = set()

    def again(number: int) -> None:
        if number in waiting:
            os.kill(os.getpid(), number)

    def hold(number: int, frame: FrameType | None) -> None:
        handler = before[signal.Signals(number)]
        if _is_inside(frame):
            waiting.add(number)
            timer = threading.Timer(SOON_S, again, (number,))
            timer.daemon = True
            timer.start()
        elif callable(handler):
            waiting.discard(number)
            handler(number, frame)

    held = {number: handler for number, handler in before.items() if callable(handler)}
    for number in held:
        signal.signal(number, hold)
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
        while waiting:
            signal.raise_signal(waiting.pop())


def _is_inside(frame: FrameType | None) -> bool:
    """Whether HDF5 has called what runs."""
    while frame is not None:
        if frame.f_code in _CALLED_BY_HDF5:
            return True
        frame = frame.f_back
    return False
