"""Figures of the package's structure: rooms, arrows, rooms that import each other, modules that tell tasks apart.

    python scripts/house_figures.py              of this checkout
    python scripts/house_figures.py --rev REV    of a commit, read from git
    python scripts/house_figures.py --list       with what stands behind the last two figures

A room is a folder of the package, or a module beside its top. An arrow is a room that imports another one, by an import
statement or by a name "package.module:name" that is loaded later. A module tells tasks apart when a task's name stands
in it as a string, docstrings aside; ``tasks/`` and ``applications/`` are for that, and do not count.
"""

import argparse
import ast
import re
import subprocess
from collections import defaultdict
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "genoformer"
TASKS = (
    "gene_structure", "gene_structure_eukaryote", "function", "rna_pairs", "codon_structure", "contacts", "mlm",
    "clm",
)  # fmt: skip
PLACES_OF_TASKS = ("tasks", "applications")
LATER = re.compile(rf"({PACKAGE}(?:\.\w+)+):\w+")

Sources = dict[str, ast.Module]
"""Syntax tree of every module, by its file."""


def read_sources(rev: str | None) -> Sources:
    """All modules of the package: of the checkout, or of a commit."""
    if rev is None:
        paths = sorted((ROOT / PACKAGE).rglob("*.py"))
        texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}
    else:
        names = _git("ls-tree", "-r", "--name-only", rev, PACKAGE).split("\n")
        texts = {name: _git("show", f"{rev}:{name}") for name in names if name.endswith(".py")}
    return {name: ast.parse(text, name) for name, text in texts.items()}


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def module_name(file: str) -> str:
    """Dotted name of a module's file."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def rooms_of(sources: Sources) -> dict[str, str]:
    """Room of every module: its folder, or itself where it lies at the top of the package."""
    rooms = {}
    for file in sources:
        parts = module_name(file).split(".")[1:]
        folder = parts if file.endswith("/__init__.py") or len(parts) == 1 else parts[:-1]
        rooms[module_name(file)] = ".".join(folder)
    return rooms


def imported(tree: ast.Module, modules: set[str], *, later: bool = True) -> set[str]:
    """Modules of the package that a module imports in statements and, if wanted, names to be loaded later."""
    found: set[str] = set()
    constants = {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        elif later and isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(LATER.findall(node.value))
        elif later and isinstance(node, ast.JoinedStr):
            text = "".join(_text(part, constants) for part in node.values)
            found |= set(LATER.findall(text))
    return found & modules


def _text(part: ast.expr, constants: dict[str, object]) -> str:
    if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name):
        return str(constants.get(part.value.id, ""))
    return str(part.value) if isinstance(part, ast.Constant) else ""


def arrows_of(sources: Sources) -> dict[str, set[str]]:
    """For each room the other rooms that it imports."""
    rooms = rooms_of(sources)
    arrows: dict[str, set[str]] = defaultdict(set)
    for file, tree in sources.items():
        own = rooms[module_name(file)]
        arrows[own] |= {rooms[name] for name in imported(tree, set(rooms))} - {own, ""}
    return arrows


def pairs_of(arrows: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Rooms that import each other."""
    return [(a, b) for a, b in combinations(sorted(arrows), 2) if b in arrows[a] and a in arrows[b]]


def told_apart(sources: Sources) -> dict[str, list[str]]:
    """Modules outside the places of tasks in which a task's name stands, with the lines."""
    found = {}
    for file, tree in sources.items():
        if file.split("/")[1] in PLACES_OF_TASKS:
            continue
        lines = [f"{node.lineno}: {node.value}" for node in ast.walk(tree) if _is_task(node)]
        if lines:
            found[file] = lines
    return found


def _is_task(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value in TASKS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rev", help="a commit; by default the checkout")
    parser.add_argument("--list", action="store_true", help="pairs of rooms, and modules that tell tasks apart")
    args = parser.parse_args()
    sources = read_sources(args.rev)
    arrows, apart = arrows_of(sources), told_apart(sources)
    pairs = pairs_of(arrows)
    top = [file for file in sources if file.count("/") == 1 and not file.endswith(("__init__.py", "__main__.py"))]
    print(f"rooms {len(arrows)}, of these modules at the top {len(top)}")
    print(f"modules {len(sources)}")
    print(f"arrows between rooms {sum(map(len, arrows.values()))}")
    print(f"pairs of rooms that import each other {len(pairs)}")
    print(f"modules that tell tasks apart {len(apart)}")
    if args.list:
        print("\n".join([*(f"{a} and {b}" for a, b in pairs), *(f"{file} {lines}" for file, lines in apart.items())]))


if __name__ == "__main__":
    main()
