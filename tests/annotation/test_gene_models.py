import pytest
from Bio.Seq import Seq

from genoformer.annotation.gene_sequence import coding_positions, coding_sequence, translate_gene
from genoformer.annotation.models import Annotation, Gene, most_frequent_codes, order_genes, sort_genes
from genoformer.sequence.alphabet import decode_bases, encode_bases


def test_ends_are_those_of_the_reading_direction():
    plus, minus = Gene("c", 3, 12, "+"), Gene("c", 3, 12, "-")
    assert plus.five_prime == (3, "+") and plus.three_prime == (11, "+")
    assert minus.five_prime == (11, "-") and minus.three_prime == (3, "-")


def test_only_one_uninterrupted_frame_is_simple():
    assert Gene("c", 0, 9, "+").is_simple
    odd = [{"pseudo": True}, {"slippage": True}, {"trans_spliced": True}, {"parts": ((0, 3), (6, 9))}]
    assert not any(Gene("c", 0, 9, "+", **flags).is_simple for flags in odd)
    assert Gene("c", 0, 9, "+", parts=((0, 3), (6, 9))).length_bp == 6


@pytest.mark.parametrize(("start", "end", "strand"), [(3, 3, "+"), (-1, 3, "+"), (0, 3, "."), (0, 3, "1")])
def test_an_impossible_gene_is_refused(start, end, strand):
    with pytest.raises(ValueError, match="must"):
        Gene("c", start, end, strand)


def test_positions_follow_the_reading_direction_and_the_circle():
    assert coding_positions(Gene("c", 1, 9, "-", parts=((1, 3), (7, 9))), 10).tolist() == [8, 7, 2, 1]
    assert coding_positions(Gene("c", 8, 12, "+"), 10).tolist() == [8, 9, 0, 1]


def test_a_joined_sequence_is_that_of_biopython():
    text = "ACGTTGCAAC"
    gene = Gene("c", 1, 9, "-", parts=((1, 3), (7, 9)))
    assert decode_bases(coding_sequence(encode_bases(text), gene)) == str(Seq("CGAA").reverse_complement())


def test_a_trans_spliced_gene_has_no_sequence_here():
    with pytest.raises(ValueError, match="'x' is trans-spliced"):
        coding_sequence(encode_bases("ACGT"), Gene("c", 0, 3, "+", id="x", trans_spliced=True))


def test_a_start_codon_is_m_only_at_a_start():
    codes = encode_bases("GTGGTGTAA")
    assert translate_gene(codes, Gene("c", 0, 9, "+"), 11) == "MV*"
    assert translate_gene(codes, Gene("c", 0, 9, "+", partial_5=True), 11) == "VV*"


def test_genes_are_grouped_and_ordered_by_contig():
    genes = [Gene("b", 5, 8, "-"), Gene("a", 0, 3, "+"), Gene("b", 0, 3, "+"), Gene("b", 0, 9, "+")]
    assert [(g.contig, g.start, g.end) for g in order_genes(genes)] == [
        ("b", 0, 9),
        ("b", 0, 3),
        ("b", 5, 8),
        ("a", 0, 3),
    ]
    assert [g.start for g in sort_genes(genes[:1] + genes[2:3])] == [0, 5]
    annotation = Annotation(genes, contig_lengths={"z": 9})
    assert annotation.contigs == ["z", "b", "a"] and [len(g) for g in annotation.by_contig().values()] == [3, 1]


def test_the_most_frequent_table_of_a_contig_wins():
    genes = [Gene("c", 0, 3, "+", genetic_code=code) for code in (11, 4, 4, None)] + [Gene("d", 0, 3, "+")]
    assert most_frequent_codes(genes) == {"c": 4}
