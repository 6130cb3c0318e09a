"""What can be read once becomes a file that can be read again; everything else is left as it is."""

import contextlib
import os
import threading
from pathlib import Path

import pytest

from genoformer.errors import DataError, OutputWriteError
from genoformer.files import once


def fill(path):
    with contextlib.suppress(BrokenPipeError):
        path.write_bytes(b"some\0bytes" * 50_000)


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=fill, args=(tmp_path / "pipe",))
    writer.start()
    yield tmp_path / "pipe"
    writer.join()


def test_a_pipe_is_read_once_and_its_copy_goes_at_the_end(pipe, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(once, "_COPIES", {})
    ends = []
    monkeypatch.setattr(once.atexit, "register", lambda call, *args: ends.append((call, args)))
    copy = once.rereadable(pipe)
    assert copy != pipe and copy.parent == tmp_path and copy.read_bytes() == b"some\0bytes" * 50_000
    assert once.rereadable(str(pipe)) == copy
    ((call, args),) = ends
    call(*args)
    assert not copy.exists()
    call(*args)


def test_a_copy_without_room_is_an_error_of_writing(pipe, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    with pytest.raises(OutputWriteError, match="FILES-005"):
        once.rereadable(pipe)


def test_what_can_be_read_again_is_left_and_devices_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path, tmp_path / "absent", Path("a\0b"), Path(os.devnull)):
        assert once.rereadable(path) == path
    with pytest.raises(DataError, match="FILE-005"):
        once.rereadable("/dev/zero")
