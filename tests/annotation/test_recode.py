"""Recoded sequence: still the same genes under the same labels, of another composition."""

import numpy as np
import pytest
from Bio.Data.CodonTable import unambiguous_dna_by_id
from Bio.Seq import Seq

from genoformer.annotation.models import Gene
from genoformer.annotation.recode import UPSTREAM_BP, draw_recoding, recode
from genoformer.annotation.tracks import MASKED, label_tracks
from genoformer.sequence.alphabet import decode_bases, encode_bases, reverse_complement

N_CODONS = 200
GENE_BP = 3 * (N_CODONS + 2)


def random_gene(rng, table: int) -> str:
    """ATG, sense codons, TAA."""
    sense = [codon for codon, aa in unambiguous_dna_by_id[table].forward_table.items() if aa != "*"]
    return "ATG" + "".join(rng.choice(sense, N_CODONS)) + "TAA"


def contig(table: int = 11, seed: int = 0):
    """Codes, tracks and genes of 200 intergenic bases, a "+" gene, 200 bases, a "-" gene, 200 bases."""
    rng = np.random.default_rng(seed)
    between = ["".join(rng.choice(list("ACGT"), 200)) for _ in range(3)]
    minus = str(Seq(random_gene(rng, table)).reverse_complement())
    codes = encode_bases(between[0] + random_gene(rng, table) + between[1] + minus + between[2])
    genes = [Gene("c", 200, 200 + GENE_BP, "+"), Gene("c", 400 + GENE_BP, 400 + 2 * GENE_BP, "-")]
    tracks, masked = label_tracks(codes, genes, genetic_code=table)
    assert not masked
    return codes, tracks, genes


def gene_bases(codes, gene) -> str:
    piece = codes[gene.start : gene.end]
    return decode_bases(piece if gene.strand == "+" else reverse_complement(piece))


def recoded(table=11, seed=0):
    codes, tracks, genes = contig(table)
    generator = np.random.default_rng(seed)
    recoding = draw_recoding(table, generator)
    return codes, recode(codes, tracks, recoding, generator), tracks, genes, recoding


@pytest.mark.parametrize("table", [4, 11, 25])
@pytest.mark.parametrize("seed", range(6))
def test_recoded_genes_translate_without_inner_stop_and_keep_their_labels(table, seed):
    _, new, tracks, genes, recoding = recoded(table, seed)
    for gene in genes:
        protein = str(Seq(gene_bases(new, gene)).translate(table=recoding.code.number))
        assert protein.endswith("*") and "*" not in protein[:-1]
    again, masked = label_tracks(new, genes, genetic_code=recoding.code.number)
    assert not masked and np.array_equal(again, tracks)


def test_starts_stops_and_what_lies_before_a_start_stay():
    for seed in range(20):
        codes, new, _, genes, recoding = recoded(11, seed)
        for gene in genes:
            assert gene_bases(new, gene)[:3] == gene_bases(codes, gene)[:3]
            if recoding.code.number == 11:
                assert gene_bases(new, gene)[-3:] == gene_bases(codes, gene)[-3:]
        plus, minus = genes
        assert np.array_equal(new[plus.start - UPSTREAM_BP : plus.start], codes[plus.start - UPSTREAM_BP : plus.start])
        assert np.array_equal(new[minus.end : minus.end + UPSTREAM_BP], codes[minus.end : minus.end + UPSTREAM_BP])


def test_composition_moves_both_ways_and_far():
    shares = []
    for seed in range(60):
        _, new, *_ = recoded(11, seed)
        shares.append(np.isin(new, (1, 2)).mean())
    assert min(shares) < 0.36 and max(shares) > 0.62


def test_some_amino_acids_change_but_most_stay():
    kept = []
    for seed in range(20):
        codes, new, _, genes, recoding = recoded(11, seed)
        old_protein = Seq(gene_bases(codes, genes[0])).translate(table=11)
        new_protein = Seq(gene_bases(new, genes[0])).translate(table=recoding.code.number)
        kept.append(np.mean([a == b for a, b in zip(old_protein, new_protein, strict=True)]))
    assert 0.5 < np.mean(kept) < 0.97 and min(kept) < 0.9


def test_uga_becomes_a_codon_of_tryptophan_under_code_4():
    seen = set()
    for seed in range(40):
        codes, new, _, genes, recoding = recoded(11, seed)
        if recoding.code.number != 4:
            continue
        old, written = gene_bases(codes, genes[0]), gene_bases(new, genes[0])
        seen |= {written[i : i + 3] for i in range(0, len(old), 3) if old[i : i + 3] == "TGG"}
    assert "TGA" in seen


def test_stop_that_the_written_code_reads_is_replaced():
    rng = np.random.default_rng(3)
    codes = encode_bases("ACGT" * 10 + random_gene(rng, 11)[:-3] + "TGA" + "ACGT" * 10)
    gene = Gene("c", 40, 40 + GENE_BP, "+")
    tracks, _ = label_tracks(codes, [gene], genetic_code=11)
    ends = set()
    for seed in range(60):
        generator = np.random.default_rng(seed)
        recoding = draw_recoding(11, generator)
        ends.add((recoding.code.number, gene_bases(recode(codes, tracks, recoding, generator), gene)[-3:]))
    assert (11, "TGA") in ends and (4, "TGA") not in ends
    assert {end for number, end in ends if number == 4} <= {"TAA", "TAG"}


def test_bases_that_two_genes_share_stay():
    first = "ATG" + "GCA" * 20 + "TAA"
    codes = encode_bases("CCCCC" * 6 + first + "CCCCC" * 6)
    tracks = np.zeros((2, len(codes)), np.uint8)
    for i in range(30, 30 + len(first)):
        tracks[0, i] |= 1 << ((i - 30) % 3)
    for i in range(40, 70):
        tracks[1, i] |= 1 << ((69 - i) % 3)
    changed = np.zeros(len(codes), bool)
    for seed in range(20):
        generator = np.random.default_rng(seed)
        changed |= recode(codes, tracks, draw_recoding(11, generator), generator) != codes
    assert not changed[40:70].any() and changed[30:40].any() and changed[70:90].any()


def test_masked_and_unknown_bases_stay():
    codes, tracks, _ = contig()
    codes, tracks = codes.copy(), tracks.copy()
    codes[50:60] = 4
    codes[300:303] = 4
    tracks[:, 100:150] |= MASKED
    generator = np.random.default_rng(1)
    new = recode(codes, tracks, draw_recoding(11, generator), generator)
    assert (new[50:60] == 4).all() and (new[300:303] == 4).all() and new.max() == 4
    assert np.array_equal(new[100:150], codes[100:150])


def test_same_generator_gives_the_same_bases_and_inputs_are_left_alone():
    codes, tracks, _ = contig()
    before = codes.copy(), tracks.copy()
    drawn = []
    for _ in range(2):
        generator = np.random.default_rng(9)
        drawn.append(recode(codes, tracks, draw_recoding(11, generator), generator))
    assert np.array_equal(*drawn) and np.array_equal(codes, before[0]) and np.array_equal(tracks, before[1])


def test_genes_are_rewritten_alike_on_both_strands():
    rewritten = np.zeros(2)
    for seed in range(30):
        codes, new, _, genes, _ = recoded(11, seed)
        rewritten += [np.mean(new[gene.start : gene.end] != codes[gene.start : gene.end]) for gene in genes]
    assert rewritten[0] == pytest.approx(rewritten[1], rel=0.1) and rewritten[0] > 3
