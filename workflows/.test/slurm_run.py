"""Run the tiny workflow on a Slurm of one node, cancel its training half-way, and compare with a run without Slurm.

Every rule is a job of sbatch. The training job is cancelled with scancel once it has written a checkpoint, Snakemake
submits it again, and what comes out is compared byte by byte with the results of the same workflow on this machine.

    python workflows/.test/slurm_run.py --name tiny
"""

import argparse
import contextlib
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import slurm_node
from tiny import OPTIONS, WORKFLOWS, make_folder, make_function_model

TRAINING = f"{OPTIONS} --trainer.max_steps 150 --checkpoint_every_n_steps 5"
"""Longer than in the tiny run, so that there is time to cancel."""
WAIT_S = 900


@contextlib.contextmanager
def started(folder: Path, environment: dict[str, str], *options: str) -> Iterator[subprocess.Popen]:
    """The workflow, running; everything it says goes to ``workflow.log``."""
    own = f"{Path(sys.executable).parent}:{environment['PATH']}"
    command = [sys.executable, "-m", "snakemake", "-s", str(WORKFLOWS / "Snakefile"), "--directory", str(folder)]
    with (folder / "workflow.log").open("wb") as log:
        run = subprocess.Popen([*command, *options], stdout=log, stderr=log, env=environment | {"PATH": own})
    try:
        yield run
    finally:
        run.kill()  # where it has ended, nothing


def finish(folder: Path, run: subprocess.Popen) -> None:
    """Wait for the workflow; ends the script with its log where it failed."""
    if code := run.wait():
        sys.exit(f"{(folder / 'workflow.log').read_text()}\nthe workflow ended with exit code {code}.")


def run_slurm(folder: Path, environment: dict[str, str]) -> dict:
    """The workflow through sbatch, with its training cancelled once; what became of the jobs."""
    often = ["--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2"]
    with started(folder, environment, "--profile", str(WORKFLOWS / "profiles" / "slurm"), *often) as run:
        cancelled_at = cancel_training(folder, environment, run)
        finish(folder, run)
    states = jobs(environment)
    return {
        "slurm": slurm_node.output(environment, "sinfo", "--version").split()[-1],
        "jobs": len(states),
        "states": dict(Counter(states.values())),
        "training_jobs": len(jobs(environment, "rule_train")),
        "cancelled_at_step": cancelled_at,
        "steps": n_logged_steps(folder),
    }


def cancel_training(folder: Path, environment: dict[str, str], run: subprocess.Popen) -> int:
    """Cancel the training job once it has written a checkpoint; the steps that it had done when it ended."""
    checkpoint = folder / "runs/tiny/checkpoints/last.ckpt"
    wait_for(lambda: checkpoint.is_file() or run.poll() is not None, "a checkpoint of the training job")
    (training,) = jobs(environment, "rule_train")
    subprocess.run(["scancel", training], check=True, env=environment)
    wait_for(lambda: jobs(environment)[training] in ("CANCELLED", "COMPLETED"), "the end of the training job")
    return n_logged_steps(folder)


def jobs(environment: dict[str, str], comment: str = "") -> dict[str, str]:
    """State of every job by its number; only those whose comment, which names the rule, begins with ``comment``."""
    lines = slurm_node.output(environment, "squeue", "--states=all", "-h", "-o", "%i %T %k").splitlines()
    rows = (line.split(" ", 2) for line in lines)
    return {number: state for number, state, found in rows if found.startswith(comment)}


def n_logged_steps(folder: Path) -> int:
    """Steps in ``metrics.csv``, which holds each once, however often training was interrupted."""
    rows = (folder / "runs/tiny/metrics.csv").read_text().splitlines()[1:]
    return len({row.split(",")[0] for row in rows})


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Look five times a second; ends the script after ``WAIT_S`` seconds."""
    end = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"gave up waiting for {what}.")
        time.sleep(0.2)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of the results and of the trained model; shards and ``run.json`` say where they ran, and are left out."""
    paths = [*(folder / "results").rglob("*"), *(folder / "runs/tiny/model").iterdir()]
    names = (path.relative_to(folder) for path in paths if path.is_file() and path.name[0] != ".")
    kept = (name for name in names if name.name != "run.json" and "shards" not in name.parts)
    return {str(name): hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in kept}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="docs/results/slurm-NAME.json")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # the daemons end with this process
    slurm_node.install()
    with tempfile.TemporaryDirectory() as temporary:
        here, there = Path(temporary, "here"), Path(temporary, "there")
        make_folder(here, training=TRAINING)
        make_function_model(here)
        shutil.copytree(here, there)
        with slurm_node.one_node(Path(temporary, "slurm")) as environment:
            with started(here, environment, "-c1") as local:
                result = run_slurm(there, environment)
                finish(here, local)
        expected, found = digests(here), digests(there)
        result["files"] = len(expected)
        result["files_equal"] = sum(found.get(name) == digest for name, digest in expected.items())
    path = WORKFLOWS.parent / "docs" / "results" / f"slurm-{args.name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(path.read_text())


if __name__ == "__main__":
    main()
