"""The genetic code of a record from what a model says of its UGA, with outputs that are planted."""

from itertools import pairwise

import numpy as np
import pytest

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.tracks import label_tracks
from genoformer.decoding import code_choice
from genoformer.decoding.caller import collect_candidates, hopeful, plan_blocks
from genoformer.decoding.code_choice import UGA, UGG, choose_code, codon_counts, is_glycine, uga_evidence
from genoformer.decoding.decoder import GeneDecoder, Scorer
from genoformer.decoding.options import CallOptions
from genoformer.decoding.orfs import EDGE_START
from genoformer.decoding.readings import OTHER, OWN, read_with
from genoformer.decoding.scoring import DEFAULT_WEIGHTS
from genoformer.genomes.simulate import simulate_genome
from genoformer.metrics.calibration import IsotonicCalibrator
from genoformer.sequence.alphabet import encode_bases, reverse_complement

BOTH = CallOptions(genetic_code=11, other_code=4)
MAP = IsotonicCalibrator((-10.0, 10.0), (0.0, 1.0))
DECODER = GeneDecoder(Scorer(DEFAULT_WEIGHTS, MAP, MAP))


def perfect(codes, genes, code):
    """Outputs that know the genes, [2, L, 5]."""
    tracks, _ = label_tracks(codes, genes, genetic_code=code)
    return np.where(tracks[:, :, None] & np.array([1, 2, 4, 8, 16], np.uint8), 5, -5).astype(np.float32)


def made_up(code, length_bp=6_000, seed=3, gc=0.4):
    ((record, genes),) = simulate_genome(length_bp=length_bp, gc=gc, seed=seed, genetic_code=code)
    return record.codes, perfect(record.codes, genes, code)


def rows_of(codes, logits, options=BOTH, keep=lambda rows: rows, pieces=1):
    bounds = np.linspace(0, len(codes), pieces + 1).astype(int)
    cut = [(a, b, logits[:, a:b]) for a, b in pairwise(bounds)]
    return collect_candidates(codes, cut, options, keep)


def chosen(codes, logits):
    return choose_code(codes, rows_of(codes, logits), DECODER, BOTH)


@pytest.mark.parametrize("code", [11, 4])
@pytest.mark.parametrize("seed", range(5))
def test_the_code_in_which_genes_were_written_is_found_on_both_strands(code, seed):
    codes, logits = made_up(code, seed=seed)
    assert chosen(codes, logits) == code
    assert chosen(reverse_complement(codes), logits[::-1, ::-1]) == code


@pytest.mark.parametrize("code", [11, 4])
@pytest.mark.parametrize("pieces", [1, 7])
def test_rows_of_each_code_are_those_of_a_pass_with_this_code_alone(code, pieces):
    codes, logits = made_up(4, length_bp=30_000)
    for keep in (False, True):
        options = CallOptions(genetic_code=11, other_code=4, buffer_bp=3_000)
        alone = CallOptions(genetic_code=code, buffer_bp=3_000)
        both, one = (
            rows_of(codes, logits, own, hopeful(DECODER, codes, own) if keep else lambda rows: rows, pieces)
            for own in (options, alone)
        )
        found = read_with(both, code, options)[list(one.dtype.names)].astype(one.dtype)
        assert len(one) > 50
        assert np.array_equal(np.sort(found), np.sort(one))
        frames = found["orf"]
        assert (np.diff(frames) != 0).sum() + 1 == len(np.unique(frames))  # whole frames, nothing in between


def test_what_both_codes_have_is_kept_once():
    codes, logits = made_up(4, length_bp=30_000)
    rows = rows_of(codes, logits)
    own, other = (
        {tuple(row) for row in rows[rows["readings"] & bit > 0][["start", "end", "strand", "kind"]].tolist()}
        for bit in (OWN, OTHER)
    )
    assert len(own & other) > 500
    assert len(rows) == len(own | other)
    ends_at_uga = rows["readings"] == OWN
    assert (rows["closed"][ends_at_uga] == 1).all()


def test_blocks_of_two_codes_hold_the_longer_frames():
    codes, _ = made_up(4, length_bp=60_000)
    ends = range(5_000, 60_001, 5_000)
    both, four = (
        [(b.begin, b.end, b.emitted_to, b.emit_to) for b in plan_blocks(codes, ends, options)]
        for options in (
            CallOptions(genetic_code=11, other_code=4, buffer_bp=1), CallOptions(genetic_code=4, buffer_bp=1)
        )
    )  # fmt: skip
    assert both == four


def frames(*stops, evidence=5.0, n_codons=60, stop="TGA"):
    """Frames of one strand that end at UGA, one for each output "stop", and the sequence that they lie in."""
    text = ("ATG" + "GCA" * (n_codons - 1) + stop) * len(stops)
    codes, size = encode_bases(text), 3 * n_codons + 3
    logits = np.full((2, len(codes), 5), -8.0, np.float32)
    for i, said in enumerate(stops):
        for position in range(3):
            logits[0, i * size + position : (i + 1) * size - 3 : 3, position] = evidence
        logits[0, (i + 1) * size - 3, 4] = said
    return codes, logits


