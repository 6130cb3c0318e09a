"""Prediction of very many records and of very long ones: time, peak memory, files on the way, order of the output.

The network is replaced by one that computes nothing and returns constants, so that what is measured is everything else:
reading, tiles, candidates, statistics, selection and writing. Each case is a process of its own. A size that was not
run is estimated by a line through those that were. Peak memory follows the longest record and the number of genes, and
is fitted to the cases of several files together.

    python benchmarks/scale.py --name contigs --contig-bp 300 --records 2000 10000 40000 --target-bp 300000000
    python benchmarks/scale.py --name chromosomes --contig-bp 10000000 --records 1 3 10 20 --target-bp 3000000000
    python benchmarks/scale.py --name lengths --contig-bp 10000000 100000000 250000000 --records 1
    python benchmarks/scale.py --fit chromosomes lengths
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch

from genoformer.applications import result_names
from genoformer.applications.genes.caller import GeneFinder
from genoformer.applications.genes.predict import GenePredictor
from genoformer.applications.genes.request import GeneRequest
from genoformer.bundle.folder import load_bundle
from genoformer.bundle.header import read_header
from genoformer.decoding.options import CallOptions
from genoformer.inference.interface import Speed
from genoformer.inference.run import Job, predict
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"


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


@dataclass(frozen=True)
class CountingPredictor(GenePredictor):
    """Counts the files on the way when the model pass has ended."""

    n_files: list[int] = field(default_factory=list)

    def write(self, paths, scan, out, folders, warnings):
        self.n_files.append(len(list(folders[0].iterdir())))
        return super().write(paths, scan, out, folders, warnings)


def random_records(n_records: int, contig_bp: int):
    """Records of random bases, one at a time."""
    generator = np.random.default_rng(1)
    for number in range(n_records):
        yield Record(f"contig{number}", generator.integers(0, 4, contig_bp, dtype=np.uint8))


def measure(n_records: int, contig_bp: int, folder: Path) -> dict:
    """One case in this process."""
    write_fasta(folder / "in.fa", random_records(n_records, contig_bp))
    header = read_header("prokaryotes")
    bundle = replace(load_bundle(header), model=Constant(header.config.stride))
    request = GeneRequest(CallOptions(), formats=("gff3", "tsv"), precision="float32")
    predictor = CountingPredictor(request, GeneFinder.from_bundle(bundle, Speed(precision="float32")))
    job = Job([str(folder / "in.fa")], request, header, lambda *of: predictor, result_names())
    began, baseline = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    summary = predict(job, folder / "out")
    with (folder / "out/genes.tsv").open() as file:
        next(file)
        numbers = [int(line.split("\t")[0].removeprefix("contig")) for line in file]
    return {
        "records": n_records,
        "bases": n_records * contig_bp,
        "cpu_s": round(time.process_time() - began, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "baseline_mb": round(baseline / 1024),
        "files": predictor.n_files[0],
        "genes": summary["n_genes"],
        "in_order": numbers == sorted(numbers),
    }


def estimate(rows: list[dict], target_bp: int) -> dict:
    """Time and files of ``target_bp`` bases in records of this kind, by least squares over the sizes that were run."""
    bases = np.array([row["bases"] for row in rows])
    found = {"records": target_bp * rows[-1]["records"] // rows[-1]["bases"], "bases": target_bp}
    for name in ("cpu_s", "files"):
        found[name] = round(np.polyval(np.polyfit(bases, [row[name] for row in rows], 1), target_bp))
    return found


def fit_memory(rows: list[dict]) -> dict:
    """Peak memory as a constant, bytes per base of a record (all records of a case are equally long) and per gene."""
    terms = np.array([[2**20, row["bases"] / row["records"], row["genes"]] for row in rows]) / 2**20
    peaks = np.array([row["peak_mb"] for row in rows])
    constant, per_base, per_gene = np.linalg.lstsq(terms, peaks)[0]
    off_by = np.abs(terms @ [constant, per_base, per_gene] - peaks).max()
    return {"constant_mb": constant, "bytes_per_base": per_base, "bytes_per_gene": per_gene, "off_by_mb": off_by}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", help="docs/results/scale-NAME.json")
    parser.add_argument("--contig-bp", type=int, nargs="+")
    parser.add_argument("--records", type=int, nargs="+")
    parser.add_argument("--target-bp", type=int, help="estimate this many bases in such records")
    parser.add_argument("--fit", nargs="+", metavar="NAME", help="fit peak memory to these results, and print it")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.fit:
        rows = [
            row for name in args.fit for row in json.loads((RESULTS / f"scale-{name}.json").read_text())["measured"]
        ]
        print({name: round(float(value), 1) for name, value in fit_memory(rows).items()})
        return
    if not (args.contig_bp and args.records):
        parser.error("--contig-bp and --records are required.")
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
    path = RESULTS / f"scale-{args.name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(path.read_text())


if __name__ == "__main__":
    main()
