"""A made-up genome with introns and its GFF3: exons of few codons, introns rich in T, a third of the genes on "-"."""

from itertools import pairwise

import numpy as np
from Bio.Seq import reverse_complement

from kept.sequences import draw_bases, fasta

CODONS = ("GCC", "GGC", "CTG", "GAG", "AAG", "GTC", "ACC", "CGC")
UTR_BP = 20
SOURCE = "made"

Parts = list[tuple[int, int]]
"""Coding parts, 0-based, half-open, ascending."""


def make_intron_genome(*, n_genes: int, seed: int, n_contigs: int = 2) -> tuple[str, str]:
    """Text of a FASTA and of a GFF3 file.

    Args:
        n_genes: In each contig.
        seed: Another seed gives another genome.
        n_contigs: Number of contigs.
    """
    rng = np.random.default_rng(seed)
    records, rows = [], ["##gff-version 3"]
    for number in range(1, n_contigs + 1):
        name, bases = f"made{number}", draw_bases(rng, 400)
        for gene in range(1, n_genes + 1):
            locus, parts = _make_locus(rng)
            strand = "+" if gene % 3 else "-"
            if strand == "-":
                locus, parts = _turned(locus, parts)
            rows += _gene_rows(name, f"{name}g{gene}", strand, [(len(bases) + a, len(bases) + b) for a, b in parts])
            bases += locus + draw_bases(rng, int(rng.integers(200, 900)))
        records.append((name, bases))
    return fasta(records), "\n".join(rows) + "\n"


def _make_locus(rng: np.random.Generator) -> tuple[str, Parts]:
    """Transcript with introns, on "+", and its coding parts."""
    cds = "ATG" + "".join(rng.choice(CODONS, int(rng.integers(60, 140)))) + "TAA"
    inner = sorted(rng.choice(np.arange(30, len(cds) - 30), int(rng.integers(0, 4)), replace=False).tolist())
    bases, parts = draw_bases(rng, UTR_BP, "AT"), []
    for low, high in pairwise([0, *inner, len(cds)]):
        if low:
            bases += "GTAAGT" + draw_bases(rng, int(rng.integers(40, 90)), "TTTA") + "TTTCAG"
        parts.append((len(bases), len(bases) + high - low))
        bases += cds[low:high]
    return bases + draw_bases(rng, UTR_BP, "AT"), parts


def _turned(locus: str, parts: Parts) -> tuple[str, Parts]:
    return reverse_complement(locus), [(len(locus) - b, len(locus) - a) for a, b in reversed(parts)]


def _gene_rows(contig: str, name: str, strand: str, parts: Parts) -> list[str]:
    exons = [list(part) for part in parts]
    exons[0][0] -= UTR_BP
    exons[-1][1] += UTR_BP
    span = (exons[0][0], exons[-1][1])

    def row(kind: str, place: tuple[int, int] | list[int], phase: str, attributes: str) -> str:
        return f"{contig}\t{SOURCE}\t{kind}\t{place[0] + 1}\t{place[1]}\t.\t{strand}\t{phase}\t{attributes}"

    rows = [row("gene", span, ".", f"ID={name}"), row("mRNA", span, ".", f"ID={name}.t;Parent={name}")]
    rows += [row("exon", exon, ".", f"Parent={name}.t") for exon in exons]
    phases = _phases(parts if strand == "+" else parts[::-1])
    phases = phases if strand == "+" else phases[::-1]
    cds = f"ID={name}.c;Parent={name}.t"
    return rows + [row("CDS", part, str(phase), cds) for part, phase in zip(parts, phases, strict=True)]


def _phases(parts: Parts) -> list[int]:
    """Bases before the next whole codon at the begin of each part, parts in the order of transcription."""
    done, phases = 0, []
    for start, end in parts:
        phases.append(-done % 3)
        done += end - start
    return phases
