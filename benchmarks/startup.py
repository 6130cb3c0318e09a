"""CPU seconds of whole commands, beside those of ``import torch``; the median of rounds in which all run in turn.

    python benchmarks/startup.py NC_001422.gbk.gz [--rounds 7] [-o docs/results/startup-phiX174.json]

Seconds are user plus system time of the process, so that other users of the machine count little. A ratio is that of
one round: the command's seconds over those that ``python -c "import torch"`` took in the same round.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from predict import processor

from genoformer.annotation.read import read_records
from genoformer.cli.main import COMMANDS, LIGHTNING_COMMANDS
from genoformer.files import write_json_atomic
from genoformer.sequence.fasta import write_fasta

TORCH = [sys.executable, "-c", "import torch"]
PREDICTION, NOTHING_TO_DO, MODELS, HELP, HELP_OF_TRAINING = (
    "predict a phage", "the same again: nothing to do", "models", "--help", "--help of fit, validate, test",
)  # fmt: skip
BOUNDS = {PREDICTION: 1.8, NOTHING_TO_DO: 0.4, MODELS: 0.4, HELP: 0.25, HELP_OF_TRAINING: 1.5}
"""What the ratio of each kind of command may be."""


@dataclass(frozen=True)
class Command:
    """A command to measure.

    Attributes:
        kind: Of ``BOUNDS``.
        arguments: What stands behind ``genoformer``; "{out}" is a folder that each round has for itself.
    """

    kind: str
    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the table calls it."""
        return " ".join(self.arguments) if self.kind in (HELP, HELP_OF_TRAINING) else self.kind


def commands(fasta: Path, model: str) -> list[Command]:
    """Everything that is measured, in the order of a round."""
    predict = ("predict", str(fasta), "--model", model, "-o", "{out}")
    pages = ((HELP_OF_TRAINING if name in LIGHTNING_COMMANDS else HELP, (name, "--help")) for name in COMMANDS)
    return [
        Command(PREDICTION, predict),
        Command(NOTHING_TO_DO, predict),
        Command(MODELS, ("models",)),
        Command(HELP, ("--help",)),
        *(Command(kind, arguments) for kind, arguments in pages),
    ]


def cpu_seconds(words: list[str]) -> float:
    """User and system seconds of a child process that prints nowhere."""
    # Without it every process would compile the package anew, which an installed one has behind it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    child = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(words)} ended with status {status}")
    return usage.ru_utime + usage.ru_stime


def measure(wanted: list[Command], rounds: int, folder: Path) -> tuple[list[float], list[list[float]]]:
    """Seconds of ``import torch`` by round, and of each command by round."""
    torch: list[float] = []
    ours: list[list[float]] = [[] for _ in wanted]
    for number in range(-1, rounds):  # the first one compiles modules and fills caches
        torch_s = cpu_seconds(TORCH)
        out = folder / str(number)
        genoformer = [sys.executable, "-m", "genoformer"]
        seconds = [cpu_seconds([*genoformer, *(word.format(out=out) for word in c.arguments)]) for c in wanted]
        if number >= 0:
            torch.append(torch_s)
            for kept, value in zip(ours, seconds, strict=True):
                kept.append(value)
    return torch, ours


def rounded(values: Iterable[float], digits: int = 3) -> dict:
    """Median and range."""
    values = sorted(values)
    return {
        "median": round(statistics.median(values), digits),
        "range": [round(values[0], digits), round(values[-1], digits)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("genbank", type=Path)
    parser.add_argument("--model", default="prokaryotes")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--kinds", nargs="+", choices=BOUNDS, default=list(BOUNDS), help="measure only these")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results/startup-phiX174.json"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        fasta = Path(name) / "input.fna"
        write_fasta(fasta, read_records(args.genbank))
        wanted = [command for command in commands(fasta, args.model) if command.kind in args.kinds]
        torch, ours = measure(wanted, args.rounds, Path(name))
    rows = [
        {
            "command": command.name,
            "bound": BOUNDS[command.kind],
            "seconds": rounded(seconds),
            "ratio": rounded((a / b for a, b in zip(seconds, torch, strict=True)), 2),
        }
        for command, seconds in zip(wanted, ours, strict=True)
    ]
    for row in rows:
        print(f"{row['command']:40} {row['ratio']['median']:6} of {row['bound']}, {row['seconds']['median']} s")
    machine = {"processor": processor(), "cores": os.cpu_count(), "threads": os.environ.get("OMP_NUM_THREADS", "all")}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    result = {"input": args.genbank.name, "model": args.model, "rounds": args.rounds, "machine": machine}
    write_json_atomic(args.out, {**result, "torch_seconds": rounded(torch), "rows": rows})


if __name__ == "__main__":
    main()
