import itertools
from collections import Counter

import numpy as np
import pytest
from Bio.Seq import Seq

from genoformer.annotation.models import Gene
from genoformer.annotation.tracks import (
    CODON_0,
    CODON_1,
    CODON_2,
    MASKED,
    START,
    STOP,
    gene_table,
    label_tracks,
)
from genoformer.sequence.alphabet import decode_bases, encode_bases, reverse_complement

GENOME_NAMES = ("ecoli", "haemophilus", "mycoplasma", "plasmid", "chloroplast")
PHAGE_NAMES = ("phix174", "lambda", "NC_019724", "NC_049491")
C0, C1, C2 = CODON_0, CODON_1, CODON_2


def label(text, *genes, circular=False, genetic_code=11):
    return label_tracks(encode_bases(text), genes, genetic_code=genetic_code, circular=circular)


def test_a_gene_of_three_codons_by_hand():
    tracks, masked = label("CCATGAAATAGC", Gene("c", 2, 11, "+"))
    assert tracks[0].tolist() == [0, 0, C0 | START, C1, C2, C0, C1, C2, C0 | STOP, C1, C2, 0]
    assert not tracks[1].any() and not masked


def test_on_the_minus_strand_start_and_stop_are_on_the_highest_base_of_their_codons():
    tracks, masked = label("CTATTTCAT", Gene("c", 0, 9, "-"))
    assert tracks[1].tolist() == [C2, C1, C0 | STOP, C2, C1, C0, C2, C1, C0 | START]
    assert not tracks[0].any() and not masked


def test_labels_of_the_reverse_complement_are_the_mirror_image():
    text, gene = "CCATGAAATAGC", Gene("c", 2, 11, "+")
    forward, _ = label(text, gene)
    mirrored = reverse_complement(encode_bases(text))
    backward, _ = label_tracks(mirrored, [Gene("c", 1, 10, "-")], genetic_code=11)
    assert np.array_equal(backward, forward[::-1, ::-1])


def test_overlapping_genes_are_or_ed():
    text = "ATGATGAAATGAAATAG"  # ATGATGAAATGA and, one base before its end, ATGAAATAG
    genes = [Gene("c", 0, 12, "+"), Gene("c", 8, 17, "+")]
    tracks, masked = label(text, *genes)
    assert not masked
    expected = np.zeros_like(tracks)
    for gene in genes:
        expected |= label(text, gene)[0]
    assert np.array_equal(tracks, expected)
    assert tracks[0, 9] == C0 | STOP | C1


def test_a_gene_over_the_origin_wraps_around():
    tracks, masked = label("AATAGCCCATGA", Gene("c", 8, 17, "+"), circular=True)
    assert not masked
    assert tracks[0].tolist() == [C1, C2, C0 | STOP, C1, C2, 0, 0, 0, C0 | START, C1, C2, C0]


@pytest.mark.parametrize(
    ("text", "gene", "expected"),
    [
        ("AAAATAGC", Gene("c", 0, 7, "+", partial_5=True, phase_offset=1), [C2, C0, C1, C2, C0 | STOP, C1, C2, 0]),
        ("CATGAAAA", Gene("c", 1, 8, "+", partial_3=True), [0, C0 | START, C1, C2, C0, C1, C2, C0]),
    ],
)
def test_a_gene_cut_off_by_the_contig_end_lacks_start_or_stop(text, gene, expected):
    tracks, masked = label(text, gene)
    assert tracks[0].tolist() == expected and not masked


def test_a_selenocysteine_is_no_stop():
    gene = Gene("c", 0, 12, "+", transl_except=((3, 6, "Sec"),))
    tracks, masked = label("ATGTGAAAATAA", gene)
    assert not masked and np.flatnonzero(tracks[0] & STOP).tolist() == [9]


NOT_REPRESENTABLE = [
    ("ATGAAATAA", Gene("c", 0, 9, "+", pseudo=True), "pseudogene"),
    ("ATGAAATAA", Gene("c", 0, 9, "+", trans_spliced=True), "trans-spliced"),
    ("ATGAAATAA", Gene("c", 0, 9, "+", slippage=True), "ribosomal slippage"),
    ("ATGCCCCTAA", Gene("c", 0, 10, "+", parts=((0, 3), (7, 10))), "gap too short for an intron"),
    ("ATG" + 15 * "C" + "TAA", Gene("c", 0, 21, "+", parts=((0, 3), (18, 21))), "joined"),
    ("CCCCCATGAAA", Gene("c", 5, 11, "+", partial_5=True), "partial inside the contig"),
    ("ATGAAANTAA", Gene("c", 0, 10, "+"), "length not a multiple of three"),
    ("ATGAANTAA", Gene("c", 0, 9, "+"), "ambiguous bases"),
    ("CCCAAATAA", Gene("c", 0, 9, "+"), "no start codon"),
    ("ATGAAAAAA", Gene("c", 0, 9, "+"), "no stop codon"),
    ("ATGTAATAA", Gene("c", 0, 9, "+"), "internal stop codon"),
    ("ATGAAATAA", Gene("c", 0, 12, "+"), "outside the contig"),
    ("AATGAAATAA", Gene("c", 0, 10, "+", phase_offset=1), "incomplete first codon"),
]


