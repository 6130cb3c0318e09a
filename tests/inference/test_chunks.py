"""Outputs of groups of records on disk: what is packed is unpacked, shares make every group once."""

import numpy as np
import pytest

from genoformer.inference.chunks import ChunkSize, in_chunks, make_chunks, pack, read_chunks, unpack
from genoformer.sequence.records import Record

SIZE = ChunkSize(n_records=3, n_bases=100)


def records(*lengths):
    return [Record(f"r{i}", np.full(length, i % 4, np.uint8)) for i, length in enumerate(lengths)]


def said(record):
    """Outputs of other shapes in every record, and of one shape in all."""
    return {
        "pairs": np.arange(2 * (len(record) % 5), dtype=np.int32).reshape(-1, 2),
        "row": np.array([len(record), record.codes[0]], np.float32),
    }


def assert_same(found, expected):
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.keys() == theirs.keys()
        for name, array in theirs.items():
            assert mine[name].dtype == array.dtype
            np.testing.assert_array_equal(mine[name], array)


def test_arrays_of_one_shape_lie_together_and_others_by_themselves():
    outputs = [{"a": np.array([1, 2]), "b": np.zeros((1, 3))}, {"a": np.array([3, 4]), "b": np.zeros((0, 3))}]
    packed = pack(outputs)
    assert sorted(packed) == ["0 b", "1 b", "all a"]
    np.testing.assert_array_equal(packed["all a"], [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    "outputs",
    [
        [],
        [{}],
        [{"one": np.float32(3.5) * np.ones((), np.float32)}],
        [{"one": np.zeros((0, 2), np.int32)}, {"one": np.zeros((0, 2), np.int32)}],
        [{"two words": np.arange(i, dtype=np.int8), "all": np.array([i])} for i in range(12)],
    ],
    ids=["no record", "no output", "a number", "empty arrays", "names with spaces, more than ten records"],
)
def test_unpack_gives_what_pack_was_given_through_a_file_too(outputs, tmp_path):
    assert_same(unpack(pack(outputs), len(outputs)), outputs)
    np.savez(tmp_path / "f.npz", **pack(outputs))
    with np.load(tmp_path / "f.npz") as stored:
        assert_same(unpack(stored, len(outputs)), outputs)


@pytest.mark.parametrize(
    ("lengths", "groups"),
    [
        ([], []),
        ([1, 1, 1, 1], [3, 1]),
        ([1, 1, 1], [3]),
        ([99, 1, 100, 500, 1], [2, 1, 1, 1]),
        ([99, 99, 1], [2, 1]),
    ],
)
def test_a_group_ends_at_either_limit(lengths, groups):
    assert [len(group) for group in in_chunks(records(*lengths), SIZE)] == groups


def test_what_is_kept_is_read_back_in_the_order_of_the_input(tmp_path):
    given, done = records(50, 60, 7, 8, 9, 10, 101), []
    make_chunks(given, tmp_path, lambda group: [said(record) for record in group], SIZE, done.append)
    assert done == [110, 24, 111]
    found = list(read_chunks(given, [tmp_path], SIZE))
    assert [record.id for record, _ in found] == [record.id for record in given]
    assert_same([outputs for _, outputs in found], [said(record) for record in given])


@pytest.mark.parametrize("n", [1, 2, 3, 7, 400])
def test_shares_of_any_number_make_every_group_once(n, tmp_path):
    given, made = records(50, 60, 7, 8, 9, 10, 101), []
    total = sum(map(len, given))

    def make(group):
        made.extend(record.id for record in group)
        return [said(record) for record in group]

    folders = [tmp_path / str(i) for i in range(n)]
    for i, folder in enumerate(folders):
        folder.mkdir()
        share = range(total * i // n, total * (i + 1) // n)
        make_chunks(given, folder, make, SIZE, lambda bases: None, share)
    assert made == [record.id for record in given]
    assert_same([outputs for _, outputs in read_chunks(given, folders, SIZE)], [said(record) for record in given])


def test_groups_that_are_there_are_not_made_again_and_count_as_done(tmp_path):
    given, done, seen = records(50, 60, 7, 8, 9, 10, 101), [], []

    def make(group):
        seen.append([record.id for record in group])
        if len(seen) == 2:
            raise KeyboardInterrupt
        return [said(record) for record in group]

    with pytest.raises(KeyboardInterrupt):
        make_chunks(given, tmp_path, make, SIZE, done.append)
    assert len(list(tmp_path.iterdir())) == 1
    make_chunks(given, tmp_path, make, SIZE, done.append)
    assert seen == [["r0", "r1"], ["r2", "r3", "r4"], ["r2", "r3", "r4"], ["r5", "r6"]]
    assert done == [110, 110, 24, 111]
