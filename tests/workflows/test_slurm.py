"""The profile of Slurm on a real Slurm of one node; ``workflows/.test/slurm_run.py`` runs the whole workflow there."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import pytest
import running
import slurm_node
from tiny import WORKFLOWS

pytestmark = pytest.mark.slow


@pytest.mark.skipif(bool(slurm_node.missing_programs()), reason="Slurm and munge are not installed")
def test_rule_is_a_job_of_sbatch_with_its_resources(folder, monkeypatch):
    monkeypatch.setenv("PATH", running.own_environment()["PATH"])
    command = [sys.executable, "-m", "snakemake", "-s", running.SNAKEFILE, "--directory", folder]
    command += ["--profile", WORKFLOWS / "profiles/slurm", "--slurm-init-seconds-before-status-checks", "7"]
    # The paths of sockets are short.
    with tempfile.TemporaryDirectory() as short, slurm_node.one_node(Path(short, "slurm")) as environment:
        target = [*command, "--slurm-keep-successful-logs", "--", "results/train/data.h5"]
        done = subprocess.run(list(map(str, target)), capture_output=True, text=True, env=environment)
        jobs = slurm_node.output(environment, "scontrol", "show", "job")
    logs = "".join(path.read_text() for path in (folder / ".snakemake/slurm_logs").rglob("*.log"))
    assert done.returncode == 0, done.stdout + done.stderr + logs
    assert re.findall(r"JobState=(\w+)", jobs) == ["COMPLETED"] and "Comment=rule_prepare" in jobs
    assert re.search(r"TimeLimit=00:10:00", jobs) and re.search(r"mem=2000M", jobs)
    with h5py.File(folder / "results/train/data.h5") as store:
        assert store.attrs["complete"]


def test_missing_programs_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(slurm_node, "search_path", lambda: str(tmp_path))
    assert slurm_node.missing_programs() == ["munged", "slurmctld", "slurmd", "sbatch"]
    monkeypatch.setattr("os.getuid", lambda: 1000)
    with pytest.raises(SystemExit, match="missing: munge, slurmctld, slurmd, slurm-client"):
        slurm_node.install()
