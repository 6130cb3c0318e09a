"""Open frames and their starts, against the definition read off the text."""

import numpy as np
import pytest
from naive_frames import strand_frames

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.decoding.orfs import EDGE_START, MAX_GENE_BP, earliest_open_base, find_orfs
from genoformer.sequence.alphabet import decode_bases, encode_bases


def random_text(rng, length, gaps=()):
    letters = rng.choice(list("ACGT"), length)
    letters[rng.random(length) < 0.004] = "R"
    letters[rng.random(length) < 0.004] = "N"
    for start, size in gaps:
        letters[start : start + size] = "N"
    return "".join(letters)


def orfs_of(text, logits, *, table=11, min_gene_bp=30, edge_5=True, edge_3=True, **options):
    code = get_genetic_code(table)
    return find_orfs(
        encode_bases(text), logits, stop_mask=code.stop_mask, start_mask=code.start_mask,
        min_gene_bp=min_gene_bp, edge_5=edge_5, edge_3=edge_3, **options,
    )  # fmt: skip


def as_set(orfs, starts):
    rows = set()
    for orf in orfs:
        for start in starts[orf["first"] : orf["first"] + orf["n_starts"]]:
            end = int(orf["stop"]) + 3 * int(orf["closed"])
            rows.add((int(start["position"]), end, int(orf["closed"]), int(start["kind"])))
    return rows


def naive_set(frames):
    return {(row["start"], row["end"], row["closed"], row["kind"]) for starts in frames for row in starts}


@pytest.mark.parametrize("table", [11, 4, 1])
@pytest.mark.parametrize(("edge_5", "edge_3"), [(True, True), (False, True), (True, False), (False, False)])
def test_frames_and_starts_are_those_read_off_the_text(table, edge_5, edge_3):
    rng = np.random.default_rng(table)
    for min_gene_bp in (3, 30, 90):
        text = random_text(rng, 1500, gaps=[(200, 9), (400, 10), (900, 25)])
        logits = rng.normal(0, 4, (1500, 5)).astype(np.float32)
        options = {"table": table, "min_gene_bp": min_gene_bp, "edge_5": edge_5, "edge_3": edge_3}
        orfs, starts = orfs_of(text, logits, **options)
        expected = strand_frames(text, logits, **options)
        assert as_set(orfs, starts) == naive_set(expected)
        assert len(starts) == sum(map(len, expected)) and len(orfs) == len(expected)


def test_evidence_of_each_start_is_the_sum_over_its_codons():
    rng = np.random.default_rng(0)
    text = random_text(rng, 3000, gaps=[(1000, 12)])
    logits = rng.normal(0, 6, (3000, 5)).astype(np.float32)
    orfs, starts = orfs_of(text, logits)
    stop_of = np.repeat(orfs["stop"], orfs["n_starts"])
    truth = {(row["start"], row["end"]): row for frame in strand_frames(text, logits, min_gene_bp=30) for row in frame}
    closed = np.repeat(orfs["closed"], orfs["n_starts"])
    assert len(starts) == len(truth) > 50
    for start, stop, is_closed in zip(starts, stop_of, closed, strict=True):
        row = truth[int(start["position"]), int(stop + 3 * is_closed)]
        assert start["codon_sum"] == pytest.approx(row["codon_sum"], rel=1e-5, abs=1e-4)
        assert start["logit"] == pytest.approx(row["start_logit"])
        assert start["upstream"] == pytest.approx(row["upstream"], rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("length", range(9))
def test_short_input_gives_what_the_text_gives(length):
    for text in ("ATGAAATAG"[:length], "A" * length, "N" * length):
        logits = np.ones((length, 5), np.float32)
        found = as_set(*orfs_of(text, logits, min_gene_bp=3))
        assert found == naive_set(strand_frames(text, logits, min_gene_bp=3))


def test_gap_of_ten_breaks_a_frame_and_nine_do_not():
    for n, expected in ((9, {(0, 69, 1, EDGE_START)}), (12, {(0, 30, 0, EDGE_START), (42, 72, 1, EDGE_START)})):
        text = "GCA" * 10 + "N" * n + "GCA" * 9 + "TAA"
        orfs, starts = orfs_of(text, np.zeros((len(text), 5), np.float32))
        assert {row for row in as_set(orfs, starts) if row[0] % 3 == 0} == expected
    orfs, starts = orfs_of(text, np.zeros((len(text), 5), np.float32), max_gap_bp=12)
    assert (0, 72, 1, EDGE_START) in as_set(orfs, starts)


def test_starts_come_nearest_to_the_stop_first():
    text = "ATG" + "ATGGCAGCAGCA" * 5 + "TAG"
    orfs, starts = orfs_of(text, np.zeros((len(text), 5), np.float32))
    own = starts[orfs["first"][0] : orfs["first"][0] + orfs["n_starts"][0]]
    assert (np.diff(own["position"]) < 0).all() and own["position"][-1] == 0


def test_no_start_is_further_from_its_stop_than_the_longest_gene():
    n = MAX_GENE_BP // 3 + 100
    text = "TAA" + "ATG" * n + "TAA"
    _, starts = orfs_of(text, np.zeros((len(text), 5), np.float32))
    own = starts[starts["position"] % 3 == 0]["position"]
    assert own.min() == len(text) - MAX_GENE_BP
    assert len(own) == (MAX_GENE_BP - 30) // 3 + 1


def test_earliest_open_base_is_the_oldest_last_break_of_the_six_frames():
    code = get_genetic_code(11)
    rng = np.random.default_rng(1)
    for _ in range(20):
        text = random_text(rng, 300, gaps=[(100, 15)])
        breaks = [0] * 3
        for i in range(298):
            if text[i : i + 3] in code.stop_codons or (i < 115 and i + 3 > 100):
                breaks[i % 3] = i
        mirrored = [0] * 3
        for i in range(298):
            if text[i : i + 3] in ("TTA", "CTA", "TCA") or (i < 115 and i + 3 > 100):
                mirrored[i % 3] = i
        found = earliest_open_base(encode_bases(text), stop_mask=code.stop_mask)
        assert found <= min(breaks + mirrored)
        assert min(breaks + mirrored) - found <= 9 and set(text[found : min(breaks + mirrored)]) <= {"N"}


def test_input_is_left_as_it_is():
    codes = encode_bases("ATG" + "GCA" * 40 + "TAA")
    logits = np.random.default_rng(0).normal(0, 9, (len(codes), 5)).astype(np.float32)
    before = decode_bases(codes), logits.copy()
    orfs_of(before[0], logits)
    assert decode_bases(codes) == before[0]
    np.testing.assert_array_equal(logits, before[1])


@pytest.mark.parametrize("tail", ["", "TAA"])
def test_frame_cut_by_a_buffer_counts_only_when_it_holds_the_longest_gene(tail):
    for length, expected in ((MAX_GENE_BP - 3, 0), (MAX_GENE_BP, 1)):
        text = "ATG" * 40 + "GCA" * ((length - len(tail)) // 3 - 40) + tail
        orfs, starts = orfs_of(text, np.zeros((length, 5), np.float32), edge_5=False)
        own = orfs[orfs["region"] % 3 == 0]
        assert len(own) == expected
        assert len(starts) == 40 * expected
