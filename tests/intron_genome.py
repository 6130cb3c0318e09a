"""A made-up genome with introns, easy to learn: exons of few codons, introns and untranslated ends rich in T and A."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.annotation.write_gff3 import write_gff3
from genoformer.genomes.locus_contigs import Locus, build_contigs, count_composition
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.fasta import write_fasta

FLANK_BP = 99
CODONS = ("GCC", "GGC", "CTG", "GAG", "AAG", "GTC", "ACC", "CGC")


def write_intron_genome(folder: Path, *, n_genes: int, seed: int, n_contigs: int = 2, source: str = "made") -> Path:
    """Write ``genome.fa`` and ``genome.gff3``, whose rows come from ``source``; returns the FASTA file."""
    rng = np.random.default_rng(seed)
    loci = [make_locus(f"gene{number}", rng) for number in range(n_genes)]
    composition = count_composition([rng.integers(0, 4, 20_000).astype(np.uint8)])
    contigs = build_contigs(
        loci, composition, prefix="made", seed=seed, gap_bp=(200, 900), loci_per_contig=-(-n_genes // n_contigs)
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_fasta(folder / "genome.fa", [record for record, _ in contigs])
    path = folder / "genome.gff3"
    write_gff3(path, ((record, genes, False) for record, genes in contigs), genetic_code=1)
    path.write_text(path.read_text().replace("\tgenoformer\t", f"\t{source}\t"))
    return folder / "genome.fa"


def make_locus(name: str, rng: np.random.Generator) -> Locus:
    """One gene on "+" with one to four coding parts, an untranslated region on both sides, and flanks."""
    n_parts = int(rng.integers(1, 5))
    cds = "ATG" + "".join(rng.choice(CODONS, int(rng.integers(60, 140)))) + "TAA"
    cuts = [0, *sorted(rng.choice(np.arange(30, len(cds) - 30), n_parts - 1, replace=False).tolist()), len(cds)]
    text, parts = _thin(rng, FLANK_BP, "ACGT") + _thin(rng, 20, "AT"), []
    for number, (low, high) in enumerate(pairwise(cuts)):
        text += ("GTAAGT" + _thin(rng, int(rng.integers(40, 90)), "TTTA") + "TTTCAG") if number else ""
        parts.append((len(text), len(text) + high - low))
        text += cds[low:high]
    end = len(text) + 20
    text += _thin(rng, 20, "AT") + _thin(rng, FLANK_BP, "ACGT")
    exons = [list(part) for part in parts]
    exons[0][0], exons[-1][1] = FLANK_BP, end
    gene = Gene(
        name, parts[0][0], parts[-1][1], "+", parts=tuple(parts), exons=tuple(map(tuple, exons)), id=name,
    )  # fmt: skip
    return Locus(name, encode_bases(text), gene)


def _thin(rng: np.random.Generator, n: int, letters: str) -> str:
    return "".join(rng.choice(list(letters), n))
