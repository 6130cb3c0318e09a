"""Prediction of very many records and of very long ones: time, peak memory, files on the way, order of the output.

The network is replaced by one that computes nothing and returns constants, so that what is measured is everything else:
reading, tiles, candidates, statistics, selection and writing. Each case is a process of its own. A size that was not
run is estimated by a line through those that were; the largest distance from it is given beside the estimate.

    python benchmarks/scale.py --name contigs --contig-bp 300 --records 2000 10000 40000 --target-bp 300000000
    python benchmarks/scale.py --name chromosomes --contig-bp 10000000 --records 1 3 10 20 --target-bp 3000000000
    python benchmarks/scale.py --name lengths --contig-bp 10000000 100000000 250000000 --records 1
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import torch

import genoformer.inference.predict as prediction
from genoformer.bundle import load_bundle
from genoformer.decoding.caller import CallOptions
from genoformer.inference.gene_calls import GeneFinder
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

ROOT = Path(__file__).resolve().parents[1]


class Constant(torch.nn.Module):
    """Gives the same five outputs for each base that a token owns; what it costs is the memory of the outputs."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.outputs = torch.nn.Parameter(torch.tensor([0.0, 0.0, 0.0, -1.0, 1.0]), requires_grad=False)
        self.stride = stride

    def forward(self, token_ids: torch.Tensor) -> torch.Tensor:
        """Token ids [B, T] to [B, T * stride, 5]."""
        B, T = token_ids.shape
        return self.outputs.expand(B, T * self.stride, 5)


def random_records(n_records: int, contig_bp: int):
    """Records of random bases, one at a time."""
    generator = np.random.default_rng(1)
    for number in range(n_records):
        yield Record(f"contig{number}", generator.integers(0, 4, contig_bp, dtype=np.uint8))


def measure(n_records: int, contig_bp: int, folder: Path) -> dict:
    """One case in this process."""
    write_fasta(folder / "in.fa", random_records(n_records, contig_bp))
    bundle = load_bundle("bacteria")
    finder = GeneFinder.from_bundle(replace(bundle, model=Constant(bundle.config.stride)), precision="float32")
    write, n_files = prediction.write_results, []

    def counted(*arguments):
        n_files.append(len(list((folder / "out/.work").iterdir())))
        return write(*arguments)

    prediction.write_results = counted
    began, baseline = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    options = prediction.PredictOptions(CallOptions(), formats=("gff3", "tsv"))
    summary = prediction.predict([str(folder / "in.fa")], finder, folder / "out", options)
    with (folder / "out/genes.tsv").open() as file:
        next(file)
        numbers = [int(line.split("\t")[0].removeprefix("contig")) for line in file]
    return {
        "records": n_records,
        "bases": n_records * contig_bp,
        "cpu_s": round(time.process_time() - began, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "baseline_mb": round(baseline / 1024),
        "files": n_files[0],
        "genes": summary["n_genes"],
        "in_order": numbers == sorted(numbers),
    }


def estimate(rows: list[dict], target_bp: int) -> dict:
    """What ``target_bp`` bases in records of this kind take, by least squares over the sizes that were run.

    Returns:
        The estimates; for each the growth "per_mb" of a million bases, and "off_by", how far a run is from the line.
    """
    megabases = np.array([row["bases"] for row in rows]) / 1e6
    found = {"records": target_bp * rows[-1]["records"] // rows[-1]["bases"], "bases": target_bp, "lines": {}}
    for name in ("cpu_s", "peak_mb", "files"):
        values = np.array([row[name] for row in rows])
        slope, constant = np.polyfit(megabases, values, 1)
        found[name] = round(constant + slope * target_bp / 1e6)
        off_by = np.abs(constant + slope * megabases - values).max()
        found["lines"][name] = {"per_mb": round(slope, 4), "off_by": round(off_by, 1)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", help="docs/results/scale-NAME.json")
    parser.add_argument("--contig-bp", type=int, nargs="+", required=True)
    parser.add_argument("--records", type=int, nargs="+", required=True)
    parser.add_argument("--target-bp", type=int, help="estimate this many bases in such records")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.name is None:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(args.records[0], args.contig_bp[0], Path(folder))))
        return
    rows = []
    for contig_bp, n_records in product(args.contig_bp, args.records):
        command = [sys.executable, __file__, "--contig-bp", str(contig_bp), "--records", str(n_records)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(rows[-1], file=sys.stderr)
    result = {"measured": rows}
    if args.target_bp:
        result["estimated"] = estimate(rows, args.target_bp)
    path = ROOT / "docs" / "results" / f"scale-{args.name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(path.read_text())


if __name__ == "__main__":
    main()
