"""Model passes on disk: few files, every record's candidates, nothing lost but what a kill takes."""

import numpy as np
import pytest

from genoformer.decoding.candidates import CANDIDATE_DTYPE
from genoformer.errors import BusyError
from genoformer.inference import passes as model_passes
from genoformer.inference.passes import LEARNED, PASS_FILES, ModelPasses, read_learned, write_learned


def candidates(number, block=0):
    rows = np.zeros((number + block) % 4, CANDIDATE_DTYPE)
    rows["start"], rows["codon_sum"] = number, block
    return rows


def fill(folder, numbers, length_bp=100, blocks=1):
    with ModelPasses(folder) as passes:
        for number in numbers:
            for block in range(blocks):
                passes.add((number, block), candidates(number, block), length_bp=length_bp)
    return passes


def files(folder):
    return sorted(path.name for path in folder.glob(PASS_FILES))


def check(passes, numbers, blocks=1):
    for number in numbers:
        expected = np.concatenate([candidates(number, block) for block in range(blocks)])
        np.testing.assert_array_equal(passes[number], expected)


def test_small_records_share_files(tmp_path, monkeypatch):
    monkeypatch.setattr(model_passes, "CHUNK_RECORDS", 100)
    passes = fill(tmp_path, range(3, 1003, 2))
    assert len(files(tmp_path)) == 5 == len(list(tmp_path.iterdir()))
    check(passes, range(3, 1003, 2))
    check(ModelPasses(tmp_path), reversed(range(3, 1003, 2)))
    for absent in (2, 4, 1003):
        with pytest.raises(KeyError, match=str(absent)):
            passes[absent]


def test_a_file_is_written_after_as_much_sequence_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(model_passes, "CHUNK_BP", 1_000)
    fill(tmp_path, range(6), length_bp=500)
    assert files(tmp_path) == [f"passes-{number:07d}-00000.npz" for number in (0, 2, 4)]


def test_blocks_of_a_record_come_together_from_all_files_and_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(model_passes, "CHUNK_RECORDS", 4)
    folders = [tmp_path / name for name in "cab"]
    for folder, places in zip(folders, (range(0, 9), range(9, 11), range(11, 21)), strict=True):
        folder.mkdir()
        with ModelPasses(folder) as passes:
            for place in places:
                passes.add(divmod(place, 7), candidates(*divmod(place, 7)), length_bp=1)
    check(ModelPasses(*folders), range(3), blocks=7)


def test_a_failing_run_keeps_what_it_had_and_a_later_one_adds_the_rest(tmp_path):
    with pytest.raises(KeyboardInterrupt), ModelPasses(tmp_path) as passes:
        assert passes.last < (0, 0)
        for number in (1, 2, 5):
            passes.add((number, 0), candidates(number), length_bp=1)
        raise KeyboardInterrupt
    again = ModelPasses(tmp_path)
    check(again, (1, 2, 5))
    assert again.last == (5, 0)
    fill(tmp_path, (6, 7))
    check(ModelPasses(tmp_path), (1, 2, 5, 6, 7))


def test_a_write_that_failed_is_not_tried_again(tmp_path, monkeypatch):
    tries = []
    monkeypatch.setattr(model_passes, "CHUNK_BP", 1)
    monkeypatch.setattr(model_passes, "write_arrays", lambda path, **arrays: tries.append(path) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fill(tmp_path, [1])
    assert len(tries) == 1


def test_nothing_added_is_no_file(tmp_path):
    fill(tmp_path, [])
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyError):
        ModelPasses(tmp_path)[0]


def test_what_was_learned_is_kept_and_forgotten(tmp_path):
    assert read_learned([tmp_path]) is None
    write_learned(tmp_path, {"genes": 3})
    assert read_learned([tmp_path / "nowhere", tmp_path]) == {"genes": 3}
    (tmp_path / LEARNED).write_text((tmp_path / LEARNED).read_text().replace("3", "4", 1))
    with pytest.raises(BusyError, match="FILES-010"):
        read_learned([tmp_path])
    write_learned(tmp_path, None)
    assert read_learned([tmp_path]) is None and not list(tmp_path.iterdir())
