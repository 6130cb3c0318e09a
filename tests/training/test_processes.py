"""Several processes that train together learn, report and write what one would, also when they are interrupted."""

import functools
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.distributed as dist
from children import run_together

from genoformer.applications import build_task
from genoformer.bundle.folder import load_bundle
from genoformer.cli.fit import run_lightning
from genoformer.training.processes import gather_scores, mean_over_processes, own_share, sum_over_processes

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import processes

pytestmark = pytest.mark.slow

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A folder with the run "1", of one process."""
    folder = tmp_path_factory.mktemp("begun")
    processes.make_genome(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run_lightning("fit", processes.arguments(1)) == 0
    return folder


@pytest.fixture(scope="module")
def trained(begun, tmp_path_factory):
    """``trained("ddp")``: a folder with the runs "1", of one process, and "2", of two with half the batch each."""

    @functools.cache
    def train(overlay):
        folder = tmp_path_factory.mktemp("runs") / overlay
        shutil.copytree(begun, folder)
        done = processes.run_together(folder, 2, overlay)
        assert done.returncode == 0, done.stderr
        (folder / "output").write_text(done.stdout + done.stderr)
        return folder

    return train


@pytest.fixture(params=["ddp", "fsdp"])
def folder(trained, request):
    return trained(request.param)


@pytest.fixture
def both(folder):
    """Columns of metrics.csv of both runs."""
    return processes.read_metrics(folder, 1), processes.read_metrics(folder, 2)


def test_two_processes_have_the_losses_of_one_with_the_doubled_batch(both):
    one, two = both
    assert len(one["train/loss"]) == 20 and one["train/loss"][0] - one["train/loss"][-1] > 100 * TOLERANCE
    np.testing.assert_allclose(two["train/loss"], one["train/loss"], rtol=0, atol=TOLERANCE)


def test_validation_is_that_of_one_process(folder, both):
    one, two = both
    # Muon's products are in bfloat16: divided ones are added up in another order.
    tolerance = 10 * TOLERANCE if folder.name == "fsdp" else TOLERANCE
    names = [name for name in one if name.startswith("val/")]
    assert {"val/loss", "val/codon_0_mcc", "val/gene_f1"} <= set(names)
    for name in names:
        assert len(one[name]) == 2
        np.testing.assert_allclose(two[name], one[name], rtol=0, atol=tolerance, err_msg=name)


def test_one_process_writes(folder, both):
    np.testing.assert_array_equal(both[1]["step"], both[0]["step"])
    first, second = folder / "runs/1", folder / "runs/2"
    assert {path.name for path in second.iterdir()} == {path.name for path in first.iterdir()}
    said = (folder / "output").read_text()
    assert said.count("model: ") == 1 and len(re.findall("genome: 3 records", said)) == 1
    one, two = (load_bundle(run / "model").model.state_dict() for run in (first, second))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=1e-3, msg=name)  # bfloat16 inside Muon


STOPPED = """
import os, signal, sys
from genoformer.cli.main import main
from genoformer.training.module import GenomeModule
step = GenomeModule.training_step
def stopped(self, *arguments):
    if self.trainer.global_step == 7 and self.trainer.is_global_zero:
        os.kill(os.getpid(), signal.SIGTERM)
    return step(self, *arguments)
