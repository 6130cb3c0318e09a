"""What a killed run left: temporary files of dead writers, digests of what is read again, links and pipes."""

import json
import os
import signal
import time

import numpy as np
import pytest
from children import start

from genoformer.errors import BusyError, DataError, OutputExistsError
from genoformer.files import (
    LOCK_NAME,
    atomic_path,
    check_file_place,
    folder_lock,
    read_json,
    temporary_names,
    verify_manifest,
    write_text_atomic,
)
from genoformer.files.folders import made_folder
from genoformer.files.kept import (
    has_arrays,
    has_digest,
    keep_plain,
    read_arrays,
    read_object,
    read_own_arrays,
    write_arrays,
    write_digest,
    write_object,
)

STALE = ".a.txt.0123456789ab.tmp"


@pytest.fixture(autouse=True)
def always_looks(monkeypatch):
    """Folders are looked at again at once."""
    monkeypatch.setattr(temporary_names, "_REST", 0)


def arrays(path):
    write_arrays(path, numbers=np.arange(50), words=np.array(["a", "bc"]))
    return path


@pytest.mark.parametrize("place", ["begin", "middle", "end", "cut", "longer", "empty"])
def test_a_change_of_any_byte_of_kept_arrays_is_noticed(place, tmp_path):
    path = arrays(tmp_path / "kept.npz")
    np.testing.assert_array_equal(read_arrays(path)["numbers"], np.arange(50))
    data = bytearray(path.read_bytes())
    at = {"begin": 0, "middle": len(data) // 2, "end": len(data) - 1}.get(place)
    if at is not None:
        data[at] ^= 1
    changed = {"cut": data[:-1], "longer": data + b"\0", "empty": b""}.get(place, data)
    path.write_bytes(changed)
    assert not has_arrays(path)
    with pytest.raises(BusyError, match="FILES-010"):
        read_own_arrays(path)


def test_kept_arrays_are_read_by_numpy_alone(tmp_path):
    with np.load(arrays(tmp_path / "kept.npz")) as stored:
        assert stored["words"].tolist() == ["a", "bc"]


def test_arrays_are_not_read_through_links_pipes_and_folders(tmp_path):
    arrays(tmp_path / "kept.npz")
    (tmp_path / "link").symlink_to("kept.npz")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert not any(has_arrays(tmp_path / name) for name in ("link", "folder", "pipe", "absent"))


def test_a_changed_object_and_a_changed_file_with_a_digest_are_noticed(tmp_path):
    write_object(tmp_path / "o.json", {"é": [1, None]})
    assert read_object(tmp_path / "o.json") == {"é": [1, None]}
    (tmp_path / "o.json").write_text((tmp_path / "o.json").read_text("utf-8").replace("1,", "2,", 1), "utf-8")
    with pytest.raises(ValueError, match="checksum"):
        read_object(tmp_path / "o.json")
    (tmp_path / "data").write_bytes(b"abc")
    assert not has_digest(tmp_path / "data")
    write_digest(tmp_path / "data")
    assert has_digest(tmp_path / "data")
    (tmp_path / "data").write_bytes(b"abd")
    assert not has_digest(tmp_path / "data")


@pytest.mark.parametrize("content", ["[" * 100_000, "nothing", '{"a": 1', "9" * 5000])
def test_json_that_is_none_or_nested_too_deeply_is_a_value_error(content, tmp_path):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(ValueError):
        read_json(tmp_path / "run.json")


def test_json_that_never_ends_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with open(tmp_path / "endless", "wb") as file:
        file.truncate(1 << 40)
    for path in (tmp_path / "pipe", tmp_path / "endless", "/dev/zero"):
        with pytest.raises(ValueError, match="no file"):
            read_json(path)


def test_nothing_but_files_and_folders_stays_in_a_work_folder(tmp_path):
    work = tmp_path / "work"
    (work / "inner").mkdir(parents=True)
    (tmp_path / "precious").write_text("mine")
    (work / "inner/link").symlink_to(tmp_path / "precious")
    (work / "out").symlink_to(tmp_path)
    os.mkfifo(work / "pipe")
    (work / "kept").write_text("ours")
    keep_plain(work)
    assert sorted(str(path.relative_to(work)) for path in work.rglob("*")) == ["inner", "kept"]
    assert (tmp_path / "precious").read_text() == "mine"


def hold(path):
    """In a child: a writer that takes its time."""
    with atomic_path(path):
        path.with_name("ready").touch()
        time.sleep(600)


@pytest.mark.slow
def test_the_temporary_file_of_a_living_writer_stays_and_that_of_a_dead_one_goes(tmp_path):
    child = start(hold, tmp_path / "a.txt")
    try:
        while not (tmp_path / "ready").exists():
            assert child.is_alive()
            time.sleep(0.01)
        (tmp_path / STALE).write_text("of a writer before")
        write_text_atomic(tmp_path / "a.txt", "one")
        assert len(list(tmp_path.glob(".a.txt.*.tmp"))) == 1 and not (tmp_path / STALE).exists()
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    write_text_atomic(tmp_path / "a.txt", "two")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "ready"]


