"""Statistics of other genomes: what they say where a genome says nothing itself, and how its own counts take over."""

import json
from dataclasses import replace

import numpy as np
import pytest

from genoformer.decoding import statistics
from genoformer.decoding.genome_counts import CONTEXT, N_HEXAMERS, GenomeCounts
from genoformer.decoding.orfs import EDGE_START
from genoformer.decoding.prior import SITE_SHARE, StatisticsPrior, learn_prior
from genoformer.decoding.statistics import estimate_statistics


def made_up_counts(seed, gc, *, n_genes=300):
    """Counts of a genome whose bases and hexamers follow a GC content, with a motif before its starts."""
    rng = np.random.default_rng(seed)
    of_base = np.array([(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2])
    word = of_base
    for _ in range(5):
        word = np.multiply.outer(word, of_base).ravel()
    counts = GenomeCounts.zero()
    counts.background = rng.multinomial(1_000_000, word)
    usage = word * rng.gamma(2.0, 0.5, N_HEXAMERS)
    counts.coding = rng.multinomial(300 * n_genes, usage / usage.sum())
    counts.kinds[14], counts.kinds[46] = 0.9 * n_genes, 0.1 * n_genes
    counts.context = rng.integers(20, 60, (2, CONTEXT[1] - CONTEXT[0], 4))
    counts.motifs[1] = 50
    counts.motifs[0] = 5
    counts.motifs[0, 700] = n_genes // 2
    counts.windows[:] = n_genes, 10 * n_genes
    counts.upstream = rng.integers(0, 4, (n_genes, counts.upstream.shape[1])).astype(np.uint8)
    return counts


@pytest.fixture(scope="module")
def genomes():
    return [made_up_counts(seed, gc) for seed, gc in enumerate((0.3, 0.5, 0.7))]


@pytest.fixture(scope="module")
def prior(genomes):
    return learn_prior([(genomes[0], True), (genomes[1], False), (genomes[2], False)])


def scaled(counts, share):
    """A piece of the same genome."""
    tables = [np.round(table * share).astype(np.int64) for table in counts.tables()]
    return GenomeCounts(*tables, counts.upstream[: round(len(counts.upstream) * share)])


def test_hexamers_are_those_of_the_nearest_composition(genomes, prior):
    assert np.allclose(prior.gc, [0.3, 0.5, 0.7], atol=0.01)
    for gc, own in ((0.1, 0), (0.39, 0), (0.41, 1), (0.58, 1), (0.9, 2)):
        assert np.array_equal(prior.at(gc).hexamer, estimate_statistics(genomes[own]).hexamer)


def test_starts_are_those_of_sequence_as_it_was_found(genomes, prior):
    natural = estimate_statistics(genomes[0])
    for gc in (0.3, 0.7):
        found = prior.at(gc)
        for name in ("usage", "context", "motif"):
            assert np.array_equal(getattr(found, name), getattr(natural, name))


def test_a_genome_without_genes_has_the_statistics_of_others(genomes, prior):
    counts = replace(GenomeCounts.zero(), background=genomes[1].background // 100)
    assert estimate_statistics(counts) is None
    expected, found = prior.at(counts.gc), estimate_statistics(counts, prior.at(counts.gc))
    assert found.n_codons == 0 and not found.are_own
    # All words of a short piece are smoothed; those that occur keep the odds they have elsewhere.
    assert np.allclose(found.hexamer - expected.hexamer, (found.hexamer - expected.hexamer)[0])
    assert np.allclose(found.hexamer, expected.hexamer, atol=0.1)
    assert np.allclose(found.context, expected.context - _row_means(expected.context), atol=0.05)
    assert np.allclose(np.delete(found.usage, EDGE_START), np.delete(expected.usage, EDGE_START))
    assert np.allclose(found.motif, expected.motif) and found.site is expected.site


def _row_means(context):
    """What is left to make the odds of each place those of chances, all bases being equally frequent elsewhere."""
    return np.log(np.exp(context).mean(axis=1, keepdims=True))


def test_the_longer_a_genome_the_more_it_says_itself(genomes, prior):
    own = estimate_statistics(genomes[1]).hexamer
    other = prior.at(0.7).hexamer
    distances = []
    for share in (0.01, 0.1, 0.5):
        found = estimate_statistics(scaled(genomes[1], share), prior.at(0.7)).hexamer
        frequent = genomes[1].coding > 50
        distances.append(np.abs(found - own)[frequent].mean())
    assert np.abs(other - own)[frequent].mean() > distances[0] > distances[1] > distances[2]


def test_a_long_genome_knows_itself(genomes, prior, monkeypatch):
    monkeypatch.setattr(statistics, "ENOUGH_CODONS", genomes[1].coding.sum())
    alone, beside = estimate_statistics(genomes[1]), estimate_statistics(genomes[1], prior.at(0.7))
    assert beside.are_own
    for name in ("hexamer", "usage", "context", "motif"):
        assert np.array_equal(getattr(alone, name), getattr(beside, name))
    assert np.array_equal(alone.site.motif, beside.site.motif)


def test_composition_is_that_of_the_bases():
    counts = GenomeCounts.zero()
    assert counts.gc == 0.5
    counts.background[int("123012", 4)] = 3  # begins with C
    counts.background[int("000000", 4)] = 1
    assert counts.gc == 0.75


def test_a_prior_comes_back_from_json(prior):
    again = StatisticsPrior.from_dict(json.loads(json.dumps(prior.to_dict())))
    assert np.allclose(again.gc, prior.gc, atol=1e-3) and np.allclose(again.hexamers, prior.hexamers, atol=1e-3)
    before, after = prior.at(0.3), again.at(0.3)
    for name in ("usage", "context", "motif"):
        assert np.allclose(getattr(after, name), getattr(before, name), atol=1e-3)
    assert np.allclose(after.site.motif, before.site.motif, atol=1e-3)
    assert after.site.share == pytest.approx(before.site.share, abs=1e-3)


def test_too_few_genes_make_no_prior(genomes):
    assert learn_prior([]) is None
    assert learn_prior([(scaled(genomes[0], 0.001), True)]) is None
    assert learn_prior([(genomes[0], False)]) is None


def test_starts_are_those_of_genomes_with_a_binding_site(genomes):
    """One genome of three has AGGAGG before all its starts; of two without one both count."""
    with_site = made_up_counts(5, 0.5)
    at = np.random.default_rng(5).integers(0, 12, len(with_site.upstream))
    with_site.upstream[np.arange(len(at))[:, None], at[:, None] + np.arange(6)] = [0, 2, 2, 0, 2, 2]
    with_site.motifs[0, 0b00_10_10_00_10] = len(at)
    site = estimate_statistics(with_site).site
    assert site.share > SITE_SHARE > max(estimate_statistics(one).site.share for one in genomes[:2])
    chosen = learn_prior([(genomes[0], True), (with_site, True), (genomes[1], True)]).starts
    assert chosen.site.share == site.share and np.array_equal(chosen.motif, estimate_statistics(with_site).motif)
    both = learn_prior([(genomes[0], True), (genomes[1], True)]).starts
    assert np.array_equal(both.usage, estimate_statistics(genomes[0] + genomes[1]).usage)
    assert np.array_equal(both.context, estimate_statistics(genomes[0] + genomes[1]).context)
