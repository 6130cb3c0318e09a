"""HDF5 files hold what h5py's own hold, and a write that fails is one error, whenever it fails."""

import errno
import os
import resource
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest
from children import PATIENCE_S

from genoformer.errors import OutputWriteError
from genoformer.files import hdf5
from genoformer.files.hdf5 import atomic_hdf5, check_heaps, read_text, write_text

SETTINGS = [{}, {"libver": "v110"}, {"rdcc_nbytes": 2**20}]
CODE = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in jobs in the background
from pathlib import Path
from test_hdf5_files import WRITERS
WRITERS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
"""


def fill(file: h5py.File) -> None:
    noise = np.random.default_rng(0).integers(0, 256, 20_000, dtype=np.uint8)
    for number in range(4):
        group = file.create_group(f"records/{number:08d}")
        group.create_dataset("sequence", data=noise, chunks=(1_000,), compression="gzip", fletcher32=True)
        group.attrs["name"] = f"contig {number}"
    grown = file.create_dataset("grown", (0,), np.int32, maxshape=(None,), chunks=(500,))
    for end in range(700, 7_000, 700):
        grown.resize(end, axis=0)
        grown[end - 700 : end] = np.arange(700)
    file.flush()
    file.attrs["complete"] = True


def contents(path) -> dict[str, object]:
    """Values, attributes and storage of everything in a file."""
    found = {}

    def look(name, item):
        found[name] = dict(item.attrs)
        if isinstance(item, h5py.Dataset):
            about = (item.dtype, item.chunks, item.compression, item.fletcher32, item.maxshape)
            found[name] = (about, item[:].tolist(), found[name])

    with h5py.File(path) as file:
        look("/", file)
        file.visititems(look)
    return found


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_everything_is_as_in_a_plain_file_and_alike_each_time(tmp_path, settings):
    with h5py.File(tmp_path / "plain.h5", "w", **settings) as file:
        fill(file)
    for name in ("ours.h5", "again.h5"):
        with atomic_hdf5(tmp_path / name, **settings) as file:
            fill(file)
    assert contents(tmp_path / "ours.h5") == contents(tmp_path / "plain.h5")
    assert len(contents(tmp_path / "ours.h5")) == 11
    assert (tmp_path / "ours.h5").read_bytes() == (tmp_path / "again.h5").read_bytes()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("call", [0, 1, 2, 5, 10, 20, 40])
def test_each_write_may_fail_and_the_old_version_stays(tmp_path, monkeypatch, call, number):
    final, calls, write = tmp_path / "a.h5", [], os.pwrite
    final.write_text("old")

    def sometimes(*args):
        calls.append(args)
        if len(calls) > call:
            raise OSError(number, os.strerror(number))
        return write(*args)

    monkeypatch.setattr(hdf5.os, "pwrite", sometimes)
    with pytest.raises(OutputWriteError, match=os.strerror(number)), atomic_hdf5(final) as file:
        fill(file)
    assert len(calls) == call + 1  # the failure was reached, and nothing was tried after it
    assert final.read_text() == "old" and list(tmp_path.iterdir()) == [final]


def write_store(path, limit: int) -> None:
    from genoformer.genomes.store import write_store
    from genoformer.sequence.records import Record

    bases = np.random.default_rng(0).integers(0, 4, 400_000, dtype=np.uint8)
    source = ("genome", Record("c", bases), np.zeros((2, len(bases)), np.uint8), np.zeros(0), False, 11)
    _limited(limit, lambda: write_store(path, [source], {}))


def write_pairs(path, limit: int) -> None:
    from genoformer.applications.rna_pairs.maps import PairMapWriter
    from genoformer.sequence.records import Record

    found = {"pairs": np.arange(60_000).reshape(-1, 2), "probability": np.ones(30_000)}

    def write():
        with PairMapWriter(path) as writer:
            writer.add(Record("r", np.zeros(60_000, np.uint8)), found)

    _limited(limit, write)


def _limited(n_bytes: int, write) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        write()
    except OutputWriteError as error:
        print(error.code)


def child(name: str, path, number: int) -> subprocess.CompletedProcess:
    """One of ``WRITERS`` in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *filter(None, sys.path)])}
    command = [sys.executable, "-c", CODE, name, str(path), str(number)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)


@pytest.mark.parametrize("limit", [0, 1_000, 20_000, 60_000])
@pytest.mark.parametrize("kind", ["store", "pairs"])
def test_a_file_system_that_refuses_is_one_error_and_leaves_nothing(tmp_path, kind, limit):
    done = child(kind, tmp_path / "x.h5", limit)
    assert (done.returncode, done.stdout, done.stderr) == (0, "FILES-002\n", "")
    assert list(tmp_path.iterdir()) == []


