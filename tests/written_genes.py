"""Genes with and without introns on both strands of three contigs, and all files that are written of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from intron_genome import make_locus

from genoformer.annotation.models import Gene
from genoformer.annotation.write_gff3 import Gff3Writer
from genoformer.annotation.write_gtf import GtfWriter
from genoformer.annotation.write_tables import BedWriter, CdsWriter, ProteinWriter, TsvWriter
from genoformer.sequence.alphabet import reverse_complement
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

WRITERS = {
    "genes.gff3": Gff3Writer, "genes.gtf": GtfWriter, "genes.bed": BedWriter, "genes.tsv": TsvWriter,
    "proteins.faa": ProteinWriter, "cds.fna": CdsWriter,
}  # fmt: skip
CONTIGS = ("chr2", "chr10", "b.1")
"""In an order that is neither that of their bytes nor that of their numbers."""
GENETIC_CODE = 1


def make_contigs(seed: int = 0) -> list[tuple[Record, list[Gene]]]:
    """Four genes on each contig, on both strands in turn, with untranslated ends and up to three introns."""
    rng = np.random.default_rng(seed)
    contigs = []
    for name in CONTIGS:
        loci = [make_locus(name, rng) for _ in range(4)]
        codes, genes = np.zeros(0, np.uint8), []
        for locus, strand in zip(loci, "+-+-", strict=True):
            gene = locus.gene if strand == "+" else mirrored(locus.gene, len(locus.codes))
            genes.append(replace(gene, score=0.5, start_score=0.25).shifted(len(codes)))
            codes = np.concatenate([codes, locus.codes if strand == "+" else reverse_complement(locus.codes)])
        contigs.append((Record(name, codes, "made up"), genes))
    return contigs


def mirrored(gene: Gene, length_bp: int) -> Gene:
    """The same gene on the other strand of a contig of this length."""
    flipped = {
        name: tuple((length_bp - end, length_bp - start) for start, end in reversed(getattr(gene, name)))
        for name in ("parts", "exons")
    }
    start, end = length_bp - gene.end, length_bp - gene.start
    return replace(gene, start=start, end=end, strand="-" if gene.strand == "+" else "+", **flipped)


def write_all(
    folder: Path, contigs: list[tuple[Record, list[Gene]]], *, circular=(), genetic_code=GENETIC_CODE
) -> Path:
    """Write ``genome.fa`` and every file of genes; gives the folder."""
    write_fasta(folder / "genome.fa", [record for record, _ in contigs])
    for name, writer in WRITERS.items():
        with writer(folder / name) as file:
            for record, genes in contigs:
                file.add(record, genes, circular=circular, genetic_code=GENETIC_CODE)
    return folder
