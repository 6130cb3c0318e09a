"""Candidate genes of a record: both strands, and the same rows however the record arrives."""

from itertools import pairwise

import numpy as np
import pytest
from naive_frames import both_strands

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.read import read_records
from genoformer.decoding.caller import collect_candidates
from genoformer.decoding.candidates import CANDIDATE_DTYPE, find_candidates, is_partial_5
from genoformer.decoding.options import CallOptions
from genoformer.decoding.orfs import MAX_GENE_BP
from genoformer.sequence.alphabet import decode_bases, encode_bases, reverse_complement

EVIDENCE = ("codon_sum", "start_logit", "stop_logit", "upstream")


def random_codes(rng, length, gaps=()):
    codes = rng.choice(np.arange(4, dtype=np.uint8), length, p=[0.25, 0.25, 0.25, 0.25])
    codes[rng.random(length) < 0.002] = 5
    for start, size in gaps:
        codes[start : start + size] = 4
    return codes


def random_logits(rng, length):
    return rng.normal(0, 4, (2, length, 5)).astype(np.float32)


def cut(logits, ends):
    edges = [0, *ends, logits.shape[1]]
    return [(a, b, logits[:, a:b]) for a, b in pairwise(edges) if b > a]


def collected(codes, logits, ends, **options):
    return np.sort(collect_candidates(codes, cut(logits, ends), CallOptions(**options)))


def whole(codes, logits, table=11, min_gene_bp=90, max_gap_bp=9):
    rows = find_candidates(codes, logits, code=get_genetic_code(table), min_gene_bp=min_gene_bp, max_gap_bp=max_gap_bp)
    return np.sort(rows)


@pytest.mark.parametrize("table", [11, 4])
def test_candidates_are_those_read_off_both_strands(table):
    rng = np.random.default_rng(table)
    codes = random_codes(rng, 3000, gaps=[(500, 9), (1200, 30), (2980, 12)])
    logits = random_logits(rng, 3000)
    rows = whole(codes, logits, table, 60)
    frames = both_strands(decode_bases(codes), logits, table=table, min_gene_bp=60)
    truth = {(row["start"], row["end"], row["strand"]): row for starts in frames for row in starts}
    assert len(rows) == len(truth) > 50
    for row in rows:
        expected = truth[int(row["start"]), int(row["end"]), int(row["strand"])]
        assert [int(row[name]) for name in ("kind", "closed", "n_codons")] == [
            expected[name] for name in ("kind", "closed", "n_codons")
        ]
        for name in EVIDENCE:
            assert row[name] == pytest.approx(expected[name], rel=1e-5, abs=1e-4)
    grouped = {frozenset(map(tuple, rows[rows["orf"] == orf][["start", "end"]].tolist())) for orf in set(rows["orf"])}
    assert grouped == {frozenset((row["start"], row["end"]) for row in starts) for starts in frames}


@pytest.mark.parametrize("length", range(9))
def test_short_records_have_the_candidates_that_the_text_has(length):
    codes = encode_bases("ATGCATTAA"[:length])
    logits = random_logits(np.random.default_rng(0), length)
    rows = whole(codes, logits, min_gene_bp=3)
    frames = both_strands(decode_bases(codes), logits, min_gene_bp=3)
    assert sorted((int(r["start"]), int(r["end"]), int(r["strand"])) for r in rows) == sorted(
        (row["start"], row["end"], row["strand"]) for starts in frames for row in starts
    )
    np.testing.assert_array_equal(collected(codes, logits, range(1, length), min_gene_bp=3, buffer_bp=1), rows)


def test_reverse_complement_mirrors_the_candidates():
    rng = np.random.default_rng(3)
    codes, logits = random_codes(rng, 4000, gaps=[(700, 40)]), random_logits(rng, 4000)
    rows = whole(codes, logits)
    mirrored = whole(reverse_complement(codes), np.ascontiguousarray(logits[::-1, ::-1]))
    assert len(rows) > 50
    back = mirrored.copy()
    back["start"], back["end"] = 4000 - mirrored["end"], 4000 - mirrored["start"]
    back["strand"] = -mirrored["strand"]
    names = [name for name in CANDIDATE_DTYPE.names if name != "orf"]
    np.testing.assert_array_equal(np.sort(back[names]), np.sort(rows[names]))


