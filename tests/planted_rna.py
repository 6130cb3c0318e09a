"""Made-up genomes with genes of rRNA and tRNA: stretches that are alike wherever they stand."""

import numpy as np

from genoformer.annotation.models import RnaGene
from genoformer.sequence.alphabet import reverse_complement

TRNA_BP, RRNA_BP = 75, 400


def motifs(seed: int = 0) -> dict[str, np.ndarray]:
    """The sequence of each kind, uint8 base codes as read 5′ to 3′."""
    rng = np.random.default_rng(seed)
    return {kind: rng.integers(0, 4, n, dtype=np.uint8) for kind, n in (("tRNA", TRNA_BP), ("rRNA", RRNA_BP))}


def plant(
    codes: np.ndarray, contig: str, seed: int, every_bp: int = 700, changed: float = 0.05
) -> tuple[np.ndarray, list[RnaGene]]:
    """Bases with genes of both kinds written over them, on both strands, every so many bases; sorted by start.

    A share of the bases of each gene is drawn anew.
    """
    rng, written, genes = np.random.default_rng(seed), codes.copy(), []
    for start in range(100, len(codes) - RRNA_BP - 100, every_bp):
        kind, strand = rng.choice(["tRNA", "rRNA"], p=[0.6, 0.4]).item(), rng.choice(["+", "-"]).item()
        piece = motifs()[kind].copy()
        is_drawn = rng.random(len(piece)) < changed
        piece[is_drawn] = rng.integers(0, 4, is_drawn.sum())
        written[start : start + len(piece)] = piece if strand == "+" else reverse_complement(piece)
        genes.append(RnaGene(contig, start, start + len(piece), strand, kind, f"r{start}"))
    return written, genes


def gff3_of(genes: list[RnaGene]) -> str:
    """A GFF3 file of these genes."""
    rows = (f"{g.contig}\t.\t{g.kind}\t{g.start + 1}\t{g.end}\t.\t{g.strand}\t.\tID={g.id}\n" for g in genes)
    return "##gff-version 3\n" + "".join(rows)
