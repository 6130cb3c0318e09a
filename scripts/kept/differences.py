"""Every difference of two kept folders."""

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from kept.decoding import Values, decode, describe_change
from kept.expected import EXPECTED, FORMAT_TABLE, LEFT_OUT, NAMES_ONLY, WITH_PATHS
from kept.names import renamed
from kept.running import ABOUT, INPUTS, LINES, OUTPUTS

SHOWN_LETTERS = 200
"""Letters of a line of text that are shown."""
CRASH_FILE = re.compile(r"genoformer-crash-\d+")

Found = tuple[str, str]
"""Place in a file, and what differs there."""


@dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
        line: File, place and what differs.
        reason: Why it is expected; None if it is not.
    """

    line: str
    reason: str | None

    def __str__(self) -> str:
        return self.line if self.reason is None else f"{self.line} (expected: {self.reason})"


@dataclass(frozen=True)
class Side:
    """One kept folder, and the words that stand for its absolute paths."""

    folder: Path
    about: dict

    @classmethod
    def open(cls, folder: Path) -> "Side":
        return cls(folder, json.loads((folder / ABOUT).read_text()))

    def files(self) -> set[str]:
        """All files that are compared, relative to the folder."""
        tops = (INPUTS, OUTPUTS, LINES)
        return {
            path.relative_to(self.folder).as_posix()
            for top in tops
            for path in (self.folder / top).rglob("*")
            if path.is_file()
        }

    def without_paths(self, text: str) -> str:
        """Text with words in place of the paths of the folder, the package and Python, and of process numbers."""
        paths = {self.about["folder"]: "FOLDER", self.about["package"]: "PACKAGE", self.about["prefix"]: "PYTHON"}
        for path in sorted(paths, key=len, reverse=True):
            text = text.replace(path, paths[path])
        return CRASH_FILE.sub("genoformer-crash-PID", text)


def compare_folders(old: Path, new: Path) -> list[Difference]:
    """All differences, expected ones included, in the order of the files.

    Args:
        old: Folder of ``keep``.
        new: Another one; if it was made with ``--only``, the steps that it has are compared.
    """
    sides = Side.open(old), Side.open(new)
    names = [side.files() for side in sides]
    if sides[1].about.get("only"):
        names[0] = {name for name in names[0] if step_of(name) in sides[1].about["steps"]} | (names[0] & names[1])
    return [
        _difference(f"{name}: {place}: {what}" if place else f"{name}: {what}")
        for name in sorted(names[0] | names[1])
        for place, what in _file_differences(*sides, name, name in names[0], name in names[1])
    ]


def step_of(name: str) -> str:
    """The step that a file belongs to: ``outputs/STEP/…`` or ``lines/STEP.stdout``."""
    top, _, rest = name.partition("/")
    return rest.rpartition(".")[0] if top == LINES else rest.partition("/")[0]


def libraries_line(old: Path, new: Path) -> str | None:
    """A line that says in which libraries or machines two folders differ; None if in none."""
    sides = [Side.open(folder).about for folder in (old, new)]
    pairs = [{**side["libraries"], "python": side["python"], "machine": side["machine"]} for side in sides]
    changed = [
        f"{name} {value} → {pairs[1].get(name)}" for name, value in pairs[0].items() if value != pairs[1].get(name)
    ]
    return f"not the same machine or libraries, so that numbers may differ: {', '.join(changed)}" if changed else None


def _difference(line: str) -> Difference:
    reasons = (reason for pattern, reason in EXPECTED.items() if re.fullmatch(pattern, line, re.DOTALL))
    return Difference(line, next(reasons, None))


def _file_differences(old: Side, new: Side, name: str, in_old: bool, in_new: bool) -> Iterator[Found]:
    if not in_new or not in_old:
        yield "", "missing in NEW" if in_old else "only in NEW"
        return
    if _is_left_out(name):
        return
    paths = [side.folder / name for side in (old, new)]
    if name.startswith(INPUTS + "/"):
        if paths[0].read_bytes() != paths[1].read_bytes():
            yield "", "other input: NEW was not made with --inputs OLD"
        return
    old_values, new_values = _values(old, name), _values(new, name)
    if old_values is None or new_values is None:
        yield from _text_differences(_bytes(old, name), _bytes(new, name))
    else:
        yield from _value_differences(name, old_values, new_values)


def _is_left_out(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in LEFT_OUT)


def _values(side: Side, name: str) -> Values | None:
    """Values by place without what is not compared; None for text, and for files that cannot be read."""
    try:
        values = decode(side.folder / name)
    except (ValueError, OSError, KeyError):
        return None
    if values is None:
        return None
    if any(fnmatchcase(name, pattern) for pattern in NAMES_ONLY):
        return {place: True for place in values if place.endswith(".sha256")}
    if _has_paths(name):
        values = {p: side.without_paths(value) if isinstance(value, str) else value for p, value in values.items()}
    return {place: value for place, value in values.items() if not _is_left_out(f"{name}: {place}")}


def _has_paths(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in WITH_PATHS)


def _bytes(side: Side, name: str) -> bytes:
    data = (side.folder / name).read_bytes()
    if not _has_paths(name):
        return data
    return side.without_paths(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _value_differences(name: str, old: Values, new: Values) -> Iterator[Found]:
    tables = [table for pattern, table in FORMAT_TABLE.items() if fnmatchcase(name, pattern)]
    for table in tables:
        old = {other: value for place, value in old.items() if (other := renamed(place, table)) is not None}
    for place in [*old, *(place for place in new if place not in old)]:
        if place not in new:
            yield place, "missing in NEW"
        elif place not in old:
            yield place, f"only in NEW: {describe_change(None, new[place])}"
        elif what := describe_change(old[place], new[place]):
            yield place, what


def _text_differences(old: bytes, new: bytes) -> Iterator[Found]:
    """Lines that differ; of bytes that are no text, the first place."""
    if old == new:
        return
    try:
        old_lines, new_lines = (data.decode().splitlines(keepends=True) for data in (old, new))
    except UnicodeDecodeError:
        first = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        yield f"byte {first}", f"{len(old)} bytes → {len(new)} bytes"
        return
    matcher = difflib.SequenceMatcher(None, old_lines, new_lines, autojunk=False)
    for kind, low, high, new_low, new_high in matcher.get_opcodes():
        if kind != "equal":
            yield f"line {low + 1}", f"{_shown(old_lines[low:high])} → {_shown(new_lines[new_low:new_high])}"


def _shown(lines: list[str]) -> str:
    text = "".join(lines)
    return repr(text if len(text) <= SHOWN_LETTERS else text[:SHOWN_LETTERS] + "…")
