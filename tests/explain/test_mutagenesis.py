"""Mutagenesis gives what the network gives for each changed sequence as a whole."""

import numpy as np
import pytest
from made_models import LABELS, bundle_of, random_codes

from genoformer.errors import DataError, UsageError
from genoformer.explain.explainer import Explainer, importance
from genoformer.explain.request import Explaining
from genoformer.explain.scoring import Scorer
from genoformer.explain.target import read_target
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.attention.transformer_xl import TransformerXLConfig
from genoformer.sequence.records import Record

TOLERANCE = 1e-10
"""Everything is computed in float64."""
SEQUENCE = {"name": "sequence", "pooling": "mean"}


def explainer_of(bundle, target, strand=None, *, is_exclusive=False, both_strands=False):
    found = read_target(target, LABELS, bundle.config.head["name"])
    return Explainer.from_bundle(
        bundle, Explaining(found, ("ism",), strand), is_exclusive=is_exclusive, both_strands=both_strands
    )


def recomputed(explainer, codes, first, last, region=None):
    """Differences by one call of the network for each changed record."""
    before = explainer.score(Record("r", codes), region)
    found = np.zeros((last - first, 4))
    for i in range(first, last):
        for base in range(4):
            changed = codes.copy()
            changed[i] = base
            found[i - first, base] = explainer.score(Record("r", changed), region) - before if codes[i] < 4 else np.nan
    return found


def check(explainer, codes, region=None):
    found = explainer.explain(Record("r", codes), region, lambda n: None)
    last = found.start + len(found.mutagenesis)
    expected = recomputed(explainer, codes, found.start, last, region)
    np.testing.assert_allclose(found.mutagenesis, expected, atol=TOLERANCE)
    assert np.nanmax(np.abs(expected)) > 100 * TOLERANCE
    return found


@pytest.mark.one_in(5)
@pytest.mark.parametrize("length", [4, 5, 47, 90])
@pytest.mark.parametrize("pooling", ["mean", "attention", "mean_max"])
@pytest.mark.parametrize(("k", "stride"), [(3, 1), (3, 3), (4, 2)])
def test_classes_of_sequences(k, stride, pooling, length):
    bundle = bundle_of({"name": "sequence", "pooling": pooling}, k, stride)
    check(explainer_of(bundle, "b", is_exclusive=True), random_codes(length, unknown=0.05 * (length > 5)))


@pytest.mark.parametrize("strand", ["forward", "reverse", None])
def test_both_strands_of_a_class(strand):
    found = check(explainer_of(bundle_of(SEQUENCE, stride=1), "a", strand, both_strands=True), random_codes(40))
    assert found.start == 0 and len(found.mutagenesis) == 40


@pytest.mark.parametrize(
    "settings",
    [
        {"n_global_tokens": 1},
        {"positions": "learned"},
        {"base_embedding": True},
        {"attention": TransformerXLConfig(segment=10, memory=10), "positions": "none"},
        {"attention": ReformerConfig(layers="local", chunk_tokens=8), "positions": "none"},
        {"amino_acids": True, "amino_acid_words": 3},
    ],
)
def test_encoders_of_all_kinds(settings):
    check(explainer_of(bundle_of(SEQUENCE, **settings), "c"), random_codes(80))


def test_the_longest_sequence_that_is_read_ends_what_is_explained():
    explainer = explainer_of(bundle_of(SEQUENCE, options={"max_bp": 30}), "c", both_strands=True)
    assert len(check(explainer, random_codes(50)).mutagenesis) == 30


@pytest.mark.one_in(5)
@pytest.mark.parametrize("strand", ["forward", "reverse"])
@pytest.mark.parametrize("target", ["b:61-63", "b:1-4", "b:118-120", "a:40-90"])
@pytest.mark.parametrize(("k", "stride"), [(3, 1), (3, 3), (4, 2)])
def test_channels_of_bases_over_positions(k, stride, target, strand):
    check(explainer_of(bundle_of({"name": "base"}, k, stride), target, strand), random_codes(120, unknown=0.03))


