"""Predict a genome in one run and in shards, and compare the files byte by byte.

python benchmarks/shards.py GCF_000005845.2_ASM584v2_genomic.gbff.gz --shards 2 7 --name ecoli
"""

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from genoformer.annotation.read import read_records
from genoformer.applications import result_names
from genoformer.applications.genes.predict import GenePredictor
from genoformer.applications.genes.request import GeneRequest
from genoformer.bundle.folder import load_bundle
from genoformer.bundle.header import read_header
from genoformer.decoding.options import CallOptions
from genoformer.inference.interface import Speed
from genoformer.inference.run import Job, predict
from genoformer.inference.shards import Shard, merge_shards, predict_shard, read_shards
from genoformer.sequence.fasta import write_fasta


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of everything that a prediction promises to repeat."""
    files = [path for path in folder.iterdir() if path.name[0] != "." and path.name != "run.json"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def timed(call: Callable) -> float:
    """CPU seconds of a call."""
    began = time.process_time()
    call()
    return round(time.process_time() - began, 1)


def build_job(fasta: Path, model: str, request: GeneRequest) -> Job:
    """The prediction, with its model loaded."""
    header = read_header(model)
    predictor = GenePredictor.from_bundle(request, load_bundle(header), Speed())
    return Job([str(fasta)], request, header, lambda *of: predictor, result_names())


def compare(job: Job, model: str, folder: Path, shards: list[int]) -> dict:
    """One run, and each number of shards."""
    seconds = timed(partial(predict, job, folder / "whole"))
    expected, rows = digests(folder / "whole"), []
    for of in shards:
        parts, merged = folder / f"parts{of}", folder / f"merged{of}"
        each = [timed(partial(predict_shard, job, parts, Shard(i, of), model=model)) for i in range(1, of + 1)]
        merging = timed(lambda: merge_shards(job, read_shards(parts), merged))  # noqa: B023  # called at once
        equal = sum(digests(merged).get(name) == digest for name, digest in expected.items())
        rows.append(
            {
                "shards": of,
                "files_equal": equal,
                "longest_s": max(each),
                "sum_s": round(sum(each), 1),
                "merge_s": merging,
            }
        )
    summary = json.loads((folder / "whole/summary.json").read_text())
    counts = {name: summary[name] for name in ("n_records", "n_bases", "n_genes")}
    return {**counts, "files": len(expected), "whole_s": seconds, "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("genbank", type=Path)
    parser.add_argument("--model", default="prokaryotes")
    parser.add_argument("--genetic-code", type=int, default=11)
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 3, 8])
    parser.add_argument("--name", required=True, help="docs/results/shards-NAME.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    call = CallOptions(genetic_code=args.genetic_code)
    request = GeneRequest(call, formats=("gff3", "tsv", "bed", "protein", "cds"))
    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder) / "genome.fa"
        write_fasta(fasta, read_records(args.genbank))
        result = compare(build_job(fasta, args.model, request), args.model, Path(folder), args.shards)
    path = Path(__file__).parents[1] / "docs" / "results" / f"shards-{args.name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(path.read_text())


if __name__ == "__main__":
    main()
