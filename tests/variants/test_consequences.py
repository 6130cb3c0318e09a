"""Consequences by hand, on both strands, with introns and over an origin."""

import pytest

from genoformer.annotation.models import Gene
from genoformer.sequence.alphabet import decode_bases, encode_bases, reverse_complement
from genoformer.variants.alleles import Change, trimmed
from genoformer.variants.consequences import CodingGene, GeneIndex, changed_bases, consequence_of

#        0         1         2         3
#        0123456789012345678901234567890123
TEXT = "CCAAAATGGCTTGGAAATTTTAACCGGCCTTAAC"
#              M  A  W  K  F  *
START, END = 5, 23


def found(ref_at, ref, alt, *, strand="+", text=TEXT, parts=((START, END),), code=11, **about):
    """Terms and amino acids; on "-" everything is turned first."""
    codes, n = encode_bases(text), len(text)
    assert text[ref_at : ref_at + len(ref)] == ref
    change = trimmed(ref_at, ref, alt)
    if strand == "-":
        codes = reverse_complement(codes)
        change = Change(n - change.end, n - change.start, reverse_complement(change.bases))
        parts = tuple((n - end, n - start) for start, end in parts[::-1])
    gene = Gene("c", parts[0][0], parts[-1][1], strand, parts=parts, id="g", **about)
    one = consequence_of(change, CodingGene(gene, codes, code))
    return None if one is None else ("&".join(one.terms), one.amino_acids)


CASES = [
    (9, "C", "A", "missense", "2A>2D"),
    (10, "T", "C", "synonymous", "2A"),
    (13, "G", "A", "stop_gained", "3W>3*"),
    (5, "A", "G", "start_lost", "1M>1V"),
    (20, "T", "C", "stop_lost", "6*>6Q"),
    (22, "A", "G", "stop_retained", "6*"),
    (9, "C", "CA", "frameshift", "2A>2fs"),
    (9, "CT", "C", "frameshift", "2A>2fs"),
    (10, "T", "TGCA", "inframe_insertion", "3>3A"),
    (10, "TTGG", "T", "inframe_deletion", "3W>3"),
    (10, "T", "TTAG", "stop_gained&inframe_insertion", "3>3*"),
    (8, "GCT", "AAA", "missense", "2A>2K"),
    (4, "A", "C", None, None),
    (23, "C", "G", None, None),
]


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize(("at", "ref", "alt", "terms", "amino_acids"), CASES)
def test_consequences_are_alike_on_both_strands(strand, at, ref, alt, terms, amino_acids):
    text = TEXT
    one = found(at, ref, alt, strand=strand, text=text)
    assert one == (None if terms is None else (terms, amino_acids))


@pytest.mark.parametrize("strand", ["+", "-"])
def test_a_start_that_comes_out_as_it_was_is_not_lost(strand):
    assert found(2, "AAAA", "AAA", strand=strand) is None  # one A of the run, before the gene
    assert found(4, "AA", "A", strand=strand) in (None, ("start_retained", ""))  # the same, named by another place
    assert found(6, "T", "TGAT", strand=strand)[0] == "inframe_insertion"  # ATGATG


def test_a_start_codon_other_than_atg_is_lost_and_won():
    text = TEXT.replace("AAATGG", "AAGTGG")
    assert found(5, "G", "C", text=text)[0] == "start_lost"
    assert found(5, "G", "A", text=text)[0] == "start_retained"
    assert found(5, "G", "C", text=text, code=1)[0] == "missense"  # GTG is no start in the standard code


def test_a_partial_gene_has_no_start_to_lose():
    assert found(5, "A", "C", partial_5=True)[0] == "missense"


#           0         1         2         3         4
#           01234567890123456789012345678901234567890123456
INTRONED = "CCCCCATGGCTGTAAGTCCCCCCCCCCTTTCAGAAATTTTAACCCCC"
PARTS = ((5, 11), (33, 42))
#                M  A  G                         (GCT | AAA TTT TAA)


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize(
    ("at", "ref", "alt", "terms"),
    [
        (11, "G", "A", "splice_donor"),
        (12, "T", "A", "splice_donor"),
        (32, "G", "A", "splice_acceptor"),
        (31, "A", "C", "splice_acceptor"),
        (14, "A", "C", "splice_region"),
        (22, "C", "A", "intron"),
        (10, "T", "C", "splice_region&synonymous"),
        (33, "A", "C", "missense&splice_region"),
        (38, "T", "A", "missense"),
        (9, "CTG", "C", "splice_donor&frameshift"),
    ],
)
def test_splice_sites_on_both_strands(strand, at, ref, alt, terms):
    terms_found = found(at, ref, alt, strand=strand, text=INTRONED, parts=PARTS)[0]
    assert set(terms_found.split("&")) == set(terms.split("&"))


def test_untranslated_regions_are_told_where_exons_reach_beyond_the_coding_parts():
    exons = ((2, 11), (33, 45))
    assert found(3, "C", "A", text=INTRONED, parts=PARTS, exons=exons) == ("5_prime_utr", "")
    assert found(43, "C", "A", text=INTRONED, parts=PARTS, exons=exons) == ("3_prime_utr", "")


def test_a_gene_over_the_origin_is_found_from_both_sides():
    codes = encode_bases("TGGAAATAGCCCCCCCCCCCCA")  # A|TG GAA ATA G: read over the end
    gene = Gene("c", 21, 31, "+", parts=((21, 31),), id="g", partial_3=True)
    index = GeneIndex([gene], codes, 11, is_circular=True)
    assert index.consequences(Change(2, 3, encode_bases("T")))[0].amino_acids == "2E>2*"
    assert index.consequences(Change(21, 22, encode_bases("C")))[0].terms == ("start_lost",)
    assert index.consequences(Change(14, 15, encode_bases("A"))) == []


def test_genes_that_have_no_plain_frame_are_left_out():
    codes = encode_bases(TEXT)
    genes = [Gene("c", START, END, "+", pseudo=True), Gene("c", START, END, "+", trans_spliced=True)]
    assert GeneIndex(genes, codes, 11).consequences(Change(9, 10, encode_bases("A"))) == []


def test_changed_bases_are_those_of_the_gene_alone():
    codes = encode_bases(TEXT)
    coding = CodingGene(Gene("c", START, END, "+"), codes, 11)
    assert decode_bases(changed_bases(trimmed(9, "C", "CAA"), coding)) == "ATGGCAATTGGAAATTTTAA"
    assert decode_bases(changed_bases(trimmed(20, "TAACC", "T"), coding)) == "ATGGCTTGGAAATTTT"
    assert changed_bases(trimmed(0, "C", "G"), coding) is None
