"""Fitting the decoder of genes with introns: the ascent goes on while it helps, lengths follow genes that are many."""

from collections import Counter

import numpy as np
from tiny_intron_bundle import tiny_intron_decoder

from genoformer.applications.introns import calibrate as room
from genoformer.applications.introns.calibrate import COST_STEPS, STEPS, SeenGenes, fit_weights, follow_genes


def test_weights_move_until_no_step_helps(monkeypatch):
    def goodness(decoder, held):
        weights = decoder.weights
        return -((weights.gene + 12) ** 2) - 100 * np.log(weights.splice / 9) ** 2

    monkeypatch.setattr(room, "objective", goodness)
    first = tiny_intron_decoder().decoder.with_weights(gene=2.0, splice=0.7)
    fitted = fit_weights(first, [])
    best = goodness(fitted, [])
    weights = fitted.weights
    around = [fitted.with_weights(gene=weights.gene + step) for step in COST_STEPS]
    around += [fitted.with_weights(splice=weights.splice * step) for step in STEPS]
    assert best >= max(goodness(decoder, []) for decoder in around)
    assert abs(weights.gene + 12) < 2 and 7 < weights.splice < 12
    assert weights.state == first.weights.state


def test_lengths_follow_genes_only_where_there_are_many_of_a_kind(monkeypatch):
    exons = {"initial": [300] * 20, "internal": [300] * 19, "terminal": [], "single": [900] * 40}
    seen = SeenGenes(exons, [75] * 25, Counter({"GT-AG": 24, "GC-AG": 1}))
    monkeypatch.setattr(room, "see_genes", lambda store, regions: seen)
    given = tiny_intron_decoder().decoder
    found = follow_genes(given, None, [])
    assert found.exons["internal"] == given.exons["internal"] and found.exons["terminal"] == given.exons["terminal"]
    assert found.weights == given.weights
    for table, length in ((found.exons["initial"], 300), (found.exons["single"], 900), (found.introns, 75)):
        first = length // 2  # the shortest lengths share what all lengths get
        assert abs(first + int(np.argmax(table.logs[first:])) - length) < 0.05 * length
    assert found.sites["GT-AG"] > -0.1 > found.sites["GC-AG"] > found.sites["AT-AC"]


def test_few_introns_leave_lengths_and_sites_of_introns(monkeypatch):
    nothing = SeenGenes({"initial": [], "internal": [], "terminal": [], "single": [900] * 40}, [75] * 3, Counter("a"))
    monkeypatch.setattr(room, "see_genes", lambda store, regions: nothing)
    given = tiny_intron_decoder().decoder
    found = follow_genes(given, None, [])
    assert (found.introns, found.sites) == (given.introns, given.sites) and found.exons["single"] != given.exons[
        "single"
    ]
