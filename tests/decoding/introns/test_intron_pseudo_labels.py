"""Labels from own genes with introns: sure ones are examples, what could be a gene is masked, the rest is none."""

import numpy as np

from genoformer.annotation.intron_tracks import ACCEPTOR, DONOR, STATE_MASK, intron_tracks
from genoformer.annotation.models import Gene
from genoformer.annotation.tracks import MASKED
from genoformer.decoding.introns.pseudo_labels import FLANK_BP, frame_of_chance, intron_pseudo_labels
from genoformer.sequence.alphabet import encode_bases, reverse_complement

STOPS = "TTAATTAATTAA"
"""A stop codon in every frame of both strands."""
EXONS = ("ATG" + "GCT" * 10, "GCA" * 10 + "TAA")
INTRON = "GTAAGT" + STOPS * 3 + "TTTTAG"
GAP = STOPS * 40
TEXT = GAP + EXONS[0] + INTRON + EXONS[1] + GAP
LOW = len(GAP)
PARTS = ((LOW, LOW + len(EXONS[0])), (len(TEXT) - len(GAP) - len(EXONS[1]), len(TEXT) - len(GAP)))
CODES = encode_bases(TEXT)


def gene(score, **more):
    return Gene("", PARTS[0][0], PARTS[1][1], "+", parts=PARTS, score=score, **more)


def labels(genes, codes=CODES, sure=0.7, shortest_frame=100):
    return intron_pseudo_labels(codes, genes, genetic_code=1, sure=sure, shortest_frame=shortest_frame)


def test_a_sure_gene_has_the_labels_of_an_annotation_and_its_flanks_none():
    tracks, table = labels([gene(0.8)])
    expected, _ = intron_tracks(CODES, [gene(0.8)], genetic_code=1)
    inside = slice(PARTS[0][0], PARTS[1][1])
    np.testing.assert_array_equal(tracks[:, inside], expected[:, inside])
    assert np.count_nonzero(tracks[0] & DONOR) == np.count_nonzero(tracks[0] & ACCEPTOR) == 1
    is_masked = (tracks & MASKED != 0).all(axis=0)
    assert is_masked[LOW - FLANK_BP : LOW].all() and is_masked[inside.stop : inside.stop + FLANK_BP].all()
    assert not is_masked[: LOW - FLANK_BP].any() and not tracks[:, : LOW - FLANK_BP].any()
    assert table["masked"].tolist() == [True, False, True]


def test_a_doubtful_gene_is_masked_and_no_example():
    for found in (gene(0.6), gene(0.9, partial_3=True), gene(None)):
        tracks, table = labels([found])
        inside = slice(PARTS[0][0], PARTS[1][1])
        assert (tracks[:, inside] & MASKED != 0).all() and not (tracks & STATE_MASK).any()
        assert table["masked"].all() and len(table) == 1


def test_a_long_open_frame_that_is_no_gene_is_masked_on_either_strand():
    frame = encode_bases(GAP + "GCC" * 120 + GAP)
    for codes in (frame, reverse_complement(frame)):
        tracks, table = labels([], codes)
        is_masked = (tracks & MASKED != 0).all(axis=0)
        assert is_masked[LOW : LOW + 360].all() and table["masked"].tolist() == [True]
        assert not is_masked[: LOW - 12].any() and not is_masked[LOW + 372 :].any()
    tracks, _ = labels([], frame, shortest_frame=130)
    assert not tracks.any()


def test_the_frames_of_a_sure_gene_do_not_mask_it():
    tracks, _ = labels([gene(0.8)], shortest_frame=8)
    assert not (tracks[0, PARTS[0][0] : PARTS[0][1]] & MASKED).any()


def test_chance_leaves_longer_frames_open_where_stops_are_rare():
    assert frame_of_chance(3 / 64, -7.0) == 146
    assert frame_of_chance(0.01, -7.0) == 697
    assert frame_of_chance(0.0, -7.0) > 10**9
