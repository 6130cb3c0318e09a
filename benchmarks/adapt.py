"""Genes of one genome before and after a model was adapted to it without annotation, scored alike; one JSON per run.

Adaptation sees the sequence alone. Scores are those of the whole genome, a tenth of which was held out of training.

    python benchmarks/adapt.py GENOME.gbk --model prokaryotes --name hinf [--steps N] [--lr X] [-o docs/results]

GENOME is a GenBank file: sequence and reference in one.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import torch
from gene_finding import genoformer_genes, read_genome

from genoformer.applications.adapt.adapt import DEFAULT_LR, DEFAULT_STEPS, AdaptOptions, Progress, adapt
from genoformer.applications.adapt.genes import ADAPTATION
from genoformer.applications.genes.caller import GeneFinder
from genoformer.bundle.folder import load_bundle
from genoformer.files import write_json_atomic
from genoformer.inference.interface import Speed
from genoformer.nn.allocator import tune_allocator
from genoformer.sequence.fasta import write_fasta


def adapted_finder(records, finder: GeneFinder, options: AdaptOptions) -> tuple[GeneFinder, dict, float]:
    """The model adapted to the records' sequence alone, what it gained on held-out regions, and the seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        fasta, out = Path(folder) / "genome.fa", Path(folder) / "model"
        write_fasta(fasta, records)
        begin = time.monotonic()
        progress = Progress(on_line=lambda line: print(line, file=sys.stderr))
        gain = adapt([str(fasta)], finder, ADAPTATION, out, options, progress=progress)
        seconds = time.monotonic() - begin
        return GeneFinder.from_bundle(load_bundle(out), Speed(precision=finder.plan.precision)), gain, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("genome", type=Path)
    parser.add_argument("--model", default="prokaryotes")
    parser.add_argument("--name", required=True, help="name of the result")
    parser.add_argument("--genetic-code", type=int)
    parser.add_argument("--steps", type=int, default=DEFAULT_STEPS)
    parser.add_argument("--lr", type=float, default=DEFAULT_LR)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results"))
    args = parser.parse_args()
    genome = read_genome(args.genome, args.genetic_code)
    tune_allocator()
    given = GeneFinder.from_bundle(load_bundle(args.model))
    options = AdaptOptions(genetic_code=genome.genetic_code, circular=(), steps=args.steps, lr=args.lr, seed=args.seed)
    adapted, gain, seconds = adapted_finder(genome.records, given, options)
    scores, calibrated = {}, {}
    for side, finder in (("before", given), ("after", adapted)):
        (called,) = genoformer_genes(genome, finder, [True])
        scores[side], calibrated[side] = genome.score(called.genes), called.calibration
    result = {
        "genome": args.genome.name,
        "model": args.model,
        "model_digest": given.bundle.digest,
        "genetic_code": genome.genetic_code,
        "adaptation": gain,
        "seconds": round(seconds, 1),
        "threads": torch.get_num_threads(),
        "calibration": calibrated,
        "scores": scores,
    }
    args.out.mkdir(parents=True, exist_ok=True)
    write_json_atomic(args.out / f"adapt-{args.name}.json", result)


if __name__ == "__main__":
    main()
