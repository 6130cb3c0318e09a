"""Fitting the decoder of genes with introns: the ascent goes on while it helps, lengths follow genes that are many."""

import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_intron_bundle import tiny_intron_decoder

from genoformer.annotation.models import Gene
from genoformer.applications.introns import calibrate as room
from genoformer.applications.introns.calibrate import COST_STEPS, STEPS, Judged, SeenGenes, fit_weights, follow_genes
from genoformer.applications.introns.caller import MAPS, CalibratedDecoder, with_scores
from genoformer.applications.introns.parts import gene_of_parts
from genoformer.decoding.introns.stream import PART_DTYPE
from genoformer.metrics.calibration import IsotonicCalibrator


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


def rows_of(strand, parts, margins, score=5.0, evidence=2.0):
    rows = np.zeros(len(parts), PART_DTYPE)
    for row, (start, end), (low, high) in zip(rows, parts, margins, strict=True):
        row["start"], row["end"], row["low_margin"], row["high_margin"] = start, end, low, high
    rows["strand"], rows["score"], rows["codon_evidence"] = strand, score, evidence
    rows["low"], rows["high"] = parts[0][0], parts[-1][1]
    return rows


def test_parts_and_sites_are_judged_by_themselves():
    known = [Gene("c", 0, 90, "+", parts=((0, 30), (50, 60), (80, 90)))]
    found = rows_of(1, ((0, 30), (52, 60), (80, 90)), ((9.0, 7.0), (2.0, 3.0), (4.0, -np.inf)))
    judged = Judged()
    judged.add(found, known)
    judged.add(rows_of(-1, ((0, 30),), ((1.0, 1.5),)), known)
    judged.add(rows_of(-1, ((100, 130),), ((1.0, 1.5),)), known, [Gene("", 125, 140, "+", pseudo=True)])
    assert judged.scores == {
        "gene": [5.0, 5.0], "chain": [2.0, 1.0], "part": [7.0, 2.0, 4.0, 1.0], "site": [7.0, 2.0, 3.0, 4.0],
    }  # fmt: skip
    assert judged.right == {
        "gene": [False, False], "chain": [False, False], "part": [True, False, True, False],
        "site": [True, False, True, True],
    }  # fmt: skip
    assert judged.fit("part") is None  # too few


def test_probabilities_are_those_of_the_maps_and_unknown_ones_are_left_out():
    decoder = tiny_intron_decoder()
    maps = {name: IsotonicCalibrator((0.0, 10.0), (0.0, 1.0)) for name in ("genes", "parts", "sites")}
    decoder = replace(decoder, **maps)
    read = CalibratedDecoder.from_dict(json.loads(json.dumps(decoder.to_dict())))
    assert [getattr(read, name) for name in MAPS] == [getattr(decoder, name) for name in MAPS]
    rows = rows_of(1, ((0, 30), (50, 60)), ((9.0, 7.0), (2.0, 3.0)))
    gene = with_scores(gene_of_parts("c", rows), rows, decoder)
    assert gene.score == pytest.approx(0.2)
    assert gene.part_scores == pytest.approx((0.7, 0.2)) and gene.codon_evidence == 2.0
    assert gene.site_scores == ((None, pytest.approx(0.7)), (pytest.approx(0.2), None))
    cut = rows_of(1, ((0, 30),), ((-np.inf, -np.inf),), evidence=-np.inf)
    gene = with_scores(gene_of_parts("c", cut), cut, decoder)
    assert (gene.part_scores, gene.site_scores, gene.codon_evidence) == ((), (), None) and gene.score > 0
    stored = {name: value for name, value in decoder.to_dict().items() if not name.endswith("_confidence")}
    read = CalibratedDecoder.from_dict(stored)
    assert [getattr(read, name) for name in MAPS] == [decoder.confidence, None, None, None]


def test_home_is_the_genome_of_which_the_network_is_least_sure(monkeypatch):
    held = [SimpleNamespace(genome=name) for name in ("a", "a", "b")]
    evidence = iter([1.0, 3.0, 5.0])
    monkeypatch.setattr(
        room, "region_parts", lambda *a, **k: rows_of(1, ((0, 303),), ((1.0, 1.0),), evidence=next(evidence))
    )
    assert room.evidence_at_home(tiny_intron_decoder().decoder, held) == 2.0
    assert room.evidence_at_home(tiny_intron_decoder().decoder, []) is None
