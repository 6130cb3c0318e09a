"""Files of base pairs, read and written: dot-bracket, bpseq and CT. Every error names file and line.

- Dot-bracket: ``>id``, bases, brackets; a line each. What follows a space behind the brackets (an energy) is not read.
- bpseq: rows ``i base j``, 1-based, j = 0 for a base without partner; the id is the file's name. Lines before the first
  row, and those with "#", are not read.
- CT: a line with length and title, then rows ``i base i-1 i+1 j i``; a file may hold several. The id is the last word
  of the title that is no energy.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from genoformer.annotation.text_lines import read_lines
from genoformer.errors import DataError, UsageError
from genoformer.files.limits import MOST_COMMENT_LINES, MOST_WIDE_LINE_BYTES
from genoformer.files.numbers import WHOLE_NUMBER, whole_number
from genoformer.labels.tables import LabelledSequence
from genoformer.sequence.alphabet import encode_bases
from genoformer.structures.dot_bracket import ALONE, parse_dot_bracket, write_dot_bracket

Row = tuple[str, str, np.ndarray]
"""Id, bases and partners of an RNA."""


def read_pair_files(paths: Sequence[str | Path]) -> list[LabelledSequence]:
    """All RNAs of some files; the label is the structure in dot-bracket, the group the name of the file.

    Args:
        paths: Files whose names end in .dbn, .db, .bpseq or .ct, or so with .gz.

    Raises:
        UsageError: If an ending is none of these.
        DataError: If a file cannot be read, or an id comes twice.
    """
    found: dict[str, LabelledSequence] = {}
    for path in map(Path, paths):
        for example in _reader(path)(path):
            if example.id in found:
                raise DataError(
                    "PAIRS-001", f'the id "{example.id}" is also in {found[example.id].where}.', where=example.where,
                    fix="Make ids unique.",
                )  # fmt: skip
            found[example.id] = example
    return list(found.values())


def is_pair_file(path: str | Path) -> bool:
    """Whether the ending is one of those that ``read_pair_files`` knows."""
    return _ending(Path(path)) in READERS


def _ending(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def _reader(path: Path) -> Callable[[Path], Iterator[LabelledSequence]]:
    if (ending := _ending(path)) not in READERS:
        raise UsageError(
            "PAIRS-002", f'files of base pairs end in {", ".join(READERS)}, found "{ending}".', where=str(path)
        )
    return READERS[ending]


def read_dot_bracket(path: Path) -> Iterator[LabelledSequence]:
    """RNAs of a dot-bracket file; DataError if one has no three lines, or its lines do not fit."""
    lines = [(number, line.strip()) for number, line in read_lines(path, MOST_WIDE_LINE_BYTES) if line.strip()]
    for first in range(0, len(lines), 3):
        number, header = lines[first]
        if not header.startswith(">") or not header[1:].split():
            raise _error(path, number, f'expected ">" and an id, found {header[:20]!r}.')
        if len(lines) < first + 3:
            raise _error(path, number, "behind this header come no two lines, bases and brackets.")
        (base_line, bases), (bracket_line, brackets) = lines[first + 1 : first + 3]
        brackets = brackets.split()[0]
        if len(bases) != len(brackets):
            raise _error(path, bracket_line, f"{len(brackets)} brackets and dots for {len(bases)} bases.")
        codes = _codes(path, base_line, bases)
        try:
            partners = parse_dot_bracket(brackets)
        except ValueError as error:
            raise _error(path, bracket_line, f"{error}.") from error
        yield _example(path, number, header[1:].split()[0], codes, partners)


def read_bpseq(path: Path) -> Iterator[LabelledSequence]:
    """The RNA of a bpseq file; DataError if rows are not numbered from 1 on, or partners are not mutual."""
    rows: list[list[str]] = []
    for number, line in read_lines(path):
        cells = line.split()
        if not rows and number > MOST_COMMENT_LINES:
            raise _error(path, number, "no row up to here begins with 1.")
        if not cells or line.startswith("#") or (not rows and not (len(cells) == 3 and cells[0] == "1")):
            continue
        rows.append(_row(path, number, cells, 3, len(rows) + 1))
    if not rows:
        raise _error(path, 1, "there is no row that begins with 1.")
    name = path.name.removesuffix(".gz").rpartition(".")[0]
    yield _from_rows(path, number, name, [row[1] for row in rows], [row[2] for row in rows])


def read_ct(path: Path) -> Iterator[LabelledSequence]:
    """RNAs of a CT file; DataError if one has fewer rows than its title says, or partners are not mutual."""
    lines = [(number, line.split()) for number, line in read_lines(path) if line.strip() and line[0] != "#"]
    place = 0
    while place < len(lines):
        number, title = lines[place]
        n = whole_number(title[0])
        if not n:
            raise _error(path, number, f"expected the number of bases and a title, found {title[0][:20]!r}.")
        rows = lines[place + 1 : place + 1 + n]
        cells = [_row(path, line, row, 6, i) for i, (line, row) in enumerate(rows, 1)]
        if len(cells) < n:
            raise _error(path, number, f"the title says {n} bases, {len(cells)} rows follow.")
        words = [word for word in title[1:] if word not in ("ENERGY", "=", "dG") and not _is_number(word)]
        name = words[-1] if words else f"{path.name.split('.')[0]}-{number}"
        yield _from_rows(path, rows[-1][0], name, [row[1] for row in cells], [row[4] for row in cells])
        place += 1 + n


READERS = {".dbn": read_dot_bracket, ".db": read_dot_bracket, ".bpseq": read_bpseq, ".ct": read_ct}


def write_dbn(rows: Iterable[Row]) -> Iterator[str]:
    """Lines of a dot-bracket file."""
    for name, bases, partners in rows:
        yield f">{name}\n{bases}\n{write_dot_bracket(partners)}\n"


def write_bpseq(row: Row) -> Iterator[str]:
    """Lines of a bpseq file, which holds one RNA."""
    name, bases, partners = row
    yield f"# {name}\n"
    yield from (f"{i} {base} {j + 1}\n" for i, (base, j) in enumerate(zip(bases, partners.tolist(), strict=True), 1))


def write_ct(rows: Iterable[Row]) -> Iterator[str]:
    """Lines of a CT file."""
    for name, bases, partners in rows:
        n = len(bases)
        yield f"{n} {name}\n"
        for i, (base, j) in enumerate(zip(bases, partners.tolist(), strict=True), 1):
            yield f"{i} {base} {i - 1} {(i + 1) % (n + 1)} {j + 1} {i}\n"


def _row(path: Path, number: int, cells: list[str], width: int, expected: int) -> list[str]:
    if len(cells) < width or not all(WHOLE_NUMBER.fullmatch(cells[k]) for k in (0, width - 1, 4 if width > 3 else 2)):
        raise _error(path, number, f"expected a row of {width} columns, found {' '.join(cells)[:30]!r}.")
    if int(cells[0]) != expected:
        raise _error(path, number, f"expected row {expected}, found {cells[0]}.")
    return cells


def _from_rows(path: Path, last_line: int, name: str, bases: list[str], partners: list[str]) -> LabelledSequence:
    codes = _codes(path, last_line, "".join(bases))
    numbers = np.array([int(partner) for partner in partners]) - 1  # 0, no partner, is ALONE
    first_line = last_line - len(bases) + 1
    for i, j in enumerate(numbers.tolist()):
        if j != ALONE and (j >= len(numbers) or numbers[j] != i or i == j):
            raise _error(path, first_line + i, f"base {i + 1} has partner {j + 1}, which does not say the same.")
    return _example(path, first_line, name, codes, numbers)


def _codes(path: Path, number: int, bases: str) -> np.ndarray:
    try:
        return encode_bases(bases)
    except ValueError as error:
        raise _error(path, number, f"{error}.") from error


def _example(path: Path, number: int, name: str, codes: np.ndarray, partners: np.ndarray) -> LabelledSequence:
    try:
        structure = write_dot_bracket(partners)
    except ValueError as error:
        raise _error(path, number, f"{error}.") from error
    return LabelledSequence(name, codes, structure, path.name, f"{path} line {number}")


def _error(path: Path, number: int, message: str) -> DataError:
    return DataError("PAIRS-003", message, where=f"{path} line {number}")


def _is_number(word: str) -> bool:
    return word.replace(".", "", 1).lstrip("+-").isdecimal()
