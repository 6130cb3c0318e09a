"""Training for genes with introns, by its shipped configuration made small."""

from pathlib import Path

import pytest
from intron_genome import write_intron_genome

from genoformer.annotation.read import read_annotation
from genoformer.bundle.folder import load_bundle
from genoformer.cli.main import main

SMALL = {
    "--trainer.max_steps": 2, "--model.k": 3, "--model.encoder.d_model": 16, "--model.encoder.n_heads": 2,
    "--model.encoder.n_layers": 1, "--model.encoder.d_ff": 16, "--model.encoder.attention.window_radius": 8,
    "--model.warmup_steps": 1, "--data.loader.samples_per_epoch": 8, "--data.split.by": "contig",
    "--data.split.validation": "[made-002]", "--trainer.accelerator": "cpu",
}  # fmt: skip


@pytest.fixture
def genome(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_intron_genome(tmp_path, n_genes=44, seed=1)


@pytest.mark.slow
def test_a_trained_model_says_what_it_has_seen_has_a_decoder_with_the_lengths_of_its_genes_and_predicts(genome):
    options = [str(word) for pair in SMALL.items() for word in pair]
    files = ["--data.fasta", str(genome), "--data.annotation", str(genome.with_suffix(".gff3"))]
    assert main(["fit", "--config", "gene_structure_eukaryote", *files, *options, "--name", "small"]) == 0
    card = Path("runs/small/model/model_card.md").read_text()
    assert "- genome: made-001" in card and "- genome: made-002" not in card and "calibration: made-002" in card
    decoder = load_bundle("runs/small/model").calibration["decoder"]
    introns = [(value, length) for length, value in enumerate(decoder["introns"]["logs"]) if value is not None]
    assert 50 <= max(introns)[1] <= 102
    assert main(["predict", str(genome), "--model", "runs/small/model", "-o", "out"]) == 0
    assert read_annotation("out/genes.gff3").contigs == ["made-001", "made-002"]
