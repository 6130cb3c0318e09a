"""A simulated genome keeps its promises; Biopython reads every gene that is said to be there."""

import gzip
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from Bio import SeqIO
from Bio.Data.CodonTable import unambiguous_dna_by_id
from Bio.Seq import Seq

from genoformer.annotation.tracks import CODON_0, START, STOP, label_tracks
from genoformer.errors import UsageError
from genoformer.genomes.simulate import AMINO_ACID_PERCENT, simulate_genome
from genoformer.sequence.alphabet import decode_bases

SIZE = {"length_bp": 150_000, "gc": 0.5, "seed": 7}


def genome(**changes):
    return list(simulate_genome(**{**SIZE, **changes}))


def coding_sequences(contigs):
    for record, genes in contigs:
        letters = Seq(decode_bases(record.codes))
        for gene in genes:
            part = letters[gene.start : gene.end]
            yield gene, part if gene.strand == "+" else part.reverse_complement()


@pytest.mark.parametrize(("genetic_code", "gc"), [(11, 0.5), (11, 0.7), (4, 0.25), (25, 0.4), (1, 0.5)])
def test_every_gene_translates_without_internal_stop(genetic_code, gc):
    table = unambiguous_dna_by_id[genetic_code]
    genes = list(coding_sequences(genome(genetic_code=genetic_code, gc=gc)))
    assert len(genes) > 90
    for gene, bases in genes:
        assert str(bases[:3]) in table.start_codons, gene
        # cds=True raises for a length that is no multiple of three, an internal stop codon and a missing stop codon
        assert len(bases.translate(table=genetic_code, cds=True)) >= 29
        assert gene.genetic_code == genetic_code


@pytest.mark.parametrize("gc", [0.2, 0.35, 0.5, 0.65, 0.8])
def test_gc_is_as_asked_in_genes_and_between_them(gc):
    ((record, genes),) = genome(gc=gc, length_bp=400_000, coding_fraction=0.6)
    is_gc = np.isin(record.codes, (1, 2))
    in_gene = np.zeros(len(record), bool)
    for gene in genes:
        in_gene[gene.start : gene.end] = True
    assert is_gc.mean() == pytest.approx(gc, abs=0.02)
    assert is_gc[in_gene].mean() == pytest.approx(gc, abs=0.02)
    assert is_gc[~in_gene].mean() == pytest.approx(gc, abs=0.02)


@pytest.mark.parametrize("coding_fraction", [0.1, 0.5, 0.87, 0.94])
def test_coding_fraction_is_as_asked(coding_fraction):
    length_bp = 2_000_000
    ((_, genes),) = genome(length_bp=length_bp, coding_fraction=coding_fraction)
    # four standard deviations of the mean gap at the smallest fraction, where some 180 genes fill the genome
    assert sum(gene.length_bp for gene in genes) / length_bp == pytest.approx(coding_fraction, abs=0.04)


def test_neighbours_of_one_operon_share_four_or_one_bases_or_nearly_touch():
    ((_, genes),) = genome(length_bp=600_000)
    shared = Counter(a.end - b.start for a, b in pairwise(genes) if a.end > b.start)
    assert set(shared) == {4, 1}
    assert shared[4] > shared[1] > 0
    assert all(a.strand == b.strand for a, b in pairwise(genes) if a.end > b.start)
    assert {gene.strand for gene in genes} == {"+", "-"}
    runs = 1 + sum(a.strand != b.strand for a, b in pairwise(genes))
    assert len(genes) / runs > 3  # independent strands would give runs of two genes


def test_where_genes_overlap_the_labels_of_both_are_there():
    ((record, genes),) = genome()
    tracks, masked = label_tracks(record.codes, genes, genetic_code=11)
    assert not masked
    pairs = [(a, b) for a, b in pairwise(genes) if a.end - b.start == 4 and a.strand == "+"]
    assert pairs
    for first, second in pairs:
        assert tracks[0, second.start] & START and tracks[0, second.start] & CODON_0
        assert tracks[0, first.end - 3] & STOP and tracks[0, first.end - 3] & CODON_0


def test_overlaps_that_the_genetic_code_cannot_have_do_not_occur():
    ((_, genes),) = genome(genetic_code=4)  # TGA is tryptophan: no ATGA
    shared = {a.end - b.start for a, b in pairwise(genes) if a.end > b.start}
    assert shared == {1}


