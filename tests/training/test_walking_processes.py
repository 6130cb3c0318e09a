"""Two processes whose rows walk learn what one does, and each goes on with the memory of its own rows."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from test_processes import STOPPED

from genoformer.cli.fit import run_lightning

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import processes

pytestmark = pytest.mark.slow

OWN = [
    "--model.encoder.attention", "{name: transformer_xl, segment: 32, memory: 48}", "--model.encoder.positions", "none",
    "--model.tile_bp", "192",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the run "1", of one process."""
    folder = tmp_path_factory.mktemp("walking")
    processes.make_genome(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run_lightning("fit", [*processes.arguments(1), *OWN]) == 0
    return folder


def fit(folder, *words, overlay, script=("-m", "genoformer")):
    command = [sys.executable, *script, "fit", *processes.arguments(2, overlay), *OWN, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("overlay", ["ddp", "fsdp"])
def test_two_processes_have_the_losses_of_one_and_go_on_where_they_were_stopped(folder, overlay, tmp_path):
    done = fit(folder, "--overwrite", overlay=overlay)
    assert done.returncode == 0, done.stderr
    one, two = processes.read_metrics(folder, 1), processes.read_metrics(folder, 2)
    np.testing.assert_allclose(two["train/loss"], one["train/loss"], rtol=0, atol=1e-5)
    (tmp_path / "stopped.py").write_text(STOPPED)  # Lightning starts the same file for the other process
    again = ["--name", f"stopped-{overlay}", "--checkpoint_every_n_steps", "3"]
    stopped = fit(folder, *again, overlay=overlay, script=(str(tmp_path / "stopped.py"),))
    assert stopped.returncode == 128 + signal.SIGTERM, stopped.stderr
    run = folder / f"runs/stopped-{overlay}"
    kept = torch.load(run / "checkpoints/last.ckpt", weights_only=True)["kept"]
    assert len(kept) == 2 and not torch.equal(kept[0][0][0], kept[1][0][0])
    done = fit(folder, *again, overlay=overlay)
    assert done.returncode == 0, done.stderr
    for file in ("model/model.safetensors", "metrics.csv"):
        assert (run / file).read_bytes() == (folder / "runs/2" / file).read_bytes(), file
