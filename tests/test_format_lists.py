"""Words of --formats are listed in several places; the registries of the applications say what they are."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from genoformer.applications import APPLICATIONS, DEFAULT_TASK, result_names
from genoformer.cli.prediction import described_formats
from genoformer.embeddings.request import FORMATS as EMBEDDINGS
from genoformer.explain.outputs import FORMATS as EXPLANATIONS
from genoformer.inference.formats import default_formats
from genoformer.variants.formats import FORMATS as VARIANTS

ROOT = Path(__file__).resolve().parents[1]
FORMATS = {name: application.formats.load() for name, application in APPLICATIONS.items() if application.formats}
GENES = FORMATS[DEFAULT_TASK]
PAGES = {  # genes with introns have the files of genes
    "gene_structure": "README.md",
    "function": "docs/tasks/function.md",
    "rna_pairs": "docs/tasks/rna_pairs.md",
    "codon_structure": "docs/tasks/codon_structure.md",
    "contacts": "docs/tasks/contacts.md",
}


def test_lists_are_those_of_the_registries():
    done = subprocess.run([sys.executable, "scripts/format_tables.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "run python scripts/format_tables.py"


def test_table_of_the_documentation_has_every_word_of_every_task_and_no_other():
    rows = re.findall(r"^\| ([a-z_, ]+) \| `(\w+)`(\*?) \| `([^`]+)`", (ROOT / "docs/cli.md").read_text(), re.M)
    listed = {(task, word, star, file) for tasks, word, star, file in rows for task in tasks.split(", ")}
    assert listed == {
        (task, word, "*" if row.is_default else "", row.file.format(1))
        for task, formats in FORMATS.items()
        for word, row in formats.items()
    }


def test_workflow_takes_every_format_of_genes():
    schema = yaml.safe_load((ROOT / "workflows/schemas/config.schema.yaml").read_text())["properties"]["formats"]
    assert schema["items"]["enum"] == list(GENES) and schema["default"] == list(default_formats(GENES))
    rules = (ROOT / "workflows/rules/common.smk").read_text()
    files = re.findall(r'^    "(\w+)": "([^"]+)",$', rules.split("\nFILES = {")[1].split("}")[0], re.M)
    assert files == [(word, row.file) for word, row in GENES.items()]
    assert schema["contains"]["const"] in GENES and "gtf" in GENES


def test_help_names_every_word_of_every_task():
    said = described_formats()
    for task, formats in FORMATS.items():
        words, standard = re.search(rf"\b{task}\b[\w, ]*: ([\w ]+) \(default ([\w,]+)\)", said).groups()
        assert words.split() == list(formats) and standard.split(",") == list(default_formats(formats))


def test_every_file_of_a_format_counts_as_a_result():
    names = result_names()
    for formats in FORMATS.values():
        assert {name for row in formats.values() for name in (row.pattern, *row.beside)} <= set(names)


def test_page_of_a_task_names_every_file():
    missing = [
        (page, file)
        for task, page in PAGES.items()
        for row in FORMATS[task].values()
        for file in (row.file.format(1), *row.beside)
        if f"`{file}`" not in (ROOT / page).read_text()
    ]
    assert missing == []
    assert {id(formats) for formats in FORMATS.values()} == {id(FORMATS[task]) for task in PAGES}


@pytest.mark.parametrize(
    "path", ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))]
)
def test_words_after_the_option_are_known(path):
    known = {word for formats in (*FORMATS.values(), EMBEDDINGS, EXPLANATIONS, VARIANTS) for word in formats}
    for words in re.findall(r"--formats ([a-z0-9,]+)", (ROOT / path).read_text()):
        assert set(words.split(",")) <= known, words


def test_every_file_has_an_independent_reader_and_a_test_that_exists():
    """The first table of docs/formats.md."""
    table = (ROOT / "docs/formats.md").read_text().split("| file | reader |")[1].split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
    written = {row.file.format(1) for formats in FORMATS.values() for row in formats.values()}
    assert {row[0].strip("` ") for row in rows} - {""} == written
    tests = {
        name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    assert all(len(row) == 4 and row[1] and row[2] for row in rows)
    assert [row[3] for row in rows if row[3].strip("` ") not in tests] == []
