"""Imports inside the package go down the floors, one room on each, and never in a circle."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import house_figures  # noqa: E402  # lies in scripts/

FLOORS = (
    "errors", "threads", "files", "sequence", "annotation", "labels", "structures", "metrics", "genomes",
    "decoding.introns", "decoding", "decoding.rna", "nn.layers", "nn.attention.kernels", "nn.attention", "nn", "tasks",
    "batches", "bundle", "stream", "interop", "training", "report", "baselines", "inference", "embeddings", "explain",
    "variants", "applications.functions", "applications.rna_pairs", "applications.contacts",
    "applications.codon_structure", "applications.genes", "applications.introns", "applications.pretraining",
    "applications.adapt", "applications", "architectures", "api", "cli.error_codes", "cli.help_pages", "cli",
    "shipped", "__main__",
)  # fmt: skip
"""Rooms from the ground up: each imports only those before it, whether in a statement or as "module:name"."""

TOP = {"errors", "threads", "stream", "__main__"}
"""Modules that stand beside the folders."""

SOURCES = house_figures.read_sources(None)
ARROWS = house_figures.arrows_of(SOURCES)


def parse(text: str) -> ast.Module:
    return ast.parse(text)


def lazy_imports(tree: ast.Module) -> list[int]:
    """Lines of import statements inside functions and classes."""
    bodies = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    imports = [n for body in bodies for n in ast.walk(body) if isinstance(n, ast.Import | ast.ImportFrom)]
    return sorted({node.lineno for node in imports})


def test_every_room_has_a_floor_of_its_own():
    assert len(set(FLOORS)) == len(FLOORS)
    assert set(ARROWS) - {""} <= set(FLOORS)


@pytest.mark.parametrize("room", sorted(set(ARROWS) - {""}))
def test_a_room_imports_only_what_stands_below_it(room):
    below = set(FLOORS[: FLOORS.index(room)])
    assert ARROWS[room] - below == set()


def test_no_two_rooms_import_each_other():
    assert house_figures.pairs_of(ARROWS) == []


def test_only_the_places_of_tasks_tell_tasks_apart():
    assert house_figures.told_apart(SOURCES) == {}


def test_the_tasks_that_are_looked_for_are_those_there_are():
    from genoformer.applications import APPLICATIONS

    assert set(APPLICATIONS) == set(house_figures.TASKS)


def test_only_some_modules_stand_beside_the_folders():
    assert {Path(file).stem for file in SOURCES if file.count("/") == 1} - {"__init__"} == TOP


@pytest.mark.parametrize("file", sorted(SOURCES))
def test_only_the_command_line_imports_lazily(file):
    if file.split("/")[1] != "cli":
        assert lazy_imports(SOURCES[file]) == []


@pytest.mark.parametrize("file", sorted(SOURCES))
def test_imports_name_the_whole_path_and_never_the_package_itself(file):
    for node in ast.walk(SOURCES[file]):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            assert node.module != "genoformer" or file == "genoformer/__init__.py", f"line {node.lineno}"


def test_imports_make_no_circle():
    modules = {house_figures.module_name(file): tree for file, tree in SOURCES.items()}
    graph = {name: house_figures.imported(tree, set(modules), later=False) - {name} for name, tree in modules.items()}
    list(TopologicalSorter(graph).static_order())


def test_fast_paths_do_not_import_the_reference():
    # backends.py only chooses among the implementations, by name; the reference is one of them
    folder = "genoformer/nn/attention/"
    fast = [file for file in SOURCES if file.startswith(folder) and not file.endswith(("backends.py", "__init__.py"))]
    assert len(fast) > 4
    modules = {house_figures.module_name(file) for file in SOURCES}
    reference = "genoformer.nn.attention.reference"
    assert [file for file in fast if reference in house_figures.imported(SOURCES[file], modules)] == []


def test_the_checks_see_what_they_are_for():
    modules = {"genoformer.cli.main", "genoformer.nn.config", "genoformer.tasks.mlm", "genoformer.api"}
    tree = parse(
        '_T = "genoformer.tasks"\nfrom genoformer.cli import main\nimport genoformer.nn.config\n'
        'PART = f"{_T}.mlm:build"\nOTHER = "genoformer.api:load_model"\ndef f():\n    from genoformer import x\n'
    )
    assert house_figures.imported(tree, modules) == modules
    assert lazy_imports(tree) == [7]
    sources = {"genoformer/a/x.py": parse("import genoformer.b.y"), "genoformer/b/y.py": parse("import genoformer.a.x")}
    assert house_figures.pairs_of(house_figures.arrows_of(sources)) == [("a", "b")]
    assert house_figures.told_apart({"genoformer/cli/x.py": parse('if t.startswith("rna_pairs"): pass')}) != {}
