"""How the benchmark of groups left out judges genes: by hand."""

import sys
from pathlib import Path

import numpy as np
import pytest

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.tracks import GENE_TABLE

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
GENES = np.dtype([("start", "i8"), ("end", "i8"), ("strand", "i8")])


@pytest.fixture
def prokaryotes(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import prokaryotes

    yield prokaryotes
    sys.modules.pop("prokaryotes")


def test_genes_are_judged_by_their_end_then_by_their_start(prokaryotes):
    reference = [(0, 300, 1, False), (400, 520, -1, False), (600, 900, 1, False), (1000, 1600, 1, True)]
    found = [(0, 300, 1), (400, 490, -1), (630, 900, 1), (1000, 1300, -1), (2000, 2300, 1)]
    sure = np.array([0.9, 0.8, 0.7, 0.6, 0.1]), np.array([0.5, 0.6, 0.7, 0.8, 0.9])
    tally = prokaryotes.tally(np.array(found, GENES), np.array(reference, GENE_TABLE), sure)
    # "-": the 3' end is the lower one. The fourth lies in a masked gene, the fifth nowhere.
    counts = {"right": 3, "exact": 1, "predicted": 4, "reference": 3, "short_right": 1, "short": 1}
    assert not tally.short_curve.any()
    assert {name: value for name, value in vars(tally).items() if name != "short_curve"} == {
        **counts,
        "gene_sure": [(0.9, True), (0.8, True), (0.7, True), (0.1, False)],
        "start_sure": [(0.5, True), (0.6, False), (0.7, False)],
        "evidence": [],
    }
    scores = (tally + tally).scores()
    assert (scores["f1"], scores["exact_f1"]) == (pytest.approx(6 / 7), pytest.approx(2 / 7))
    assert (scores["precision"], scores["recall"], scores["short_recall"]) == (0.75, 1.0, 1.0)
    assert scores["gene_ece"] == pytest.approx((0.1 + 0.2 + 0.3 + 0.1) / 4)
    assert scores["start_ece"] == pytest.approx((0.5 + 0.6 + 0.7) / 3)


def test_plasmids_of_one_cell_count_as_one_genome_and_groups_alike(prokaryotes):
    def row(group, f1):
        return {"group": group, "genoformer": {"f1": f1, "exact_f1": f1}, "pyrodigal": {"f1": 1.0, "exact_f1": 0.5}}

    scores = {"NC_009926": row("a", 0.2), "NC_009927": row("a", 0.4), "x": row("a", 0.9), "y": row("b", 0.8)}
    means = prokaryotes.means(scores)
    assert means["a"]["genoformer"]["f1"] == pytest.approx(0.6)
    assert means["all groups"] == {
        "genoformer": {"f1": pytest.approx(0.7), "exact_f1": pytest.approx(0.7)},
        "pyrodigal": {"f1": pytest.approx(1.0), "exact_f1": pytest.approx(0.5)},
    }


def test_short_genes_are_compared_where_predictions_are_as_often_right(prokaryotes):
    reference = [(0, 120, 1, False), (400, 520, -1, False), (600, 900, 1, False), (1000, 1600, 1, True)]
    found = [(0, 300, 1), (400, 490, -1), (700, 820, 1), (1000, 1120, 1), (780, 900, 1)]
    counts = prokaryotes.short_counts(np.array(found, GENES), np.array(reference, GENE_TABLE))
    # The first is not found: it ends elsewhere. The fourth lies in a masked gene, the fifth ends with a long one.
    assert counts == (1, 2, 3)
    n = len(prokaryotes.SHORT_OFFSETS)
    ours = [[i, 10 * n - 5 * i, 10 * n] for i in range(n)]
    theirs = [[7, 6, 8]] * n
    row = {"genoformer": {"short_curve": ours}, "pyrodigal": {"short_curve": theirs, "n_short": 50}}
    short = prokaryotes.short_genes({"a": row, "b": row})
    at = n // 2  # the last one of which three quarters are right
    assert short["pyrodigal_precision"] == 0.75 and short["pyrodigal_recall"] == 0.14
    assert short["genoformer_recall"] == at / 50 and short["genoformer_offset"] == prokaryotes.SHORT_OFFSETS[at]


def test_phages_that_share_words_go_out_together(prokaryotes):
    from prokaryote_data import N_PHAGE_PARTS, parts_of

    rng = np.random.default_rng(0)
    codes = [rng.integers(0, 4, 2_000, dtype=np.uint8) for _ in range(6)]
    codes[3] = np.concatenate((codes[0][:400], codes[3][400:]))
    codes[5] = np.concatenate((3 - codes[3][-500:][::-1], codes[5][:1_500]))  # the other strand
    parts = parts_of(codes)
    assert len(parts) == N_PHAGE_PARTS and sorted(number for part in parts for number in part) == list(range(6))
    assert {0, 3, 5} in [set(part) for part in parts]


def test_what_a_decoder_is_fitted_to_ends_where_it_is_cut(prokaryotes):
    from prokaryote_passes import first_bases

    from genoformer.applications.genes.held import Held, Stretch
    from genoformer.decoding.candidates import find_candidates
    from genoformer.decoding.options import CallOptions

    rng, code = np.random.default_rng(1), get_genetic_code(11)
    codes, logits = rng.integers(0, 4, 9_000, dtype=np.uint8), rng.normal(size=(2, 9_000, 5)).astype(np.float32)
    rows = find_candidates(codes, logits, code=code, min_gene_bp=90)
    genes = np.zeros(2, GENE_TABLE)
    genes["start"], genes["end"], genes["strand"] = (300, 6_900), (600, 7_500), 1
    held = Held(
        "g", codes, CallOptions(), rows, [Stretch(rows, genes, (0, 9_000)), Stretch(rows, genes, (6_000, 9_000))]
    )
    cut, other = first_bases([held, held], 14_000), first_bases([held, held], 7_200)
    assert [len(h.codes) for h in cut] == [9_000, 5_000] and cut[0] is held
    (h,) = other
    assert [part.bounds for part in h.inside] == [(0, 7_200)] and h.inside[0].genes["end"].tolist() == [600, 7_200]
    beyond = set(rows["orf"][rows["end"] > 7_200])
    assert beyond and set(h.candidates["orf"]) == set(rows["orf"]) - beyond
