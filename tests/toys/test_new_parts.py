"""What it takes to add a format or a task: a row in a literal dict, and all commands run on it."""

import json
from pathlib import Path

import numpy as np
import pytest
from mean_attention import ROW
from prediction_files import contents

from genoformer.api import load_model
from genoformer.applications import APPLICATIONS
from genoformer.applications.genes.outputs import FORMATS
from genoformer.applications.interface import Application
from genoformer.bundle.folder import add_calibration, load_bundle
from genoformer.bundle.header import WEIGHTS
from genoformer.cli.main import main
from genoformer.genomes.simulate import simulate_genome
from genoformer.inference.formats import OutputFormat
from genoformer.inference.parts import Part
from genoformer.nn.attention import ATTENTIONS
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

HERE = Path(__file__).parent

COUNTS = OutputFormat(
    "counts.txt", "how many genes each record has", needs="genes", writer=Part("toy_formats:CountWriter")
)
ISLANDS = Application(
    title="stretches that look coding",
    subject="genes",
    task=Part("islands_task:build"),
    data=Part("genoformer.applications.genes.data:GenomeData"),
    finish=Part("islands.parts:FINISH"),
    request=Part("genoformer.applications.genes.request:GeneRequest"),
    predictor=Part("islands.parts:IslandPredictor"),
    caller=Part("islands.caller:IslandFinder"),
    formats=Part("genoformer.applications.genes.outputs:FORMATS"),
    compare=Part("genoformer.applications.genes.evaluate:COMPARISON"),
    adaptation=Part("islands.parts:ADAPTATION"),
)


@pytest.fixture
def genome(tmp_path, monkeypatch):
    """Folder with a made-up genome of three contigs, and its annotation."""
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", "-o", "sim", "--length-bp", "60000", "--gc", "0.45", "--seed", "3"]) == 0
    (record, _), *_ = simulate_genome(length_bp=30_000, gc=0.45, seed=4)
    write_fasta("parts.fa", [Record(f"c{i}", codes) for i, codes in enumerate(np.split(record.codes, [9_000, 21_000]))])
    return tmp_path


def changed_weights(first, second):
    """Weights of the encoder that differ between two runs, all of them of attention."""
    before, after = (load_bundle(f"runs/{name}/model").model.encoder.state_dict() for name in (first, second))
    changed = [name for name in before if not before[name].equal(after[name])]
    assert all("attention" in name for name in changed)
    return changed


def shards_equal_one_run(model, formats):
    words = ["predict", "parts.fa", "--model", model, "--formats", formats, "--circular", "none"]
    assert main([*words, "-o", "one"]) == 0
    for number in (1, 2, 3):
        assert main([*words, "-o", "parts", "--shard", f"{number}/3"]) == 0
    assert main(["merge", "parts", "-o", "merged"]) == 0
    assert contents(Path("merged")) == contents(Path("one"))


def test_a_new_format_is_a_writer_and_a_row(genome, tiny_bundle, monkeypatch, capsys):
    monkeypatch.setitem(FORMATS, "counts", COUNTS)
    shards_equal_one_run(str(tiny_bundle), "counts,tsv")
    genes = [line.split("\t")[0] for line in Path("one/genes.tsv").read_text().splitlines()[1:]]
    lines = [line.split("\t") for line in Path("one/counts.txt").read_text().splitlines()]
    assert [row[0] for row in lines] == ["c0", "c1", "c2"]
    assert {name: int(n) for name, n in lines} == {name: genes.count(name) for name in ("c0", "c1", "c2")}
    assert "counts.txt" in json.loads(Path("one/manifest.json").read_text())["files"]
    Path("counts.txt").write_text(">x\nACGT\n")
    assert main(["predict", "counts.txt", "--model", str(tiny_bundle), "-o", ".", "--formats", "counts"]) == 73
    assert main(["predict", "--help"]) == 0
    assert "counts" in capsys.readouterr().out


