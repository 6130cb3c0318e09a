"""UGA that may be selenocysteine: a pair of genes in one frame with gene-like codons between them."""

import numpy as np
import pytest

from genoformer.decoding.binding_site import BindingSite
from genoformer.decoding.candidates import CANDIDATE_DTYPE
from genoformer.decoding.read_through import read_through_genes
from genoformer.decoding.statistics import GenomeStatistics
from genoformer.sequence.alphabet import encode_bases, reverse_complement

CODING = encode_bases("GCTGCT")
GAP = 30


def statistics(coding=1.0):
    """Statistics in which only runs of GCT look like a gene."""
    hexamer = np.full(4096, -1.0)
    hexamer[int(CODING @ 4 ** np.arange(5, -1, -1))] = coding
    site = BindingSite(np.zeros((6, 4)), np.full(13, 1 / 13), 0.5)
    return GenomeStatistics(hexamer, np.zeros(65), np.zeros((54, 4)), np.zeros(1024), site)


def pair(gap=GAP, start_logit=-6.0, upstream=5.0, stop="TGA", between="GCT"):
    """Two genes of one frame with ``gap`` bases between them, at 30..123 and 123 + gap.., strand "+"."""
    between = (between * 60)[: max(gap, 0)]
    codes = encode_bases("A" * 30 + "ATG" + "GCT" * 29 + stop + between + "ATG" + "GCT" * 40 + "TAA")
    genes = np.zeros(2, CANDIDATE_DTYPE)
    genes["start"], genes["end"], genes["strand"], genes["closed"] = [30, 123 + gap], [123, len(codes)], 1, 1
    genes["start_logit"], genes["upstream"] = start_logit, upstream
    return codes, genes


def mirrored(codes, genes):
    turned = genes[::-1].copy()
    turned["start"], turned["end"] = len(codes) - genes["end"][::-1], len(codes) - genes["start"][::-1]
    turned["strand"] = -1
    return reverse_complement(codes), turned


def test_pair_in_one_frame_is_found_on_both_strands():
    codes, genes = pair()
    assert read_through_genes(codes, genes, statistics()).tolist() == [True, False]
    assert read_through_genes(*mirrored(codes, genes), statistics()).tolist() == [False, True]


@pytest.mark.parametrize(
    "change",
    [
        {"gap": 31},
        {"gap": 12},
        {"gap": 153},
        {"gap": -6},
        {"start_logit": -3.0},
        {"upstream": 2.0},
        {"stop": "TAA"},
        {"between": "ACA"},
    ],
)
def test_anything_that_speaks_for_two_genes_is_heeded(change):
    codes, genes = pair(**change)
    assert not read_through_genes(codes, genes, statistics()).any()
    assert not read_through_genes(*mirrored(codes, genes), statistics()).any()


def test_without_statistics_or_genes_nothing_is_found():
    codes, genes = pair()
    assert not read_through_genes(codes, genes, None).any()
    assert len(read_through_genes(codes, genes[:0], statistics())) == 0
    assert not read_through_genes(codes, genes, statistics(coding=-1.0)).any()
    genes["closed"][0] = 0
    assert not read_through_genes(codes, genes, statistics()).any()
