"""Blocks that come in any order and are written by key."""

import errno
import os

import pytest

from genoformer.annotation import sorted_blocks
from genoformer.annotation.sorted_blocks import SortedBlocks
from genoformer.errors import OutputWriteError
from genoformer.files import atomic_path


def write(path, blocks):
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write("head\n")
        with SortedBlocks(file, path) as sorted_file:
            for key, line, block in blocks:
                sorted_file.add(key, line, block)
    return path.read_text(encoding="utf-8")


def test_first_lines_come_before_the_blocks_both_by_key(tmp_path):
    blocks = [("b", "# b\n", ["b1\n", "é\n"]), ("a10", "# a10\n", []), ("B", "# B\n", ["x" * 100_000 + "\n"])]
    assert write(tmp_path / "a", blocks) == "head\n# B\n# a10\n# b\n" + "x" * 100_000 + "\nb1\né\n"
    assert write(tmp_path / "b", []) == "head\n"
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_a_failure_writes_nothing(tmp_path):
    def broken():
        yield "row\n"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(tmp_path / "a", [("a", "# a\n", broken())])
    assert os.listdir(tmp_path) == []


class Full:
    """A file on a disk that is full."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def write(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_said_of_the_file_that_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(sorted_blocks, "TemporaryFile", lambda dir: Full())
    with pytest.raises(OutputWriteError, match=rf"{tmp_path}/a: Writing failed: No space left"):
        write(tmp_path / "a", [("a", "# a\n", [])])
    assert os.listdir(tmp_path) == []


def test_blocks_of_a_link_wait_beside_the_file_that_it_means(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there/a")
    folders, make = [], sorted_blocks.TemporaryFile
    monkeypatch.setattr(sorted_blocks, "TemporaryFile", lambda dir: folders.append(dir) or make(dir=dir))
    write(tmp_path / "link", [("a", "# a\n", [])])
    assert folders == [tmp_path / "there"]
