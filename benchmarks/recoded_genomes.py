"""Genes of copies of a genome, recoded to other GC contents and genetic codes; pyrodigal beside; one JSON per run.

    python benchmarks/recoded_genomes.py GENOME.gbk --model prokaryotes --name ecoli [-o docs/results]

Genes and their boundaries stay where they are, see ``annotation.recode``. Training crops are recoded by the same rules,
to codes 4 and 11: this shows how composition and code matter, not how a model does on another phylum.
"""

import argparse
from pathlib import Path

import numpy as np
import pyrodigal
from gene_finding import Genome, genoformer_genes, pyrodigal_genes, read_genome

from genoformer.annotation.models import Annotation
from genoformer.annotation.recode import recode_genome
from genoformer.annotation.tracks import label_tracks
from genoformer.applications.genes.caller import GeneFinder
from genoformer.bundle.folder import load_bundle
from genoformer.files import write_json_atomic
from genoformer.nn.allocator import tune_allocator
from genoformer.sequence.records import Record

LENGTH_BP = 1_000_000
COPIES = (
    (11, -2.4),
    (11, -1.2),
    (11, 0.0),
    (11, 1.2),
    (11, 2.4),
    (4, -2.4),
    (4, -1.2),
    (25, -1.2),
    (25, 0.0),
    (25, 1.2),
)
"""Genetic code that is written, and preference for G and C over A and T."""


def beginning(genome: Genome) -> Genome:
    """The first bases of the longest record, with the genes that lie in them whole."""
    record = max(genome.records, key=len)
    codes = record.codes[:LENGTH_BP]
    genes = [gene for gene in genome.reference.by_contig()[record.id] if gene.end <= len(codes)]
    return Genome(Annotation(genes), [Record(record.id, codes)], genome.genetic_code)


def recoded(genome: Genome, written: int, tilt: float) -> Genome:
    """A copy in another code and composition."""
    (record,), genes = genome.records, genome.reference.genes
    tracks, _ = label_tracks(record.codes, genes, genetic_code=genome.genetic_code)
    generator = np.random.default_rng([written, int(10 * tilt) + 100])
    codes = recode_genome(
        record.codes, tracks, genome.genetic_code, written=written, tilt=tilt, generator=generator
    )  # fmt: skip
    return Genome(Annotation(genes), [Record(record.id, codes)], written)


def gc_content(genome: Genome) -> float:
    """Share of G and C among known bases."""
    codes = genome.records[0].codes
    return float(np.isin(codes, (1, 2)).sum() / (codes < 4).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("genome", type=Path)
    parser.add_argument("--model", default="prokaryotes")
    parser.add_argument("--name", required=True, help="name of the result")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results"))
    args = parser.parse_args()
    tune_allocator()
    original, finder = beginning(read_genome(args.genome)), GeneFinder.from_bundle(load_bundle(args.model))
    result = {"genome": args.genome.name, "bases": LENGTH_BP, "model_digest": finder.bundle.digest, "copies": []}
    for written, tilt in ((None, None), *COPIES):
        copy = original if written is None else recoded(original, written, tilt)
        (called,) = genoformer_genes(copy, finder, [True])
        calls = {"genoformer": called.genes}
        if copy.genetic_code in pyrodigal.TRANSLATION_TABLES:
            calls["pyrodigal"] = pyrodigal_genes(copy, False)
        scores = {program: copy.score(genes) for program, genes in calls.items()}
        result["copies"].append(
            {"genetic_code": copy.genetic_code, "tilt": tilt, "gc": round(gc_content(copy), 3), "scores": scores}
        )
    args.out.mkdir(parents=True, exist_ok=True)
    write_json_atomic(args.out / f"recoded-{args.name}.json", result)


if __name__ == "__main__":
    main()