@pytest.mark.parametrize(("text", "gene", "reason"), NOT_REPRESENTABLE)
def test_what_labels_cannot_express_is_masked_on_both_strands_and_counted(text, gene, reason):
    tracks, masked = label(text, gene)
    assert masked == Counter({reason: 1})
    inside = np.zeros(len(text), dtype=bool)
    inside[gene.start : gene.end] = True
    assert np.array_equal(tracks == MASKED, np.stack([inside, inside])) and not tracks[:, ~inside].any()


def test_no_gene_is_cut_off_by_the_end_of_a_circle():
    cut_5, cut_3 = Gene("c", 0, 9, "+", partial_5=True), Gene("c", 0, 9, "+", partial_3=True)
    for text, gene in (("AAAAAATAA", cut_5), ("ATGAAAAAA", cut_3)):
        assert label(text, gene, circular=True)[1] == {"partial inside the contig": 1}
        assert not label(text, gene)[1]


def test_a_trans_spliced_gene_masks_its_parts_but_not_what_lies_between():
    gene = Gene("c", 0, 9, "+", parts=((0, 3), (6, 9)), trans_spliced=True)
    tracks, _ = label("ATGCCCTAA", gene)
    assert np.flatnonzero(tracks[0]).tolist() == [0, 1, 2, 6, 7, 8]


def test_an_empty_gene_list_gives_empty_tracks_and_table():
    tracks, masked = label("ACGT")
    assert tracks.shape == (2, 4) and not tracks.any() and not masked
    assert len(gene_table(encode_bases("ACGT"), [], genetic_code=11)) == 0


def test_the_gene_table_masks_what_the_tracks_mask():
    text = "ATGAAATAACTATTTCAT"
    genes = [Gene("c", 9, 18, "-"), Gene("c", 0, 9, "+", pseudo=True)]
    table = gene_table(encode_bases(text), genes, genetic_code=11)
    assert table.tolist() == [(0, 9, 1, True), (9, 18, -1, False)]


def recover(tracks, codes, genetic_code):
    """Proteins by (first base, strand), read from the labels alone: start bit, whole codons, stop bit."""
    length, letters = len(codes), decode_bases(codes)
    complement = str.maketrans("ACGT", "TGCA")
    proteins = {}
    for strand, row, step in (("+", tracks[0].tobytes(), 1), ("-", tracks[1].tobytes(), -1)):
        for first in np.flatnonzero(tracks[0 if strand == "+" else 1] & START).tolist():
            at, bases = first, []
            while not row[at] & STOP:
                bases += [letters[at], letters[(at + step) % length], letters[(at + 2 * step) % length]]
                assert row[at] & C0 and row[(at + step) % length] & C1 and row[(at + 2 * step) % length] & C2
                at = (at + 3 * step) % length
            text = "".join(bases)
            protein = str(Seq(text if strand == "+" else text.translate(complement)).translate(table=genetic_code))
            proteins[first, strand] = "M" + protein[1:]
    return proteins


def expected_proteins(truth):
    """GenBank's own /translation by (first base, strand), of CDS in one piece or over the origin."""
    proteins = {}
    for feature in truth.features:
        parts = feature.location.parts if feature.location else []
        is_odd = {"pseudo", "trans_splicing", "ribosomal_slippage"} & set(feature.qualifiers)
        touching = all(a.end == len(truth) and b.start == 0 for a, b in itertools.pairwise(parts))
        if feature.type == "CDS" and not is_odd and touching and "translation" in feature.qualifiers:
            first = parts[0].start if parts[0].strand == 1 else parts[0].end - 1
            strand = "+" if parts[0].strand == 1 else "-"
            if set(feature.extract(truth.seq)) <= set("ACGT"):
                proteins[int(first), strand] = feature.qualifiers["translation"][0].replace("U", "*")
    return proteins


@pytest.mark.data
@pytest.mark.parametrize("name", GENOME_NAMES + PHAGE_NAMES)
def test_every_labelled_gene_is_recovered_from_tracks_and_translates_as_in_genbank(genome, name):
    real = genome(name)
    tracks, masked = label_tracks(
        real.record.codes, real.annotation.genes, genetic_code=real.genetic_code, circular=real.circular
    )
    found, expected = recover(tracks, real.record.codes, real.genetic_code), expected_proteins(real.truth)
    if name == "chloroplast":  # ndhD: RNA editing makes its start codon
        assert masked["no start codon"] == 1
        del expected[117166, "-"]
    assert found == expected
    assert len(found) == len(real.annotation.genes) - masked.total()
    assert {strand for _, strand in found} == ({"+"} if name == "phix174" else {"+", "-"})


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("ecoli", {"pseudogene": 145, "ribosomal slippage": 3}),
        ("mycoplasma", {"pseudogene": 4, "ribosomal slippage": 8}),
        ("phix174", {}),
    ],
)
def test_masked_genes_of_real_genomes_are_counted_by_reason(genome, name, counts):
    real = genome(name)
    tracks, masked = label_tracks(
        real.record.codes, real.annotation.genes, genetic_code=real.genetic_code, circular=real.circular
    )
    table = gene_table(real.record.codes, real.annotation.genes, genetic_code=real.genetic_code, circular=real.circular)
    assert masked == Counter(counts)
    assert table["masked"].sum() == sum(counts.values()) and len(table) == len(real.annotation.genes)
    assert bool((tracks & MASKED).any()) == bool(counts)
