"""Model passes on disk: few files, every record's candidates, nothing lost but what a kill takes."""

import numpy as np
import pytest

from genoformer.decoding.candidates import CANDIDATE_DTYPE
from genoformer.inference import model_passes
from genoformer.inference.model_passes import PASS_FILES, ModelPasses


def candidates(number):
    rows = np.zeros(number % 4, CANDIDATE_DTYPE)
    rows["start"], rows["codon_sum"] = number, number / 7
    return rows


def fill(folder, numbers, length_bp=100):
    with ModelPasses(folder) as passes:
        for number in numbers:
            passes.add(number, candidates(number), length_bp=length_bp)
    return passes


def files(folder):
    return sorted(path.name for path in folder.glob(PASS_FILES))


def check(passes, numbers):
    for number in numbers:
        assert number in passes
        np.testing.assert_array_equal(passes[number], candidates(number))


def test_small_records_share_files(tmp_path, monkeypatch):
    monkeypatch.setattr(model_passes, "CHUNK_RECORDS", 100)
    passes = fill(tmp_path, range(3, 1003, 2))
    assert len(files(tmp_path)) == 5 == len(list(tmp_path.iterdir()))
    check(passes, range(3, 1003, 2))
    check(ModelPasses(tmp_path), reversed(range(3, 1003, 2)))
    assert 4 not in passes and 4 not in ModelPasses(tmp_path)


def test_a_file_is_written_after_as_much_sequence_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(model_passes, "CHUNK_BP", 1_000)
    fill(tmp_path, range(6), length_bp=500)
    assert files(tmp_path) == ["passes-0000000.npz", "passes-0000002.npz", "passes-0000004.npz"]


def test_a_failing_run_keeps_what_it_had_and_a_later_one_adds_the_rest(tmp_path):
    with pytest.raises(KeyboardInterrupt), ModelPasses(tmp_path) as passes:
        for number in (1, 2, 5):
            passes.add(number, candidates(number), length_bp=1)
            check(passes, [number])
        raise KeyboardInterrupt
    again = ModelPasses(tmp_path)
    check(again, (1, 2, 5))
    assert 3 not in again
    fill(tmp_path, (3, 4))
    check(ModelPasses(tmp_path), range(1, 6))


def test_a_write_that_failed_is_not_tried_again(tmp_path, monkeypatch):
    tries = []
    monkeypatch.setattr(model_passes, "CHUNK_BP", 1)
    monkeypatch.setattr(model_passes, "atomic_path", lambda path: tries.append(path) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fill(tmp_path, [1])
    assert len(tries) == 1


def test_nothing_added_is_no_file(tmp_path):
    fill(tmp_path, [])
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyError):
        ModelPasses(tmp_path)[0]
