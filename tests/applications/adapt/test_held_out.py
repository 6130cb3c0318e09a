"""Scores before and after: a network that knows the answer, one that knows nothing, and what counts as help."""

import numpy as np
import pytest
from oracle import TOKENIZER, Oracle

from genoformer.annotation.tracks import MASKED, gene_table, label_tracks
from genoformer.applications.adapt.folder import verdict
from genoformer.applications.adapt.held_out import gain_line, gain_table, has_helped, score_held_out
from genoformer.applications.genes.caller import GeneFinder
from genoformer.bundle.folder import load_bundle
from genoformer.genomes.simulate import simulate_genome
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store, write_store
from genoformer.stream import TilePlan

REGION = Region(0, 5_000, 25_000)


@pytest.fixture(scope="module")
def decoder(tiny_bundle):
    return GeneFinder.from_bundle(load_bundle(tiny_bundle)).decoder


@pytest.fixture(scope="module")
def genome():
    ((record, genes),) = simulate_genome(length_bp=30_000, gc=0.5, seed=4)
    tracks, _ = label_tracks(record.codes, genes, genetic_code=11)
    return record, tracks, gene_table(record.codes, genes, genetic_code=11)


def score(path, genome, decoder, *, seen=None, tracks=None, table=None):
    """Scores of a network that has seen ``seen``, against ``tracks`` and ``table``."""
    record, own_tracks, own_table = genome
    tracks, table = own_tracks if tracks is None else tracks, own_table if table is None else table
    write_store(path, [("g", record, tracks, table, False, 11)], {})
    network = Oracle(record.codes, own_tracks if seen is None else seen).eval()
    plan = TilePlan(4096, 64)
    return score_held_out(network, TOKENIZER, plan, Store(path), [REGION], decoder, {"g": None})


def inside(table):
    return (table["start"] >= REGION.start) & (table["end"] <= REGION.end)


def test_network_that_knows_the_answer_has_all_bases_and_one_that_knows_nothing_a_sixth(genome, decoder, tmp_path):
    known = score(tmp_path / "a.h5", genome, decoder)
    blind = score(tmp_path / "b.h5", genome, decoder, seen=np.zeros_like(genome[1]))
    assert known["codon_auprc"] == pytest.approx(1.0)
    assert 0.1 < blind["codon_auprc"] < 0.2  # ties: the share of positives
    assert known["n_genes"] == np.count_nonzero(inside(genome[2])) > 10
    assert known["three_prime_f1"] > 0.7


def test_masked_genes_and_bases_are_not_judged(genome, decoder, tmp_path):
    _, tracks, table = genome
    known = score(tmp_path / "a.h5", genome, decoder)
    first = np.flatnonzero(inside(table))[2]
    hidden_tracks, hidden_table = tracks.copy(), table.copy()
    hidden_table["masked"][first] = True
    span = slice(table["start"][first], table["end"][first])
    hidden_tracks[:, span] = MASKED
    seen = tracks.copy()
    seen[:, span] = np.array([7], np.uint8)  # wrong about every base of it
    hidden = score(tmp_path / "b.h5", genome, decoder, seen=seen, tracks=hidden_tracks, table=hidden_table)
    assert hidden["n_genes"] == known["n_genes"] - 1
    assert hidden["codon_auprc"] == pytest.approx(1.0)
    assert hidden["three_prime_f1"] >= known["three_prime_f1"] - 0.1


def test_region_without_genes_has_no_auprc(genome, decoder, tmp_path):
    _, tracks, table = genome
    empty = score(tmp_path / "a.h5", genome, decoder, tracks=np.zeros_like(tracks), table=table[:0])
    assert empty["codon_auprc"] is None and empty["n_genes"] == 0 and empty["three_prime_f1"] == 0


def scores(three_prime, exact, auprc):
    return {"three_prime_f1": three_prime, "exact_f1": exact, "codon_auprc": auprc, "n_predicted": 9, "n_genes": 10}


@pytest.mark.parametrize(
    ("after", "helped"),
    [
        ((0.9, 0.8, 0.7), False),  # nothing changed
        ((0.9, 0.8, 0.71), True),
        ((0.9, 0.81, 0.6), True),
        ((0.91, 0.79, 0.9), False),  # an exact gene was lost
        ((0.89, 0.9, 0.9), False),
        ((0.9, 0.8, None), False),
    ],
)
def test_help_is_a_rise_without_a_loss_of_genes(after, helped):
    assert has_helped(scores(0.9, 0.8, 0.7), scores(*after)) == helped


def test_line_and_table_name_the_scores_of_both_sides():
    before, after = scores(0.9, 0.8, None), scores(0.95, 0.85, 0.5)
    assert gain_line(before, after) == "3′ F1 0.9000 → 0.9500, exact F1 0.8000 → 0.8500, codon AUPRC – → 0.5000"
    assert gain_table(before, after)[2] == "| 3′ F1 | 0.9000 | 0.9500 |"
    assert gain_table(before, after)[-1].endswith("| 9 | 9 |")


def test_scores_that_do_not_change_are_no_help_and_no_harm():
    same = {"labels": "annotation", "before": scores(1.0, 1.0, 1.0), "after": scores(1.0, 1.0, 1.0), "helped": False}
    assert verdict(same) == "No measurable difference on the held-out regions: either model will do."
    assert "did not help" in verdict({**same, "after": scores(0.9, 1.0, 1.0)})
