"""Every code in the source is in the register, with one meaning and one exit code, and the page says the same.

The source is read, not run: a code is a string that looks like one, or stands in brackets inside a longer text. What is
raised with it follows from the call that takes it: an error class, a function that hands it to one, or a warning log.
"""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from genoformer import errors
from genoformer.cli.error_codes import ERROR_CODES, PREFIXES
from genoformer.cli.error_codes.input_codes import INPUT_CODES, INPUT_PREFIXES
from genoformer.cli.error_codes.result_codes import RESULT_CODES, RESULT_PREFIXES
from genoformer.cli.error_codes.training_codes import TRAINING_CODES, TRAINING_PREFIXES
from genoformer.cli.main import EXIT_BUG, EXIT_MEMORY

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "genoformer"
REGISTER = PACKAGE / "cli" / "error_codes"
ADD_LINE = "add a line in genoformer/cli/error_codes/, then run python scripts/error_page.py"

CODE = re.compile(r"[A-Z][A-Z0-9]*-\d{3}")
NEARLY = re.compile(r"[A-Z][A-Z0-9]*-\d+")
IN_TEXT = re.compile(rf"(error|warning)\[({CODE.pattern})\]")
EXIT_CODES = {
    name: kind.exit_code
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.GenoformerError)
}
OF_NO_CLASS = {"BUG-001": EXIT_BUG, "MEMORY-001": EXIT_MEMORY}
"""Errors of other programs' classes, whose lines the command line writes itself."""
WARNS = {"add", "warn"}
"""Methods that count a warning: of ``WarningLog``, and of a reader's context that hands on to one."""

Sources = Mapping[str, ast.AST]
Node = TypeVar("Node", bound=ast.AST)


def read_sources() -> Sources:
    """Syntax trees of the package without the register, by path."""
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if REGISTER not in path.parents]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def nodes(sources: Sources, kind: type[Node]) -> Iterator[tuple[str, Node]]:
    """All nodes of a kind, each with the path of its file."""
    return ((path, node) for path, tree in sources.items() for node in ast.walk(tree) if isinstance(node, kind))