@pytest.mark.parametrize("buffer_bp", [1, 40, 700, 5000])
def test_any_pieces_give_the_candidates_of_the_whole(buffer_bp):
    rng = np.random.default_rng(buffer_bp)
    for trial in range(6):
        gaps = [(int(at), int(size)) for at, size in zip(rng.integers(0, 6000, 4), (8, 11, 60, 200), strict=True)]
        codes, logits = random_codes(rng, 6000, gaps), random_logits(rng, 6000)
        expected = whole(codes, logits, min_gene_bp=60)
        assert len(expected) > 50
        ends = np.unique(rng.integers(1, 6000, 3 if trial < 3 else 200))
        np.testing.assert_array_equal(collected(codes, logits, ends, min_gene_bp=60, buffer_bp=buffer_bp), expected)


@pytest.mark.parametrize("max_gap_bp", [0, 50, 100_000])
def test_pieces_change_nothing_whatever_counts_as_a_gap(max_gap_bp):
    rng = np.random.default_rng(7)
    gaps = [(300, 60), (900, 51), (1500, 49), (2100, 120), (2700, 5)]
    codes, logits = random_codes(rng, 3500, gaps), random_logits(rng, 3500)
    expected = whole(codes, logits, max_gap_bp=max_gap_bp)
    for step in (13, 45, 101):
        options = {"max_gap_bp": max_gap_bp, "buffer_bp": 1}
        np.testing.assert_array_equal(collected(codes, logits, range(step, 3500, step), **options), expected)


@pytest.mark.parametrize("name", ["NC_001422.gbk.gz", "NC_001416_lambda.gbk.gz"])
def test_pieces_of_a_phage_give_the_candidates_of_the_whole(data_dir, name):
    (record,) = read_records(data_dir / "genome_phages" / name)
    logits = random_logits(np.random.default_rng(0), len(record))
    expected = whole(record.codes, logits)
    for step, buffer_bp in ((97, 1), (1000, 2500)):
        ends = range(step, len(record), step)
        np.testing.assert_array_equal(collected(record.codes, logits, ends, buffer_bp=buffer_bp), expected)


def test_frames_longer_than_the_longest_gene_do_not_depend_on_the_pieces():
    rng = np.random.default_rng(1)
    unit = "ATGCAA" + "GCA" * 40  # no stop codon in any of its six frames
    codes = np.tile(encode_bases(unit), 330_000 // len(unit))
    codes[170_001:170_004] = encode_bases("TAA")
    codes[290_000:290_003] = encode_bases("TTA")
    logits = random_logits(rng, len(codes))
    expected = whole(codes, logits)
    length = expected["end"] - expected["start"]
    assert length.max() <= MAX_GENE_BP < length.max() + 3 * len(unit)
    # A "-" frame that is open at the left end reaches MAX_GENE_BP right where these pieces end.
    for shift in (0, 1, 2, 3):
        ends = [60_000, MAX_GENE_BP + 30 + shift, 220_000, 300_001 + shift]
        np.testing.assert_array_equal(collected(codes, logits, ends, buffer_bp=1), expected)


def test_keep_sees_whole_frames():
    rng = np.random.default_rng(2)
    codes, logits = random_codes(rng, 5000), random_logits(rng, 5000)
    sizes = {}
    for row in whole(codes, logits):
        sizes[row["orf"]] = sizes.get(row["orf"], 0) + 1

    def keep(rows):
        orfs, counts = np.unique(rows["orf"], return_counts=True)
        assert all(sizes[orf] == n for orf, n in zip(orfs, counts, strict=True))
        return rows[:0]

    assert len(collect_candidates(codes, cut(logits, range(50, 5000, 50)), CallOptions(buffer_bp=1), keep)) == 0


def test_empty_record_has_no_candidates():
    assert len(collect_candidates(np.empty(0, np.uint8), [], CallOptions())) == 0


def test_partial_genes_are_those_that_begin_at_an_edge():
    codes = encode_bases("GCA" * 40 + "TAA" + "C" * 12)
    rows = whole(codes, np.zeros((2, len(codes), 5), np.float32))
    rows = rows[(rows["strand"] > 0) & (rows["start"] == 0)]
    assert is_partial_5(rows).all() and rows["closed"].tolist() == [1] and rows["end"].tolist() == [123]
