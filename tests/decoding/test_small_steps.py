"""Small steps of gene calling that are asked for by themselves."""

from itertools import pairwise

import numpy as np
import pytest
from Bio.Seq import Seq

from genoformer.annotation.models import Gene
from genoformer.decoding.binding_site import WINDOW_BP
from genoformer.decoding.caller import plan_blocks
from genoformer.decoding.candidates import BUFFER_MARGIN_BP
from genoformer.decoding.genome_counts import copy_upstream, word_at
from genoformer.decoding.introns.motifs import count_genes
from genoformer.decoding.introns.stream import stretches
from genoformer.decoding.options import CallOptions
from genoformer.decoding.orfs import earliest_open_base
from genoformer.decoding.readings import shared_stops
from genoformer.sequence.alphabet import encode_bases, reverse_complement

TEXT = "".join(np.random.default_rng(0).choice(list("ACGT"), 80))
CODES = encode_bases(TEXT)


@pytest.mark.parametrize("strand", [1, -1])
def test_words_are_those_of_the_strand_and_none_at_what_is_unknown(strand):
    read = TEXT if strand > 0 else str(Seq(TEXT).reverse_complement())
    for place in (0, 5, 60):
        first = place if strand > 0 else len(TEXT) - 1 - place
        for n in (1, 5, 6):
            number = int("".join(str("ACGT".index(base)) for base in read[place : place + n]), 4)
            assert word_at(CODES, first, strand, n) == number
    assert word_at(CODES, 78 if strand > 0 else 1, strand, 3) == -1
    unknown = CODES.copy()
    unknown[40] = 4
    assert word_at(unknown, 40 - 2 * strand, strand, 3) == -1 <= word_at(unknown, 40 - 3 * strand, strand, 3)


def test_the_binding_site_is_looked_for_in_the_eighteen_bases_that_end_two_before_the_start():
    windows = np.zeros((2, WINDOW_BP), np.uint8)
    copy_upstream(CODES, np.array([30, 10]), np.array([1, 1]), windows)
    assert windows.tolist() == [CODES[10:28].tolist(), [4] * 10 + CODES[:8].tolist()]
    copy_upstream(CODES, np.array([49]), np.array([-1]), windows)
    assert windows[0].tolist() == reverse_complement(CODES)[10:28].tolist()


def test_blocks_begin_before_whatever_is_open_at_the_end_of_the_last():
    codes = np.random.default_rng(1).integers(0, 4, 6_000).astype(np.uint8)
    options = CallOptions(buffer_bp=500)
    blocks = list(plan_blocks(codes, range(200, 6_001, 200), options))
    assert len(blocks) > 4 and blocks[0].begin == 0 and blocks[-1].end == len(codes)
    for before, block in pairwise(blocks):
        is_open = earliest_open_base(codes[: before.emit_to], stop_mask=shared_stops(options))
        assert block.emitted_to == before.emit_to
        assert before.begin <= block.begin <= max(is_open - BUFFER_MARGIN_BP, 0)
    assert blocks[-1].begin > 0


def test_stretches_between_gaps_hold_something():
    unknown = np.full(30, 4, np.uint8)
    assert stretches(unknown, 9) == [] and stretches(CODES, 9) == [(0, 80)]
    assert stretches(np.concatenate([unknown, CODES, unknown]), 9) == [(30, 110)]


def test_genes_are_counted_with_their_introns():
    genes = [Gene("c", 0, 30, "+", parts=((0, 9), (18, 30))), Gene("c", 40, 61, "-")]
    found = count_genes(CODES, genes)
    assert (found.genes, found.introns, found.coding_bp, found.codons.sum()) == (2, 1, 42, 14)
