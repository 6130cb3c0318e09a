"""Run the tiny workflow on a real one-node Slurm, cancel its training half-way, and compare with a run without Slurm.

Installs Debian's slurmctld, slurmd, slurm-client and munge where they are missing (as root), starts them with files of
their own in a temporary folder, and stops them at the end. Every rule is a job of sbatch; the training job is cancelled
once it has written a checkpoint, and Snakemake submits it again.

    python scripts/slurm_workflow.py [--name tiny]        writes docs/results/slurm-NAME.json
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-client", "munged": "munge"}
GENOMES = (("first", 24_000), ("second", 12_000), ("third", 12_000))
STEPS = 150
WAIT_S = 600
CONF = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort=16817
SlurmdPort=16818
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=1,sched_interval=2
MinJobAge=600
KillWait=60
ReturnToService=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def install() -> None:
    """Install what is missing of Slurm; ends the script where that is not possible."""
    missing = [package for program, package in PACKAGES.items() if shutil.which(program) is None]
    if missing and os.getuid() != 0:
        sys.exit(f"missing: {', '.join(missing)}; install them, or run this as root.")
    if missing:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing]
        subprocess.run(command, check=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """A Slurm of this machine alone; its commands find it through SLURM_CONF."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 - 500
    host = socket.gethostname().split(".")[0]
    conf = folder / "slurm.conf"
    conf.write_text(CONF.format(host=host, folder=folder, cpus=os.cpu_count(), memory_mb=memory_mb))
    os.environ["SLURM_CONF"] = str(conf)
    munge = Path("/run/munge")
    munge.mkdir(exist_ok=True)
    shutil.chown(munge, "munge", "munge")
    daemons = []
    for command in (["runuser", "-u", "munge", "--", "munged", "-F"], ["slurmctld", "-D"], ["slurmd", "-D"]):
        log = (folder / f"{command[-2]}.out").open("wb")
        daemons.append(subprocess.Popen(command, stdout=log, stderr=log))
        time.sleep(1)
    try:
        wait_for(lambda: "idle" in output("sinfo", "-h", "-o", "%T"), "the node to be idle")
        yield
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            daemon.wait(timeout=30)


def output(*command: str) -> str:
    """What a program prints; "" where it fails."""
    return subprocess.run(command, capture_output=True, text=True).stdout


def wait_for(condition, what: str) -> None:
    """Look twice a second; ends the script after ``WAIT_S`` seconds."""
    end = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"gave up waiting for {what}.")
        time.sleep(0.5)


def prepare(folder: Path) -> None:
    """A working directory of the tiny workflow, with more steps, so that there is time to cancel."""
    shutil.copytree(ROOT / "workflows" / ".test" / "config", folder / "config")
    path = folder / "config" / "config.yaml"
    options = f"--data.validation 0.2 --trainer.max_steps {STEPS} --checkpoint_every_n_steps 5"
    path.write_text(path.read_text().replace("--data.validation 0.2", options))
    for seed, (name, length_bp) in enumerate(GENOMES):
        arguments = ["-o", str(folder / "genomes" / name), "--length-bp", str(length_bp), "--seed", str(seed)]
        subprocess.run([sys.executable, "-m", "genoformer", "simulate", *arguments, "--contigs", "2"], check=True)


def workflow(folder: Path, *options: str) -> subprocess.Popen:
    """Start Snakemake; everything it says goes to ``workflow.log``."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "workflows/Snakefile"), "--directory", str(folder)]
    log = (folder / "workflow.log").open("wb")
    return subprocess.Popen([*command, *options], stdout=log, stderr=log)


def cancel_training(folder: Path) -> str:
    """Cancel the training job once it has written a checkpoint; its number."""
    log, checkpoint = folder / "workflow.log", folder / "runs/tiny/checkpoints/last.ckpt"
    wait_for(checkpoint.is_file, "a checkpoint of the training job")
    number = re.findall(r"SLURM jobid (\d+)", log.read_text())[-1]
    subprocess.run(["scancel", number], check=True)
    return number


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of results and weights."""
    files = [*folder.glob("results/predict/*/*"), *folder.glob("results/evaluate/*"), *folder.glob("runs/tiny/model/*")]
    kept = [path for path in files if path.is_file() and path.name not in ("run.json", ".genoformer.lock")]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(kept)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="tiny", help="docs/results/slurm-NAME.json")
    args = parser.parse_args()
    install()
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as temporary:
        here, there = Path(temporary) / "here", Path(temporary) / "slurm"
        prepare(here)
        shutil.copytree(here, there)
        local = workflow(here, "-c2")
        if local.wait() != 0:
            sys.exit((here / "workflow.log").read_text())
        with cluster(Path(temporary) / "cluster"):
            began = time.monotonic()
            quick = ["--slurm-init-seconds-before-status-checks", "3", "--seconds-between-status-checks", "2"]
            run = workflow(there, "--profile", str(ROOT / "workflows/profiles/slurm"), *quick)
            cancelled = cancel_training(there)
            code, seconds = run.wait(), time.monotonic() - began
            said = (there / "workflow.log").read_text()
            if code != 0:
                sys.exit(said)
        jobs = re.findall(r"SLURM jobid (\d+)", said)
        result = {
            "slurm": output("slurmctld", "-V").split()[-1],
            "jobs_submitted": len(set(jobs)),
            "cancelled": jobs.index(cancelled) + 1,
            "training_resumed": (there / "logs/train.log").read_text().count("SIGTERM") > 0,
            "seconds": round(seconds),
            "files_compared": len(digests(here)),
            "files_equal": sum(digests(there).get(name) == value for name, value in digests(here).items()),
        }
    path = ROOT / "docs" / "results" / f"slurm-{args.name}.json"
    path.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n")
    print(path.read_text())
    return int(result["files_equal"] < result["files_compared"])


if __name__ == "__main__":
    sys.exit(main())
