"""``fit``, ``predict``, ``merge``, ``adapt``: all commands with a Reformer, whole and interrupted."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from labelled_tables import data_of_recipe
from prediction_files import contents

from genoformer.api import load_model
from genoformer.bundle.folder import add_calibration, load_bundle
from genoformer.cli.fit import GenoformerCLI, prepare_arguments
from genoformer.cli.main import main
from genoformer.genomes.simulate import simulate_genome
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record
from genoformer.training.config_files import config_folder
from genoformer.training.signals import StopRequest

EXPERIMENTS = sorted(path.stem for path in (config_folder() / "experiment").glob("*.yaml"))
REFORMER = ["--model.encoder.attention", "reformer", "--model.encoder.attention.chunk_tokens", "32"]
TINY = ["fit", "--config", "gene_structure_tiny", "--trainer.accelerator", "cpu", *REFORMER]
FILES = ["--data.fasta", "sim/genome.fa", "--data.annotation", "sim/genome.gff3"]

STOPPED = """
import os, signal, sys
from genoformer.cli.main import main
from genoformer.training.module import GenomeModule
step = GenomeModule.training_step
def stopped(self, *arguments):
    if self.trainer.global_step == 7:
        os.kill(os.getpid(), signal.SIGTERM)
    return step(self, *arguments)
GenomeModule.training_step = stopped
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a made-up genome, three contigs, and a model of a Reformer that was trained on the genome."""
    path = tmp_path_factory.mktemp("reformer")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        assert main(["simulate", "-o", "sim", "--length-bp", "40000", "--gc", "0.45", "--seed", "3"]) == 0
        (record, _), *_ = simulate_genome(length_bp=30_000, gc=0.45, seed=4)
        parts = np.split(record.codes, [9_000, 21_000])
        write_fasta("parts.fa", [Record(f"c{i}", codes) for i, codes in enumerate(parts)])
        assert main([*TINY, *FILES, "--name", "one", "--model.encoder.dropout", "0.1"]) == 0
    bundle = load_bundle(path / "runs/one/model")
    if "decoder" not in bundle.calibration:
        decoder = load_bundle("prokaryotes").calibration["decoder"]
        add_calibration(path / "runs/one/model", bundle, {"decoder": decoder})
    return path


@pytest.fixture
def work(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("experiment", [name for name in EXPERIMENTS if not name.endswith("_hf")])
def test_every_task_is_built_with_it_and_reads_a_batch(experiment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stored = yaml.safe_load((config_folder() / "experiment" / f"{experiment}.yaml").read_text())
    others = ["--model.encoder.n_global_tokens", "0"] if stored["model"]["encoder"].get("n_global_tokens") else []
    if experiment == "clm":
        others += ["--model.encoder.attention.causal", "true"]
    words = [
        "--config",
        experiment,
        *REFORMER,
        *others,
        *data_of_recipe(stored, tmp_path),
        "--trainer.accelerator",
        "cpu",
    ]
    module = GenoformerCLI("fit", prepare_arguments(words), StopRequest()).model
    if not module.is_built:
        module.build(["a", "b"])
    config = module.model.encoder.config
    n = min(60, config.max_tokens) if config.positions == "learned" else 60
    tokens = torch.randint(5, config.vocab_size, (2, n), generator=torch.Generator().manual_seed(1))
    extra = {"base_codes": torch.zeros(2, n, config.stride, dtype=torch.uint8)} if config.base_embedding else {}
    if "pair" in module.bundle_config.head["name"]:
        extra["pair_features"] = torch.zeros(2, module.model.head.features.in_channels - 1, n, n)
    with torch.no_grad():
        assert torch.isfinite(module.model(tokens, **extra)).all()


def test_bundle_says_what_it_is_and_shards_give_the_bytes_of_one_run(work):
    assert load_bundle("runs/one/model").config.encoder["attention"]["chunk_tokens"] == 32
    words = ["predict", "parts.fa", "--model", "runs/one/model", "--formats", "gff3,tsv", "--circular", "none"]
    assert main([*words, "-o", "whole"]) == 0
    for number in (1, 2, 3):
        assert main([*words, "-o", "parts", "--shard", f"{number}/3"]) == 0
    assert main(["merge", "parts", "-o", "merged"]) == 0
    assert contents(Path("merged")) == contents(Path("whole"))


def test_the_model_is_adapted_and_its_projections_take_adapters(work):
    adapting = ["adapt", "sim/genome.fa", "--annotation", "sim/genome.gff3", "--steps", "2"]
    assert main([*adapting, "--model", "runs/one/model", "-o", "adapted"]) == 0
    assert next(iter(load_model("adapted").predict("parts.fa"))).record_id == "c0"
    more = ["--init_from", "runs/one/model", "--model.adapter_rank", "2", "--name", "second"]
    assert main([*TINY, *FILES, *more, "--model.encoder.dropout", "0.1"]) == 0
    before, after = (load_bundle(f"runs/{name}/model").model.encoder.state_dict() for name in ("one", "second"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(".attention.inputs." in name or ".attention.output." in name for name in changed)


@pytest.mark.slow
def test_interrupted_training_continues_to_the_same_bytes(work, tmp_path):
    (tmp_path / "stopped.py").write_text(STOPPED)
    arguments = [*TINY, *FILES, "--model.encoder.dropout", "0.1", "--checkpoint_every_n_steps", "3", "--name", "again"]
    stopped = subprocess.run([sys.executable, tmp_path / "stopped.py", *arguments], cwd=work, capture_output=True)
    assert stopped.returncode == 128 + signal.SIGTERM, stopped.stderr.decode()
    assert not Path("runs/again/checkpoints/final.ckpt").exists()
    assert main(arguments) == 0
    for file in ("model/model.safetensors", "metrics.csv"):
        assert Path("runs/again", file).read_bytes() == Path("runs/one", file).read_bytes(), file


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model.encoder.n_global_tokens", "1"], "n_global_tokens must be 0 with attention reformer"),
        (["--model.encoder.attention.dilation", "2"], "attention reformer has no setting dilation"),
        (["--model.encoder.attention.backend", "flex"], "attention reformer has no setting backend"),
        (["--model.encoder.norm", "post"], "norm must be pre with attention reformer"),
    ],
)
def test_what_belongs_to_another_architecture_ends_with_2(work, words, said, capsys):
    assert main([*TINY, *FILES, *words, "--name", "refused"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1 and said in errors[0]
    assert not Path("runs/refused").exists()


def test_what_transformers_cannot_compute_is_not_exported(work, capsys):
    assert main(["export", "runs/one/model", "-o", "exported"]) == 2
    assert "a Reformer of Hugging Face has no place for the encoder's positions rotary" in capsys.readouterr().err


def test_its_weights_are_not_divided_among_processes(work, capsys):
    assert main([*TINY, *FILES, "--config", "fsdp", "--trainer.devices", "1", "--name", "divided"]) == 2
    assert "the weights of attention reformer cannot be divided" in capsys.readouterr().err
