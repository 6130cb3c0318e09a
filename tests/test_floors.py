"""Imports inside the package go down the floors or stay level, and never in a circle."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "genoformer"

FLOORS = [
    {"errors", "files"},
    {
        "sequence", "annotation", "store", "splits", "leakage", "metrics", "gene_metrics", "function_metrics",
        "calibration", "decoding", "simulate", "count_models", "label_table", "label_values", "label_splits",
        "label_genes", "label_ontology", "ontology", "ontology_metrics",
        "locus_contigs", "locus_chimeras", "intron_metrics", "pair_metrics", "structures",
    },
    {"nn"},
    {"tasks", "batches"},
    {"bundle", "interop", "stream"},
    {"training", "inference", "baselines"},
    {"report"},
    {"cli", "shipped", "__main__"},
]  # fmt: skip
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_name(path) for path in MODULES} | {"genoformer"}


def imported_modules(tree: ast.AST) -> set[str]:
    """Modules of the package that the code names in import statements, wherever they stand."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in NAMES else node.module)
    return {name for name in found if name.split(".")[0] == "genoformer"}


def room(name: str) -> str:
    return name.split(".")[1]


def lazy_imports(tree: ast.Module) -> list[int]:
    """Lines of import statements inside functions and classes."""
    bodies = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    imports = [n for body in bodies for n in ast.walk(body) if isinstance(n, ast.Import | ast.ImportFrom)]
    return sorted({node.lineno for node in imports})


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_go_down_or_stay_level(path):
    own = FLOOR_OF[room(module_name(path))]
    imported = imported_modules(parse(path))
    assert "genoformer" not in imported, "nothing inside the package imports genoformer/__init__"
    too_high = {name for name in imported if FLOOR_OF[room(name)] > own}
    assert not too_high


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_the_command_line_imports_lazily(path):
    if room(module_name(path)) != "cli":
        assert lazy_imports(parse(path)) == []


def test_imports_make_no_circle():
    graph = {module_name(path): imported_modules(parse(path)) for path in MODULES}
    list(TopologicalSorter(graph).static_order())


def test_fast_paths_do_not_import_the_reference():
    # windowed.py only chooses among the implementations, by name; the reference is one of them
    fast = [path for path in (PACKAGE / "nn").rglob("*.py") if path.stem not in ("windowed", "__init__")]
    assert len(fast) > 4
    assert [path.name for path in fast if "genoformer.nn.attention.reference" in imported_modules(parse(path))] == []


def test_the_checks_see_what_they_are_for():
    tree = ast.parse("from genoformer.cli import main\nimport genoformer.nn\ndef f():\n    from genoformer import x\n")
    assert imported_modules(tree) == {"genoformer.cli.main", "genoformer.nn", "genoformer"}
    assert lazy_imports(tree) == [4]
