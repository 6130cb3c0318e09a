"""Several processes that train together learn, report and write what one would."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from genoformer.batches.dataset import TileDataset
from genoformer.bundle import load_bundle
from genoformer.cli.fit import run_lightning
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.splits import Region

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import processes

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the runs "1", of one process, and "2", of two with half the batch each."""
    folder = tmp_path_factory.mktemp("runs")
    processes.make_genome(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run_lightning("fit", processes.arguments(1)) == 0
    done = processes.run_together(folder, 2)
    assert done.returncode == 0, done.stderr
    (folder / "output").write_text(done.stdout + done.stderr)
    return folder


@pytest.fixture
def both(folder):
    """Columns of metrics.csv of both runs."""
    return processes.read_metrics(folder, 1), processes.read_metrics(folder, 2)


def test_two_processes_have_the_losses_of_one_with_the_doubled_batch(both):
    one, two = both
    assert len(one["train/loss"]) == 20 and one["train/loss"][0] - one["train/loss"][-1] > 100 * TOLERANCE
    np.testing.assert_allclose(two["train/loss"], one["train/loss"], rtol=0, atol=TOLERANCE)


def test_validation_is_that_of_one_process(both):
    one, two = both
    names = [name for name in one if name.startswith("val/")]
    assert {"val/loss", "val/codon_0_mcc", "val/gene_f1"} <= set(names)
    for name in names:
        assert len(one[name]) == 2
        np.testing.assert_allclose(two[name], one[name], rtol=0, atol=TOLERANCE, err_msg=name)


def test_one_process_writes(folder, both):
    np.testing.assert_array_equal(both[1]["step"], both[0]["step"])
    first, second = folder / "runs/1", folder / "runs/2"
    assert {path.name for path in second.iterdir()} == {path.name for path in first.iterdir()}
    said = (folder / "output").read_text()
    assert said.count("model: ") == 1 and len(re.findall("genome: 3 records", said)) == 1
    one, two = (load_bundle(run / "model").model.state_dict() for run in (first, second))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=1e-3, msg=name)  # bfloat16 inside Muon


@pytest.mark.parametrize("world_size", [1, 2, 3, 50])
def test_every_validation_tile_goes_to_one_process(world_size):
    regions = [Region(0, 0, 1_000), Region(1, 30, 77)]
    shared = {"crop_bp": 100, "both_strands": True}
    tokenizer = KmerTokenizer(k=3, stride=3)
    whole = TileDataset(None, regions, tokenizer, **shared).places
    parts = [
        TileDataset(None, regions, tokenizer, rank=rank, world_size=world_size, **shared).places
        for rank in range(world_size)
    ]
    assert len(whole) == sum(map(len, parts)) == len({place for part in parts for place in part}) == 22
    assert {place for part in parts for place in part} == set(whole)


def test_job_script_hands_on_what_slurm_says(tmp_path):
    """The script, run with stand-ins for Slurm's programs: its options, and when it is submitted again."""
    script = Path(__file__).resolve().parents[2] / "scripts" / "train.slurm"
    for name, text in (
        ("srun", 'echo "$@" >> calls; exit $(cat code)'),
        ("scontrol", 'echo "scontrol $*" >> calls'),
    ):
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    variables = {
        "SLURM_JOB_ID": "7",
        "SLURM_NTASKS": "8",
        "SLURM_JOB_NUM_NODES": "2",
        "PATH": f"{tmp_path}:/usr/bin:/bin",
    }
    for code, is_requeued in ((0, False), (143, True), (75, True), (65, False)):
        (tmp_path / "code").write_text(str(code))
        (tmp_path / "calls").unlink(missing_ok=True)
        command = ["bash", str(script), "--config", "gene_structure_tiny", "--name", "a b"]
        assert subprocess.run(command, cwd=tmp_path, env=variables).returncode == code
        calls = (tmp_path / "calls").read_text().splitlines()
        assert calls[0].endswith(
            "genoformer fit --config gene_structure_tiny --name a b --config ddp"
            " --trainer.num_nodes 2 --trainer.devices 4"
        )
        assert calls[1:] == (["scontrol requeue 7"] if is_requeued else [])
