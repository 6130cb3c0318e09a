"""Labels of genes with introns: by hand, mirrored, and back to genes on every real annotation."""

from dataclasses import replace

import numpy as np
import pytest
from intron_genes import END, LENGTH, gene, minus_gene, plus_gene, record

from genoformer.annotation.gene_sequence import translate_gene
from genoformer.annotation.intron_tracks import (
    ACCEPTOR,
    DONOR,
    STATE_MASK,
    genes_of_tracks,
    intron_gene_table,
    intron_tracks,
)
from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation, read_records
from genoformer.annotation.tracks import MASKED, START, STOP
from genoformer.sequence.alphabet import encode_bases

STATES = "1111" + "23423" + 16 * "7" + "42342342" + 15 * "6" + "34" + "111"
SIGNALS = {4: START, 9: DONOR, 25: ACCEPTOR, 32: STOP, 33: DONOR, 48: ACCEPTOR}


def label(strand, genes, **options):
    return intron_tracks(record(strand).codes, genes, genetic_code=1, **options)


def text(row):
    return "".join(str(state) for state in row & STATE_MASK)


def test_labels_by_hand():
    tracks, masked = label("+", [plus_gene()])
    assert text(tracks[0]) == STATES and not tracks[1].any() and not masked
    assert {int(i): int(tracks[0, i] & 0xF8) for i in np.flatnonzero(tracks[0] & 0xF8)} == SIGNALS


def test_the_minus_strand_mirrors_the_plus_strand():
    plus, minus = label("+", [plus_gene()])[0], label("-", [minus_gene()])[0]
    assert np.array_equal(minus[1][::-1], plus[0]) and not minus[0].any()


@pytest.mark.parametrize("strand", ["+", "-"])
def test_labels_give_the_gene_back(strand):
    (found,) = genes_of_tracks(label(strand, [gene(strand)])[0], "c")
    assert found == gene(strand)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"pseudo": True}, "pseudogene"),
        ({"trans_spliced": True}, "trans-spliced"),
        ({"slippage": True}, "ribosomal slippage"),
        ({"parts": ((4, 9), (25, 33), (48, 49)), "end": 49}, "length not a multiple of three"),
        ({"parts": ((4, 9), (25, 33)), "end": 33, "partial_3": True}, "partial inside the contig"),
        ({"parts": ((5, 9), (25, 33), (48, 51)), "start": 5, "end": 51}, "no start codon"),
        ({"parts": ((4, 9), (21, 33), (48, 50))}, "gap too short for an intron"),
        ({"parts": ((4, 9), (8, 33), (48, 50))}, "gap too short for an intron"),
    ],
)
def test_what_labels_cannot_express_is_masked_on_both_strands(changed, reason):
    odd = replace(plus_gene(), **{"exons": (), **changed})
    tracks, masked = label("+", [odd])
    assert masked == {reason: 1}
    where = np.zeros(LENGTH, bool)
    for start, end in odd.parts if odd.trans_spliced else [(odd.start, odd.end)]:
        where[start:end] = True
    assert np.array_equal(tracks == MASKED, [where, where])


def test_an_internal_stop_over_a_splice_site_is_seen():
    codes = encode_bases("ATGT" + "AGTAAAAAAAAAAAA" + "GACCCTAA")  # ATG T|GA CCC TAA with an intron of 15 bases
    split = Gene("c", 0, 27, "+", parts=((0, 4), (19, 27)))
    assert intron_tracks(codes, [split], genetic_code=1)[1] == {"internal stop codon": 1}


def test_an_intron_between_untranslated_exons_is_masked_on_its_strand():
    codes = encode_bases("CCGTAAAGCATGAAATAA")
    spliced = Gene("c", 9, 18, "+", exons=((0, 2), (8, 18)))
    tracks, _ = intron_tracks(codes, [spliced], genetic_code=1)
    assert np.flatnonzero(tracks[0] & MASKED).tolist() == list(range(2, 8)) and not tracks[1].any()
    assert text(tracks[0]) == "110000001234234234"


def test_what_two_genes_of_one_strand_claim_is_masked_there():
    codes = encode_bases("ATGCATGCCTAAATGA")
    genes = [Gene("c", 0, 12, "+"), Gene("c", 4, 16, "+")]
    tracks, _ = intron_tracks(codes, genes, genetic_code=1)
    assert np.flatnonzero(tracks[0] & MASKED).tolist() == list(range(4, 12)) and not tracks[1].any()


def test_the_table_holds_one_row_for_each_gene():
    short = Gene("c", 4, 9, "+", parts=((4, 9),), attributes={"gene_id": "g"}, partial_3=True)
    rows = intron_gene_table(record("+").codes, [plus_gene(attributes={"gene_id": "g"}), short], genetic_code=1)
    assert rows.tolist() == [(4, END, 1, False)]


REAL = {
    "worm": ("genome_1pct_c_elegans/C.elegans.1pct.fa.gz", "genome_1pct_c_elegans/C.elegans.1pct.gff.gz", "WormBase"),
    "tair": ("genome_1pct_a_thaliana/A.thaliana.1pct.fa.gz", "genome_1pct_a_thaliana/A.thaliana.1pct.gff.gz", "TAIR10"),
    "yeast": ("genome_yeast_s288c/sc_chrom1.gb.gz", "genome_yeast_s288c/sc_chrom1.gff3.gz", None),
    "bac": ("genome_arabidopsis_bac/arab1.gb.gz", "genome_arabidopsis_bac/arab1.gb.gz", None),
}  # fmt: skip
# Genes that labels hold whole, genes that are masked, of them pseudogenes; some genes lie over each other. One gene of
# the BAC has a gap of a few bases inside its CDS.
COUNTS = {"worm": (152, 34, 30), "tair": (342, 11, 7), "yeast": (94, 1, 1), "bac": (17, 1, 0)}


@pytest.mark.parametrize("name", REAL)
def test_real_genes_come_back_from_their_labels_and_translate(data_dir, name):
    sequence, rows, source = REAL[name]
    genes = read_annotation(data_dir / rows, sources=[source] if source else []).by_contig()
    n_whole, n_masked, n_pseudo = 0, 0, 0
    for contig in read_records(data_dir / sequence):
        tracks, masked = intron_tracks(contig.codes, genes.get(contig.id, []), genetic_code=1)
        known = {(gene.strand, gene.parts) for gene in genes.get(contig.id, [])}
        n_masked, n_pseudo = n_masked + masked.total(), n_pseudo + masked["pseudogene"]
        for found in genes_of_tracks(tracks, contig.id):
            protein = translate_gene(contig.codes, found, 1)
            assert (found.strand, found.parts) in known
            assert protein[0] == "M" and protein.find("*") == len(protein) - 1
            n_whole += 1
    assert (n_whole, n_masked, n_pseudo) == COUNTS[name]
