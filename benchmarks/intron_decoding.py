"""Seconds that decoding genes with introns takes when the model's outputs are there, both strands, one thread.

    python benchmarks/intron_decoding.py GENOME.fa --model eukaryotes [--rounds 3] [-o docs/results]

The first round compiles; it is not counted.
"""

import argparse
import time
from pathlib import Path

import torch

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.applications.introns.caller import IntronGeneFinder
from genoformer.bundle.folder import load_bundle
from genoformer.decoding.introns.stream import decode_record
from genoformer.files import write_json_atomic
from genoformer.nn.allocator import tune_allocator
from genoformer.sequence.fasta import read_fasta
from genoformer.stream import record_logits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("--model", default="eukaryotes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    tune_allocator()
    finder, code = IntronGeneFinder.from_bundle(load_bundle(args.model)), get_genetic_code(1)
    records = list(read_fasta(args.fasta))
    n_bases = sum(map(len, records))
    began = time.perf_counter()
    network = finder.bundle.model, finder.bundle.tokenizer
    outputs = [list(record_logits(*network, record.codes, finder.plan)) for record in records]
    model_pass = time.perf_counter() - began

    def decode() -> float:
        began = time.perf_counter()
        for record, pieces in zip(records, outputs, strict=True):
            decode_record(record.codes, pieces, finder.decoder.decoder, code)
        return time.perf_counter() - began

    decode()
    seconds = [decode() for _ in range(args.rounds)]
    result = {
        "n_bases": n_bases,
        "model_pass_seconds": round(model_pass, 2),
        "decoding_seconds": [round(value, 3) for value in seconds],
        "mb_per_second": [round(n_bases / value / 1e6, 2) for value in seconds],
    }
    args.out.mkdir(parents=True, exist_ok=True)
    write_json_atomic(args.out / "introndecoding-small.json", result)
    print(result)


if __name__ == "__main__":
    main()
