"""Profiles from a few short genes, and what becomes of places that overlap."""

from types import SimpleNamespace

import numpy as np
import pytest

from genoformer.decoding.rna import learn_profile
from genoformer.decoding.rna.finder import TRNA, Found, _overlap, _surest
from genoformer.decoding.rna.ribosomal import JOIN_BP, JOIN_COLUMNS, _joined

GENE = np.random.default_rng(3).integers(0, 4, 60).astype(np.uint8)


def changed(places):
    """The gene with other bases at some places."""
    gene = GENE.copy()
    gene[places] = (gene[places] + 1) % 4
    return gene


def test_of_genes_that_are_nearly_the_same_one_is_learned_from():
    assert [len(learn_profile.distinct_genes(genes)) for genes in ([], [GENE], [GENE, GENE])] == [0, 1, 1]
    nearly, other = changed([59]), changed(list(range(0, 60, 9)))
    found = learn_profile.distinct_genes([GENE, nearly, other])
    assert [gene.tobytes() for gene in found] == [GENE.tobytes(), other.tobytes()]


def test_a_profile_says_what_most_genes_have_and_where_one_lacks_a_base():
    genes = [GENE, changed([5, 25, 45]), changed([15, 35, 55]), np.delete(changed([8, 28, 48]), 20)]
    profile = learn_profile.learn_profile(genes)
    assert profile is not None and np.isfinite(profile.scores).all() and not profile.scores[:, 4].any()
    assert profile.scores[:, :4].argmax(axis=1).tolist() == GENE.tolist()
    sure, doubtful = profile.scores[10, GENE[10]], profile.scores[25, GENE[25]]
    assert 0 < doubtful < sure < np.log(4)
    cheapest = int(profile.deletion.argmin())
    assert abs(cheapest - 20) <= 1 and (np.delete(profile.deletion, cheapest) > profile.deletion[cheapest] + 0.5).all()
    assert (profile.insertion > profile.deletion[cheapest]).all()


def test_one_gene_is_its_own_profile():
    gene = GENE.copy()
    gene[3] = 4
    first = learn_profile._of_one(gene)
    match, other = learn_profile.FIRST_MATCH
    assert first.scores[0].tolist() == pytest.approx([match if b == gene[0] else other for b in range(4)] + [0])
    assert first.scores[3].tolist() == pytest.approx([other] * 4 + [0])


@pytest.mark.parametrize(("apart", "n"), [(JOIN_BP, 1), (JOIN_BP + 1, 2)])
def test_pieces_of_one_gene_lie_within_reach(apart, n):
    one = SimpleNamespace(start=0, end=100, first=0, last=100)
    other = SimpleNamespace(start=100 + apart, end=300 + apart, first=100 - JOIN_COLUMNS, last=300)
    assert len(_joined([one, other])) == n
    assert len(_joined([one, SimpleNamespace(**{**vars(other), "start": 100, "first": 99 - JOIN_COLUMNS})])) == 2


def found(start, end, score=1.0, strand=1):
    return Found(TRNA, start, end, strand, score)


def test_the_surer_one_of_two_that_overlap_is_kept_and_of_equal_ones_the_better():
    places = [(0.9, found(100, 170)), (0.8, found(110, 180)), (0.7, found(300, 370, 1)), (0.7, found(310, 380, 2)),
              (0.4, found(500, 570)), (0.6, found(600, 670, 1, -1)), (0.6, found(600, 670, 1, 1))]  # fmt: skip
    assert [(one.start, one.strand) for one in _surest(places, None)] == [(100, 1), (310, 1), (600, -1)]
    assert [one.start for one in _surest([(0.7, found(620, 690)), (0.7, found(600, 670))], None)] == [600]


def test_places_over_the_origin_of_a_circle_overlap():
    one, other = found(970, 1_040), found(0, 45)
    assert not _overlap(one, other, None) and _overlap(one, other, 1_000)
    assert [call.start for call in _surest([(0.9, one), (0.8, other)], 1_000)] == [970]
    assert [call.start for call in _surest([(0.9, one), (0.8, other)], None)] == [0, 970]
    assert not _overlap(found(0, 70), found(35, 105), None) and _overlap(found(0, 70), found(34, 104), None)
