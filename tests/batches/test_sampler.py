"""The sampler counts through the whole run and continues anywhere."""

import pytest

from genoformer.batches.sampler import RunSampler


def standing_at(epoch, batch, **options):
    sampler = RunSampler(13, 2, **options)
    sampler.load_state_dict({"epoch": epoch, "batch": batch})
    return sampler


def test_epochs_follow_each_other_without_gap():
    assert list(RunSampler(13, 2)) == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]]
    assert next(iter(standing_at(1, 0))) == [12, 13]
    assert list(standing_at(2, 5)) == [[34, 35]]


def test_resumed_sampler_gives_the_rest_and_keeps_its_length():
    sampler = standing_at(0, 4)
    assert list(sampler) == list(RunSampler(13, 2))[4:]
    assert len(sampler) == 6
    assert sampler.state_dict() == {"epoch": 0, "batch": 4}


def test_iterating_twice_gives_the_same_batches():
    sampler = standing_at(1, 3)
    assert list(sampler) == list(sampler)


def test_processes_share_out_every_sample_once():
    parts = [list(standing_at(1, 0, rank=rank, world_size=3)) for rank in range(3)]
    assert [len(part) for part in parts] == [2, 2, 2]
    assert sorted(index for part in parts for batch in part for index in batch) == list(range(12, 24))


def test_epoch_without_a_batch_is_refused():
    with pytest.raises(ValueError, match="3 samples hold no batch of 4"):
        RunSampler(3, 4)


@pytest.mark.parametrize("state", [{"epoch": 0, "batch": 7}, {"epoch": -1, "batch": 0}])
def test_position_outside_the_epoch_is_refused(state):
    with pytest.raises(ValueError, match="expected a batch"):
        RunSampler(13, 2).load_state_dict(state)
