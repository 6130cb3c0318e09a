"""Genes of one genome by a genoformer model and by pyrodigal, scored by the same evaluation; one JSON per run.

pyrodigal (Prodigal's algorithm) trains itself on the genome first, as it does by default.

    python benchmarks/gene_finding.py GENOME.gbk --model prokaryotes --name ecoli [--no-statistics] [-o docs/results]

GENOME is a GenBank file: sequence and reference in one.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyrodigal

from genoformer.annotation.models import Annotation, Gene
from genoformer.annotation.read import read_annotation, read_records
from genoformer.annotation.tracks import gene_table
from genoformer.applications.genes.caller import GeneFinder
from genoformer.applications.genes.evaluate import score_annotations
from genoformer.bundle.folder import load_bundle
from genoformer.decoding.caller import record_stop_rate
from genoformer.decoding.fit import truth_of
from genoformer.decoding.frames import best_starts
from genoformer.decoding.options import CallOptions
from genoformer.files import write_json_atomic
from genoformer.metrics.calibration import brier, ece
from genoformer.nn.allocator import tune_allocator
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.records import Record


@dataclass(frozen=True)
class Genome:
    """A GenBank file: sequence and reference in one.

    Attributes:
        reference: Its genes.
        records: Its sequences.
        genetic_code: NCBI number.
    """

    reference: Annotation
    records: list[Record]
    genetic_code: int

    def score(self, genes: list[Gene]) -> dict:
        """Scores of predicted genes."""
        return score_annotations(Annotation(genes), self.reference, {record.id: len(record) for record in self.records})


def read_genome(path: str | Path, genetic_code: int | None = None, sequence: str | Path | None = None) -> Genome:
    """The genome of a file, or of an annotation and a file of its sequence; its code is what they say, else 11."""
    reference = read_annotation(path)
    code = genetic_code or max(reference.genetic_codes.values(), default=11)
    return Genome(reference, list(read_records(sequence or path)), code)


def pyrodigal_genes(genome: Genome, meta: bool) -> list[Gene]:
    """Genes that pyrodigal finds, trained on the longest record, or with its ready-made models (meta)."""
    sequences = {record.id: decode_bases(record.codes) for record in genome.records}
    finder = pyrodigal.GeneFinder(meta=meta)
    if not meta:
        finder.train(max(sequences.values(), key=len), translation_table=genome.genetic_code)
    return [
        Gene(
            contig=name, start=gene.begin - 1, end=gene.end, strand="+" if gene.strand > 0 else "-",
            partial_5=gene.partial_begin if gene.strand > 0 else gene.partial_end,
            partial_3=gene.partial_end if gene.strand > 0 else gene.partial_begin,
        )
        for name, sequence in sequences.items()
        for gene in finder.find_genes(sequence)
    ]  # fmt: skip


@dataclass(frozen=True)
class Called:
    """Genes of a genoformer model.

    Attributes:
        genes: As found.
        calibration: How well their confidence is calibrated, see ``calibration``.
    """

    genes: list[Gene]
    calibration: dict[str, float]


def genoformer_genes(genome: Genome, finder: GeneFinder, statistics: Sequence[bool]) -> list[Called]:
    """One model pass, decoded once for each of ``statistics``: with or without those of the genome at hand."""
    records, options = genome.records, CallOptions(genetic_code=genome.genetic_code)
    rows = {record.id: finder.candidates(record.codes, options) for record in records}
    called = []
    for wanted in statistics:
        learned = (
            finder.statistics(lambda: [(r.codes, rows[r.id], options) for r in records], options) if wanted else None
        )
        genes = [gene for r in records for gene in finder.genes(r.id, r.codes, rows[r.id], options, learned)]
        called.append(Called(genes, calibration(genome, rows, finder, options, learned)))
    return called


def calibration(genome: Genome, rows, finder: GeneFinder, options: CallOptions, learned) -> dict[str, float]:
    """ECE and Brier score, see ``calibration_of``."""
    genes = genome.reference.by_contig()
    tables = {r.id: gene_table(r.codes, genes.get(r.id, []), genetic_code=options.genetic_code) for r in genome.records}
    found = [r for r in genome.records if len(rows[r.id])]
    return calibration_of([confidences(r.codes, rows[r.id], tables[r.id], finder, options, learned) for r in found])


def confidences(codes, rows, table, finder: GeneFinder, options: CallOptions, learned) -> tuple[np.ndarray, ...]:
    """Of one record: confidence of each judged open frame and whether its 3' end is right; of the best start of each
    right frame, and whether it is right."""
    scorer = finder.decoder.scorer(learned)
    scored, _ = finder.decoder.choose(codes, rows, record_stop_rate(codes, options), learned)
    frame_right, start_right, judged = truth_of(rows, table)
    best = best_starts(rows, scored.start_share)
    best = best[judged[best]]
    hits = best[frame_right[best]]
    gene = scorer.gene_confidence.apply(scored.frame_odds[best])
    return gene, frame_right[best], scorer.start_confidence.apply(scored.start_share[hits]), start_right[hits]


def calibration_of(parts: Sequence[tuple[np.ndarray, ...]]) -> dict[str, float]:
    """ECE and Brier score over all open frames of 90 nt or more that the decoder scored (event: the 3' end is right),
    and over the best start of each right frame (event: the start is right).

    Args:
        parts: What ``confidences`` gave for each record.
    """
    gene, right, start, start_right = (np.concatenate(column) for column in zip(*parts, strict=True))
    return {
        "n_frames": len(gene),
        "gene_ece": ece(gene, right),
        "gene_brier": brier(gene, right),
        "start_ece": ece(start, start_right),
        "start_brier": brier(start, start_right),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("genome", type=Path)
    parser.add_argument("--model", default="prokaryotes")
    parser.add_argument("--name", required=True, help="name of the result")
    parser.add_argument("--genetic-code", type=int)
    parser.add_argument("--meta", action="store_true", help="pyrodigal's ready-made models, for phages")
    parser.add_argument("--no-statistics", action="store_true")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results"))
    args = parser.parse_args()
    genome = read_genome(args.genome, args.genetic_code)
    tune_allocator()
    bundle = load_bundle(args.model)
    (ours,) = genoformer_genes(genome, GeneFinder.from_bundle(bundle), [not args.no_statistics])
    found = {"genoformer": ours.genes, "pyrodigal": pyrodigal_genes(genome, args.meta)}
    result = {
        "genome": args.genome.name,
        "model": args.model,
        "model_digest": bundle.digest,
        "n_parameters": sum(tensor.numel() for tensor in bundle.model.parameters()),
        "genetic_code": genome.genetic_code,
        "statistics": not args.no_statistics,
        "calibration": ours.calibration,
        "scores": {name: genome.score(genes) for name, genes in found.items()},
    }
    args.out.mkdir(parents=True, exist_ok=True)
    write_json_atomic(args.out / f"genes-{args.name}.json", result)


if __name__ == "__main__":
    main()
