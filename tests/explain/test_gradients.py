"""Contributions add up to what they explain, and are shared among the bases that they are about."""

import numpy as np
import pytest
import torch
from made_models import LABELS, bundle_of, random_codes
from test_mutagenesis import SEQUENCE, explainer_of

from genoformer.explain.explainer import Explainer
from genoformer.explain.gradients import integrated_gradients, shared
from genoformer.explain.request import Explaining
from genoformer.explain.target import read_target
from genoformer.sequence.records import Record


def difference(explainer, codes):
    """Between a sequence and one of unknown bases, by the network itself."""
    scores = [explainer.score(Record("r", one)) for one in (codes, np.full_like(codes, 4))]
    return scores[0] - scores[1]


def contributions(explainer, codes, n_steps=64):
    views = explainer.views(Record("r", codes), codes, None)
    return [integrated_gradients(explainer.scorer, view, n_steps) for view, _ in views]


@pytest.mark.parametrize(
    ("head", "settings", "target"),
    [
        (SEQUENCE, {}, "a"),
        (SEQUENCE, {"k": 4, "stride": 2}, "b"),
        (SEQUENCE, {"n_global_tokens": 2}, "b"),
        ({"name": "sequence", "pooling": "attention"}, {"base_embedding": True}, "c"),
        (SEQUENCE, {"amino_acids": True, "amino_acid_words": 2}, "c"),
        ({"name": "base"}, {}, "b:10-40"),
        ({"name": "base"}, {"stride": 1}, "b:1-60"),
    ],
)
def test_contributions_add_up_to_the_difference(head, settings, target):
    explainer, codes = explainer_of(bundle_of(head, **settings), target, is_exclusive=True), random_codes(60)
    (found,) = contributions(explainer, codes)
    expected = difference(explainer, codes)
    assert found.is_complete and found.difference == pytest.approx(expected, abs=1e-9)
    assert found.values.sum() == pytest.approx(expected, abs=0.01 * max(abs(expected), 0.01))


def test_only_what_the_target_depends_on_contributes():
    explainer, codes = explainer_of(bundle_of({"name": "base"}), "b:301-303"), random_codes(600)
    (found,) = contributions(explainer, codes)
    reach = 3 * explainer.scorer.reach_tokens
    assert np.flatnonzero(found.values).min() >= 300 - reach and np.flatnonzero(found.values).max() < 303 + reach
    assert found.difference == pytest.approx(difference(explainer, codes), abs=1e-9)


def test_both_strands_are_the_mean_of_the_two():
    bundle, codes = bundle_of(SEQUENCE, stride=1), random_codes(40)
    strands = [("forward", False), ("reverse", False), (None, True)]
    found = []
    for strand, both in strands:
        asked = Explaining(read_target("a", LABELS, "sequence"), ("ig",), strand)
        explainer = Explainer.from_bundle(bundle, asked, is_exclusive=False, both_strands=both)
        found.append(explainer.explain(Record("r", codes), None, int).gradients)
    np.testing.assert_allclose(found[2], (found[0] + found[1]) / 2, atol=1e-12)


def test_the_network_is_left_as_it_was():
    bundle = bundle_of(SEQUENCE)
    contributions(explainer_of(bundle, "a"), random_codes(30))
    assert all(weight.grad is None and weight.requires_grad for weight in bundle.model.parameters())
    assert torch.is_grad_enabled() and not bundle.model.training


def test_too_few_steps_are_doubled():
    explainer = explainer_of(bundle_of(SEQUENCE), "a")
    assert contributions(explainer, random_codes(60), n_steps=1)[0].is_complete


@pytest.mark.parametrize(
    ("width", "stride", "length", "expected"),
    [
        (3, 3, 6, [1, 1, 1, 2, 2, 2]),
        (3, 3, 5, [1, 1, 1, 3, 3]),
        (2, 1, 2, [1.5, 7.5]),
    ],
)
def test_tokens_share_what_they_have_among_their_bases(width, stride, length, expected):
    tokens = np.array([3.0, 6.0])
    assert shared(tokens, width, stride, length).tolist() == expected
