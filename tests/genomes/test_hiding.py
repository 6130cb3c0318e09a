"""Hidden bases: no token that is shown covers one, and training does what it says."""

import numpy as np
import pytest

from genoformer.genomes.hiding import (
    KEEP,
    MASK,
    NOT_HIDDEN,
    REDRAW,
    draw_actions,
    hide_runs,
    place_runs,
)  # fmt: skip
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.kmers import MASK_ID, KmerTokenizer

NOTHING = np.empty(0, np.uint8)
SHAPES = [(1, 1), (3, 1), (6, 1), (6, 3), (3, 3), (5, 2)]


def rng(seed=0):
    return np.random.default_rng(seed)


def random_codes(n, seed=0):
    return rng(seed).integers(0, 4, n).astype(np.uint8)


def test_one_base_by_hand():
    codes = encode_bases("ACGTACGTAC")
    tokens, labels = hide_runs(codes, NOTHING, np.array([[4, 5]]), np.array([MASK]), KmerTokenizer(3, 1), rng())
    plain = KmerTokenizer(3, 1).encode(codes)
    assert tokens.tolist() == [*plain[:2], MASK_ID, MASK_ID, MASK_ID, *plain[5:]]
    assert labels.tolist() == [NOT_HIDDEN] * 4 + [0] + [NOT_HIDDEN] * 5


def test_tokens_that_do_not_overlap_hide_whole_tokens():
    codes = encode_bases("ACGTACGTAC")
    tokens, labels = hide_runs(codes, NOTHING, np.array([[4, 5]]), np.array([MASK]), KmerTokenizer(3, 3), rng())
    assert (tokens == MASK_ID).tolist() == [False, True, False, False]
    assert labels.tolist() == [NOT_HIDDEN] * 3 + [3, 0, 1] + [NOT_HIDDEN] * 4


@pytest.mark.parametrize(("k", "stride"), SHAPES)
def test_a_base_is_hidden_if_and_only_if_no_shown_token_covers_it(k, stride):
    tokenizer, codes = KmerTokenizer(k, stride), random_codes(203)
    runs = place_runs(codes, tokenizer, share=0.2, run_bp=[1, 2, 5], generator=rng(3))
    tokens, labels = hide_runs(codes, NOTHING, runs, np.full(len(runs), MASK), tokenizer, rng())
    shown = np.zeros(203, bool)
    for token in np.flatnonzero(tokens != MASK_ID):
        shown[token * stride : token * stride + k] = True
    assert np.array_equal(labels != NOT_HIDDEN, ~shown)
    assert np.array_equal(labels[~shown], codes[~shown])
    assert all(not shown[start:end].any() for start, end in runs) and len(runs) > 3


@pytest.mark.parametrize(("k", "stride"), SHAPES)
def test_redrawn_bases_are_tokens_of_a_real_sequence_and_kept_ones_are_untouched(k, stride):
    tokenizer, codes = KmerTokenizer(k, stride), random_codes(400, 1)
    runs = place_runs(codes, tokenizer, share=0.15, run_bp=[6], generator=rng(1))
    plain = tokenizer.encode(codes)
    kept, labels = hide_runs(codes, NOTHING, runs, np.full(len(runs), KEEP), tokenizer, rng())
    assert np.array_equal(kept, plain)
    redrawn, same = hide_runs(codes, NOTHING, runs, np.full(len(runs), REDRAW), tokenizer, rng(7))
    assert np.array_equal(labels, same) and MASK_ID not in redrawn
    hidden = labels != NOT_HIDDEN
    guessed = np.where(hidden, rng(7).integers(0, 4, 400), codes).astype(np.uint8)
    assert np.array_equal(redrawn, tokenizer.encode(guessed)) and not np.array_equal(redrawn, plain)


def test_runs_avoid_unknown_bases_and_each_other():
    codes, tokenizer = random_codes(5000), KmerTokenizer(6, 1)
    codes[1000:1010] = 4
    for seed in range(20):
        runs = place_runs(codes, tokenizer, share=0.5, run_bp=[1, 6], generator=rng(seed))
        assert all(end + 6 <= 1000 or start - 6 >= 1010 for start, end in runs)
        assert (runs[1:, 0] - runs[:-1, 1]).min() >= 12
    assert len(place_runs(np.full(50, 4, np.uint8), tokenizer, share=0.2, run_bp=[1], generator=rng())) == 0


def test_share_of_hidden_bases_is_about_what_was_asked():
    codes, tokenizer = random_codes(200_000), KmerTokenizer(3, 1)
    runs = place_runs(codes, tokenizer, share=0.15, run_bp=[9], generator=rng())
    assert (runs[:, 1] - runs[:, 0]).sum() / len(codes) == pytest.approx(0.15, abs=0.01)


def test_actions_come_in_their_shares():
    counts = np.bincount(draw_actions(20_000, rng()), minlength=3) / 20_000
    assert counts.tolist() == pytest.approx([0.8, 0.1, 0.1], abs=0.01)


@pytest.mark.parametrize("length", [0, 1, 5, 6])
def test_short_sequences_are_legal(length):
    codes, tokenizer = random_codes(length), KmerTokenizer(6, 1)
    runs = place_runs(codes, tokenizer, share=0.5, run_bp=[1], generator=rng(2))
    tokens, labels = hide_runs(codes, NOTHING, runs, np.full(len(runs), MASK), tokenizer, rng())
    assert len(tokens) == len(labels) == length
