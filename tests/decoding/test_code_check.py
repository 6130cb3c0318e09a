"""Genes that fall to pieces at UGA, and those that do not."""

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.decoding.code_check import CONTINUED_WITHIN_BP, MIN_GENES, StopCounts
from genoformer.sequence.alphabet import encode_bases, reverse_complement


def pieces(n, stop, gap):
    """``n`` genes of 99 bp on "+", each ``gap`` bp behind the last, all ending in ``stop``."""
    sequence, genes = [], []
    for i in range(n):
        start = i * (99 + gap)
        genes.append(Gene("c", start, start + 99, "+"))
        sequence.append("ATG" + "A" * 93 + stop + "C" * gap)
    return encode_bases("".join(sequence)), genes


def counted(codes, genes):
    counts = StopCounts()
    counts.add(codes, genes)
    return counts


def turned(codes, genes):
    flipped = [Gene("c", len(codes) - gene.end, len(codes) - gene.start, "-") for gene in genes]
    return reverse_complement(codes), flipped[::-1]


def test_pieces_in_one_frame_behind_uga_are_counted_on_both_strands():
    for codes, genes in (pieces(50, "TGA", 30), turned(*pieces(50, "TGA", 30))):
        counts = counted(codes, genes)
        assert (counts.uga, counts.uga_continued, counts.others) == (50, 49, 0)
        assert counts.speaks_against()


def test_other_stops_other_frames_and_distant_genes_do_not_speak_against_the_code():
    assert counted(*pieces(50, "TAA", 30)).others_continued == 49
    assert not counted(*pieces(50, "TAA", 30)).speaks_against()
    assert counted(*pieces(50, "TGA", 31)).uga_continued == 0
    assert counted(*pieces(50, "TGA", CONTINUED_WITHIN_BP)).uga_continued == 49
    assert counted(*pieces(50, "TGA", CONTINUED_WITHIN_BP + 3)).uga_continued == 0


def test_operons_that_continue_behind_every_stop_are_no_sign():
    total = counted(*pieces(50, "TGA", 30))
    total.add(*pieces(50, "TAG", 30))
    assert not total.speaks_against()


def test_few_genes_say_nothing_and_partial_ones_do_not_count():
    assert not counted(*pieces(MIN_GENES - 1, "TGA", 30)).speaks_against()
    codes, genes = pieces(3, "TGA", 30)
    genes[2].partial_3 = True
    over_the_origin = Gene("c", len(codes) - 30, len(codes) + 30, "+")
    assert counted(codes, [*genes, over_the_origin]).uga == 2
    assert counted(np.zeros(0, np.uint8), []) == StopCounts()
