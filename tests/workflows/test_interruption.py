"""A training rule that was killed continues at its checkpoint when Snakemake runs it again."""

import contextlib
import os
import signal
import subprocess
import sys
import time

from running import SNAKEFILE, own_environment
from tiny import OPTIONS

from genoformer.cli.main import main

STEPS = 80
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


def start(folder, *options):
    """Snakemake and its jobs, as a group of processes of their own."""
    command = [sys.executable, "-m", "snakemake", "-s", SNAKEFILE, "--directory", folder, "-c1", *options, "--", MODEL]
    with (folder / "said").open("ab") as said:
        environment = own_environment()
        return subprocess.Popen(
            list(map(str, command)), stdout=said, stderr=said, env=environment, start_new_session=True
        )


def wait_for_checkpoint(folder, run):
    while not (folder / "runs/tiny/checkpoints/last.ckpt").is_file():
        assert run.poll() is None, (folder / "said").read_text()
        time.sleep(0.02)


def mark_first_step(folder):
    """A remark in the metrics of the first step, which a run from the beginning would not have."""
    path = folder / "runs/tiny/metrics.csv"
    header, first, *others = path.read_text().splitlines()
    assert first.startswith("0,") and len(others) < STEPS - 2
    path.write_text("\n".join([header, first.replace(first.split(",")[1], "9.5", 1), *others]) + "\n")


def test_killed_training_continues_and_ends_with_the_same_weights(folder):
    only_training(folder)
    run = start(folder)
    wait_for_checkpoint(folder, run)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    mark_first_step(folder)
    assert start(folder, "--unlock").wait() == 0
    assert start(folder).wait() == 0, (folder / "said").read_text()
    metrics = (folder / "runs/tiny/metrics.csv").read_text().splitlines()
    assert metrics[1].split(",")[1] == "9.5"
    assert sorted({int(row.split(",")[0]) for row in metrics[1:]}) == list(range(STEPS))
    with contextlib.chdir(folder):
        options = ["--config", "gene_structure_tiny", "--name", "whole", "--data.store", "results/train/data.h5"]
        assert main(["fit", *options, *TRAINING.split()]) == 0
    assert (folder / MODEL).read_bytes() == (folder / "runs/whole/model/model.safetensors").read_bytes()