GenomeModule.training_step = stopped
sys.exit(main(sys.argv[1:]))
"""


def test_an_interrupted_run_of_divided_networks_continues_to_the_same_bytes(trained, tmp_path):
    folder = trained("fsdp")
    (tmp_path / "stopped.py").write_text(STOPPED)  # Lightning starts the same file for the other process
    arguments = ["fit", *processes.arguments(2, "fsdp"), "--checkpoint_every_n_steps", "3", "--name", "stopped"]
    stopped = subprocess.run([sys.executable, tmp_path / "stopped.py", *arguments], cwd=folder, capture_output=True)
    assert stopped.returncode == 128 + signal.SIGTERM, stopped.stderr.decode()
    assert (folder / "runs/stopped/checkpoints/last.ckpt").exists()
    assert not (folder / "runs/stopped/checkpoints/final.ckpt").exists()
    subprocess.run([sys.executable, "-m", "genoformer", *arguments], cwd=folder, check=True, capture_output=True)
    for file in ("model/model.safetensors", "metrics.csv"):
        assert (folder / "runs/stopped" / file).read_bytes() == (folder / "runs/2" / file).read_bytes(), file


@pytest.mark.parametrize("n_samples", [0, 1, 22])
@pytest.mark.parametrize("world_size", [1, 2, 3, 50])
def test_every_validation_sample_goes_to_one_process(world_size, n_samples):
    trainers = [SimpleNamespace(global_rank=rank, world_size=world_size) for rank in range(world_size)]
    shares = [own_share(trainer, n_samples) for trainer in trainers]
    assert sorted(sample for share in shares for sample in share) == list(range(n_samples))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert list(own_share(None, n_samples)) == list(range(n_samples))


def scores_of(task, labels, logits):
    scores = task.build_scores()
    scores.update(logits, labels)
    return scores


@pytest.mark.parametrize("name", ["gene_structure", "mlm", "function"])
def test_scores_of_two_processes_add_up_to_those_of_one(name):
    generator = torch.Generator().manual_seed(1)
    task = build_task(name, ["a", "b", "c"] if name == "function" else None)
    shape = (9,) if name == "function" else (9, 40)
    labels = torch.randint(0, 3, shape, generator=generator)
    labels = labels if name == "function" else labels.to(torch.uint8)
    logits = torch.randn(*shape, len(task.channels), generator=generator)
    first = scores_of(task, labels[:2], logits[:2])
    first.merge(scores_of(task, labels[2:], logits[2:]))
    whole = scores_of(task, labels, logits).compute()
    found = first.compute()
    assert found.keys() == whole.keys()
    for key, value in whole.items():
        assert found[key] == pytest.approx(value, rel=1e-6, nan_ok=True), key
    parts = [
        (task.loss(z, y), task.loss_weight(y)) for z, y in zip(logits.split([2, 7]), labels.split([2, 7]), strict=True)
    ]
    together = sum(mean * weight for mean, weight in parts) / sum(weight for _, weight in parts)
    torch.testing.assert_close(together, task.loss(logits, labels))


def reduce(rank, folder):
    """What a process of two finds of sums, means and scores."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)

    def add(tensor, reduce_op):
        dist.all_reduce(tensor)
        return tensor

    strategy = SimpleNamespace(root_device=torch.device("cpu"), reduce=add)
    trainer = SimpleNamespace(global_rank=rank, world_size=2, strategy=strategy)
    mean, weight = torch.tensor([2.0, 5.0])[rank].requires_grad_(), torch.tensor([1.0, 3.0])[rank]
    shown, own = mean_over_processes(trainer, mean, weight)
    own.backward()
    scores = scores_of(build_task("mlm"), torch.full((1, 4), rank, dtype=torch.uint8), torch.eye(4)[None])
    found = {
        "sum": sum_over_processes(trainer, np.array([rank + 1.0, 10.0])).tolist(),
        "mean": float(shown),
        "gradient": float(mean.grad),
        "n_hits": gather_scores(trainer, scores).n_hits,
    }
    (folder / f"{rank}.json").write_text(json.dumps(found))
    dist.destroy_process_group()


def test_sums_means_and_scores_are_the_same_on_both_processes(tmp_path):
    run_together(reduce, tmp_path)
    found = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)]
    # (2 · 1 + 5 · 3) / 4; the average of both gradients is that of the mean: 1/4 and 3/4 of it.
    for rank, gradient in ((0, 0.5), (1, 1.5)):
        assert found[rank] == {"sum": [3.0, 20.0], "mean": 4.25, "gradient": gradient, "n_hits": 2}


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
