"""A Slurm of one node, made of Debian's packages, for as long as a command runs.

    python workflows/.test/slurm_node.py COMMAND ARGUMENT …

Its files are in a temporary folder and its daemons belong to the user, so that it touches no other Slurm and no
settings of the machine. Missing packages are installed where that is possible (Debian, as root). There is no accounting
database.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PACKAGES = {"munged": "munge", "slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-client"}
START_S = 300
CONF = """\
ClusterName=one
SlurmctldHost=localhost
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
# Cgroups, MPI and accounting are left out: they would need more than an ordinary user may do.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# Jobs start at once, and stay in squeue until the end of the test.
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,sched_interval=1
MinJobAge=86400
ReturnToService=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
NodeName=localhost CPUs={cpus} RealMemory={memory_mb}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE
"""
# The step that Snakemake's plugin starts in a job forgets SLURM_CONF, and would look in /etc.
SRUN = """\
#!/bin/sh
SLURM_CONF={folder}/slurm.conf exec {srun} "$@"
"""


def missing_programs() -> list[str]:
    """Programs of Slurm that are not installed."""
    return [program for program in PACKAGES if shutil.which(program, path=search_path()) is None]


def search_path() -> str:
    """PATH with the folders of daemons, which users do not always have in theirs."""
    return os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])


def install() -> None:
    """Install what is missing; ends the script where that is not possible."""
    packages = [PACKAGES[program] for program in missing_programs()]
    if packages and (os.getuid() != 0 or shutil.which("apt-get") is None):
        sys.exit(f"missing: {', '.join(packages)} (Debian's names); install them.")
    if packages:
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages]
        subprocess.run(command, check=True, env=quiet, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def one_node(folder: Path) -> Iterator[dict[str, str]]:
    """Start the daemons in ``folder``, and stop them at the end; gives the environment for programs that use them.

    Raises:
        RuntimeError: If the node is not ready within five minutes; with what the daemons said.
    """
    environment = _write_files(folder)
    munge = {name: f"{folder}/munge.{name}" for name in ("socket", "pid", "log", "seed", "key")}
    options = [f"--{name}{'' if name == 'socket' else '-file'}={path}" for name, path in munge.items()]
    commands = (
        ["munged", "--foreground", "--force", *options],
        ["slurmctld", "-D"],
        ["slurmd", "-D", "-N", "localhost"],
    )
    with contextlib.ExitStack() as daemons:
        for command in commands:
            daemons.enter_context(_daemon(command, folder, environment))
            if command[0] == "munged":
                _wait(Path(munge["socket"]).exists, folder)
        _wait(lambda: "idle" in output(environment, "sinfo", "-h", "-o", "%T"), folder)
        yield environment


def _write_files(folder: Path) -> dict[str, str]:
    """Configuration, key and the command srun; the environment in which they are found."""
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir(parents=True)
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 - 500
    user, cpus = pwd.getpwuid(os.getuid()).pw_name, os.cpu_count()
    settings = {"folder": folder, "user": user, "cpus": cpus, "memory_mb": memory_mb, "ports": _free_ports()}
    (folder / "slurm.conf").write_text(CONF.format(**settings))
    key, srun = folder / "munge.key", folder / "bin" / "srun"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    srun.write_text(SRUN.format(folder=folder, srun=shutil.which("srun")))
    srun.chmod(0o755)
    return os.environ | {"SLURM_CONF": f"{folder}/slurm.conf", "PATH": f"{srun.parent}{os.pathsep}{search_path()}"}


def _free_ports() -> list[int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("localhost", 0))
        second.bind(("localhost", 0))
        return [first.getsockname()[1], second.getsockname()[1]]


@contextlib.contextmanager
def _daemon(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    with (folder / f"{command[0]}.out").open("wb") as said:
        path = shutil.which(command[0], path=environment["PATH"])
        process = subprocess.Popen([path, *command[1:]], stdout=said, stderr=said, env=environment)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(is_ready: Callable[[], bool], folder: Path) -> None:
    end = time.monotonic() + START_S
    while not is_ready():
        if time.monotonic() > end:
            said = (f"{path.name}: {path.read_text(errors='replace')[-2000:]}" for path in sorted(folder.glob("*.out")))
            raise RuntimeError("Slurm did not start.\n" + "\n".join(said))
        time.sleep(0.1)


def output(environment: dict[str, str], *command: str) -> str:
    """What a program prints; "" where it fails."""
    return subprocess.run(command, capture_output=True, text=True, env=environment).stdout


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # the daemons end with this process
    install()
    with tempfile.TemporaryDirectory() as folder, one_node(Path(folder)) as environment:
        return subprocess.run(sys.argv[1:], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
