"""Variants per processor second of ``genoformer variants``, beside what the reference takes once; one JSON.

    python benchmarks/variant_speed.py GENOME.fa [--max-bp 1000000] [-n 2000] [-o docs/results/variantspeed-ecoli.json]

Nine in ten seeded variants are substitutions, the others insertions and deletions of one to twelve bases.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import torch
from variants import Variant, draw_one, write_rows

from genoformer.applications.genes.variants import GeneVariants
from genoformer.cli.main import main as genoformer
from genoformer.files import write_json_atomic
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.fasta import read_fasta, write_fasta
from genoformer.sequence.records import Record

SNV_SHARE = 0.9


def draw(record: Record, n: int, seed: int) -> list[Variant]:
    """Different variants of a record, by place."""
    source, text = random.Random(seed), decode_bases(record.codes)
    found: set[Variant] = set()
    while len(found) < n:
        wants_snv = source.random() < SNV_SHARE
        one = draw_one(text, record.id, source.randrange(len(text)), source)
        if one is not None and (len(one[2]) == len(one[3])) == wants_snv:
            found.add(one)
    return sorted(found, key=lambda one: one[1])


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fasta", type=Path)
    parser.add_argument("--model", default="prokaryotes")
    parser.add_argument("--max-bp", type=int, default=1_000_000)
    parser.add_argument("-n", type=int, default=2_000)
    parser.add_argument("--precision", choices=("bfloat16", "float32"))
    parser.add_argument("-o", "--out", type=Path)
    args = parser.parse_args()
    first = next(iter(read_fasta(args.fasta)))
    record = Record(first.id, first.codes[: args.max_bp])
    seconds = {"reference": 0.0}
    prepare = GeneVariants.prepare

    def timed(self: GeneVariants, *given: object) -> None:
        torch.set_num_threads(1)
        begin = time.process_time()
        prepare(self, *given)
        seconds["reference"] += time.process_time() - begin

    GeneVariants.prepare = timed
    with tempfile.TemporaryDirectory() as folder:
        fasta, vcf, out = (Path(folder, name) for name in ("genome.fa", "rows.vcf", "out"))
        write_fasta(fasta, [record])
        write_rows(vcf, [record], draw(record, args.n, 1))
        words = [str(fasta), str(vcf), "-o", str(out), "--model", args.model, "--circular", "none", "--threads", "1"]
        begin = time.process_time()
        if genoformer(["variants", *words, *(["--precision", args.precision] if args.precision else [])]):
            raise SystemExit("the command failed")
        total = time.process_time() - begin
    judging = total - seconds["reference"]
    found = {
        "genome_bp": len(record), "variants": args.n, "snv_share": SNV_SHARE, "model": args.model,
        "precision": args.precision or "as the machine likes", "reference_cpu_s": round(seconds["reference"], 1),
        "judging_cpu_s": round(judging, 1), "variants_per_cpu_s": round(args.n / judging, 1),
        "variants_per_cpu_s_with_reference": round(args.n / total, 1),
    }  # fmt: skip
    print(found)
    if args.out:
        write_json_atomic(args.out, found)


if __name__ == "__main__":
    main()
