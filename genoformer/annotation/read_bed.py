"""Read intervals of a BED file: the first three columns, strictly; the others are not looked at.

Reference: the BED format specification 1.0 of the GA4GH, https://github.com/samtools/hts-specs (BEDv1.pdf).
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from genoformer.annotation.record_rows import find_records, no_record
from genoformer.annotation.text_lines import read_lines
from genoformer.errors import DataError, WarningLog
from genoformer.files.numbers import WHOLE_NUMBER

_NO_ROW = re.compile(r"#|(browser|track)(\s|$)|\s*$")


class BedRow(NamedTuple):
    """One row; 0-based, half-open.

    Attributes:
        contig: Id of the sequence.
        start: First base.
        end: One past the last base; equal to ``start`` where the row covers nothing.
        line: Number of its line, from 1.
    """

    contig: str
    start: int
    end: int
    line: int


def read_bed(path: str | Path) -> Iterator[BedRow]:
    """Rows of a plain or gzip-compressed BED file, in its order; a file without rows is valid.

    Columns are separated by tabs, or by spaces in lines without a tab. Empty lines and lines that begin with ``#``,
    ``browser`` or ``track`` are no rows.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and line, for fewer than three columns, a coordinate that is no whole number of 0 or
            more, or an end before the start; and if the file cannot be read or decompressed.
    """
    for number, line in read_lines(Path(path)):
        if not _NO_ROW.match(line):
            yield _row(line, number, path)


def _row(line: str, number: int, path: str | Path) -> BedRow:
    columns = line.split("\t") if "\t" in line else line.split()
    if len(columns) < 3 or not columns[0]:
        message = f'expected contig, start and end, found "{line[:80]}".'
        raise _error("BED-001", message, path, number, "Separate columns by tabs.")
    contig, *ends = columns[:3]
    wrong = [text for text in ends if not WHOLE_NUMBER.fullmatch(text)]
    if wrong:
        raise _error("BED-002", f'expected whole numbers of 0 or more, found "{wrong[0][:40]}".', path, number)
    start, end = map(int, ends)
    if end < start:
        fix = "BED counts bases from 0 and gives the lower end first, on both strands."
        raise _error("BED-003", f"the interval ends at {end}, before its start {start}.", path, number, fix)
    return BedRow(contig, start, end, number)


def read_bed_intervals(path: str | Path, lengths: dict[str, int], warnings: WarningLog) -> dict[str, np.ndarray]:
    """What a BED file covers of each record.

    Ids match as in ``seqids.match_ids``. A contig that is no record is left out with a counted warning, since the
    file may cover more of the genome than the FASTA file holds; but one of the contigs must be a record: otherwise the
    names are of another kind, and nothing would be covered.

    Args:
        path: The file, plain or gzip.
        lengths: Length in bp of every record, by id.
        warnings: Counts rows of contigs that are no record.

    Returns:
        Disjoint (start, end) in ascending order by record id, int64 [N, 2]; intervals that overlap or touch are one.
        Records that nothing covers are left out.

    Raises:
        MissingFileError: If there is no such file.
        DataError: As ``read_bed``; with file and line for an interval beyond the end of its record; and if the file
            has rows, but no contig is a record.
    """
    rows = list(read_bed(path))
    partners = find_records(list(lengths), [row.contig for row in rows], path, "BED-005")
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        record_id = partners[row.contig]
        if record_id is not None:
            spans[record_id].append(_inside(row, record_id, lengths[record_id], path))
            continue
        warnings.add("BED-006", no_record(row.contig, f"{path} line {row.line}"))
    merged = {record_id: merge_intervals(np.array(found, np.int64)) for record_id, found in spans.items()}
    return {record_id: intervals for record_id, intervals in merged.items() if len(intervals)}


def _inside(row: BedRow, record_id: str, length_bp: int, path: str | Path) -> tuple[int, int]:
    if row.end > length_bp:
        message = f'the interval ends at {row.end}, but "{record_id}" has {length_bp} bp.'
        fix = "Is it of another assembly? Over the origin of a circular record, give two intervals."
        raise _error("BED-004", message, path, row.line, fix)
    return row.start, row.end


def merge_intervals(intervals: np.ndarray) -> np.ndarray:
    """The same bases as disjoint intervals in ascending order that do not touch; empty ones are left out.

    Args:
        intervals: (start, end), 0-based, half-open, in any order, int64 [N, 2].

    Returns:
        int64 [M, 2].
    """
    kept = intervals[intervals[:, 1] > intervals[:, 0]]
    if len(kept) == 0:
        return np.empty((0, 2), np.int64)
    kept = kept[np.argsort(kept[:, 0], kind="stable")]
    reach = np.maximum.accumulate(kept[:, 1])
    begins = np.flatnonzero(np.append(True, kept[1:, 0] > reach[:-1]))
    return np.stack((kept[begins, 0], reach[np.append(begins[1:] - 1, len(kept) - 1)]), axis=1)


def _error(code: str, message: str, path: str | Path, line: int, fix: str = "") -> DataError:
    return DataError(code, message, where=f"{path} line {line}", fix=fix)
