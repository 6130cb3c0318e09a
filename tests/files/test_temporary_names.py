"""Names beside a result: who holds them, what comes back, and that no descriptor is lost."""

import fcntl
import os

import pytest

from genoformer.errors import OutputExistsError
from genoformer.files import LOCK_NAME, atomic_path, check_file_place, folder_lock, temporary_names
from genoformer.files.folders import check_names
from genoformer.files.kept import keep_plain, read_arrays, read_object, remove, write_arrays, write_object

STALE = ".o.0123456789ab.tmp"


@pytest.fixture(autouse=True)
def always_looks(monkeypatch):
    monkeypatch.setattr(temporary_names, "_REST", 0)


@pytest.fixture
def n_open():
    """How many descriptors are open here."""
    return lambda: len(os.listdir("/proc/self/fd"))


@pytest.fixture
def taken_once(monkeypatch):
    """The first lock is refused: someone else has taken the file."""
    lock, calls = fcntl.flock, []

    def refuse_first(descriptor, how):
        calls.append(descriptor)
        if len(calls) == 1:
            raise BlockingIOError
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", refuse_first)
    return calls


@pytest.mark.parametrize("make", [temporary_names.create, temporary_names.create_folder])
def test_a_name_that_someone_takes_is_given_up_and_closed(make, tmp_path, taken_once, n_open):
    before = n_open()
    path, descriptor = make(tmp_path / "o")
    assert n_open() == before + 1 and len(taken_once) == 2 and len(list(tmp_path.iterdir())) == 2
    assert temporary_names.is_same_file(descriptor, path)
    assert path.is_dir() == (make is temporary_names.create_folder)
    os.close(descriptor)
    assert temporary_names.is_same_file(os.open(tmp_path, os.O_RDONLY), tmp_path / "absent") is False


@pytest.mark.parametrize("make", [temporary_names.create, temporary_names.create_folder])
def test_what_an_interrupt_finds_half_made_is_removed(make, tmp_path, monkeypatch):
    def interrupted(descriptor, how):
        raise KeyboardInterrupt

    monkeypatch.setattr(fcntl, "flock", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "o")
    assert not list(tmp_path.iterdir())


def test_a_folder_is_made_with_those_around_it(tmp_path):
    path, descriptor = temporary_names.create_folder(tmp_path / "a/b/o")
    os.close(descriptor)
    assert path.parent == tmp_path / "a/b" and path.is_dir()


def test_an_older_version_that_was_put_aside_comes_back(tmp_path):
    (tmp_path / f"{STALE}.old").mkdir()
    (tmp_path / f"{STALE}.old/result").write_text("old")
    temporary_names.remove_stale(tmp_path / "o")
    assert [path.name for path in tmp_path.iterdir()] == ["o"] and (tmp_path / "o/result").read_text() == "old"


def test_an_older_version_goes_where_there_is_another_and_so_does_what_was_never_finished(tmp_path):
    (tmp_path / f"{STALE}.old").mkdir()
    (tmp_path / "o").mkdir()
    temporary_names.remove_stale(tmp_path / "o")
    assert [path.name for path in tmp_path.iterdir()] == ["o"]
    (tmp_path / "o").rmdir()
    (tmp_path / STALE).mkdir()
    temporary_names.remove_stale(tmp_path / "o")
    assert not list(tmp_path.iterdir())


def test_writing_and_locking_leave_no_descriptor_open(tmp_path, n_open, monkeypatch):
    before = n_open()
    for _ in range(3):
        with atomic_path(tmp_path / "a"), folder_lock(tmp_path):
            pass
    assert n_open() == before
    same, calls = temporary_names.is_same_file, []

    def removed_at_first(descriptor, path):
        calls.append(path)
        return len(calls) > 1 and same(descriptor, path)

    monkeypatch.setattr("genoformer.files.is_same_file", removed_at_first)
    with folder_lock(tmp_path):
        assert n_open() == before + 1
    assert [path.name for path in calls] == [LOCK_NAME, LOCK_NAME] and n_open() == before


def test_a_place_is_good_where_someone_cleans_up_meanwhile(tmp_path, monkeypatch):
    close = os.close

    def clean_up_and_close(descriptor):
        for path in tmp_path.iterdir():
            path.unlink()
        close(descriptor)

    monkeypatch.setattr(os, "close", clean_up_and_close)
    check_file_place(tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_locks_are_taken_on_what_can_be_written_to_as_network_file_systems_want_it(tmp_path, monkeypatch):
    lock, modes = fcntl.flock, []

    def noted(descriptor, how):
        modes.append(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE)
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", noted)
    for _ in range(2):  # of a lock file that is made, and of one that is there
        with folder_lock(tmp_path):
            (tmp_path / "result").touch()
    assert modes == [os.O_RDWR] * 2


def test_a_folder_under_the_name_of_a_result_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("")
    check_names(tmp_path, ["a.txt", "*.csv"])
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(OutputExistsError, match=r"OUT-010.*b\.csv|b\.csv.*OUT-010"):
        check_names(tmp_path, ["a.txt", "*.csv"])


def test_what_is_kept_takes_the_place_of_links_and_folders(tmp_path):
    (tmp_path / "precious").write_text("mine")
    for name, write in (("a", lambda path: write_arrays(path, n=[1])), ("o", lambda path: write_object(path, [1]))):
        path = tmp_path / name
        path.symlink_to("precious")
        write(path)
        assert path.is_file() and not path.is_symlink()
        path.unlink()
        path.mkdir()
        (path / "inner").write_text("")
        write(path)
        assert path.is_file()
    assert read_arrays(tmp_path / "a")["n"].tolist() == [1] and read_object(tmp_path / "o") == [1]
    assert (tmp_path / "precious").read_text() == "mine"


def test_removing_stops_at_links(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("")
    (tmp_path / "link").symlink_to("folder")
    remove(tmp_path / "link")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "file"]
    remove(tmp_path / "folder/file")
    keep_plain(tmp_path)
    remove(tmp_path / "folder")
    assert not list(tmp_path.iterdir())