def test_gene_lengths_have_a_median_near_900_bp_and_a_minimum_of_90_bp():
    ((_, genes),) = genome(length_bp=3_000_000)
    lengths = [gene.length_bp for gene in genes]
    assert np.median(lengths) == pytest.approx(900, rel=0.05)
    assert min(lengths) >= 90


def test_start_codons_have_the_published_shares():
    starts = Counter(str(bases[:3]) for _, bases in coding_sequences(genome(length_bp=3_000_000)))
    total = sum(starts.values())
    # the second gene of an overlap always begins with ATG: 20 % of the genes, which the other 80 % dilute
    assert starts["ATG"] / total == pytest.approx(0.83 + 0.2 * 0.17, abs=0.03)
    assert starts["GTG"] > starts["TTG"] > 0


def test_a_ribosome_site_stands_before_genes_and_not_elsewhere():
    ((record, genes),) = genome(length_bp=600_000)
    letters = Seq(decode_bases(record.codes))
    before = [
        letters[gene.start - 16 : gene.start - 5]
        if gene.strand == "+"
        else letters[gene.end + 5 : gene.end + 16].reverse_complement()
        for gene in genes
        if 16 <= gene.start and gene.end + 16 <= len(letters)
    ]
    found = sum("AGGAGG" in str(bases) for bases in before) / len(before)
    background = letters.count_overlap("AGGAGG") / len(letters)
    assert found > 0.25  # intact in .88 ** 6 = .46 of the sites
    assert background < 0.002


def test_background_has_no_period_of_three():
    ((record, genes),) = genome(coding_fraction=0.1, length_bp=400_000)
    edges = [0, *sorted({edge for gene in genes for edge in (gene.start, gene.end)}), len(record)]
    stretches = [record.codes[a:b] for a, b in pairwise(edges) if b - a > 10_000]
    assert stretches
    for codes in stretches:
        shares = np.array([np.isin(codes[i::3], (1, 2)).mean() for i in range(3)])
        assert np.ptp(shares) < 0.05  # standard error of each is below .01


def test_the_same_seed_gives_the_same_genome_and_another_one_does_not():
    first, again, other = genome(), genome(), genome(seed=8)
    assert np.array_equal(first[0][0].codes, again[0][0].codes)
    assert first[0][1] == again[0][1]
    assert not np.array_equal(first[0][0].codes, other[0][0].codes)


def test_contigs_differ_and_their_lengths_add_up():
    contigs = genome(length_bp=100_001, n_contigs=3)
    assert [len(record) for record, _ in contigs] == [33_334, 33_334, 33_333]
    assert len({record.id for record, _ in contigs}) == 3
    assert not np.array_equal(contigs[0][0].codes[:1_000], contigs[1][0].codes[:1_000])
    for record, genes in contigs:
        assert {gene.contig for gene in genes} == {record.id}
        assert all(0 <= gene.start < gene.end <= len(record) for gene in genes)


def test_a_contig_too_short_for_a_gene_has_none():
    ((record, genes),) = genome(length_bp=60)
    assert (len(record), genes) == (60, [])


@pytest.mark.parametrize(
    ("changes", "offending"),
    [
        ({"gc": 0.9}, "0.9"),
        ({"gc": float("nan")}, "nan"),
        ({"coding_fraction": 1.0}, "1.0"),
        ({"length_bp": 0}, "0 bp"),
        ({"length_bp": 2, "n_contigs": 3}, "3 contigs"),
        ({"seed": -1}, "-1"),
        ({"genetic_code": 8}, "8"),
    ],
)
def test_argument_out_of_range_is_refused_at_the_call(changes, offending):
    with pytest.raises(UsageError, match=offending):
        simulate_genome(**{**SIZE, **changes})


@pytest.mark.data
def test_amino_acid_shares_are_those_of_the_two_genomes_named(data_dir):
    shares = []
    for name in (
        "genome_ecoli_k12/GCF_000005845.2_ASM584v2_genomic.gbff.gz",
        "genome_haemophilus_rd/NC_000907.1.gbk.gz",
    ):
        counts = Counter()
        with gzip.open(data_dir / name, "rt") as file:
            for record in SeqIO.parse(file, "genbank"):
                for feature in record.features:
                    counts.update(feature.qualifiers.get("translation", [""])[0][1:])
        total = sum(counts[amino_acid] for amino_acid in AMINO_ACID_PERCENT)
        shares.append([100 * counts[amino_acid] / total for amino_acid in AMINO_ACID_PERCENT])
    assert np.mean(shares, axis=0) == pytest.approx(list(AMINO_ACID_PERCENT.values()), abs=0.006)
