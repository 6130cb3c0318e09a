"""``genoformer evaluate`` finds out what was predicted: from the folder, or from the files in it."""

import json
import shutil

import pytest
from intron_genome import write_intron_genome
from tiny_function_bundle import write_function_bundle
from tiny_intron_bundle import write_tiny_intron_bundle

from genoformer.applications import APPLICATIONS, DEFAULT_TASK
from genoformer.cli.evaluate import likely_task, stated_task
from genoformer.cli.main import main

INTRONS = "gene_structure_eukaryote"
COMPARED = {name: row.formats.load() for name, row in APPLICATIONS.items() if row.compare}


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """FASTA of a genome with introns; its annotation lies beside it."""
    return write_intron_genome(tmp_path_factory.mktemp("genome"), n_genes=20, seed=2, n_contigs=1)


@pytest.fixture(scope="module")
def predicted(genome, tmp_path_factory):
    """Output folder of a model of genes with introns."""
    folder = tmp_path_factory.mktemp("predicted")
    model = write_tiny_intron_bundle(folder / "tiny-introns")
    options = ["--formats", "gff3,gtf,tsv", "--no-statistics"]
    assert main(["predict", str(genome), "--model", str(model), "-o", str(folder / "out"), *options]) == 0
    return folder / "out"


@pytest.fixture
def evaluate(genome, capsys):
    """``evaluate(path, ...)`` compares with the genome's annotation: the scores, and what was said beside them."""

    def run(path, *options, reference=None):
        capsys.readouterr()
        files = [str(path), str(reference or genome.with_suffix(".gff3")), "--fasta", str(genome)]
        assert main(["evaluate", *files, "--json", *options]) == 0
        said = capsys.readouterr()
        return json.loads(said.out), said.err

    return run


@pytest.fixture
def old_folder(predicted, tmp_path):
    """The same folder as it was when it did not say its task."""
    folder = shutil.copytree(predicted, tmp_path / "old")
    summary = json.loads((folder / "summary.json").read_text())
    assert summary.pop("task") == INTRONS
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


@pytest.mark.parametrize("name", ["", "genes.gff3", "genes.gtf"])
def test_genes_with_introns_are_scored_as_such_without_being_told(predicted, evaluate, name):
    scores, said = evaluate(predicted / name)
    assert scores["task"] == INTRONS and scores == evaluate(predicted / name, "--task", INTRONS)[0]
    assert said == ""


@pytest.mark.parametrize("name", ["", "genes.gff3"])
def test_folder_that_says_no_task_gives_one_warning_when_the_reference_has_introns(old_folder, evaluate, name):
    scores, said = evaluate(old_folder / name)
    assert scores["task"] == DEFAULT_TASK
    assert said.count("\n") == 1 and "warning[EVAL-018]" in said and "--task gene_structure_eukaryote" in said
    assert evaluate(old_folder / name, "--task", INTRONS) == (evaluate(old_folder, "--task", INTRONS)[0], "")
    assert evaluate(old_folder / name, "--task", DEFAULT_TASK) == (scores, "")


def test_file_of_another_program_is_warned_about_too_and_its_neighbours_say_nothing(predicted, evaluate, tmp_path):
    copy = shutil.copy(predicted / "genes.gff3", tmp_path / "mine.gff3")
    scores, said = evaluate(copy)
    assert scores["task"] == DEFAULT_TASK and said.count("EVAL-018") == 1
    shutil.copy(predicted / "summary.json", tmp_path)
    assert stated_task(tmp_path / "mine.gff3") is None


def test_reference_without_introns_gives_no_warning(old_folder, evaluate, genome, tmp_path):
    rows = [line.split("\t") for line in genome.with_suffix(".gff3").read_text().splitlines()]
    parents = [row[8].split("Parent=")[1].split(";")[0] for row in rows if len(row) == 9 and row[2] == "CDS"]
    single = {parent for parent in parents if parents.count(parent) == 1}
    assert single and len(single) < len(set(parents))
    kept = [
        row
        for row in rows
        if len(row) != 9 or (row[2] == "CDS" and any(f"Parent={p};" in f"{row[8]};" for p in single))
    ]
    (tmp_path / "single.gff3").write_text("".join("\t".join(row) + "\n" for row in kept))
    assert evaluate(old_folder, reference=tmp_path / "single.gff3")[1].count("EVAL-018") == 0


def fill(folder, names):
    folder.mkdir()
    for name in names:
        (folder / name).write_text("")
    return folder


@pytest.mark.parametrize("task", COMPARED)
def test_folder_states_its_task_for_itself_and_for_its_files(task, tmp_path):
    names = [row.file.format(1) for row in COMPARED[task].values() if "/" not in row.file]
    folder = fill(tmp_path / "out", names)
    (folder / "summary.json").write_text(json.dumps({"task": task}))
    assert [stated_task(path) for path in (folder, *(folder / name for name in names))] == [task] * (1 + len(names))
    assert stated_task(folder / "other.txt") is None


@pytest.mark.parametrize("task", COMPARED)
def test_files_tell_the_task_of_an_old_folder(task, tmp_path):
    folder = fill(tmp_path / "out", [row.file for row in COMPARED[task].values() if row.is_default])
    for text in (None, "{}", "[]", "no JSON", '{"task": ["a"]}', '{"task": "poetry"}', '{"task": "mlm"}'):
        if text is not None:
            (folder / "summary.json").write_text(text)
        assert stated_task(folder) is None
    assert likely_task(folder) == (DEFAULT_TASK if task == INTRONS else task)


def test_genes_come_first_where_a_folder_holds_functions_too(tmp_path):
    folder = fill(tmp_path / "out", ["genes.gff3", "functions.tsv"])
    assert likely_task(folder) == DEFAULT_TASK
    assert likely_task(tmp_path / "absent") == DEFAULT_TASK == likely_task(folder / "functions.tsv")


def test_functions_are_judged_in_the_folder_by_their_file_and_in_an_old_folder(tmp_path, capsys):
    model = write_function_bundle(tmp_path / "model")
    (tmp_path / "s.fa").write_text(">a\nACGTACGTAC\n>b\nGGGGCCCCAA\n")
    out = tmp_path / "out"
    assert main(["predict", str(tmp_path / "s.fa"), "--model", str(model), "-o", str(out)]) == 0
    labels = [line.split("\t") for line in (out / "functions.tsv").read_text().splitlines()[1:]]
    (tmp_path / "known.tsv").write_text("id\tlabel\n" + "".join(f"{row[0]}\t{row[2]}\n" for row in labels))

    def scores(path):
        capsys.readouterr()
        assert main(["evaluate", str(path), str(tmp_path / "known.tsv"), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    first = scores(out)
    assert first["task"] == "function" and first["accuracy"] == 1.0 and scores(out / "functions.tsv") == first
    summary = json.loads((out / "summary.json").read_text())
    assert summary.pop("task") == "function"
    (out / "summary.json").write_text(json.dumps(summary))
    assert scores(out) == first


@pytest.mark.parametrize("task", ["contacts", "rna_pairs", "codon_structure", "function"])
def test_folder_without_predictions_is_one_line(task, tmp_path, capsys):
    (tmp_path / "t.tsv").write_text("id\tlabel\na\tb\n")
    assert main(["evaluate", str(tmp_path), str(tmp_path / "t.tsv"), "--task", task]) in (65, 66)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("genoformer: error[") and str(tmp_path) in line
