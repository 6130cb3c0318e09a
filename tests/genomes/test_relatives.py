"""Groups of sequences that share 16-mers."""

import numpy as np
import pytest

from genoformer.genomes.relatives import related_groups
from genoformer.sequence.alphabet import N_CODE, reverse_complement


def random_codes(n, seed=0):
    return np.random.default_rng(seed).integers(0, 4, n).astype(np.uint8)


def test_copies_overlaps_and_other_strands_are_one_group_and_strangers_are_none():
    whole = random_codes(300)
    changed = whole.copy()
    changed[::60] = (changed[::60] + 1) % 4
    found = related_groups(
        [whole, random_codes(300, 1), changed, reverse_complement(whole)[:100], whole[250:], random_codes(10, 2)], 0.3
    )
    assert found[0] == found[2] == found[3] == found[4] and len(set(found.tolist())) == 3
    assert related_groups([whole, np.concatenate([random_codes(300, 4), whole[:50]])], 0.3).tolist() == [0, 1]


def test_relatives_of_relatives_are_together_and_large_families_are_found():
    whole = random_codes(1_000)
    chain = [whole[start : start + 200] for start in range(0, 800, 100)]
    assert len(set(related_groups(chain, 0.3).tolist())) == 1
    assert len(set(related_groups(chain, 0.6).tolist())) == len(chain)
    assert len(set(related_groups([whole[:100]] * 50, 1.0).tolist())) == 1


def test_sequences_without_a_whole_kmer_are_alone():
    unknown = np.full(40, N_CODE, np.uint8)
    assert related_groups([unknown, unknown, random_codes(15)], 0.3).tolist() == [0, 1, 2]
    assert related_groups([], 0.3).tolist() == []


@pytest.mark.parametrize("share", [0, 1.5, float("nan")])
def test_share_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match=str(share)):
        related_groups([random_codes(20)], share)
