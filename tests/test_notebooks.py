"""The notebooks of the documentation run, and what is stored in them is small, whole and of no machine."""

import re
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import notebooks  # noqa: E402  # lies in scripts/

NAMES = ["embeddings", "genes_of_a_genome", "promoters", "training_on_your_own"]
LARGEST_BYTES = 150_000
MACHINE = re.compile(r"/(home|root|tmp|work|usr|opt|var|Users|mnt)/\w|\b\d+\.\d+\.\d+\.\d+\b")


def stored(name):
    return nbformat.read(notebooks.FOLDER / f"{name}.ipynb", as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def kinds(notebook):
    """What each cell shows: kinds of outputs, and of pictures and tables."""
    return [
        [
            (output.output_type, *sorted(output.get("data", {})))
            for output in cell.outputs
            if output.output_type != "stream"
        ]
        for cell in code_cells(notebook)
    ]


def test_all_notebooks_are_here_and_linked():
    assert [path.stem for path in notebooks.find_notebooks()] == NAMES
    page = (ROOT / "docs" / "python.md").read_text()
    assert all(f"(notebooks/{name}.ipynb)" in page for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_is_whole_and_small_and_names_no_machine(name):
    notebook = stored(name)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert all(output.output_type != "error" for cell in cells for output in cell.outputs)
    assert (notebooks.FOLDER / f"{name}.ipynb").stat().st_size < LARGEST_BYTES
    texts = [
        text
        for cell in cells
        for output in cell.outputs
        for key, text in {"text": output.get("text", ""), **output.get("data", {})}.items()
        if not key.startswith("image/")
    ]
    assert not [found[0] for text in texts if (found := MACHINE.search(text))]
    assert any(
        "image/png" in output.get("data", {}) or "<svg" in str(output) for cell in cells for output in cell.outputs
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_shows_what_is_stored(name, tmp_path):
    assert kinds(notebooks.executed(notebooks.FOLDER / f"{name}.ipynb", tmp_path)) == kinds(stored(name))
