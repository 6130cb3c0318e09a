"""Train with one process and with two that have half the batch each (gloo, CPU), and compare what they report.

python benchmarks/processes.py --name tiny                      # each with the whole network (DDP)
python benchmarks/processes.py --name tiny-sharded --overlay fsdp   # each with half of it (FSDP)
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from genoformer.cli.main import main as genoformer

N_STEPS = 20


def make_genome(folder: Path) -> None:
    """Three made-up contigs in ``folder/g``."""
    genoformer(["simulate", "-o", str(folder / "g"), "--length-bp", "30000", "--contigs", "3", "--seed", "1"])


def arguments(n_processes: int, overlay: str = "ddp") -> list[str]:
    """Options of ``fit``; together the processes see four crops a step, and crops differ in how many bases count."""
    together = ["--config", overlay, "--trainer.devices", str(n_processes)] if n_processes > 1 else []
    return [
        "--config", "gene_structure_tiny", "--data.fasta", "g/genome.fa", "--data.annotation", "g/genome.gff3",
        "--model.encoder.dropout", "0", "--trainer.max_steps", str(N_STEPS), "--data.loader.samples_per_epoch", "40",
        "--data.split.validation", "0.3", "--data.crop_bp", "700", "--trainer.accelerator", "cpu",
        "--data.loader.batch_size", str(4 // n_processes), "--name", str(n_processes), *together,
    ]  # fmt: skip


def run_together(folder: Path, n_processes: int, overlay: str = "ddp") -> subprocess.CompletedProcess:
    """Train as a user does; Lightning starts the other processes."""
    command = [sys.executable, "-m", "genoformer", "fit", *arguments(n_processes, overlay)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)


def read_metrics(folder: Path, n_processes: int) -> dict[str, np.ndarray]:
    """Columns of metrics.csv without their empty cells."""
    with (folder / "runs" / str(n_processes) / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows if row[name]]) for name in rows[0]}


def compare(folder: Path) -> dict:
    """Largest difference of each reported number between one process and two."""
    one, two = read_metrics(folder, 1), read_metrics(folder, 2)
    differences = {name: float(np.abs(two[name] - column).max()) for name, column in one.items()}
    return {
        "steps": len(one["train/loss"]),
        "first_loss": one["train/loss"][0],
        "last_loss": one["train/loss"][-1],
        "train_loss": differences["train/loss"],
        "validation": max(value for name, value in differences.items() if name.startswith("val/")),
        "n_validation_metrics": sum(name.startswith("val/") for name in one),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="docs/results/processes-NAME.json")
    parser.add_argument("--overlay", default="ddp", help="configuration of the two processes: ddp or fsdp")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_genome(Path(folder))
        for n_processes in (1, 2):
            run_together(Path(folder), n_processes, args.overlay).check_returncode()
        result = compare(Path(folder))
    path = Path(__file__).parents[1] / "docs" / "results" / f"processes-{args.name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(path.read_text())


if __name__ == "__main__":
    main()
