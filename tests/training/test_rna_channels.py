"""Training with ``options.rna``: from an annotation to a bundle with two more outputs."""

import numpy as np
import pytest
from planted_rna import gff3_of, plant

from genoformer.bundle.folder import load_bundle
from genoformer.cli.fit import run_lightning
from genoformer.cli.main import main
from genoformer.errors import UsageError
from genoformer.genomes.store import Store
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

TINY = ["--config", "gene_structure_tiny", "--trainer.accelerator", "cpu", "--trainer.max_steps", "2"]


@pytest.fixture
def genome(tmp_path, monkeypatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    codes, genes = plant(np.random.default_rng(0).integers(0, 4, 24_000, dtype=np.uint8), "c", seed=1)
    write_fasta(tmp_path / "g.fa", [Record("c", codes)])
    (tmp_path / "g.gff3").write_text(gff3_of(genes))
    return ["--data.fasta", "g.fa", "--data.annotation", "g.gff3"]


def test_a_run_that_learns_rna_keeps_it_in_store_and_bundle(genome, tmp_path):
    assert run_lightning("fit", [*TINY, *genome, "--model.options", "{rna: true}", "--name", "one"]) == 0
    bundle = load_bundle(tmp_path / "runs/one/model")
    assert bundle.config.labels[5:] == ["rrna", "trna"] and bundle.config.options == {"rna": True}
    assert Store(tmp_path / "runs/one/data.h5").parameters["labels"] == "codons_rna"
    scores = (tmp_path / "runs/one/metrics.csv").read_text()
    assert "val/trna_auprc" in scores and "val/rrna_auprc" in scores


def test_a_store_without_labels_of_rna_is_refused(genome):
    assert main(["prepare", "g.fa", "--annotation", "g.gff3", "-o", "plain.h5"]) == 0
    arguments = [*TINY, "--data.store", "plain.h5", "--model.options", "{rna: true}", "--name", "two"]
    with pytest.raises(UsageError, match="DATA-009"):
        run_lightning("fit", arguments)
    assert main(["prepare", "g.fa", "--annotation", "g.gff3", "-o", "rna.h5", "--labels", "codons_rna"]) == 0
    arguments[arguments.index("plain.h5")] = "rna.h5"
    assert run_lightning("fit", arguments) == 0
