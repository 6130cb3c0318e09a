"""The file that HDF5 writes to: any other file to its reader, and silent when writing fails."""

import errno
import io
import os

import pytest

from genoformer.files import hdf5


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
    for _ in range(2):
        ours.close()
        assert len(os.listdir("/proc/self/fd")) == n_open
    assert (tmp_path / "a").read_bytes() == other.getvalue()


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
