"""Fitting the decoder: planted signals come back, and the likelihood is the one it says."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from genoformer.annotation.genetic_code import CODONS, get_genetic_code
from genoformer.annotation.tracks import GENE_TABLE
from genoformer.decoding import fit
from genoformer.decoding.candidates import CANDIDATE_DTYPE, find_candidates
from genoformer.decoding.fit import (
    FitRows,
    fit_genes,
    fit_rows,
    fit_scorer,
    fit_second_look,
    fit_starts,
    frame_of_gene,
    truth_of,
)
from genoformer.decoding.frames import best_starts, frame_groups, rate_starts
from genoformer.decoding.neighbours import NEIGHBOUR_FEATURES, START_NEIGHBOURS
from genoformer.decoding.scoring import (
    GENE_FEATURES,
    GENE_STATISTICS,
    START_FEATURES,
    START_STATISTICS,
    DecoderWeights,
    candidate_scores,
    gene_features,
    second_look_features,
    second_look_names,
    start_features,
    start_scores,
)
from genoformer.decoding.statistics import EVIDENCE
from genoformer.errors import DataError

STARTS = [CODONS.index(codon) for codon in ("ATG", "GTG", "TTG", "CTG")]


def random_frames(rng, n_frames, n_starts):
    """``n_frames`` frames of ``n_starts`` starts with independent evidence."""
    rows = np.zeros(n_frames * n_starts, CANDIDATE_DTYPE)
    rows["orf"] = np.repeat(np.arange(n_frames) * 10, n_starts)
    rows["n_codons"] = rng.integers(30, 400, len(rows))
    rows["kind"] = rng.choice(STARTS, len(rows))
    rows["closed"] = 1
    rows["codon_sum"] = rng.normal(0, 60, len(rows))
    for name in ("start_logit", "stop_logit", "upstream"):
        rows[name] = rng.normal(0, 2, len(rows))
    return rows


def one_right_each(rng, rows, scores):
    """One right start for each frame, drawn from the softmax of the scores."""
    group, frames = frame_groups(rows)
    gumbel = scores + rng.gumbel(size=len(rows))
    right = np.zeros(len(rows), bool)
    for number in range(len(frames)):
        own = np.flatnonzero(group == number)
        right[own[np.argmax(gumbel[own])]] = True
    return right


def test_right_frames_and_starts_are_found_by_coordinates():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, 3000, dtype=np.uint8)
    rows = find_candidates(
        codes, np.zeros((2, 3000, 5), np.float32), code=get_genetic_code(11), min_gene_bp=60, offset=700
    )
    picked = rows[rng.permutation(len(rows))[:12]]
    _, first = np.unique(picked["orf"], return_index=True)
    picked = picked[first]
    genes = np.zeros(len(picked), GENE_TABLE)
    for name in ("start", "end", "strand"):
        genes[name] = picked[name]
    assert {1, -1} <= set(genes["strand"].tolist())
    np.testing.assert_array_equal(frame_of_gene(genes["start"], genes["end"], genes["strand"]), picked["orf"])
    frame_right, start_right, judged = truth_of(rows, genes)
    exact = {(int(g["start"]), int(g["end"]), int(g["strand"])) for g in genes}
    stops = {(strand, end if strand > 0 else start) for start, end, strand in exact}
    for row, frame, start in zip(rows, frame_right, start_right, strict=True):
        s, e, d = int(row["start"]), int(row["end"]), int(row["strand"])
        assert frame == ((d, e if d > 0 else s) in stops)
        assert start == ((s, e, d) in exact)
    assert judged.all()


def test_candidates_mostly_in_masked_genes_are_not_judged():
    rows = np.zeros(6, CANDIDATE_DTYPE)
    rows["start"] = [0, 50, 51, 150, 250, 249]
    rows["end"] = rows["start"] + 100
    rows["strand"] = 1
    genes = np.array([(100, 300, -1, True)], GENE_TABLE)
    assert truth_of(rows, genes)[2].tolist() == [True, True, False, False, True, False]


def test_no_genes_make_nothing_right():
    rows = np.zeros(3, CANDIDATE_DTYPE)
    rows["end"] = 90
    frame_right, start_right, judged = truth_of(rows, np.empty(0, GENE_TABLE))
    assert not frame_right.any() and not start_right.any() and judged.all()
    assert len(truth_of(rows[:0], np.array([(0, 90, 1, True)], GENE_TABLE))[2]) == 0


def test_start_weights_are_where_the_cost_is_least():
    rng = np.random.default_rng(1)
    rows = random_frames(rng, 30, 4)
    right = one_right_each(rng, rows, rows["start_logit"])
    evidence, counts = rng.normal(0, 1, (len(rows), len(EVIDENCE))), np.repeat(rng.uniform(0.5, 2, 30), 4)
    counts /= counts.mean()
    found = fit_starts(rows, evidence, right, weight=counts)
    features = start_features(rows, evidence)
    spread = np.maximum(features.std(axis=0), 1e-6)

    def cost(weights):
        scores = (features / spread @ weights).reshape(30, 4)
        log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return fit.RIDGE * weights @ weights / 2 - (counts.reshape(30, 4) * log_p)[right.reshape(30, 4)].sum()

    at = np.array(list(found.values())) * spread
    np.testing.assert_allclose(approx_fprime(at, cost, 1e-6), 0, atol=1e-3)
    assert all(cost(at + rng.normal(0, 0.1, len(at))) > cost(at) for _ in range(20))


def test_two_starts_per_frame_are_a_logistic_regression_on_their_difference():
    rng = np.random.default_rng(2)
    rows = random_frames(rng, 400, 2)
    right = one_right_each(rng, rows, rows["start_logit"] * 0.7 + rows["codon_sum"] / 60)
    features = start_features(rows)
    difference = features[1::2] - features[::2]
    truth = LogisticRegression(C=1 / fit.RIDGE, fit_intercept=False, tol=1e-9, max_iter=5000)
    spread = np.maximum(features.std(axis=0), 1e-6)
    truth.fit(difference / spread, right[1::2])
    found = fit_starts(rows, None, right)
    np.testing.assert_allclose(np.array(list(found.values())) * spread, truth.coef_[0], atol=2e-3)


def test_planted_start_weights_come_back():
    rng = np.random.default_rng(3)
    rows = random_frames(rng, 3000, 5)
    evidence = rng.normal(0, 1, (len(rows), len(EVIDENCE)))
    truth = dict.fromkeys(START_FEATURES + START_STATISTICS, 0.0)
    truth |= {"codon_sum": 0.8, "start_logit": 0.9, "upstream": -0.5, "context": 0.6, "atg": 2.0, "motif": 0.4}
    right = one_right_each(rng, rows, start_features(rows, evidence) @ np.array(list(truth.values())))
    found = fit_starts(rows, evidence, right)
    assert tuple(found) == tuple(truth)
    for name in ("codon_sum", "start_logit", "upstream", "context", "motif"):
        assert found[name] == pytest.approx(truth[name], abs=0.12)
    assert found["atg"] - found["gtg"] == pytest.approx(2.0, abs=0.25)


def test_frames_without_a_right_start_do_not_change_the_start_weights():
    rng = np.random.default_rng(4)
    rows = random_frames(rng, 200, 3)
    right = one_right_each(rng, rows, rows["start_logit"])
    kept = np.isin(rows["orf"], rows["orf"][::3][:150])
    right[~kept] = False
    assert fit_starts(rows, None, right) == fit_starts(rows[kept], None, right[kept])


def test_planted_gene_weights_come_back():
    rng = np.random.default_rng(5)
    rows = random_frames(rng, 6000, 1)
    rate = np.full(len(rows), 0.05)
    evidence = rng.normal(0, 1, (len(rows), len(EVIDENCE)))
    truth = dict.fromkeys(GENE_FEATURES + GENE_STATISTICS, 0.0)
    truth |= {"intercept": -1.0, "start_logit": 0.7, "stop_logit": -0.6, "upstream": 0.5, "motif": 0.8}
    odds = gene_features(rows, evidence, stop_rate=rate) @ np.array(list(truth.values()))
    right = rng.random(len(rows)) < expit(odds)
    found = fit_genes(rows, evidence, right, dict.fromkeys(START_FEATURES + START_STATISTICS, 0.0), rate)
    assert tuple(found) == tuple(truth)
    for name in ("start_logit", "stop_logit", "upstream", "motif"):
        assert found[name] == pytest.approx(truth[name], abs=0.12)


def planted_rows(rng, n_frames=800, with_evidence=False):
    rows = random_frames(rng, n_frames, 3)
    genes = rng.random(n_frames) < 0.4
    frame_right = np.repeat(genes, 3)
    rows["codon_sum"] += np.where(frame_right, 120, -120)
    start_right = one_right_each(rng, rows, 2.0 * rows["start_logit"]) & frame_right
    evidence = rng.normal(0, 1, (len(rows), len(EVIDENCE))) if with_evidence else None
    return FitRows(rows, frame_right, start_right, np.full(len(rows), 0.05), evidence)


@pytest.mark.parametrize("with_evidence", [False, True])
def test_fitted_scorer_ranks_planted_genes_and_its_maps_rise(with_evidence):
    rows = planted_rows(np.random.default_rng(6), with_evidence=with_evidence)
    scorer = fit_scorer(rows)
    fresh = planted_rows(np.random.default_rng(7), with_evidence=with_evidence)
    _, odds, log_start = candidate_scores(fresh.candidates, fresh.evidence, scorer.weights, stop_rate=0.05)
    best = best_starts(fresh.candidates, log_start)
    wrong = np.mean((odds[best] > 0) != fresh.frame_right[best])
    assert wrong < 0.12
    in_genes = best[fresh.frame_right[best]]
    assert np.mean(fresh.start_right[in_genes]) > 0.75
    grid = scorer.gene_confidence.apply(np.linspace(-30, 30, 200))
    assert (np.diff(grid) >= 0).all() and grid[0] < 0.1 and grid[-1] > 0.9
    shares = scorer.start_confidence.apply(np.linspace(0, 1, 200))
    assert (np.diff(shares) >= 0).all() and shares[0] < shares[-1]
    confidence = scorer.gene_confidence.apply(odds[best])
    assert abs(confidence.mean() - fresh.frame_right[best].mean()) < 0.05


def test_frames_of_different_parts_stay_apart():
    rng = np.random.default_rng(8)
    one, two = planted_rows(rng, 20), planted_rows(rng, 20)
    assert set(one.candidates["orf"]) == set(two.candidates["orf"])
    both = FitRows.concatenate([one, two])
    assert len(np.unique(both.candidates["orf"])) == 40
    assert set(both.candidates["orf"][:60]).isdisjoint(both.candidates["orf"][60:])
    scores = rng.normal(size=120)
    parts = [rate_starts(p.candidates, s)[0] for p, s in ((one, scores[:60]), (two, scores[60:]))]
    np.testing.assert_allclose(rate_starts(both.candidates, scores)[0], np.concatenate(parts))
    np.testing.assert_array_equal(both.start_right, np.concatenate((one.start_right, two.start_right)))
    assert both.evidence is None
    assert max(one.candidates["orf"]) < fit.ORF_SPACING


def test_unjudged_candidates_are_left_out_of_the_fit():
    rows = np.zeros(2, CANDIDATE_DTYPE)
    rows["start"], rows["end"], rows["strand"], rows["orf"] = [0, 500], [90, 590], 1, [180, 1180]
    genes = np.array([(0, 90, 1, False), (480, 600, 1, True)], GENE_TABLE)
    kept = fit_rows(rows, genes, 0.04, np.arange(14.0).reshape(2, 7))
    assert kept.candidates["start"].tolist() == [0] and kept.start_right.tolist() == [True]
    assert kept.evidence.tolist() == [[0, 1, 2, 3, 4, 5, 6]] and kept.stop_rate.tolist() == [0.04]


@pytest.mark.parametrize("value", [False, True])
def test_nothing_to_learn_from_is_an_error(value):
    rows = planted_rows(np.random.default_rng(9), 20)
    same = np.full(60, value)
    with pytest.raises(DataError, match="DECODER-001"):
        fit_scorer(FitRows(rows.candidates, same, same, rows.stop_rate))


def test_weights_are_plain_numbers():
    scorer = fit_scorer(planted_rows(np.random.default_rng(10), 100))
    assert isinstance(scorer.weights, DecoderWeights)
    assert all(type(v) is float for table in (scorer.weights.start, scorer.weights.gene) for v in table.values())


def second_look_rows(rng):
    """Genes have room around them, and right starts overlap the gene before them by four bases."""
    rows = planted_rows(rng)
    n = len(rows.candidates)
    free = np.where(rows.frame_right, rng.uniform(0.7, 1.0, n), rng.uniform(0.0, 0.5, n))
    neighbours = np.column_stack((free, rng.normal(0, 1, (n, len(NEIGHBOUR_FEATURES) - 1))))
    around = np.zeros((n, len(START_NEIGHBOURS)))
    around[:, 0] = rng.random(n) < np.where(rows.start_right, 0.9, 0.05)
    return replace(rows, neighbours=neighbours, around=around)


def test_second_look_finds_genes_by_the_room_they_have_and_starts_by_the_gene_before():
    rows = second_look_rows(np.random.default_rng(11))
    first = fit_scorer(rows)
    scorer = fit_second_look(rows, first)
    weights = scorer.weights
    assert weights.start == first.weights.start and weights.gene == first.weights.gene
    assert tuple(weights.second) == second_look_names(GENE_FEATURES)
    assert tuple(weights.second_start) == START_FEATURES + START_NEIGHBOURS
    scores = start_features(rows.candidates, None, rows.around) @ np.array(list(weights.second_start.values()))
    best = best_starts(rows.candidates, scores)
    genes = best[rows.frame_right[best]]
    assert rows.start_right[genes].mean() > 0.9
    before = best_starts(rows.candidates, start_scores(rows.candidates, None, first.weights.start))
    assert rows.start_right[before[rows.frame_right[before]]].mean() < rows.start_right[genes].mean() - 0.05
    features = gene_features(rows.candidates[best], stop_rate=rows.stop_rate[best])
    columns = second_look_features(features, rows.neighbours[best], GENE_FEATURES)
    odds = columns @ np.array(list(weights.second.values()))
    assert np.mean((odds > 0) == rows.frame_right[best]) > 0.995
    assert abs(scorer.gene_confidence.apply(odds).mean() - rows.frame_right[best].mean()) < 0.01
    share = np.exp(rate_starts(rows.candidates, scores)[0])[genes]
    assert abs(scorer.start_confidence.apply(share).mean() - rows.start_right[genes].mean()) < 0.01


@pytest.mark.parametrize("missing", ["neighbours", "around"])
def test_a_second_look_needs_what_stands_around(missing):
    rows = second_look_rows(np.random.default_rng(13))
    with pytest.raises(ValueError, match="neighbours and around"):
        fit_second_look(replace(rows, **{missing: None}), fit_scorer(rows))


def test_joined_rows_have_a_column_only_where_all_parts_have_it():
    rows = second_look_rows(np.random.default_rng(14))
    both = FitRows.concatenate([rows, replace(rows, around=None)])
    assert both.around is None and both.evidence is None
    assert np.array_equal(both.neighbours, np.concatenate([rows.neighbours, rows.neighbours]))


def test_starts_are_learned_from_natural_sequence_alone():
    rng = np.random.default_rng(12)
    natural, recoded = planted_rows(rng), planted_rows(rng)
    misleading = one_right_each(rng, recoded.candidates, -2.0 * recoded.candidates["start_logit"])
    recoded = replace(recoded, start_right=misleading & recoded.frame_right)
    flags = [np.full(len(rows.candidates), value) for rows, value in ((natural, True), (recoded, False))]
    both = FitRows.concatenate([replace(natural, natural=flags[0]), replace(recoded, natural=flags[1])])
    scorer, alone = fit_scorer(both), fit_scorer(natural)
    assert scorer.weights.start == alone.weights.start
    assert scorer.start_confidence == alone.start_confidence
    assert scorer.weights.gene != alone.weights.gene
    with pytest.raises(DataError, match="DECODER-001"):
        fit_scorer(replace(natural, natural=~flags[0]))


def test_products_of_the_second_look_are_evidence_times_free_room():
    features = np.arange(2.0 * len(GENE_FEATURES)).reshape(2, -1)
    neighbours = np.array([[0.5, 1, 2, 3, 4], [0.0, 5, 6, 7, 8]])
    columns = second_look_features(features, neighbours, GENE_FEATURES)
    named = dict(zip(second_look_names(GENE_FEATURES), columns.T, strict=True))
    assert named["free_log_codons"].tolist() == [0.5 * features[0, GENE_FEATURES.index("log_codons")], 0.0]
    assert named["gap"].tolist() == [2.0, 6.0] and named["codon_mean"].tolist() == features[:, 1].tolist()


def weighted_rows():
    """Rows of two genomes, one of which counts twice; the same rows with that one twice; and with equal weights."""
    rng = np.random.default_rng(5)
    rows = random_frames(rng, 600, 4)
    start_right = one_right_each(rng, rows, 0.05 * rows["codon_sum"] + rows["start_logit"])
    start_right &= np.isin(rows["orf"], rows["orf"][rng.random(len(rows)) < 0.2])
    frame_right = np.isin(rows["orf"], rows["orf"][start_right])
    once = FitRows(rows, frame_right, start_right, np.full(len(rows), 0.04))
    half = rows["orf"] < 3000
    columns = (once.candidates, once.frame_right, once.start_right, once.stop_rate)
    one, other = (FitRows(*(column[part] for column in columns)) for part in (half, ~half))
    alike = replace(once, weight=np.full(len(rows), 3.7))
    return once, alike, replace(once, weight=np.where(half, 0.8, 0.4)), FitRows.concatenate([one, one, other])


def test_rows_that_count_twice_are_fitted_as_if_they_were_there_twice(monkeypatch):
    monkeypatch.setattr(fit, "RIDGE", 1e-3)  # the penalty counts frames, however often they count
    _, _, weighted, twice = weighted_rows()
    starts = [fit_starts(r.candidates, None, r.start_right, weight=r.weight) for r in (weighted, twice)]
    assert starts[0] == pytest.approx(starts[1], abs=2e-3)  # the penalty is of features in their own spread


def test_regression_with_weights_is_that_of_scikit_learn_over_repeated_rows():
    rng = np.random.default_rng(8)
    features = np.column_stack([np.ones(400), rng.normal(0, 3, (400, 2))])
    right, twice = rng.random(400) < expit(features @ [0.3, 0.5, -0.2]), np.arange(400) < 150
    found = fit._logistic(features, right, ("one", "two", "three"), np.where(twice, 0.8, 0.4))
    spread = np.array([1.0, *features[:, 1:].std(axis=0)])
    rows = np.concatenate([np.arange(400), np.flatnonzero(twice)])
    # The penalty weighs as much against 550 rows as against 400.
    model = LogisticRegression(C=400 / 550, fit_intercept=False, max_iter=2000, tol=1e-9)
    model.fit(features[rows] / spread, right[rows])
    np.testing.assert_allclose(list(found.values()), model.coef_[0] / spread, atol=1e-5)


def test_equal_weights_change_nothing():
    once, alike, weighted, _ = weighted_rows()
    plain, same, other = (fit_scorer(rows) for rows in (once, alike, weighted))
    for part in ("start", "gene"):
        assert getattr(same.weights, part) == pytest.approx(getattr(plain.weights, part), abs=1e-4)
    assert other.weights.gene != pytest.approx(plain.weights.gene, abs=1e-2)


def test_weights_of_rows_stay_with_them():
    once, alike, weighted, _ = weighted_rows()
    joined = FitRows.concatenate([alike, weighted])
    np.testing.assert_array_equal(joined.weight, np.concatenate([alike.weight, weighted.weight]))
    assert FitRows.concatenate([once, once]).weight is None
