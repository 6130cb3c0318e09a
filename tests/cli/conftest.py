"""What tests of ``genoformer predict`` begin with: a made-up genome, and the command."""

import pytest
from prediction_files import ODD_IDS

from genoformer.cli.main import main
from genoformer.genomes.simulate import simulate_genome
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """FASTA of four contigs, 40 kb together, with odd ids."""
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    contigs = simulate_genome(length_bp=40_000, gc=0.5, seed=3, n_contigs=4)
    write_fasta(path, [Record(name, record.codes) for name, (record, _) in zip(ODD_IDS, contigs, strict=True)])
    return path


@pytest.fixture
def predict(tiny_bundle, tmp_path):
    """``predict(fasta, ..., out="o")`` runs the command and gives its exit code."""

    def run(*arguments, out="o"):
        return main(["predict", *map(str, arguments), "--model", str(tiny_bundle), "-o", str(tmp_path / out)])

    return run


@pytest.fixture
def one_line(capsys):
    """``one_line("text")``: standard error holds one line with the text."""

    def check(text):
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1 and lines[0].startswith("genoformer: error[") and text in lines[0], lines

    return check
