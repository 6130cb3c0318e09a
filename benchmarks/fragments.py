"""Genes of short pieces of a genome, each by itself, as contigs of a metagenome are; one JSON per run.

The genome is cut into pieces of each length. A model reads every piece, with what it knows of other genomes
("genoformer") and without ("genoformer, no statistics"); pyrodigal uses its ready-made models (``meta``), among which
there may be one of this very genome. Reference genes are those that lie within a piece; predictions cut off by its ends
do not count, whoever made them.

    python benchmarks/fragments.py GENOME.gbk --model MODEL --name NAME [--pieces-bp 5000 20000 100000]
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from gene_finding import Genome, calibration_of, confidences, pyrodigal_genes, read_genome

from genoformer.annotation.models import Annotation, Gene
from genoformer.annotation.tracks import gene_table
from genoformer.applications.genes.caller import GeneFinder
from genoformer.applications.genes.held import cut_genes
from genoformer.bundle.folder import load_bundle
from genoformer.decoding.options import CallOptions
from genoformer.files import write_json_atomic
from genoformer.nn.allocator import tune_allocator
from genoformer.sequence.records import Record


@dataclass(frozen=True)
class Piece:
    """A stretch of a genome.

    Attributes:
        genome: The stretch, with the genes that lie within it.
        table: The gene table of the stretch, with genes that its ends cut off.
    """

    genome: Genome
    table: np.ndarray


def pieces_of(genome: Genome, piece_bp: int, n_bases: int) -> Iterator[Piece]:
    """Whole pieces of the beginning of the longest record."""
    record = max(genome.records, key=len)
    genes = genome.reference.by_contig()[record.id]
    table = gene_table(record.codes, genes, genetic_code=genome.genetic_code)
    for start in range(0, min(n_bases, len(record)) - piece_bp + 1, piece_bp):
        name, end = f"{record.id}_{start}", start + piece_bp
        within = [moved(gene, name, -start) for gene in genes if start <= gene.start and gene.end <= end]
        piece = Genome(Annotation(within), [Record(name, record.codes[start:end])], genome.genetic_code)
        cut = cut_genes(table, start, end)
        cut["start"] -= start
        cut["end"] -= start
        yield Piece(piece, cut)


def moved(gene: Gene, contig: str, by: int) -> Gene:
    """The same gene elsewhere."""
    parts = tuple((start + by, end + by) for start, end in gene.parts)
    return replace(gene, contig=contig, start=gene.start + by, end=gene.end + by, parts=parts, exons=())


def whole(genes: list[Gene]) -> list[Gene]:
    """Genes that no end cuts off."""
    return [gene for gene in genes if not (gene.partial_5 or gene.partial_3)]


def call(piece: Piece, finder: GeneFinder) -> tuple[dict[str, list[Gene]], tuple[np.ndarray, ...]]:
    """Whole genes of one piece by each program; what ``confidences`` says of "genoformer"."""
    (record,), options = piece.genome.records, CallOptions(genetic_code=piece.genome.genetic_code)
    rows = finder.candidates(record.codes, options)
    learned = finder.statistics(lambda: [(record.codes, rows, options)], options)
    genes = {
        "genoformer": whole(finder.genes(record.id, record.codes, rows, options, learned)),
        "genoformer, no statistics": whole(finder.genes(record.id, record.codes, rows, options, None)),
        "pyrodigal": whole(pyrodigal_genes(piece.genome, True)),
    }
    return genes, confidences(record.codes, rows, piece.table, finder, options, learned)


def score(genome: Genome, finder: GeneFinder, piece_bp: int, n_bases: int) -> dict:
    """Scores of all pieces of one length together."""
    pieces = list(pieces_of(genome, piece_bp, n_bases))
    called = [call(piece, finder) for piece in pieces]
    together = Genome(
        Annotation([gene for piece in pieces for gene in piece.genome.reference.genes]),
        [record for piece in pieces for record in piece.genome.records],
        genome.genetic_code,
    )
    programs = list(called[0][0])
    scores = {name: together.score([gene for genes, _ in called for gene in genes[name]]) for name in programs}
    return {
        "piece_bp": piece_bp,
        "n_pieces": len(pieces),
        "scores": {name: found["genes"] for name, found in scores.items()},
        "calibration": calibration_of([part for _, part in called]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("genome", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--pieces-bp", type=int, nargs="+", default=[5_000, 20_000, 100_000])
    parser.add_argument("--bases", type=int, default=1_000_000, help="of the genome; more only takes longer")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results"))
    args = parser.parse_args()
    tune_allocator()
    genome, finder = read_genome(args.genome), GeneFinder.from_bundle(load_bundle(args.model))
    result = {
        "genome": args.genome.name,
        "model": Path(args.model).name,
        "pieces": [score(genome, finder, piece_bp, args.bases) for piece_bp in args.pieces_bp],
    }
    write_json_atomic(args.out / f"fragments-{args.name}.json", result)


if __name__ == "__main__":
    main()
