"""CDS with and without their stop codon become the same gene."""

from dataclasses import replace

import pytest
from intron_genes import gene, record

from genoformer.annotation.models import Gene
from genoformer.annotation.stop_codons import include_stop_codons, without_stop_codon
from genoformer.sequence.alphabet import encode_bases, reverse_complement


@pytest.mark.parametrize("strand", ["+", "-"])
def test_a_split_stop_codon_is_cut_off_and_found_again_through_the_exons(strand):
    whole = gene(strand)
    short = without_stop_codon(whole)
    assert short.length_bp == whole.length_bp - 3 and len(short.parts) == 2
    assert include_stop_codons(record(strand).codes, [short], 1) == [whole]


@pytest.mark.parametrize("strand", ["+", "-"])
def test_a_cds_that_holds_its_stop_codon_stays(strand):
    assert include_stop_codons(record(strand).codes, [gene(strand)], 1) == [gene(strand)]


def test_without_exons_the_next_three_bases_decide():
    codes = encode_bases("ATGAAATAATAA")
    assert include_stop_codons(codes, [Gene("c", 0, 6, "+")], 1) == [Gene("c", 0, 9, "+")]
    assert include_stop_codons(codes, [Gene("c", 0, 3, "+")], 1) == [Gene("c", 0, 3, "+")]


def test_the_genetic_code_decides_what_a_stop_is():
    codes, cut = encode_bases("ATGAAATGA"), Gene("c", 0, 6, "+")
    assert include_stop_codons(codes, [cut], 1) == [replace(cut, end=9, parts=((0, 9),))]
    assert include_stop_codons(codes, [cut], 4) == [cut]


def test_partial_genes_and_the_end_of_the_contig_are_left_alone():
    codes = encode_bases("ATGAAATAA")
    partial, last = Gene("c", 0, 6, "+", partial_3=True), Gene("c", 0, 8, "+")
    assert include_stop_codons(codes, [partial, last], 1) == [partial, last]


@pytest.mark.parametrize("strand", ["+", "-"])
def test_an_end_without_row_is_closed_by_the_bases_but_not_at_the_end_of_the_contig(strand):
    """At the end of a contig a gene that lacks its stop codon may end at a codon that means selenocysteine."""
    for tail, is_open in (("", True), ("CCC", False)):
        codes = encode_bases("CCC" + "ATGAAATGA" + tail)
        gene = Gene("c", 3, 12, "+", partial_3=True, assumed_3=True)
        if strand == "-":
            gene = replace(
                gene, start=len(codes) - 12, end=len(codes) - 3, strand="-", parts=((len(codes) - 12, len(codes) - 3),)
            )
            codes = reverse_complement(codes)
        assert include_stop_codons(codes, [gene], 1)[0].partial_3 == is_open
