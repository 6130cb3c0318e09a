"""Which sequence trains, validates and tests, by a file with their ids."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from genoformer.annotation.text_lines import read_lines
from genoformer.errors import DataError, UsageError, WarningLog
from genoformer.labels.tables import LabelledSequence


def read_parts(path: str | Path) -> tuple[dict[str, str], dict[str, str]]:
    """Part and group of each id, from a file with id, part and, if there are groups, group in each line.

    Lines with "#" are not read; a group that is not there is "".

    Raises:
        DataError: If a line has no two or three columns, or an id comes twice.
    """
    parts: dict[str, str] = {}
    groups: dict[str, str] = {}
    for number, line in read_lines(Path(path)):
        cells = line.split("\t")
        if not line.strip() or line.startswith("#"):
            continue
        if len(cells) not in (2, 3) or cells[0] in parts:
            message = f'the id "{cells[0]}" comes twice.' if cells[0] in parts else "expected id and part, by a tab."
            raise DataError("SPLIT-006", message, where=f"{path} line {number}")
        parts[cells[0]], groups[cells[0]] = cells[1], (*cells[2:], "")[0]
    return parts, groups


def with_parts(sequences: Sequence[LabelledSequence], parts: dict[str, str], log: WarningLog) -> list[LabelledSequence]:
    """The sequences that have a part, with its name as their group; the others are counted.

    Raises:
        UsageError: If none has one.
    """
    known = [sequence for sequence in sequences if sequence.id in parts]
    for sequence in sequences:
        if sequence.id not in parts:
            log.add("SPLIT-007", f'{sequence.where}: "{sequence.id}" is in no part of the split; it is left out.')
    if not known:
        raise UsageError("SPLIT-008", "no sequence has an id of the split.", where="data.split.file")
    return [replace(sequence, group=parts[sequence.id]) for sequence in known]