@pytest.mark.parametrize("target", ["c", "b:31-36"])
def test_channels_of_tokens(target):
    check(explainer_of(bundle_of({"name": "token"}), target), random_codes(61))


def test_only_what_can_reach_the_target_is_looked_at():
    explainer = explainer_of(bundle_of({"name": "base"}, 3, 3), "b:301-303")
    found = check(explainer, random_codes(600))
    reach = explainer.scorer.reach_tokens
    assert reach == 7 and (found.start, len(found.mutagenesis)) == (300 - 3 * reach, 3 * (2 * reach + 1))
    everything = recomputed(explainer, random_codes(600), found.start - 4, found.start)
    assert not everything.any()


def test_a_region_is_what_is_asked_about_and_the_model_reads_around_it():
    explainer = explainer_of(bundle_of({"name": "base"}), "b:100-110")
    whole, part = (explainer.explain(Record("r", random_codes(200)), region, int) for region in (None, (90, 99)))
    assert part.start == 90
    np.testing.assert_allclose(part.mutagenesis, whole.mutagenesis[90 - whole.start : 99 - whole.start], atol=TOLERANCE)
    far = explainer.explain(Record("r", random_codes(200)), (0, 9), int)
    assert not far.mutagenesis.any()


def test_a_region_without_positions_is_the_target_itself():
    check(explainer_of(bundle_of({"name": "base"}), "b"), random_codes(100), (30, 45))


def test_little_is_read_again():
    explainer, read = explainer_of(bundle_of({"name": "base"}), "b:1501-1503"), []
    inputs = Scorer.inputs

    def counted(self, sequences, n_read=None):
        read.append(n_read)
        return inputs(self, sequences, n_read)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Scorer, "inputs", counted)
        explainer.explain(Record("r", random_codes(3_000)), None, int)
    assert set(read) == {3 * (1 + 2 * explainer.scorer.reach_tokens)}


def test_importance_is_what_other_bases_lose_on_average():
    assert importance(np.array([[0.0, -3, -1, -2], [np.nan] * 4])).tolist() == [2, 0]


def test_what_cannot_be_read_is_refused():
    with pytest.raises(DataError, match=r"EXPLAIN-003.*ends at 120, but.* 100 bp"):
        explainer_of(bundle_of({"name": "base"}), "b:100-120").explain(Record("r", random_codes(100)), None, int)
    with pytest.raises(DataError, match=r"EXPLAIN-003.*301 bases.*300 at once"):
        bundle = bundle_of({"name": "base"}, n_global_tokens=1)
        explainer_of(bundle, "b:1-3").explain(Record("r", random_codes(301)), None, int)
    with pytest.raises(UsageError, match="REGION-002"):
        explainer_of(bundle_of({"name": "base"}), "b").explain(Record("r", random_codes(100)), (100, 120), int)


@pytest.mark.parametrize(
    ("text", "head", "message"),
    [
        (None, "sequence", "EXPLAIN-001.*several outputs: a, b, c"),
        ("d", "sequence", 'EXPLAIN-001.*no output "d"; there are a, b, c'),
        ("d:1-2", "base", 'EXPLAIN-001.*no output "d"'),
        ("a:1-2", "sequence", "EXPLAIN-002.*no positions"),
        ("a:3-2", "base", "EXPLAIN-002.*START ≤ END"),
        ("a", "pair", "EXPLAIN-004"),
    ],
)
def test_targets_that_are_none(text, head, message):
    with pytest.raises(UsageError, match=message):
        read_target(text, LABELS, head)


def test_names_of_terms_have_colons():
    assert read_target("GO:0008150", ["GO:0003674", "GO:0008150"], "sequence").channel == 1
    assert read_target(None, ["value"], "sequence").name == "value"
    found = read_target("start:1001-1,003", ["start"], "base")
    assert found.span == (1000, 1003) and str(found) == "start:1,001-1,003"