def text_of(node: ast.AST | None) -> str:
    """A literal string; "" for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def texts(sources: Sources) -> Iterator[tuple[str, str]]:
    """All strings, also those between the values of an f-string, each with its place."""
    return ((f"{path}:{node.lineno}", text_of(node)) for path, node in nodes(sources, ast.Constant))


def called(call: ast.Call) -> str:
    """The last name of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def values(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def codes_among(expressions: Iterable[ast.expr | None]) -> list[str]:
    """Those that are a code and nothing else."""
    return [text for text in map(text_of, expressions) if CODE.fullmatch(text)]


def find_raisers(sources: Sources) -> dict[str, set[int]]:
    """Exit codes by the name of what makes an error: a class, or a function that hands its ``code`` to one."""
    raisers = {name: {exit_code} for name, exit_code in EXIT_CODES.items()}
    handed_on = [
        (function.name, called(call))
        for path, function in nodes(sources, ast.FunctionDef)
        for _, call in nodes({path: function}, ast.Call)
        if any(isinstance(value, ast.Name) and value.id == "code" for value in values(call))
    ]
    for _ in handed_on:  # long enough for any chain of functions
        for maker, made_by in handed_on:
            if made_by in raisers:
                raisers.setdefault(maker, set()).update(raisers[made_by])
    return raisers


def find_codes(sources: Sources) -> dict[str, list[str]]:
    """Places of every code."""
    places = defaultdict(list)
    for place, text in texts(sources):
        for code in [text] if CODE.fullmatch(text) else [code for _, code in IN_TEXT.findall(text)]:
            places[code].append(place)
    return places


def find_exit_codes(sources: Sources) -> dict[str, set[int | None]]:
    """Exit codes that every code is raised with; None where it is a warning. Codes that are only compared are none."""
    raisers = find_raisers(sources)
    found: dict[str, set[int | None]] = defaultdict(set)
    for _, call in nodes(sources, ast.Call):
        for code in codes_among(values(call)):
            found[code] |= {None} if called(call) in WARNS else raisers.get(called(call), set())
    for _, function in nodes(sources, ast.FunctionDef):
        for code in codes_among([*function.args.defaults, *function.args.kw_defaults]):
            found[code] |= raisers.get(function.name, set())
    for _, text in texts(sources):
        for kind, code in IN_TEXT.findall(text):
            found[code].add(OF_NO_CLASS.get(code) if kind == "error" else None)
    return found


def find_malformed(sources: Sources) -> list[str]:
    """Strings that are nearly codes, or stand where a code is expected."""
    bad = {f"{place} {text}" for place, text in texts(sources) if NEARLY.fullmatch(text) and not CODE.fullmatch(text)}
    for path, call in nodes(sources, ast.Call):
        takes_code = called(call) in EXIT_CODES or (called(call) in WARNS and len(values(call)) > 1)
        first = next(map(text_of, values(call)), "")
        if takes_code and first and not CODE.fullmatch(first):
            bad.add(f"{path}:{call.lineno} {first}")
    return sorted(bad)


@pytest.fixture(scope="module")
def sources() -> Sources:
    return read_sources()


def test_every_code_in_the_source_is_in_the_register(sources):
    missing = {code: places for code, places in find_codes(sources).items() if code not in ERROR_CODES}
    assert not missing, ADD_LINE


def test_every_code_of_the_register_is_in_the_source(sources):
    found = find_codes(sources)
    assert [code for code in ERROR_CODES if code not in found] == []


def test_codes_are_a_prefix_and_three_digits(sources):
    assert find_malformed(sources) == []
    assert [code for code in ERROR_CODES if not CODE.fullmatch(code)] == []


def test_every_code_is_raised_with_the_exit_code_of_the_register(sources):
    found = find_exit_codes(sources)
    expected = {code: {entry.exit_code} for code, entry in ERROR_CODES.items()}
    assert {code: found[code] for code in expected if found[code] != expected[code]} == {}


def test_parts_of_the_register_do_not_overlap():
    parts = (INPUT_CODES, TRAINING_CODES, RESULT_CODES)
    prefixes = (INPUT_PREFIXES, TRAINING_PREFIXES, RESULT_PREFIXES)
    assert sum(map(len, parts)) == len(ERROR_CODES)
    assert sum(map(len, prefixes)) == len(PREFIXES)
    for codes, own in zip(parts, prefixes, strict=True):
        assert list(dict.fromkeys(code.partition("-")[0] for code in codes)) == list(own)


def test_codes_of_a_prefix_are_in_ascending_order():
    for prefix in PREFIXES:
        codes = [code for code in ERROR_CODES if code.startswith(f"{prefix}-")]
        assert codes == sorted(codes)


def test_entries_are_whole_sentences_of_their_own_prefix():
    for code, entry in ERROR_CODES.items():
        assert entry.meaning[0].isupper() and entry.meaning.endswith("."), code
        assert entry.fix and "\n" not in entry.meaning + entry.fix, code
    for prefix in PREFIXES:
        meanings = [entry.meaning for code, entry in ERROR_CODES.items() if code.startswith(f"{prefix}-")]
        assert len(set(meanings)) == len(meanings), prefix


def test_page_is_that_of_the_register():
    done = subprocess.run([sys.executable, "scripts/error_page.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "run python scripts/error_page.py"


MADE_UP = """
def refusal(code, message):
    return OutputExistsError(code, message)

def _mark(record, code):
    record.problem = refusal(code, "…")

def load(code="X-001"):
    raise UsageError(code, "…")

def run(log, seen):
    seen.add("not a code")
    log.add("X-101", "…")
    _mark(1, "X-002")
    load("X-003")
    _mark(1, "X-4")
    raise DataError("four", "…")
"""


def test_the_checks_see_what_they_are_for():
    made_up = {"made_up.py": ast.parse(MADE_UP)}
    assert set(find_codes(made_up)) == {"X-001", "X-002", "X-003", "X-101"}
    assert find_exit_codes(made_up) == {"X-001": {2}, "X-002": {73}, "X-003": {2}, "X-101": {None}}
    assert find_malformed(made_up) == ["made_up.py:16 X-4", "made_up.py:17 four"]