@pytest.mark.slow
def test_a_new_attention_is_a_file_and_a_row(genome, monkeypatch, capsys):
    monkeypatch.setitem(ATTENTIONS, "mean", ROW)
    files = ["--data.fasta", "sim/genome.fa", "--data.annotation", "sim/genome.gff3"]
    own = ["--model.encoder.attention", "mean", "--model.encoder.positions", "none", "--trainer.accelerator", "cpu"]
    assert main(["fit", "--config", "gene_structure_tiny", *files, *own, "--name", "toy"]) == 0
    model = Path("runs/toy/model")
    assert load_bundle(model).config.encoder["attention"] == {"name": "mean", "scale": 1.0, "has_projections": True}
    if "decoder" not in load_bundle(model).calibration:
        bundle = load_bundle(model)
        add_calibration(model, bundle, {"decoder": load_bundle("prokaryotes").calibration["decoder"]})
    shards_equal_one_run(str(model), "gff3,tsv")
    assert main(["predict", "sim/genome.fa", "--model", str(model), "-o", "found"]) == 0
    assert main(["evaluate", "found", "sim/genome.gff3"]) == 0
    adapting = ["adapt", "sim/genome.fa", "--annotation", "sim/genome.gff3", "--steps", "2", "--model", str(model)]
    assert main([*adapting, "-o", "adapted"]) == 0
    (first, *_) = load_model("adapted").predict("parts.fa")
    assert first.record_id == "c0"
    more = ["--init_from", str(model), "--model.adapter_rank", "2", "--name", "second"]
    assert main(["fit", "--config", "gene_structure_tiny", *files, *own, *more]) == 0
    assert changed_weights("toy", "second")


@pytest.mark.slow
def test_a_new_task_is_a_module_a_folder_and_a_row(genome, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setitem(APPLICATIONS, "islands", ISLANDS)
    files = ["--data.fasta", "sim/genome.fa", "--data.annotation", "sim/genome.gff3"]
    own = ["--model.task", "islands", "--trainer.accelerator", "cpu"]
    assert main(["fit", "--config", "gene_structure_tiny", *files, *own, "--name", "toy"]) == 0
    bundle = load_bundle("runs/toy/model")
    assert bundle.config.labels == ["coding"] and bundle.config.head == {"name": "base"}
    assert main(["validate", "--config", "gene_structure_tiny", *files, *own, "--name", "toy"]) == 0
    shards_equal_one_run("runs/toy/model", "gff3,bed")
    assert json.loads(Path("one/summary.json").read_text())["task"] == "islands"
    assert main(["predict", "sim/genome.fa", "--model", "runs/toy/model", "--formats", "gff3", "-o", "found"]) == 0
    assert main(["evaluate", "found", "sim/genome.gff3", "--json"]) == 0
    assert "three_prime" in capsys.readouterr().out
    adapting = ["adapt", "sim/genome.fa", "--annotation", "sim/genome.gff3", "--steps", "2"]
    assert main([*adapting, "--model", "runs/toy/model", "-o", "adapted"]) == 0
    assert Path("adapted", WEIGHTS).read_bytes() != Path("runs/toy/model", WEIGHTS).read_bytes()
    (first, *_) = load_model("adapted").predict("parts.fa")
    assert first.record_id == "c0" and first.length == 9_000


def test_adapters_change_weights_of_a_new_task(genome, monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setitem(APPLICATIONS, "islands", ISLANDS)
    files = ["--data.fasta", "sim/genome.fa", "--data.annotation", "sim/genome.gff3"]
    own = ["--model.task", "islands", "--trainer.accelerator", "cpu", "--trainer.max_steps", "6"]
    assert main(["fit", "--config", "gene_structure_tiny", *files, *own, "--name", "first"]) == 0
    more = [*own, "--init_from", "runs/first/model", "--model.adapter_rank", "2", "--name", "second"]
    assert main(["fit", "--config", "gene_structure_tiny", *files, *more]) == 0
    assert changed_weights("first", "second")


def test_the_toys_are_as_small_as_they_are_said_to_be():
    assert {path.name for path in HERE.glob("*.py")} == {
        "islands_task.py",
        "mean_attention.py",
        "toy_formats.py",
        Path(__file__).name,
    }
    assert [path.name for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"] == ["islands"]
