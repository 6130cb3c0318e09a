"""Small changes of a Python module, each of which a test should notice."""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd, ast.MatMult: ast.Mult,
}  # fmt: skip
Change = Callable[[ast.AST], ast.AST]
MOST_LETTERS = 100


@dataclass(frozen=True)
class Mutant:
    """A changed module.

    Attributes:
        file: Of the package, relative to the checkout.
        line: First line of what was changed, from 1.
        end_line: Its last line.
        what: Before and after.
        source: Text of the changed module.
    """

    file: str
    line: int
    end_line: int
    what: str
    source: str

    @property
    def name(self) -> str:
        """What it is called in the results."""
        return f"{self.file}:{self.line} {self.what}"


def count(text: str) -> int:
    """How many changes a module has."""
    return sum(1 for _ in _changes(ast.parse(text)))


def mutant(file: str, text: str, number: int) -> Mutant:
    """The ``number``-th change of a module, from 0."""
    tree = ast.parse(text)
    place, node, change = list(_changes(tree))[number]
    changed = ast.copy_location(change(copy.deepcopy(node)), node)
    what = f"{_short(node)} → {_short(changed)}"
    place.put(changed)
    return Mutant(file, node.lineno, node.end_lineno or node.lineno, what, ast.unparse(ast.fix_missing_locations(tree)))


@dataclass(frozen=True)
class _Place:
    """Where a node hangs: in a field of its parent, or in a list there."""

    parent: ast.AST
    field: str
    index: int | None

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def _changes(tree: ast.AST) -> Iterator[tuple[_Place, ast.expr | ast.stmt, Change]]:
    for place, node in _nodes(tree):
        for change in _of(node):
            yield place, node, change


def _nodes(parent: ast.AST) -> Iterator[tuple[_Place, ast.expr | ast.stmt]]:
    """Statements and expressions that run: no types, decorators, imports and docstrings."""
    for field, value in ast.iter_fields(parent):
        if field in ("annotation", "returns", "decorator_list", "type_params", "type_comment", "format_spec"):
            continue
        for index, node in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(node, ast.AST) or _is_left_alone(node):
                continue
            if isinstance(node, ast.expr | ast.stmt):
                yield _Place(parent, field, index if isinstance(value, list) else None), node
            yield from _nodes(node)


def _is_left_alone(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return True
    return isinstance(node, ast.Import | ast.ImportFrom)


def _of(node: ast.expr | ast.stmt) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            if type(operator) in COMPARISONS:
                yield lambda one, i=i: _with_operator(one, i)
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in OPERATORS:
        yield lambda one: _set(one, op=OPERATORS[type(one.op)]())
    elif isinstance(node, ast.BoolOp):
        yield lambda one: _set(one, op=ast.Or() if isinstance(one.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield lambda one: one.operand
    elif isinstance(node, ast.IfExp):
        yield lambda one: _set(one, body=one.orelse, orelse=one.body)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield lambda one: _set(one, value=not one.value if isinstance(one.value, bool) else one.value + 1)
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield lambda one: _set(one, value=ast.Constant(None))
    if isinstance(node, ast.AugAssign | ast.Raise | ast.Continue | ast.Break) or _is_call(node):
        yield lambda one: ast.Pass()


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _with_operator(node: ast.AST, i: int) -> ast.AST:
    node.ops[i] = COMPARISONS[type(node.ops[i])]()
    return node


def _set(node: ast.AST, **fields: object) -> ast.AST:
    for name, value in fields.items():
        setattr(node, name, value)
    return node


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"
