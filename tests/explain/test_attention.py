"""Attention of global tokens, base by base."""

import numpy as np
from made_models import LABELS, bundle_of, random_codes

from genoformer.explain.attention import attention_of_globals
from genoformer.explain.explainer import Explainer
from genoformer.explain.request import Explaining
from genoformer.explain.target import read_target
from genoformer.sequence.records import Record


def explained(stride, n_global_tokens, codes, both_strands=False):
    bundle = bundle_of({"name": "sequence", "pooling": "cls"}, stride=stride, n_global_tokens=n_global_tokens)
    asked = Explaining(read_target("a", LABELS, "sequence"), ("attention",))
    explainer = Explainer.from_bundle(bundle, asked, is_exclusive=False, both_strands=both_strands)
    return explainer, explainer.explain(Record("r", codes), None, int)


def test_bases_have_the_weight_of_the_token_that_owns_them():
    explainer, found = explained(3, 1, random_codes(31))
    weights = found.attention
    assert weights.shape == (2, 31) and (weights > 0).all()
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    tokens = np.concatenate([weights[:, :30:3], weights[:, 30:]], axis=1)
    assert (tokens.sum(axis=1) < 1).all() and (tokens.sum(axis=1) > 0.5).all()  # the rest is for the global token
    assert found.mutagenesis is None and found.gradients is None
    assert not any(layer._forward_pre_hooks for layer in explainer.scorer.network.encoder.attentions())


def test_both_strands_are_their_mean():
    codes = random_codes(20)
    explainer, found = explained(1, 2, codes, both_strands=True)
    forward, reverse = (attention_of_globals(explainer.scorer, one) for one in (codes, (3 - codes)[::-1]))
    np.testing.assert_allclose(found.attention, (forward + reverse[:, ::-1]) / 2, atol=1e-12)
