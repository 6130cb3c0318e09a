import contextlib
import errno
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile

import pytest
from children import PATIENCE_S

from genoformer.errors import BusyError, DataError, OutputExistsError, OutputWriteError
from genoformer.files import (
    atomic_path,
    folder_lock,
    sha256_file,
    verify_manifest,
    write_bytes_atomic,
    write_json_atomic,
    write_manifest,
    write_text_atomic,
)

SLOW_WRITER = """
import sys, time
from genoformer.files import atomic_path
with atomic_path(sys.argv[1]) as temporary, open(temporary, "wb") as file:
    file.write(b"half of the file")
    file.flush()
    print("writing", flush=True)
    time.sleep(float(sys.argv[2]))
"""

LOCK_HOLDER = """
import sys, time
from genoformer.files import folder_lock
with folder_lock(sys.argv[1]):
    print("locked", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@contextlib.contextmanager
def running(script, argument):
    """A child process that has printed its first line."""
    command = [sys.executable, "-c", script, str(argument), str(PATIENCE_S)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert child.stdout.readline()
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def fail_with(number):
    def function(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    return function


def test_written_text_bytes_and_json_read_back(tmp_path):
    write_bytes_atomic(tmp_path / "a", b"\x00\r\n")
    write_text_atomic(tmp_path / "b", "é\n")
    write_json_atomic(tmp_path / "c", {"b": [1], "a": "é"})
    assert (tmp_path / "a").read_bytes() == b"\x00\r\n"
    assert (tmp_path / "b").read_bytes() == "é\n".encode()
    assert (tmp_path / "c").read_text("utf-8") == '{\n  "a": "é",\n  "b": [\n    1\n  ]\n}\n'
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_json_with_nan_is_refused_and_the_old_file_stays(tmp_path):
    write_json_atomic(tmp_path / "a", 1)
    with pytest.raises(ValueError, match="JSON"):
        write_json_atomic(tmp_path / "a", float("nan"))
    assert (tmp_path / "a").read_text() == "1\n"


def test_temporary_file_lies_in_the_same_folder_and_the_final_name_appears_last(tmp_path):
    final = tmp_path / "out.txt"
    with atomic_path(final) as temporary:
        assert temporary.parent == tmp_path and temporary != final
        temporary.write_text("x")
        assert not final.exists()
    assert final.read_text() == "x" and list(tmp_path.iterdir()) == [final]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_failed_block_keeps_the_old_version_and_leaves_nothing_behind(tmp_path, kind):
    final = tmp_path / "out.txt"
    final.write_text("old")
    with pytest.raises(kind), atomic_path(final) as temporary:
        temporary.write_text("half")
        raise kind
    assert final.read_text() == "old" and list(tmp_path.iterdir()) == [final]


@pytest.mark.parametrize("old", [None, b"the old version"])
def test_process_killed_while_writing_leaves_the_old_version_or_nothing(tmp_path, old):
    final = tmp_path / "out.bin"
    if old is not None:
        final.write_bytes(old)
    with running(SLOW_WRITER, final) as child:
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    assert (final.read_bytes() if final.exists() else None) == old
    write_bytes_atomic(final, b"complete")
    assert final.read_bytes() == b"complete"


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_file_mode_follows_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_bytes_atomic(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~umask


def test_file_and_folder_are_flushed_around_the_rename(tmp_path, monkeypatch):
    calls = []
    kind = {True: "fsync folder", False: "fsync file"}
    real_fsync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda fd: (calls.append(kind[stat.S_ISDIR(os.fstat(fd).st_mode)]), real_fsync(fd))
    )
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append("rename"), real_replace(a, b)))
    write_bytes_atomic(tmp_path / "a", b"x")
    assert calls == ["fsync file", "rename", "fsync folder"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
def test_full_disk_at_any_step_is_a_write_error(tmp_path, monkeypatch, step, number):
    final = tmp_path / "out.txt"
    final.write_text("old")
    with monkeypatch.context() as patch, pytest.raises(OutputWriteError) as caught:
        patch.setattr(os, step, fail_with(number))
        write_bytes_atomic(final, b"x")
    assert caught.value.exit_code == 74 and str(final) == caught.value.where
    assert os.strerror(number) in str(caught.value)
    assert final.read_text() == "old" and list(tmp_path.iterdir()) == [final]


def test_file_size_limit_of_the_system_is_a_write_error(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(OutputWriteError, match="too large"):
            write_bytes_atomic(tmp_path / "a", b"x" * 20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_missing_input_inside_the_block_keeps_its_own_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"), atomic_path(tmp_path / "a"):
        (tmp_path / "absent").read_bytes()


def test_missing_folder_cannot_be_written_to(tmp_path):
    with pytest.raises(OutputExistsError) as caught:
        write_bytes_atomic(tmp_path / "absent" / "a", b"x")
    assert caught.value.exit_code == 73 and str(tmp_path / "absent" / "a") == caught.value.where


def test_unwritable_folder_is_refused():
    script = (
        "import os, sys\nfrom genoformer.files import *\nif os.geteuid() == 0: os.setuid(65534)\n"
        "try: write_bytes_atomic(sys.argv[1], b'x')\nexcept OutputExistsError as error: print(error)"
    )
    # Not tmp_path, which another user than root cannot enter.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o555)
        child = subprocess.run([sys.executable, "-c", script, f"{folder}/a"], capture_output=True, text=True)
    assert "Permission denied" in child.stdout, child.stderr


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_folder_without_permission_is_refused(tmp_path, monkeypatch, number):
    with monkeypatch.context() as patch, pytest.raises(OutputExistsError, match=os.strerror(number)):
        patch.setattr(os, "open", fail_with(number))
        write_bytes_atomic(tmp_path / "a", b"x")


def test_folder_device_and_pipe_are_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in (tmp_path, tmp_path / "pipe", "/dev/null"):
        with pytest.raises(OutputExistsError, match="This name is taken"):
            write_bytes_atomic(name, b"x")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_link_is_written_through(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "real")
    write_bytes_atomic(tmp_path / "link", b"x")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "far" / "real").read_bytes() == b"x"


def test_longest_file_name_can_be_written(tmp_path):
    for name in ("a" * 255, "é" * 127):
        write_bytes_atomic(tmp_path / name, b"x")
        assert (tmp_path / name).read_bytes() == b"x"


def test_digest_agrees_with_sha256sum(tmp_path, need_tool):
    (tmp_path / "a").write_bytes(os.urandom(3_000_000))
    printed = subprocess.run([need_tool("sha256sum"), tmp_path / "a"], capture_output=True, text=True, check=True)
    assert sha256_file(tmp_path / "a") == printed.stdout.split()[0]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "sub" / "b.bin").write_bytes(b"\x00\x01")
    write_manifest(tmp_path, ["sub/b.bin", "a.txt"])
    return tmp_path


def test_manifest_names_digest_and_size(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["files"]["a.txt"] == {
        "bytes": 3,
        "sha256": "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed",
    }
    assert verify_manifest(folder) == manifest["files"]


@pytest.mark.parametrize(
    "change", [lambda path: path.write_text("two"), lambda path: path.write_text("one!"), os.unlink]
)
def test_changed_or_missing_file_is_named(folder, change):
    change(folder / "a.txt")
    with pytest.raises(DataError) as caught:
        verify_manifest(folder)
    assert caught.value.where == str(folder / "a.txt") and caught.value.exit_code == 65


ENTRY = {"sha256": "0" * 64, "bytes": 1}


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b'{"files": 3}',
        b"[" * 100_000,
        json.dumps({"files": {"a": 3}}).encode(),
        json.dumps({"files": {"a": {"bytes": 1}}}).encode(),
        json.dumps({"files": {"../a": ENTRY}}).encode(),
        json.dumps({"files": {"/etc/passwd": ENTRY}}).encode(),
        json.dumps({"files": {"a\0": ENTRY}}).encode(),
        json.dumps({"files": {"": ENTRY}}).encode(),
    ],
)
def test_broken_manifest_is_a_data_error(tmp_path, manifest):
    (tmp_path / "manifest.json").write_bytes(manifest)
    with pytest.raises(DataError, match=r"FILES-003") as caught:
        verify_manifest(tmp_path)
    assert caught.value.where == str(tmp_path / "manifest.json")


def test_missing_manifest_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        verify_manifest(tmp_path)


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "", "manifest.json"])
def test_manifest_takes_only_names_inside_its_folder(folder, name):
    with pytest.raises(ValueError, match="inside the folder"):
        write_manifest(folder, [name])


def test_manifest_of_a_file_that_is_not_there_is_not_written(tmp_path):
    with pytest.raises(OutputWriteError) as caught:
        write_manifest(tmp_path, ["absent"])
    assert caught.value.where == str(tmp_path / "absent") and not (tmp_path / "manifest.json").exists()


def test_second_lock_is_refused_until_the_first_is_given_back(tmp_path):
    with folder_lock(tmp_path), pytest.raises(BusyError) as caught, folder_lock(tmp_path):
        pass
    assert caught.value.exit_code == 75 and caught.value.where == str(tmp_path)
    with folder_lock(tmp_path):
        pass


def test_lock_is_given_back_when_the_block_fails(tmp_path):
    with pytest.raises(KeyError), folder_lock(tmp_path):
        raise KeyError
    with folder_lock(tmp_path):
        pass


def test_lock_of_a_killed_process_is_free(tmp_path):
    with running(LOCK_HOLDER, tmp_path) as child:
        with pytest.raises(BusyError), folder_lock(tmp_path):
            pass
        child.send_signal(signal.SIGKILL)
        child.wait()
        with folder_lock(tmp_path):
            pass


def test_lock_in_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(OutputExistsError), folder_lock(tmp_path / "absent"):
        pass


def test_error_of_the_locked_block_passes_unchanged(tmp_path):
    with pytest.raises(BlockingIOError), folder_lock(tmp_path):
        raise BlockingIOError


def test_two_writers_at_once_leave_one_complete_file(tmp_path):
    final = tmp_path / "a"
    with atomic_path(final) as first, atomic_path(final) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert final.read_text() == "first" and list(tmp_path.iterdir()) == [final]
