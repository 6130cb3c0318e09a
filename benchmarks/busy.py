"""CPU seconds of predictions on a machine that others use, beside those when it is quiet; runs in turn, one JSON.

    python benchmarks/busy.py GENOME.fa [--model bacteria] [--bases 300000] [--other ROOT] [-o docs/results/busy.json]

The load is started here: processes that compute without end, ended before the next quiet run. Seconds are user plus
system time of the whole process. Whether the machine was quiet otherwise is in "load": its load average before a run.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from predict import predict_command, processor
from startup import rounded

from genoformer.annotation.read import read_records
from genoformer.files import write_json_atomic
from genoformer.sequence.fasta import write_fasta

BUSY = [sys.executable, "-c", "while True: pass"]


@contextmanager
def load(n_processes: int) -> Iterator[None]:
    """So many processes that never rest, until the block ends."""
    others = [subprocess.Popen(BUSY) for _ in range(n_processes)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def run(command: list[str], root: Path, threads: int) -> dict[str, float]:
    """One command of the build that lies in ``root``."""
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": str(threads)}
    begin, before = time.perf_counter(), os.getloadavg()[0]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(command)} ended with status {status}")
    wall = time.perf_counter() - begin
    return {"cpu": usage.ru_utime + usage.ru_stime, "wall": wall, "load": before}


def measure(fasta: Path, args: argparse.Namespace, folder: Path) -> dict[str, dict[str, list[dict[str, float]]]]:
    """Runs of each build, quiet and loaded, in turn."""
    builds = {"this": Path(__file__).resolve().parents[1], **({"other": args.other} if args.other else {})}
    runs: dict = {build: {"quiet": [], "loaded": []} for build in builds}
    for number in range(args.rounds):
        for n_others, state in ((0, "quiet"), (args.others, "loaded")):
            for build, root in builds.items():
                command = predict_command(fasta, args.model, folder / f"{build}-{state}-{number}")
                with load(n_others):
                    runs[build][state].append(run(command, root, args.threads))
                print(build, state, runs[build][state][-1], flush=True)
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("--model", default="bacteria")
    parser.add_argument("--bases", type=int, default=300_000, help="read so much of the longest record")
    parser.add_argument("--others", type=int, default=4, help="processes of the load")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--other", type=Path, help="root of another checkout, measured beside this one")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results/busy.json"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        record = max(read_records(args.fasta), key=len)
        fasta = Path(name) / "input.fa"
        write_fasta(fasta, [replace(record, codes=record.codes[: args.bases])])
        runs = measure(fasta, args, Path(name))
    result = {
        "model": args.model, "bases": min(args.bases, len(record)), "others": args.others, "rounds": args.rounds,
        "machine": {"processor": processor(), "cores": os.cpu_count(), "threads": args.threads}, "builds": {},
    }  # fmt: skip
    for build, states in runs.items():
        pairs = zip(states["loaded"], states["quiet"], strict=True)
        result["builds"][build] = {
            "times_quiet": rounded((busy["cpu"] / quiet["cpu"] for busy, quiet in pairs), 2),
            **{
                state: {key: rounded((one[key] for one in found), 2) for key in ("cpu", "wall", "load")}
                for state, found in states.items()
            },
        }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_json_atomic(args.out, result)


if __name__ == "__main__":
    main()