def evidence(codes, logits):
    return uga_evidence(codes, rows_of(codes, logits)).sum()


def test_evidence_is_the_sum_of_what_is_said_of_each_uga_none_more_than_its_share():
    assert evidence(*frames(-2.0, -1.0, 0.5)) == pytest.approx(2.5)
    assert evidence(*frames(-9.0, -1.0)) == pytest.approx(code_choice.MOST_ODDS + 1.0)
    assert evidence(*frames(9.0, -1.0)) == pytest.approx(1.0 - code_choice.MOST_ODDS)
    codes, logits = frames(-2.0, -1.0, 0.5)
    assert evidence(reverse_complement(codes), logits[::-1, ::-1]) == pytest.approx(2.5)


def test_other_stops_and_frames_that_are_no_genes_say_nothing():
    assert evidence(*frames(-9.0, -9.0, stop="TAA")) == 0
    assert evidence(*frames(-9.0, -9.0, evidence=0.5)) == 0
    assert evidence(*frames(-9.0, -9.0, n_codons=20)) == 0  # shorter than a gene can be
    assert evidence(np.empty(0, np.uint8), np.empty((2, 0, 5), np.float32)) == 0


def test_one_uga_that_is_read_is_selenocysteine_and_does_not_change_the_code():
    assert chosen(*frames(-9.0)) == 11
    assert chosen(*frames(-9.0, -9.0)) == 4
    assert chosen(*frames(-9.0, -9.0, 9.0)) == 11


def test_long_sequence_needs_more_so_that_doubts_do_not_add_up():
    few, many = [-1.0] * 20, [0.0] * 200  # 183 bp each
    assert chosen(*frames(*few)) == 4
    assert chosen(*frames(*few, *many)) == 11
    assert chosen(*frames(*few, *[-1.0] * 200)) == 4


def test_a_circle_that_is_read_beyond_its_origin_counts_each_uga_once():
    codes, logits = frames(-9.0)
    opened, said = np.tile(codes, 3), np.tile(logits, (1, 3, 1))
    rows = rows_of(opened, said)
    assert choose_code(opened, rows, DECODER, BOTH) == 4
    assert choose_code(opened, rows, DECODER, BOTH, margin=len(codes)) == 11
    turned, back = reverse_complement(opened), said[::-1, ::-1]
    assert choose_code(turned, rows_of(turned, back), DECODER, BOTH, margin=len(codes)) == 11


def test_genes_that_hold_more_ugg_than_uga_read_no_uga():
    codes, logits = frames(-9.0, -9.0, -9.0)
    ugg = encode_bases("TGG")
    for n, expected in ((5, 4), (6, 11)):  # beside three UGA
        mixed = codes.copy()
        for i in range(n):
            mixed[3 + 9 * i : 6 + 9 * i] = ugg
        assert chosen(mixed, logits) == expected


def test_without_a_second_code_nothing_is_chosen():
    codes, logits = frames(-9.0, -9.0)
    options = CallOptions(genetic_code=11)
    assert choose_code(codes, rows_of(codes, logits, options), DECODER, options) == 11


def counts(uga, ugg, total=20_000):
    found = np.zeros(64, np.int64)
    found[UGA], found[UGG], found[0] = uga, ugg, total - uga - ugg
    return found


def test_uga_is_glycine_where_ugg_alone_is_enough_tryptophan():
    assert not is_glycine(counts(200, 20))  # Mycoplasma: UGA is the usual tryptophan
    assert not is_glycine(counts(100, 120))  # both are
    assert is_glycine(counts(400, 200))
    assert not is_glycine(counts(400, 20))  # much tryptophan
    assert not is_glycine(counts(60, 30, total=900))  # too little to tell
    assert is_glycine(counts(60, 30, total=1_100))
    assert not is_glycine(counts(0, 0, total=0))


def test_codons_are_counted_in_the_genes_of_the_second_code():
    ((record, genes),) = simulate_genome(length_bp=12_000, gc=0.4, seed=1, genetic_code=4)
    expected = np.zeros(64, np.int64)
    for gene in genes:
        bases = record.codes[gene.start : gene.end]
        bases = bases if gene.strand == "+" else reverse_complement(bases)
        np.add.at(expected, bases[:-3].reshape(-1, 3) @ np.array([16, 4, 1]), 1)
    rows = rows_of(record.codes, perfect(record.codes, genes, 4))
    assert expected[UGA] > 20
    found = codon_counts(record.codes, rows, DECODER, BOTH)
    assert abs(found - expected).sum() < 0.01 * expected.sum()


def test_starts_that_a_code_does_not_have_are_left_out():
    codes, logits = made_up(4)
    rows = rows_of(codes, logits)
    kinds = set(read_with(rows, 25, BOTH)["kind"].tolist()) - {EDGE_START}
    assert kinds <= set(np.flatnonzero(get_genetic_code(25).start_mask).tolist())
    assert kinds < set(read_with(rows, 4, BOTH)["kind"].tolist())
