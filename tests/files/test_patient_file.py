"""The file that HDF5 writes to: any other file to its reader, and silent when writing fails."""

import errno
import io
import os
import threading

import pytest

from genoformer.files import hdf5
from genoformer.files.hdf5 import atomic_hdf5


def test_it_does_what_a_file_in_memory_does(tmp_path):
    (tmp_path / "a").touch()
    n_open = len(os.listdir("/proc/self/fd"))
    ours, other = hdf5._PatientFile(tmp_path / "a"), io.BytesIO()

    def both(name, *args):
        found, expected = getattr(ours, name)(*args), getattr(other, name)(*args)
        assert found == expected and ours.tell() == other.tell(), name

    for name, *args in (
        ("seek", 3), ("write", b"abcdef"), ("seek", -2, os.SEEK_END), ("write", memoryview(b"XYZ")), ("seek", 1),
        ("seek", 2, os.SEEK_CUR), ("truncate", 8), ("seek", 0, os.SEEK_END), ("seek", 5), ("truncate",),
        ("write", b"!"), ("seek", 2),
    ):  # fmt: skip
        both(name, *args)
    buffers = bytearray(b"." * 3), bytearray(b"." * 3)
    assert ours.readinto(buffers[0]) == other.readinto(buffers[1]) == 3 and buffers[0] == buffers[1] == b"\0ab"
    assert ours.tell() == 5
    ours.close()
    ours.close()
    assert (tmp_path / "a").read_bytes() == other.getvalue() and len(os.listdir("/proc/self/fd")) == n_open


def test_what_could_not_be_written_is_read_as_zeros_and_raised_when_asked(tmp_path, monkeypatch):
    (tmp_path / "a").touch()
    with hdf5._PatientFile(tmp_path / "a") as file:
        file.raise_failure()
        assert file.write(b"abc") == 3
        for call in ("pwrite", "ftruncate", "preadv"):
            monkeypatch.setattr(hdf5.os, call, lambda *args, call=call: _fail(call))
        assert file.write(b"defg") == 4 and file.truncate() == 7 and file.seek(0, os.SEEK_END) == 7
        assert file.seek(3) == 3 and file.readinto(buffer := bytearray(b"....")) == 4 and buffer == b"\0" * 4
        for _ in range(2):
            with pytest.raises(OSError, match="pwrite"):
                file.raise_failure()


def _fail(call):
    raise OSError(errno.EIO, call)


@pytest.mark.parametrize("n", [1, 3, 30])
def test_an_interrupt_inside_of_hdf5_ends_the_thread_that_writes(tmp_path, monkeypatch, n):
    calls, write, heard = [], os.pwrite, []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == n:
            raise KeyboardInterrupt("the first")
        return write(*args)

    def fill():
        try:
            with atomic_hdf5(tmp_path / "x.h5") as file:
                grown = file.create_dataset("grown", (0,), "i4", maxshape=(None,), chunks=(500,))
                while True:
                    grown.resize(len(grown) + 10_000, axis=0)
                    grown[-10_000:] = 1
        except KeyboardInterrupt as error:
            heard.append(str(error))

    monkeypatch.setattr(hdf5.os, "pwrite", interrupted)
    monkeypatch.setattr(hdf5._PatientFile, "SOON_S", 0.01)
    thread = threading.Thread(target=fill)
    thread.start()
    thread.join(60)
    assert not thread.is_alive() and heard == ["the first"] and len(calls) == n
    assert list(tmp_path.iterdir()) == []
