"""What line coverage leaves out is what cannot be measured, and the figure is what the lines say."""

import ast
import json
import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = ROOT / "genoformer" / "nn"
DECORATORS = {"compiled", "part_of_caller", "intrinsic", "njit"}
FIGURE = ROOT / "scripts" / "coverage_figure.py"


def decorators(function: ast.FunctionDef) -> set[str]:
    called = (node.func if isinstance(node, ast.Call) else node for node in function.decorator_list)
    return {node.attr if isinstance(node, ast.Attribute) else ast.unparse(node) for node in called}


def compiled_functions(folder: Path) -> set[tuple[str, str]]:
    return {
        (str(path.relative_to(ROOT)), node.name)
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and DECORATORS & decorators(node)
    }


def test_functions_left_out_are_those_of_networks_that_are_compiled_and_no_others():
    listed = runpy.run_path(str(FIGURE))["left_out"]()
    assert listed == compiled_functions(NETWORKS) and len(listed) > 60


def test_compiled_functions_of_other_rooms_have_tests_in_the_run_without_compiler():
    rooms = {Path(path).parts[1] for path, _ in compiled_functions(ROOT / "genoformer")} - {"nn"}
    script = (ROOT / "scripts" / "coverage.sh").read_text()
    (run,) = (line for line in script.splitlines() if line.startswith("COMPILED="))
    assert rooms and all(room in run for room in rooms)


def test_figure_counts_statements_of_functions_that_are_not_left_out(tmp_path):
    def region(n, covered):
        return {"summary": {"num_statements": n, "covered_lines": covered}}

    path, name = sorted(compiled_functions(NETWORKS))[0]
    report = {
        "files": {
            path: {
                "functions": {"": region(2, 2), name: region(100, 0), f"{name}.inner": region(9, 0), "a": region(4, 3)}
            },
            "genoformer/errors.py": {"functions": {"": region(3, 3), "Some.method": region(1, 0)}},
        }
    }
    (tmp_path / "all.json").write_text(json.dumps(report))
    words = [sys.executable, FIGURE, tmp_path / "all.json", "-o", tmp_path / "found.json"]
    subprocess.run(words, check=True, capture_output=True)
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["statements"], found["covered"], found["percent"]) == (10, 8, 80.0)
    assert found["rooms"]["nn"] == {"percent": 83.3, "statements": 6, "covered": 5}
    assert found["rooms"]["errors"]["percent"] == 75.0


def test_limit_skips_a_test_that_the_interpreter_does_not_get_through(tmp_path):
    (tmp_path / "test_endless.py").write_text(
        "def test_endless():\n    while True:\n        pass\n\ndef test_short(): pass\n"
    )
    start = "import coverage_limit, pytest, sys; coverage_limit.LIMIT_S = 0.2; sys.exit(pytest.main(sys.argv[1:]))"
    words = [sys.executable, "-c", start, "-p", "coverage_limit", "-p", "no:cacheprovider", "-rs", str(tmp_path)]
    environment = {"PYTHONPATH": str(ROOT / "scripts"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "1 passed, 1 skipped" in done.stdout, done.stdout