def end(number: int, frame: object) -> None:
    raise (KeyboardInterrupt if number == signal.SIGINT else SystemExit)(number)


def write_until_interrupted(path, n: int) -> None:
    """A signal arrives inside of HDF5 at the n-th write; only what its handler raises ends the loop."""
    number, calls, write = (signal.SIGINT, signal.SIGTERM)[n % 2], [], os.pwrite
    signal.signal(number, end)

    def interrupted(*args):
        calls.append(args)
        if len(calls) == n:
            os.kill(os.getpid(), number)
        return write(*args)

    hdf5.os.pwrite = interrupted
    try:
        with atomic_hdf5(path) as file:
            grown = file.create_dataset("grown", (0,), np.int32, maxshape=(None,), chunks=(500,))
            while True:
                grown.resize(min(len(grown) + 10_000, 20_000_000), axis=0)
                grown[-10_000:] = 1
    except (KeyboardInterrupt, SystemExit) as error:
        print(type(error).__name__, signal.getsignal(number) is end)


@pytest.mark.parametrize("n", [1, 2, 3, 50])
def test_an_interrupt_inside_of_hdf5_ends_the_block_soon_also_in_the_background(tmp_path, n):
    done = child("interrupted", tmp_path / "x.h5", n)
    said = f"{('KeyboardInterrupt', 'SystemExit')[n % 2]} True\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
    assert list(tmp_path.iterdir()) == []


def test_a_signal_at_the_last_write_is_heard_before_the_file_has_its_name(tmp_path, monkeypatch):
    before, truncate = signal.signal(signal.SIGTERM, end), os.ftruncate
    monkeypatch.setattr(hdf5, "SOON_S", 60)

    def interrupted(*args):
        os.kill(os.getpid(), signal.SIGTERM)
        return truncate(*args)

    monkeypatch.setattr(hdf5.os, "ftruncate", interrupted)
    try:
        with pytest.raises(SystemExit), atomic_hdf5(tmp_path / "x.h5") as file:
            fill(file)
        assert signal.getsignal(signal.SIGTERM) is end
    finally:
        signal.signal(signal.SIGTERM, before)
    assert list(tmp_path.iterdir()) == []


def text_file(path):
    """A file with a text of any length, and where its heap begins."""
    with h5py.File(path, "w") as file:
        file.attrs["text"], file.attrs["other"] = "some words", "more"
    return path.read_bytes().index(b"GCOL")


def test_a_heap_of_texts_is_looked_at_before_hdf5_may_hang(tmp_path):
    path = tmp_path / "x.h5"
    begin = text_file(path)
    check_heaps(path)
    whole, damaged = path.read_bytes(), 0
    size = int.from_bytes(whole[begin + 8 : begin + 16], "little")
    assert size == 4096
    for at in (*range(begin + 8, begin + 16), *range(begin + 24, begin + 32)):  # sizes of the heap, and of a text
        for bit in range(8):
            data = bytearray(whole)
            data[at] ^= 1 << bit
            path.write_bytes(data)
            try:
                check_heaps(path)
            except OSError as error:
                damaged += "heap" in str(error)
    assert damaged >= 2 * 8 * 8 - 4  # the lowest bits of a text's size leave it where it ends
    path.write_bytes(whole[: begin + 12])
    with pytest.raises(OSError, match="heap"):
        check_heaps(path)


@pytest.mark.parametrize("text", ["a", "é" * 40_000, "", "x" * 70_000, '{"a": 1}'], ids=len)
def test_texts_of_fixed_length_are_read_back_and_have_no_heap(tmp_path, text):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver="v110") as file:
        write_text(file.attrs, "text", text)
        file.attrs["number"] = 1
    assert b"GCOL" not in path.read_bytes()
    with h5py.File(path) as file:
        assert read_text(file.attrs, "text") == text
        with pytest.raises(ValueError, match="number is no text"):
            read_text(file.attrs, "number")
        with pytest.raises(KeyError):
            read_text(file.attrs, "nothing")


def test_text_of_any_length_is_read_too(tmp_path):
    text_file(tmp_path / "x.h5")
    with h5py.File(tmp_path / "x.h5") as file:
        assert read_text(file.attrs, "text") == "some words"


WRITERS = {"store": write_store, "pairs": write_pairs, "interrupted": write_until_interrupted}
"""By name, for ``child``."""
