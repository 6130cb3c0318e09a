"""A model with a memory through all commands: training that walks and resumes, prediction in parts, adaptation."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from genoformer.api import load_model
from genoformer.bundle.folder import add_calibration, load_bundle
from genoformer.cli.main import main
from genoformer.genomes.simulate import simulate_genome
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

sys.path += [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2] / "benchmarks")]

import resume
from prediction_files import contents

pytestmark = pytest.mark.slow

ATTENTION = {"name": "transformer_xl", "segment": 32, "memory": 48, "causal": False}
OWN = [
    "--model.encoder.attention", json.dumps(ATTENTION), "--model.encoder.positions", "none", "--model.tile_bp", "192",
]  # fmt: skip


@pytest.fixture
def genome(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", "-o", "sim", "--length-bp", "60000", "--gc", "0.45", "--seed", "3"]) == 0
    (record, _), *_ = simulate_genome(length_bp=30_000, gc=0.45, seed=4)
    write_fasta("parts.fa", [Record(f"c{i}", codes) for i, codes in enumerate(np.split(record.codes, [9_000, 21_000]))])
    return ["--data.fasta", "sim/genome.fa", "--data.annotation", "sim/genome.gff3", "--trainer.accelerator", "cpu"]


def test_a_model_with_a_memory_is_trained_used_and_adapted(genome, capsys):
    assert main(["fit", "--config", "gene_structure_tiny", *genome, *OWN, "--name", "xl"]) == 0
    model = "runs/xl/model"
    bundle = load_bundle(model)
    assert bundle.config.encoder["attention"] == {**ATTENTION, "evaluation_memory": None}
    if "decoder" not in bundle.calibration:
        add_calibration(Path(model), bundle, {"decoder": load_bundle("prokaryotes").calibration["decoder"]})
    assert main(["validate", "--config", "gene_structure_tiny", *genome, *OWN, "--name", "xl"]) == 0
    words = ["predict", "parts.fa", "--model", model, "--formats", "gff3,tsv", "--circular", "none"]
    assert main([*words, "-o", "one"]) == 0
    for of in (2, 3):
        for number in range(1, of + 1):
            assert main([*words, "-o", f"parts{of}", "--shard", f"{number}/{of}"]) == 0
        assert main(["merge", f"parts{of}", "-o", f"merged{of}"]) == 0
        assert contents(Path(f"merged{of}")) == contents(Path("one"))
    adapting = ["adapt", "sim/genome.fa", "--annotation", "sim/genome.gff3", "--steps", "2", "--model", model]
    assert main([*adapting, "-o", "adapted"]) == 0
    (first, *_) = load_model("adapted").predict("parts.fa")
    assert first.record_id == "c0"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--model.encoder.n_global_tokens", "1"], "n_global_tokens must be 0"),
        (["--model.encoder.positions", "rotary"], "positions must be none"),
        (["--model.encoder.attention.dilation", "2"], "transformer_xl has no setting dilation"),
        (["--model.encoder.attention.backend", "flex"], "transformer_xl has no setting backend"),
        (["--model.tile_bp", "150"], "MODEL-025"),
    ],
    ids=str,
)
def test_what_belongs_to_others_is_refused_in_a_sentence(genome, wrong, said, capsys):
    assert main(["fit", "--config", "gene_structure_tiny", *genome, *OWN, *wrong, "--name", "xl"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and said in lines[0]


def test_export_as_a_longformer_is_refused(genome, capsys):
    assert main(["fit", "--config", "gene_structure_tiny", *genome, *OWN, "--name", "xl"]) == 0
    capsys.readouterr()
    assert main(["export", "runs/xl/model", "-o", "out"]) == 2
    assert "attention transformer_xl" in capsys.readouterr().err


def test_an_interrupted_run_ends_with_the_same_bits(tmp_path):
    arguments = [*resume.make_genome(tmp_path / "genome"), *OWN]
    assert resume.run_child(tmp_path / "whole", arguments) == 0
    row = resume.interrupt_and_resume(tmp_path / "cut", arguments, "train 9", "SIGTERM")
    assert row["exit_codes"] == [143, 0] and row["resumed_at"] == 10
    assert row["fingerprint"] == resume.fingerprint(tmp_path / "whole")
    stored = torch.load(tmp_path / "whole/runs/run/checkpoints/final.ckpt", weights_only=True)
    kept = stored["kept"][0]
    assert [tuple(part.shape) for part in kept[0]] == [(2, 48, 32), (2, 48)]
