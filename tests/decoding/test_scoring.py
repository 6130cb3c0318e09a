"""Features and scores of candidates."""

import numpy as np
import pytest
from scipy.special import log_softmax

from genoformer.annotation.genetic_code import CODONS, get_genetic_code
from genoformer.decoding.candidates import CANDIDATE_DTYPE
from genoformer.decoding.frames import best_starts, rate_starts
from genoformer.decoding.neighbours import START_NEIGHBOURS
from genoformer.decoding.orfs import EDGE_START
from genoformer.decoding.scoring import (
    DEFAULT_WEIGHTS,
    GENE_FEATURES,
    GENE_STATISTICS,
    START_FEATURES,
    START_STATISTICS,
    DecoderWeights,
    candidate_scores,
    gene_features,
    gene_scores,
    random_stop_rate,
    second_look_scores,
    start_features,
    start_names,
    start_scores,
)
from genoformer.decoding.statistics import EVIDENCE


def random_rows(rng, n=40, n_frames=9):
    rows = np.zeros(n, CANDIDATE_DTYPE)
    rows["orf"] = rng.integers(0, n_frames, n) * 1000
    rows["n_codons"] = rng.integers(29, 600, n)
    rows["kind"] = rng.choice([CODONS.index("ATG"), CODONS.index("GTG"), CODONS.index("CTG"), EDGE_START], n)
    rows["closed"] = rng.integers(0, 2, n)
    for name in ("codon_sum", "start_logit", "stop_logit", "upstream"):
        rows[name] = rng.normal(0, 20, n)
    return rows


def test_start_features_have_their_names_and_values():
    rows = np.zeros(2, CANDIDATE_DTYPE)
    rows["kind"] = CODONS.index("TTG"), EDGE_START
    rows["codon_sum"], rows["n_codons"], rows["start_logit"], rows["upstream"] = 25, 100, 30, -3
    features = start_features(rows)
    assert features.shape == (2, len(START_FEATURES))
    first = dict(zip(START_FEATURES, features[0].tolist(), strict=True))
    assert first == {
        "codon_sum": 0.5, "n_codons": 2.0, "start_logit": 10.0, "upstream": -3.0,
        "atg": 0, "gtg": 0, "ttg": 1, "other": 0, "edge": 0,
    }  # fmt: skip
    assert features[1, -1] == 1 and features[1, 4:8].sum() == 0
    evidence = np.array([[100.0, -1, 2, 3, 4, 5, 6]] * 2)
    wider = start_features(rows, evidence)
    assert wider.shape == (2, len(START_FEATURES) + len(START_STATISTICS))
    assert wider[0, len(START_FEATURES) :].tolist() == [2.0, -1, 2, 3, 4, 5, 6]
    assert len(start_names(evidence)) == wider.shape[1]
    around = np.arange(2.0 * len(START_NEIGHBOURS)).reshape(2, -1)
    widest = dict(zip(start_names(evidence, around), start_features(rows, evidence, around)[1], strict=True))
    assert [widest[name] for name in START_NEIGHBOURS] == around[1].tolist()


def test_gene_features_have_their_names_and_values():
    rows = np.zeros(1, CANDIDATE_DTYPE)
    rows["kind"], rows["closed"], rows["n_codons"] = EDGE_START, 0, 100
    rows["codon_sum"], rows["start_logit"], rows["stop_logit"], rows["upstream"] = 200, 1, -2, 3
    features = dict(zip(GENE_FEATURES, gene_features(rows, stop_rate=0.05)[0].tolist(), strict=True))
    assert features == pytest.approx(
        {
            "intercept": 1, "codon_mean": 2, "codon_sum": 4, "log_codons": np.log(100), "start_logit": 1,
            "stop_logit": -2, "upstream": 3, "open_frame": min(-100 * np.log(0.95), 12),
            "mean_times_log": 2 * np.log(100),
            "edge_5": 1, "edge_3": 1,
        }
    )  # fmt: skip
    wider = gene_features(rows, np.array([[300.0, -1, 2, 5, 6, 7, 8, 9, 0.5]]), stop_rate=0.05)[0, len(GENE_FEATURES) :]
    assert wider.tolist() == pytest.approx([3, 6, 3 * np.log(100), -1, 2, 5, 6, 7, 8, 9, 0.5, 0.5 * np.log(100), 1])
    assert len(wider) == len(GENE_STATISTICS)


