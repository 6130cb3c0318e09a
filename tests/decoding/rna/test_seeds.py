"""Words of profiles: against all words there are."""

from itertools import product

import numpy as np

from genoformer.decoding.rna.alignment import Profile
from genoformer.decoding.rna.seeds import WORD_BP, find_words, pair_words, word_bits, word_table


def sharp_profile(m: int, seed: int) -> Profile:
    generator = np.random.default_rng(seed)
    shares = generator.dirichlet([0.08] * 4, m).clip(1e-3)
    scores = np.pad(np.log(shares / 0.25), ((0, 0), (0, 1))).astype(np.float32)
    gaps = np.full(m, 5, np.float32)
    gaps[9] = 0.5
    return Profile(scores, gaps, gaps)


def test_every_word_that_fits_well_is_known_with_its_best_column():
    profile, least = sharp_profile(24, 3), 9.0
    words = np.array(list(product(range(4), repeat=6)))
    found: dict[int, tuple[float, int]] = {}
    for j in range(len(profile) - WORD_BP + 1):
        if 9 - WORD_BP + 1 < j <= 9:
            continue  # column 9, behind which gaps are frequent, would be inside the word
        heads = profile.scores[np.arange(j, j + 6), words].sum(axis=1)
        tails = profile.scores[np.arange(j + 6, j + 11), words[::4, :5]].sum(axis=1)
        for a, b in zip(*np.nonzero(heads[:, None] + tails >= least), strict=True):
            word = int(a) * 4**5 + int(b)
            score = float(heads[a] + tails[b])
            if score > found.get(word, (0, 0))[0]:
                found[word] = score, j
    table = word_table([profile], [least])
    assert len(found) > 20
    assert {int(word): int(table[word]) - 1 for word in np.flatnonzero(table)} == {w: j for w, (_, j) in found.items()}


def test_words_are_found_where_they_stand_and_none_over_an_unknown_base():
    profile = sharp_profile(40, 4)
    best = profile.scores[:, :4].argmax(axis=1).astype(np.uint8)
    codes = np.concatenate([np.zeros(50, np.uint8), best, np.zeros(50, np.uint8)])
    table = word_table([profile], [11.0])
    places, columns = find_words(codes, table, word_bits(table))
    assert len(places) and ((places - columns) == 50).mean() > 0.9
    codes[60] = 4
    places, _ = find_words(codes, table, word_bits(table))
    assert not any(50 <= place <= 60 < place + WORD_BP for place in places)


def test_a_pair_needs_one_profile_and_one_diagonal():
    places, columns = np.array([100, 120, 300, 330, 900]), np.array([10, 30, 5, 500, 35])
    owners = np.repeat([0, 1], [400, 400])
    assert pair_words(places, columns, owners).tolist() == [1]
