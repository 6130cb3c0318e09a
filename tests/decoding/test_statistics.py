"""A genome's own statistics: counts against plain loops over text, and both strands alike."""

from collections import Counter

import numpy as np
import pytest
from Bio.Seq import reverse_complement as revcomp

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.decoding import statistics
from genoformer.decoding.binding_site import SITE_FIRST, WINDOW_BP, site_odds
from genoformer.decoding.candidates import find_candidates
from genoformer.decoding.genome_counts import CONTEXT, MOTIF_FIRST, MOTIF_LAST, GenomeCounts, count_genes
from genoformer.decoding.orfs import EDGE_START
from genoformer.decoding.statistics import (
    BEFORE_CODONS,
    EVIDENCE,
    OPENING_FROM,
    _size,
    estimate_statistics,
    evidence_of,
)
from genoformer.sequence.alphabet import decode_bases, reverse_complement


def number(word):
    value = 0
    for base in word:
        value = 4 * value + "ACGT".index(base)
    return value


def known(word, n):
    return len(word) == n and set(word) <= set("ACGT")


def candidates_of(codes):
    logits = np.zeros((2, len(codes), 5), np.float32)
    return find_candidates(codes, logits, code=get_genetic_code(11), min_gene_bp=60)


@pytest.fixture(scope="module")
def sequence():
    codes = np.random.default_rng(0).integers(0, 4, 4000, dtype=np.uint8)
    codes[100:104], codes[2000:2030] = 4, 4
    rows = candidates_of(codes)
    longest = {}
    for i, row in enumerate(rows):
        if row["orf"] not in longest or rows[longest[row["orf"]]]["n_codons"] < row["n_codons"]:
            longest[row["orf"]] = i
    chosen = np.array(list(longest.values())[::3])
    return codes, rows, chosen


def reading(text, row):
    """The strand of the row as text, and where the row begins on it."""
    return (text, int(row["start"])) if row["strand"] > 0 else (revcomp(text), len(text) - int(row["end"]))


def naive_counts(codes, rows, chosen):
    text = decode_bases(codes)
    background, coding, kinds = Counter(), Counter(), Counter()
    context, motifs, windows = Counter(), Counter(), Counter()
    for strand in (text, revcomp(text)):
        background.update(number(strand[i : i + 6]) for i in range(len(text) - 5) if known(strand[i : i + 6], 6))
    frames = {rows[i]["orf"] for i in chosen}
    for i, row in enumerate(rows):
        if row["orf"] not in frames or row["kind"] == EDGE_START:
            continue
        strand, first = reading(text, row)
        side = 0 if i in chosen else 1
        windows[side] += 1
        if side == 0:
            kinds[int(row["kind"])] += 1
            words = [strand[first + 3 * j : first + 3 * j + 6] for j in range(row["n_codons"] - 1)]
            coding.update(number(word) for word in words if known(word, 6))
        for j, at in enumerate(range(first + CONTEXT[0], first + CONTEXT[1])):
            if at >= 0 and known(strand[at : at + 1], 1):
                context[side, j, number(strand[at])] += 1
        seen = {strand[first + j : first + j + 5] for j in range(MOTIF_FIRST, MOTIF_LAST + 1) if first + j >= 0}
        motifs.update((side, number(word)) for word in seen if known(word, 5))
    return background, coding, kinds, context, motifs, windows


def assert_counts(array, counter):
    assert sum(counter.values()) == array.sum() > 0
    assert all(array[key] == n for key, n in counter.items())


def test_counts_are_those_of_plain_loops(sequence):
    counts = count_genes(*sequence)
    names = ("background", "coding", "kinds", "context", "motifs", "windows")
    for name, expected in zip(names, naive_counts(*sequence), strict=True):
        assert_counts(getattr(counts, name), expected)


def test_counts_of_records_add_up(sequence):
    one = count_genes(*sequence)
    total = one + GenomeCounts.zero() + one
    for name in ("background", "coding", "kinds", "context", "motifs", "windows"):
        np.testing.assert_array_equal(getattr(total, name), 2 * getattr(one, name))
    np.testing.assert_array_equal(total.upstream, np.concatenate((one.upstream, one.upstream)))


def window_before(text, row):
    strand, first = reading(text, row)
    bases = (strand[i] if i >= 0 else "N" for i in range(first + SITE_FIRST, first + SITE_FIRST + WINDOW_BP))
    return [("ACGTN").index(base) for base in bases]


def test_bases_before_chosen_starts_are_kept(sequence):
    codes, rows, chosen = sequence
    text = decode_bases(codes)
    expected = [window_before(text, rows[i]) for i in sorted(chosen) if rows[i]["kind"] != EDGE_START]
    assert count_genes(*sequence).upstream.tolist() == expected


def test_background_is_the_same_on_both_strands(sequence):
    codes, rows, chosen = sequence
    background = count_genes(codes, rows, chosen).background
    for word in ("AAAAAC", "ACGTTT", "GGCATA"):
        assert background[number(word)] == background[number(revcomp(word))] > 0


def test_hexamers_run_over_no_unknown_base():
    codes = np.array([0, 1, 2, 4, 0, 1, 2, 3, 0], np.uint8)
    assert count_genes(codes, candidates_of(codes), np.empty(0, np.int64)).background.sum() == 0
    codes[3] = 3
    assert count_genes(codes, candidates_of(codes), np.empty(0, np.int64)).background.sum() == 8


@pytest.fixture
def genome_statistics(sequence, monkeypatch):
    monkeypatch.setattr(statistics, "MIN_CODONS", 100)
    found = estimate_statistics(count_genes(*sequence))
    assert found is not None
    return found