def test_temporary_files_of_other_files_and_odd_things_with_such_names_stay(tmp_path):
    names = (".b.txt.0123456789ab.tmp", ".a.txt.0123.tmp", "a.txt.0123456789ab.tmp")
    for name in names:
        (tmp_path / name).write_text("")
    (tmp_path / STALE).symlink_to("b")
    write_text_atomic(tmp_path / "a.txt", "one")
    assert {path.name for path in tmp_path.iterdir()} == {*names, STALE, "a.txt"}


def test_a_folder_with_many_files_is_not_looked_at_for_each_of_them(tmp_path, monkeypatch):
    monkeypatch.setattr(temporary_names, "_REST", 1e9)
    looks, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: looks.append(path) or scandir(path))
    for number in range(20):
        write_text_atomic(tmp_path / f"{number}", "")
    assert len(looks) == 1


def test_a_lock_is_no_link_and_goes_when_the_block_that_made_it_fails(tmp_path):
    with pytest.raises(KeyError), folder_lock(tmp_path):
        raise KeyError
    assert not list(tmp_path.iterdir())
    with folder_lock(tmp_path):
        pass
    with pytest.raises(KeyError), folder_lock(tmp_path):
        raise KeyError
    assert (tmp_path / LOCK_NAME).is_file()
    (tmp_path / LOCK_NAME).unlink()
    (tmp_path / LOCK_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputExistsError, match="FILES-001"), folder_lock(tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_folders_that_were_made_go_when_nothing_came_of_them(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(KeyError), made_folder(tmp_path / "a/b/c"):
        raise KeyError
    assert not list((tmp_path / "a").iterdir())
    with pytest.raises(KeyError), made_folder(tmp_path / "a/b/c"):
        (tmp_path / "a/b/c/result").touch()
        raise KeyError
    assert (tmp_path / "a/b/c/result").exists()
    with pytest.raises(OutputExistsError, match="OUT-001"), made_folder(tmp_path / "d/e" / ("x" * 300)):
        pass
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("name", ["x" * 250, "é" * 120, "x" * 300, "absent/a", "file/a", "folder", "loop"])
def test_a_name_under_which_nothing_can_be_created_is_refused_before_the_work(name, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    before = set(tmp_path.iterdir())
    if len(os.fsencode(name)) in (250, 240):
        check_file_place(tmp_path / name)
    else:
        with pytest.raises(OutputExistsError, match="FILES-001"):
            check_file_place(tmp_path / name)
    assert set(tmp_path.iterdir()) == before


def test_a_manifest_that_is_nested_too_deeply_is_no_bug(tmp_path):
    (tmp_path / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(DataError, match="FILES-003"):
        verify_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"files": {}}))
    assert verify_manifest(tmp_path) == {}
