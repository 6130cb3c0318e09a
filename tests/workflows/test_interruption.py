"""A training rule that was killed continues at its checkpoint when Snakemake runs it again."""

import contextlib
import signal
import subprocess
import sys

import pytest
from running import SNAKEFILE, own_environment
from tiny import OPTIONS

from genoformer.cli.main import main

pytestmark = pytest.mark.slow

STEPS = 20
TRAINING = f"{OPTIONS} --trainer.max_steps {STEPS} --checkpoint_every_n_steps 5"
MODEL = "runs/tiny/model/model.safetensors"


def only_training(folder):
    """Leave nothing to do but the training: one sample, its store made, many steps."""
    table, config = folder / "config/samples.tsv", folder / "config/config.yaml"
    table.write_text("".join(table.open().readlines()[:2]))
    config.write_text(config.read_text().replace(OPTIONS, TRAINING))
    (folder / "results/train").mkdir(parents=True)
    genome = folder / "genomes/first"
    command = ["prepare", genome / "genome.fa", "--annotation", genome / "genome.gff3"]
    assert main(list(map(str, [*command, "-o", folder / "results/train/data.h5"]))) == 0


KILLED = """\
#!{python}
import os, signal, sys
from genoformer.cli.main import main
from genoformer.training.module import GenomeModule
step = GenomeModule.training_step
def killed(self, *arguments):
    if self.trainer.global_step == 12:
        os.killpg(os.getpgrp(), signal.SIGKILL)
    return step(self, *arguments)
GenomeModule.training_step = killed
sys.exit(main())
"""


def write_killed_command(folder):
    """A ``genoformer`` that kills Snakemake and its jobs, itself among them, after two checkpoints of a training."""
    command = folder / "killed/genoformer"
    command.parent.mkdir()
    command.write_text(KILLED.format(python=sys.executable))
    command.chmod(0o755)
    return command.parent


def run_workflow(folder, *options, environment):
    """Exit code of Snakemake, which is a group of processes with its jobs."""
    command = [sys.executable, "-m", "snakemake", "-s", SNAKEFILE, "--directory", folder, "-c1", *options, "--", MODEL]
    with (folder / "said").open("ab") as said:
        done = subprocess.run(
            list(map(str, command)), stdout=said, stderr=said, env=environment, start_new_session=True
        )
    return done.returncode


def mark_first_step(folder):
    """A remark in the metrics of the first step, which a run from the beginning would not have."""
    path = folder / "runs/tiny/metrics.csv"
    header, first, *others = path.read_text().splitlines()
    assert first.startswith("0,") and len(others) == 11
    path.write_text("\n".join([header, first.replace(first.split(",")[1], "9.5", 1), *others]) + "\n")


def test_killed_training_continues_and_ends_with_the_same_weights(folder):
    only_training(folder)
    killed, usual = own_environment(write_killed_command(folder)), own_environment()
    assert run_workflow(folder, environment=killed) == -signal.SIGKILL, (folder / "said").read_text()
    mark_first_step(folder)
    assert run_workflow(folder, "--unlock", environment=usual) == 0
    assert run_workflow(folder, environment=usual) == 0, (folder / "said").read_text()
    metrics = (folder / "runs/tiny/metrics.csv").read_text().splitlines()
    assert metrics[1].split(",")[1] == "9.5"
    assert sorted({int(row.split(",")[0]) for row in metrics[1:]}) == list(range(STEPS))
    with contextlib.chdir(folder):
        options = ["--config", "gene_structure_tiny", "--name", "whole", "--data.store", "results/train/data.h5"]
        assert main(["fit", *options, *TRAINING.split()]) == 0
    assert (folder / MODEL).read_bytes() == (folder / "runs/whole/model/model.safetensors").read_bytes()