def test_log_odds_are_those_of_the_formulas(sequence, genome_statistics):
    counts = count_genes(*sequence)
    share = (counts.background + 1) / (counts.background.sum() + 4096)
    word = int(counts.coding.argmax())
    coding = (counts.coding[word] + 8 * 4096 * share[word]) / (counts.coding.sum() + 8 * 4096)
    assert genome_statistics.hexamer[word] == pytest.approx(np.log(coding / share[word]))
    assert genome_statistics.usage.max() == 0 and genome_statistics.usage[counts.kinds.argmax()] == 0
    assert genome_statistics.context.shape == (54, 4) and np.isfinite(genome_statistics.context).all()
    assert genome_statistics.motif[counts.motifs[0].argmax()] > 0


def test_too_few_codons_give_no_statistics(sequence):
    counts = count_genes(*sequence)
    assert 0 < counts.coding.sum() < statistics.MIN_CODONS
    assert estimate_statistics(counts) is None
    assert estimate_statistics(GenomeCounts.zero()) is None


def test_genes_without_other_starts_give_no_statistics(sequence, monkeypatch):
    monkeypatch.setattr(statistics, "MIN_CODONS", 100)
    counts = count_genes(*sequence)
    counts.windows[1] = 0
    assert estimate_statistics(counts) is None


def test_length_of_genes_is_weighed_against_what_is_usual():
    counts = GenomeCounts.zero()
    assert _size(counts) == pytest.approx(0)
    counts.coding[7], counts.kinds[14] = 140 * 30, 30
    assert _size(counts) == pytest.approx(np.log((140 * 30 + 2_800) / 40 / 280))


def test_what_the_network_says_of_codons_is_weighed_against_what_it_usually_says(sequence, monkeypatch):
    monkeypatch.setattr(statistics, "MIN_CODONS", 100)
    codes, rows, chosen = sequence
    rows = rows.copy()
    rows["codon_sum"] = 2.0 * rows["n_codons"]
    counts = count_genes(codes, rows, chosen)
    n_codons = int(rows["n_codons"][chosen].sum())
    assert counts.network.tolist() == [2 * n_codons, n_codons]
    both = counts + counts
    assert estimate_statistics(both).network == pytest.approx((4 * n_codons + 3_000) / (2 * n_codons + 1_000) - 3)
    rows["codon_sum"] = 9 * rows["n_codons"]
    assert estimate_statistics(count_genes(codes, rows, chosen)).network == pytest.approx(0.7)
    rows["codon_sum"] = 0
    assert estimate_statistics(count_genes(codes, rows, chosen)).network == pytest.approx(
        -3 * n_codons / (n_codons + 1_000)
    )


def test_evidence_is_the_sum_of_the_tables(sequence, genome_statistics):
    codes, rows, _ = sequence
    text = decode_bases(codes)
    evidence = evidence_of(codes, rows, genome_statistics)
    assert evidence.shape == (len(rows), len(EVIDENCE))
    for i in range(0, len(rows), 7):
        strand, first = reading(text, rows[i])
        found = dict(zip(EVIDENCE, evidence[i], strict=True))
        words = [strand[first + 3 * j : first + 3 * j + 6] for j in range(rows[i]["n_codons"] - 1)]
        hexamers = sum(genome_statistics.hexamer[number(word)] for word in words if known(word, 6))
        assert found.pop("hexamer_sum") == pytest.approx(hexamers)
        assert found.pop("network") == genome_statistics.network
        assert found.pop("size") == genome_statistics.size
        if rows[i]["kind"] == EDGE_START:
            assert set(found.values()) == {0.0}
            continue
        assert found["start_usage"] == genome_statistics.usage[rows[i]["kind"]]
        around = [(j, strand[first + j : first + j + 1]) for j in range(*CONTEXT) if first + j >= 0]
        around = [(j, number(b)) for j, b in around if known(b, 1) and j not in (0, 1, 2)]
        for name, places in (("context", range(CONTEXT[0], OPENING_FROM)), ("opening", range(OPENING_FROM, 30))):
            total = sum(genome_statistics.context[j - CONTEXT[0], base] for j, base in around if j in places)
            assert found[name] == pytest.approx(total)
        words = [strand[first + j : first + j + 5] for j in range(MOTIF_FIRST, MOTIF_LAST + 1) if first + j >= 0]
        motifs = [genome_statistics.motif[number(word)] for word in words if known(word, 5)]
        assert found["motif"] == pytest.approx(max([0.0, *motifs]))
        site = genome_statistics.site
        window = np.array(window_before(text, rows[i]))
        assert found["site"] == pytest.approx(site_odds(window, site.motif, site.place, site.share))
        begins = [first - 3 * j for j in range(2, BEFORE_CODONS + 2)]
        words = [strand[at : at + 6] for at in begins if at >= 0]
        before = sum(genome_statistics.hexamer[number(word)] for word in words if known(word, 6))
        assert found["before"] == pytest.approx(before / BEFORE_CODONS)


def test_evidence_of_the_reverse_complement_is_mirrored(sequence, genome_statistics):
    codes, rows, _ = sequence
    mirrored = candidates_of(reverse_complement(codes))
    there = {
        (4000 - int(row["end"]), 4000 - int(row["start"]), -int(row["strand"])): evidence
        for row, evidence in zip(
            mirrored, evidence_of(reverse_complement(codes), mirrored, genome_statistics), strict=True
        )
    }
    assert len(there) == len(rows)
    for row, evidence in zip(rows, evidence_of(codes, rows, genome_statistics), strict=True):
        key = (int(row["start"]), int(row["end"]), int(row["strand"]))
        np.testing.assert_allclose(evidence, there[key], atol=1e-9)
