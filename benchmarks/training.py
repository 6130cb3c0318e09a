"""CPU seconds of a step of training in this build and in another one, as whole commands in turn; one JSON.

    python benchmarks/training.py GENOME.fna.gz GENOME.gff.gz --other FOLDER [-o docs/results/training-ecoli.json]

Both builds train the model of the configuration ``gene_structure_bacteria`` on the same genome, 4 crops of 6,144 bases
a step, from the same seed: a few steps and more of them, whose difference leaves out start, validation and end. The
losses of validation are in the result, as a step that learns less would be no faster one.
"""

import argparse
import csv
import os
import statistics
import tempfile
from pathlib import Path

from predict import GENOFORMER, processor, run

from genoformer.files import write_json_atomic

BASES_OF_STEP = 4 * 6144
FEW = 10


def fit_command(args: argparse.Namespace, steps: int) -> list[str]:
    """Train for so many steps."""
    return [
        *GENOFORMER, "fit", "--config", "gene_structure_bacteria", "--name", f"steps{steps}",
        "--data.fasta", str(args.fasta.resolve()), "--data.annotation", str(args.annotation.resolve()),
        "--trainer.max_steps", str(steps),
    ]  # fmt: skip


def loss_of(folder: Path) -> float:
    """The last loss of validation in the metrics of a run."""
    [path] = folder.rglob("metrics.csv")
    with path.open(newline="") as file:
        losses = [row["val/loss"] for row in csv.DictReader(file) if row.get("val/loss")]
    return round(float(losses[-1]), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("annotation", type=Path)
    parser.add_argument("--other", type=Path, metavar="FOLDER", help="another build, checked out")
    parser.add_argument("--steps", type=int, default=110)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results/training-ecoli.json"))
    args = parser.parse_args()
    builds = {"this": Path(__file__).resolve().parents[1], **({"other": args.other} if args.other else {})}
    seconds: dict[str, list[float]] = {build: [] for build in builds}
    losses: dict[str, list[float]] = {build: [] for build in builds}
    for _ in range(args.rounds):
        for build, root in builds.items():
            with tempfile.TemporaryDirectory() as name:
                few, many = (run(fit_command(args, n), root, Path(name)) for n in (FEW, args.steps))
                seconds[build].append((many.cpu_seconds - few.cpu_seconds) / (args.steps - FEW))
                losses[build].append(loss_of(Path(name) / "runs" / f"steps{args.steps}"))
            print(build, seconds[build][-1], losses[build][-1], flush=True)
    result: dict = {
        "machine": {
            "processor": processor(), "cores": os.cpu_count(), "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        },
        "bases_of_step": BASES_OF_STEP, "steps": args.steps - FEW, "builds": {},
    }  # fmt: skip
    for build, found in seconds.items():
        result["builds"][build] = {
            "cpu_seconds_of_step": [round(value, 4) for value in found],
            "bases_per_cpu_second": round(BASES_OF_STEP / statistics.median(found)),
            "validation_loss": losses[build],
        }
    if args.other:
        found = sorted(theirs / ours for ours, theirs in zip(seconds["this"], seconds["other"], strict=True))
        median, limits = statistics.median(found), (found[0], found[-1])
        result["times_as_fast"] = {"median": round(median, 2), "range": [round(value, 2) for value in limits]}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_json_atomic(args.out, result)


if __name__ == "__main__":
    main()
