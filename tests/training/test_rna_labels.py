"""Training with ``data.rna_genes``: from an annotation to a bundle with profiles."""

import pytest
from made_up_rnas import genome

from genoformer.cli.fit import run_lightning
from genoformer.cli.main import main
from genoformer.errors import UsageError
from genoformer.genomes.store import Store
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

TINY = ["--config", "gene_structure_tiny", "--trainer.accelerator", "cpu", "--trainer.max_steps", "2"]
NAMED = ["--data.fasta", "g.fa", "--data.annotation", "g.gff3"]


@pytest.fixture
def files(tmp_path, monkeypatch) -> None:
    """A genome with genes of 5S rRNA and of tRNA."""
    monkeypatch.chdir(tmp_path)
    codes, genes = genome(0, kinds=("5S",))
    write_fasta(tmp_path / "g.fa", [Record("c", codes)])
    rows = [f"c\t.\t{g.kind}\t{g.start + 1}\t{g.end}\t.\t{g.strand}\t.\tID=r{g.start}" for g in genes]
    (tmp_path / "g.gff3").write_text("##gff-version 3\n" + "\n".join(rows) + "\n")


def test_a_run_that_is_to_learn_rna_genes_labels_them_in_its_store(files):
    assert run_lightning("fit", [*TINY, *NAMED, "--data.rna_genes", "true", "--name", "one"]) == 0
    assert Store("runs/one/data.h5").parameters["labels"] == "codons_rna"
    assert run_lightning("fit", [*TINY, *NAMED, "--name", "two"]) == 0
    assert "labels" not in Store("runs/two/data.h5").parameters


def test_a_store_without_labels_of_rna_is_refused_and_one_with_them_is_not(files):
    assert main(["prepare", "g.fa", "--annotation", "g.gff3", "-o", "plain.h5"]) == 0
    arguments = [*TINY, "--data.store", "plain.h5", "--data.rna_genes", "true", "--name", "three"]
    with pytest.raises(UsageError, match="DATA-009"):
        run_lightning("fit", arguments)
    assert main(["prepare", "g.fa", "--annotation", "g.gff3", "-o", "rna.h5", "--labels", "codons_rna"]) == 0
    arguments[arguments.index("plain.h5")] = "rna.h5"
    assert run_lightning("fit", arguments) == 0
