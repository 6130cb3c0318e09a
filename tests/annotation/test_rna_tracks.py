"""Labels of RNA genes: what a base says, and what recoding leaves alone."""

import numpy as np
import pytest

from genoformer.annotation.models import Gene, RnaGene
from genoformer.annotation.recode import AROUND_RNA_BP, draw_recoding, recode
from genoformer.annotation.rna_tracks import LONGEST_LABELLED_TRNA_BP, add_rna_labels, in_rna_genes
from genoformer.annotation.tracks import NO_RNA, RRNA, TRNA, label_tracks
from genoformer.sequence.alphabet import encode_bases

R, T, N = RRNA, TRNA, NO_RNA


def labelled(length: int, *genes: RnaGene, circular=False) -> np.ndarray:
    tracks = np.zeros((2, length), np.uint8)
    add_rna_labels(tracks, genes, circular=circular)
    return tracks


def test_bases_hold_their_kind_on_the_strand_of_the_gene():
    tracks = labelled(8, RnaGene("c", 1, 3, "+", "rRNA"), RnaGene("c", 4, 7, "-", "tRNA"))
    assert tracks.tolist() == [[N, R, R, N, N, N, N, N], [N, N, N, N, T, T, T, N]]


def test_pseudogenes_shared_bases_and_long_introns_say_nothing():
    tracks = labelled(8, RnaGene("c", 0, 3, "+", "rRNA"), RnaGene("c", 2, 4, "+", "tRNA"),
                      RnaGene("c", 6, 8, "+", "tRNA", pseudo=True))  # fmt: skip
    assert tracks[0].tolist() == [R, R, 0, T, N, N, 0, 0] and (tracks[1] == N).all()
    n = LONGEST_LABELLED_TRNA_BP + 1
    assert not labelled(n, RnaGene("c", 0, n, "-", "tRNA"))[1].any()


@pytest.mark.parametrize("circular", [True, False])
def test_a_gene_over_the_origin_wraps_around_on_a_circle(circular):
    tracks = labelled(6, RnaGene("c", 4, 8, "+", "rRNA"), circular=circular)
    assert tracks[0].tolist() == [R if circular else N, R if circular else N, N, N, R, R]


def test_labels_of_codons_stay():
    codes = encode_bases("CCATGAAATAGC")
    tracks, _ = label_tracks(codes, [Gene("c", 2, 11, "+")], genetic_code=11)
    both = tracks.copy()
    add_rna_labels(both, [RnaGene("c", 0, 4, "+", "tRNA")])
    assert np.array_equal(both & ~np.uint8(NO_RNA), tracks)
    assert in_rna_genes(both).tolist() == [True] * 4 + [False] * 8
    assert not in_rna_genes(tracks).any()


def test_recoding_leaves_rna_genes_and_what_lies_around_them():
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 4, 600, dtype=np.uint8)
    tracks = labelled(600, RnaGene("c", 200, 280, "-", "tRNA"))
    kept = slice(200 - AROUND_RNA_BP, 280 + AROUND_RNA_BP)
    new = recode(codes, tracks, draw_recoding(11, generator), generator)
    assert np.array_equal(new[kept], codes[kept])
    assert (new[:180] != codes[:180]).sum() > 40 and (new[300:] != codes[300:]).sum() > 60
    assert new[179] != codes[179] or new[300] != codes[300] or (new[170:180] != codes[170:180]).any()


def test_recoding_is_the_same_where_there_are_no_rna_genes():
    codes = np.random.default_rng(1).integers(0, 4, 300, dtype=np.uint8)
    pieces = []
    for tracks in (np.zeros((2, 300), np.uint8), labelled(300)):
        generator = np.random.default_rng(2)
        pieces.append(recode(codes, tracks, draw_recoding(11, generator), generator))
    assert np.array_equal(*pieces)
