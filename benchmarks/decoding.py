"""Seconds that decoding takes when the model's outputs are there: candidates, statistics and selection of a genome.

    python benchmarks/decoding.py GENOME.fa --model prokaryotes [--rounds 3] [-o docs/results/decoding-ecoli.json]

The first round compiles; it is not counted.
"""

import argparse
import time
from itertools import pairwise
from pathlib import Path

from genoformer.applications.genes.caller import GeneFinder
from genoformer.bundle.folder import load_bundle
from genoformer.decoding.caller import call_genes, collect_candidates, genome_statistics, hopeful
from genoformer.decoding.options import CallOptions
from genoformer.files import write_json_atomic
from genoformer.nn.allocator import tune_allocator
from genoformer.sequence.fasta import read_fasta
from genoformer.stream import record_logits


def decode(codes, pieces, finder: GeneFinder, options: CallOptions) -> tuple[int, dict[str, float]]:
    """Number of genes, and seconds of each step."""
    times = [time.perf_counter()]
    rows = collect_candidates(codes, pieces, options, hopeful(finder.decoder, codes, options))
    times.append(time.perf_counter())
    statistics = genome_statistics(lambda: [(codes, rows)], finder.decoder, options)
    times.append(time.perf_counter())
    genes = call_genes("record", codes, rows, finder.decoder, options, statistics)
    times.append(time.perf_counter())
    steps = dict(zip(("candidates", "statistics", "selection"), (b - a for a, b in pairwise(times)), strict=True))
    return len(genes), steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("--model", default="prokaryotes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results/decoding-ecoli.json"))
    args = parser.parse_args()
    tune_allocator()
    finder, options = GeneFinder.from_bundle(load_bundle(args.model)), CallOptions()
    record = max(read_fasta(args.fasta), key=len)
    begin = time.perf_counter()
    pieces = list(record_logits(finder.bundle.model, finder.bundle.tokenizer, record.codes, finder.plan))
    model_pass = time.perf_counter() - begin
    decode(record.codes, pieces, finder, options)
    runs = [decode(record.codes, pieces, finder, options) for _ in range(args.rounds)]
    result = {
        "genome": args.fasta.name,
        "n_bases": len(record),
        "n_genes": runs[0][0],
        "model_pass_seconds": round(model_pass, 2),
        "decoding_seconds": [{step: round(seconds, 2) for step, seconds in steps.items()} for _, steps in runs],
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_json_atomic(args.out, result)


if __name__ == "__main__":
    main()
