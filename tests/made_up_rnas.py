"""Made-up genomes with genes of made-up families of rRNA and real tRNA, to learn from and to search."""

from collections.abc import Iterable

import numpy as np

from genoformer.annotation.models import RNA_KINDS, RnaGene
from genoformer.annotation.rna_tracks import add_rna_labels
from genoformer.decoding.rna.learn import Labelled
from genoformer.sequence.alphabet import encode_bases, reverse_complement

TRNA = (
    "GCGGATTTAGCTCAGTTGGGAGAGCGCCAGACTGAAGATCTGGAGGTCCTGTGTTCGATCCACAGAATTCGCA",
    "GGGGCTATAGCTCAGCTGGGAGAGCGCCTGCTTTGCACGCAGGAGGTCTGCGGTTCGATCCCGCATAGCTCCA",
    "GCGAAGGTGGCGGAATTGGTAGACGCGCTAGCTTCAGGTGTTAGTGTCCTTACGGACGTGGGGGTTCAAGTCCCCCCCCTCGCA",
)
LENGTHS = {"5S": 120, "16S": 1_500}
CHANGED = 0.12


def family(kind: str) -> np.ndarray:
    """What genes of a kind descend from."""
    return np.random.default_rng(len(kind)).integers(0, 4, LENGTHS[kind]).astype(np.uint8)


def mutated(codes: np.ndarray, generator: np.random.Generator, share: float = CHANGED) -> np.ndarray:
    """A copy with bases changed, the first and last few left as they are, and one base put in."""
    copy, at = codes.copy(), generator.random(len(codes)) < share
    at[:5] = at[-5:] = False
    copy[at] = (copy[at] + generator.integers(1, 4, at.sum())) % 4
    place = len(copy) // 3
    return np.insert(copy, place, generator.integers(0, 4)).astype(np.uint8)


def genome(
    seed: int, n_trna: int = 6, length: int = 20_000, kinds: Iterable[str] = tuple(LENGTHS)
) -> tuple[np.ndarray, list[RnaGene]]:
    """Random sequence with one gene of each family of rRNA and some tRNAs, on both strands."""
    generator = np.random.default_rng(seed)
    codes, genes, at = generator.integers(0, 4, length).astype(np.uint8), [], 500
    parts = [(RNA_KINDS[0], mutated(family(kind), generator)) for kind in kinds]
    for number in range(n_trna):
        text = encode_bases(TRNA[number % len(TRNA)])
        place = int(generator.integers(30, 36))  # in the loop of the anticodon
        text[place] = (text[place] + 1) % 4
        parts.append((RNA_KINDS[1], text))
    for kind, part in parts:
        strand = "+-"[int(generator.integers(2))]
        codes[at : at + len(part)] = part if strand == "+" else reverse_complement(part)
        genes.append(RnaGene("c", at, at + len(part), strand, kind))
        at += len(part) + 700
    return codes, genes


def labelled(seed: int, group: str = "", kinds: Iterable[str] = tuple(LENGTHS)) -> Labelled:
    """The same with labels."""
    codes, genes = genome(seed, kinds=kinds)
    tracks = np.zeros((2, len(codes)), np.uint8)
    add_rna_labels(tracks, genes)
    return Labelled(f"g{seed}", group, codes, tracks)
