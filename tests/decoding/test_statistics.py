"""A genome's own statistics: counts against plain loops over text, and both strands alike."""

from collections import Counter

import numpy as np
import pytest
from Bio.Seq import reverse_complement as revcomp

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.decoding import statistics
from genoformer.decoding.candidates import find_candidates
from genoformer.decoding.orfs import EDGE_START
from genoformer.decoding.statistics import (
    CONTEXT,
    MOTIF_FIRST,
    MOTIF_LAST,
    GenomeCounts,
    count_genes,
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
    assert genome_statistics.context.shape == (36, 4) and np.isfinite(genome_statistics.context).all()
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


def test_evidence_is_the_sum_of_the_tables(sequence, genome_statistics):
    codes, rows, _ = sequence
    text = decode_bases(codes)
    evidence = evidence_of(codes, rows, genome_statistics)
    for i in range(0, len(rows), 7):
        strand, first = reading(text, rows[i])
        words = [strand[first + 3 * j : first + 3 * j + 6] for j in range(rows[i]["n_codons"] - 1)]
        hexamers = sum(genome_statistics.hexamer[number(word)] for word in words if known(word, 6))
        assert evidence[i, 0] == pytest.approx(hexamers)
        if rows[i]["kind"] == EDGE_START:
            assert evidence[i, 1:].tolist() == [0, 0, 0]
            continue
        assert evidence[i, 1] == genome_statistics.usage[rows[i]["kind"]]
        around = [
            (j, strand[first + j : first + j + 1]) for j in range(*CONTEXT) if first + j >= 0 and j not in (0, 1, 2)
        ]
        context = sum(genome_statistics.context[j - CONTEXT[0], number(b)] for j, b in around if known(b, 1))
        assert evidence[i, 2] == pytest.approx(context)
        words = [strand[first + j : first + j + 5] for j in range(MOTIF_FIRST, MOTIF_LAST + 1) if first + j >= 0]
        motifs = [genome_statistics.motif[number(word)] for word in words if known(word, 5)]
        assert evidence[i, 3] == pytest.approx(max([0.0, *motifs]))


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
