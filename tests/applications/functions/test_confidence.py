"""What training notes for annotate: how sure a label must be, and what kind of sequence it was."""

import numpy as np
import pytest

from genoformer.applications.functions.calibrate import fit_min_score
from genoformer.applications.functions.confidence import MIN_LABELS, PRECISION
from genoformer.applications.functions.sequence_kind import describe_sequences, reads_as_gene
from genoformer.metrics.functions import threshold_of_precision
from genoformer.sequence.alphabet import encode_bases
from genoformer.tasks import function


def test_threshold_keeps_as_many_as_the_precision_allows():
    scores, right = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([1, 0, 1, 1, 0], bool)
    assert threshold_of_precision(scores, right, 0.75, 1) == 0.6
    assert threshold_of_precision(scores, right, 0.9, 1) == 0.9
    assert threshold_of_precision(scores, right, 0.9, 2) is None
    assert threshold_of_precision(scores, right, 0.6, 1) == 0.5
    assert threshold_of_precision(np.array([]), np.array([], bool), 0.5, 1) is None


def test_threshold_never_divides_equal_scores():
    scores, right = np.array([0.9, 0.9, 0.5, 0.5]), np.array([1, 1, 1, 0], bool)
    assert threshold_of_precision(scores, right, 1.0, 1) == 0.9


@pytest.mark.parametrize("seed", range(5))
def test_threshold_is_that_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 12, 60) / 12
    right = rng.random(60) < scores
    shares = {t: right[scores >= t].mean() for t in scores if (scores >= t).sum() >= 5}
    fitting = [t for t, share in shares.items() if share >= 0.7]
    assert threshold_of_precision(scores, right, 0.7, 5) == (min(fitting) if fitting else None)


def test_fit_takes_the_likeliest_class():
    task = function.build(["a", "b"], {"kind": "multiclass"}, {})
    outputs = np.array([[4.0, 0.0]] * 20 + [[1.0, 0.0]] * 20)
    targets = np.array([0] * 20 + [1] * 20)
    found = fit_min_score(task, outputs, targets, {"temperature": 1.0})
    assert found["min_score"] == pytest.approx(1 / (1 + np.exp(-4)))
    assert found["min_score_fit"] == {"precision": PRECISION, "n": 40, "kept": 0.5}


def test_fit_takes_the_terms_that_are_said():
    task = function.build(["a", "b"], {"kind": "multilabel"}, {})
    calibration = {"isotonic": {"x": [-3.0, 3.0], "y": [0.1, 0.9]}, "threshold": 0.0}
    outputs = np.array([[3.0, -3.0]] * MIN_LABELS + [[1.5, -3.0]] * MIN_LABELS)
    targets = np.array([[1, 0]] * MIN_LABELS + [[0, 1]] * MIN_LABELS)
    found = fit_min_score(task, outputs, targets, calibration)
    assert found == {"min_score": 0.9, "min_score_fit": {"precision": PRECISION, "n": 2 * MIN_LABELS, "kept": 0.5}}
    assert fit_min_score(task, outputs[:9], targets[:9], calibration)["min_score"] is None


@pytest.mark.parametrize(
    ("bases", "is_gene"),
    [("ATGAAATAA", True), ("GTGAAACC", True), ("AAAATGTAA", False), ("ATGTAAAAA", False), ("ATG", False), ("", False),
     ("ATGTGAAAA", True)],
)  # fmt: skip
def test_genes_begin_with_a_start_and_have_no_stop_inside(bases, is_gene):
    assert reads_as_gene(encode_bases(bases)) == is_gene


def test_random_sequence_is_hardly_ever_read_as_genes():
    rng = np.random.default_rng(0)
    found = describe_sequences([rng.integers(0, 4, 70).astype(np.uint8) for _ in range(500)])
    assert found["coding"] < 0.05 and found["length_bp"] == [70, 70, 70] and found["n"] == 500
    genes = [encode_bases("ATG" + "GCA" * n + "TAA") for n in range(1, 40)]
    found = describe_sequences(genes)
    assert found["coding"] == 1.0 and found["length_bp"] == [9, 66, 123] and found["gc"][0] == pytest.approx(0.3333)
