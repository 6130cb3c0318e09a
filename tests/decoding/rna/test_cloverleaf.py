"""The cloverleaf: tRNA genes of E. coli and yeast, whose structure is in every textbook."""

import numpy as np
import pytest

from genoformer.decoding.rna.cloverleaf import Cloverleaf, find_leaves, fold_gene, t_loops
from genoformer.decoding.rna.learn_cloverleaf import first_cloverleaf, learn_cloverleaf
from genoformer.decoding.rna.transfer import TrnaHit, TrnaSearch, trna_product
from genoformer.sequence.alphabet import encode_bases

PHE_YEAST = "GCGGATTTAGCTCAGTTGGGAGAGCGCCAGACTGAAGATCTGGAGGTCCTGTGTTCGATCCACAGAATTCGCA"
ALA_ECOLI = "GGGGCTATAGCTCAGCTGGGAGAGCGCCTGCTTTGCACGCAGGAGGTCTGCGGTTCGATCCCGCATAGCTCCACCA"
LEU_ECOLI = "GCGAAGGTGGCGGAATTGGTAGACGCGCTAGCTTCAGGTGTTAGTGTCCTTACGGACGTGGGGGTTCAAGTCCCCCCCCTCGCACCA"
GENES = {"Phe": (PHE_YEAST, "GAA", 73), "Ala": (ALA_ECOLI, "TGC", 73), "Leu": (LEU_ECOLI, "CAG", 84)}
"""Sequence, anticodon and length without CCA."""


def best_hit(leaf: Cloverleaf, codes: np.ndarray) -> TrnaHit:
    return max(TrnaSearch(leaf).hits(codes), key=lambda hit: hit.score)


def inside(text: str, seed: int = 0) -> np.ndarray:
    """A gene with 100 random bases on both sides."""
    around = np.random.default_rng(seed).integers(0, 4, 200).astype(np.uint8)
    return np.concatenate([around[:100], encode_bases(text), around[100:]])


@pytest.mark.parametrize("name", GENES)
def test_genes_are_folded_at_once(name):
    text, anticodon, length = GENES[name]
    found = best_hit(first_cloverleaf(), inside(text))
    assert (found.start, found.end, found.anticodon) == (100, 100 + length, anticodon)


def test_an_intron_in_the_anticodon_loop_is_left_out():
    intron = "TGAGACCTTGACTTAAGCATTCGA"
    text = PHE_YEAST[:37] + intron + PHE_YEAST[37:]
    found = best_hit(first_cloverleaf(), inside(text))
    assert (found.start, found.end, found.anticodon) == (100, 173 + len(intron), "GAA")


def test_a_stem_that_does_not_pair_is_worth_less():
    leaf = first_cloverleaf()
    whole, _ = fold_gene(inside(PHE_YEAST), leaf.tables, 100, 173, 3)
    broken, _ = fold_gene(inside("CGCCTAA" + PHE_YEAST[7:]), leaf.tables, 100, 173, 3)
    assert broken < whole - 10


def test_random_sequence_has_none():
    codes = np.random.default_rng(5).integers(0, 4, 200_000).astype(np.uint8)
    leaf = first_cloverleaf()
    worths, _ = find_leaves(codes, t_loops(leaf.bases), leaf.tables, np.float32(26))
    assert len(worths) == 0


@pytest.mark.parametrize("length", [0, 5, 20, 60, 172, 173, 174])
def test_sequence_is_read_to_its_end(length):
    hits = TrnaSearch(first_cloverleaf()).hits(inside(PHE_YEAST)[:length])
    assert all(hit.end <= length for hit in hits)
    assert any(hit.start == 100 and hit.anticodon == "GAA" for hit in hits) == (length >= 173)


def test_what_is_learned_folds_better_and_knows_the_bases():
    generator = np.random.default_rng(1)
    genes = []
    for _ in range(30):
        for text, _, length in GENES.values():
            codes = inside(text[:length], int(generator.integers(1000)))
            at = 100 + int(generator.integers(length))
            codes[at] = (codes[at] + 1) % 4
            genes.append((codes, 100, 100 + length))
    learned = learn_cloverleaf(genes)
    for text, anticodon, _ in GENES.values():
        found, before = (best_hit(leaf, inside(text)) for leaf in (learned, first_cloverleaf()))
        assert found.score > before.score and found.anticodon == anticodon
    assert learn_cloverleaf([]) is None


@pytest.mark.parametrize(
    ("anticodon", "code", "expected"),
    [
        ("TGC", 11, "tRNA-Ala(TGC)"), ("CAT", 11, "tRNA-Met(CAT)"), ("TCA", 11, "tRNA-Sec(TCA)"),
        ("TCA", 4, "tRNA-Trp(TCA)"), ("CTA", 11, "tRNA-Pyl(CTA)"), ("TTA", 11, "tRNA-Sup(TTA)"),
        ("NGC", 11, "tRNA-OTHER(NGC)"),
    ],
)  # fmt: skip
def test_the_anticodon_says_the_amino_acid(anticodon, code, expected):
    assert trna_product(anticodon, code) == expected
