"""Contigs from single-gene loci: neither place nor strand tells where a gene is, and no gene is changed."""

from collections import Counter

import numpy as np
import pytest

from genoformer.annotation.gene_sequence import translate_gene
from genoformer.annotation.models import Gene
from genoformer.genomes.locus_contigs import Locus, build_contigs, count_composition, generate, mirrored, shared_with
from genoformer.sequence.alphabet import decode_bases, encode_bases, reverse_complement

CODING = "ATGAAACCC" + "GTTTAG" + "GGGTAA"
FLANK = 99


@pytest.fixture(scope="module")
def loci():
    rng = np.random.default_rng(0)
    found = []
    for i in range(60):
        flanks = rng.integers(0, 4, (2, FLANK)).astype(np.uint8)
        codes = np.concatenate([flanks[0], encode_bases("CC" + CODING + "C"), flanks[1]])
        parts = ((101, 110), (116, 122))
        gene = Gene(f"locus{i}", 101, 122, "+", parts=parts, exons=((99, 110), (116, 123)), id=f"locus{i}")
        found.append(Locus(f"locus{i}", codes, gene))
    return found


COMPOSITION = count_composition([np.random.default_rng(1).integers(0, 4, 5000).astype(np.uint8)])


def test_every_locus_is_used_once_and_keeps_its_protein_and_exons(loci):
    contigs = build_contigs(loci, COMPOSITION, prefix="train", seed=3, loci_per_contig=25)
    assert [record.id for record, _ in contigs] == ["train-001", "train-002", "train-003"]
    genes = [(record, gene) for record, found in contigs for gene in found]
    assert sorted(gene.id for _, gene in genes) == sorted(locus.id for locus in loci)
    for record, gene in genes:
        assert gene.contig == record.id and translate_gene(record.codes, gene, 1) == "MKPG*"
        low, high = gene.transcript_span
        text = decode_bases(record.codes[low:high])
        expected = "CC" + CODING + "C"
        assert text == (expected if gene.strand == "+" else decode_bases(reverse_complement(encode_bases(expected))))


def test_strands_flanks_and_gaps_are_random_and_the_seed_decides(loci):
    contigs = build_contigs(loci, COMPOSITION, prefix="t", seed=3, loci_per_contig=60)
    again = build_contigs(loci, COMPOSITION, prefix="t", seed=3, loci_per_contig=60)
    other = build_contigs(loci, COMPOSITION, prefix="t", seed=4, loci_per_contig=60)
    ((record, genes),), ((same, _),), ((different, _),) = contigs, again, other
    assert np.array_equal(record.codes, same.codes) and not np.array_equal(record.codes, different.codes)
    assert min(Counter(gene.strand for gene in genes).values()) > 15
    gaps = np.diff([0, *(end for gene in genes for end in gene.transcript_span), len(record)])[::2]
    assert len(genes) == 60 and gaps.min() >= 200 and gaps.max() <= 3000 + 2 * FLANK and gaps.std() > 500


def test_flanks_have_every_length_up_to_the_longest(loci):
    lengths = set()
    for seed in range(8):
        for record, genes in build_contigs(loci, COMPOSITION, prefix="t", seed=seed, gap_bp=(0, 0), loci_per_contig=1):
            low, high = genes[0].transcript_span
            lengths |= {low, len(record) - high}
    assert min(lengths) == 0 and max(lengths) == FLANK and len(lengths) > 90


def test_a_mirrored_gene_has_the_same_protein():
    codes = encode_bases("CC" + CODING + "CCCC")
    gene = Gene("c", 2, 23, "+", parts=((2, 11), (17, 23)), exons=((0, 11), (17, 25)))
    mirror = mirrored(gene, len(codes))
    assert translate_gene(reverse_complement(codes), mirror, 1) == "MKPG*" and mirrored(mirror, len(codes)) == gene


def test_a_mirrored_selenoprotein_keeps_its_selenocysteine():
    codes = encode_bases("CC" + "ATGAAATGACCCTAA" + "C")
    gene = Gene("c", 2, 17, "+", transl_except=((8, 11, "Sec"),))
    mirror = mirrored(gene, len(codes))
    assert mirror.transl_except == ((7, 10, "Sec"),) and mirrored(mirror, len(codes)) == gene
    assert translate_gene(reverse_complement(codes), mirror, 11) == translate_gene(codes, gene, 11) == "MKUP*"


def test_generated_sequence_has_the_composition_it_was_made_from():
    rich = np.array([0, 0, 0, 1, 3, 3, 3, 0, 3, 0], np.uint8)
    real = rich[np.random.default_rng(2).integers(0, 10, 50_000)]
    made = generate(count_composition([real]), 50_000, np.random.default_rng(0))
    both = np.concatenate([real, reverse_complement(real)])
    assert np.abs(np.bincount(made, minlength=4) / len(made) - np.bincount(both, minlength=4) / len(both)).max() < 0.01


def test_shared_sequence_is_found_on_either_strand():
    rng = np.random.default_rng(0)
    a, b, c = (rng.integers(0, 4, 200).astype(np.uint8) for _ in range(3))
    joined = np.concatenate([b[:100], reverse_complement(a)[40:100], c[:50]])
    assert shared_with([joined, c], [a]) == [True, False]
    assert shared_with([joined], [a], window_bp=61) == [False]