@pytest.mark.parametrize(("counts", "table", "rate"), [((1, 1, 1, 1), 11, 3 / 64), ((5, 5, 5, 5), 4, 2 / 64)])
def test_stop_rate_of_even_composition_is_the_share_of_stop_codons(counts, table, rate):
    assert random_stop_rate(np.array(counts), get_genetic_code(table)) == pytest.approx(rate)


def test_gc_rich_sequence_has_fewer_stops():
    rates = [random_stop_rate(np.array(c), get_genetic_code(11)) for c in ((700, 300, 300, 700), (300, 700, 700, 300))]
    # TAA: .35^3, TAG and TGA: .35^2 * .15
    assert rates == pytest.approx([0.35**3 + 2 * 0.35**2 * 0.15, 0.15**3 + 2 * 0.15**2 * 0.35], rel=5e-3)


def test_start_probabilities_are_a_softmax_within_each_frame():
    rng = np.random.default_rng(0)
    rows = random_rows(rng)
    scores = rng.normal(0, 300, len(rows))
    found = rate_starts(rows, scores)[0]
    for orf in set(rows["orf"]):
        own = rows["orf"] == orf
        np.testing.assert_allclose(found[own], log_softmax(scores[own]), atol=1e-9)


def test_best_start_of_a_tie_is_the_longest():
    rows = np.zeros(4, CANDIDATE_DTYPE)
    rows["orf"], rows["n_codons"] = [5, 5, 2, 5], [30, 60, 10, 45]
    assert best_starts(rows, np.array([1.0, 1.0, 0.0, 1.0])).tolist() == [2, 1]
    assert best_starts(rows, np.array([1.0, 1.0, 0.0, 1.5])).tolist() == [2, 3]


def test_candidate_score_is_the_frame_less_what_the_start_loses():
    rng = np.random.default_rng(1)
    rows = random_rows(rng)
    evidence = rng.normal(0, 5, (len(rows), len(EVIDENCE)))
    weights = DecoderWeights(
        {name: rng.normal() for name in START_FEATURES + START_STATISTICS},
        {name: rng.normal() for name in GENE_FEATURES + GENE_STATISTICS},
    )
    score, odds, log_start = candidate_scores(rows, evidence, weights, stop_rate=0.04)
    starts = start_scores(rows, evidence, weights.start)
    genes = gene_scores(rows, evidence, weights, stop_rate=0.04)
    for orf in set(rows["orf"]):
        own = np.flatnonzero(rows["orf"] == orf)
        best = own[np.argmax(starts[own])]
        np.testing.assert_allclose(odds[own], genes[best])
        np.testing.assert_allclose(score[own], genes[best] + starts[own] - starts[best])
        assert np.exp(log_start[own]).sum() == pytest.approx(1)


def test_scores_do_not_depend_on_the_order_of_the_rows():
    rng = np.random.default_rng(2)
    rows = random_rows(rng)
    mixed = rng.permutation(len(rows))
    for one, two in zip(
        candidate_scores(rows, None, DEFAULT_WEIGHTS, stop_rate=0.05),
        candidate_scores(rows[mixed], None, DEFAULT_WEIGHTS, stop_rate=0.05),
        strict=True,
    ):
        np.testing.assert_allclose(one[mixed], two)


def test_default_weights_name_every_feature():
    assert tuple(DEFAULT_WEIGHTS.start) == START_FEATURES
    assert tuple(DEFAULT_WEIGHTS.gene) == GENE_FEATURES


def test_a_second_look_without_its_weights_is_an_error():
    rows = random_rows(np.random.default_rng(6))
    with pytest.raises(ValueError, match="second look"):
        second_look_scores(rows, None, rows[:3], (0, 9000), DEFAULT_WEIGHTS, stop_rate=0.04)
