"""Read hints about genes in Augustus' format: GFF rows of introns, coding parts, start and stop codons.

Reference: docs/RUNNING-AUGUSTUS.md of Augustus, "Using hints": nine columns of GFF; ``mult=N`` in the last one says how
many reads or alignments support a row.
"""

import re
from collections import defaultdict
from pathlib import Path

import numpy as np

from genoformer.annotation.record_rows import find_records, no_record
from genoformer.annotation.text_lines import read_lines
from genoformer.errors import DataError, WarningLog
from genoformer.files.numbers import WHOLE_NUMBER

KINDS = ("intron", "coding", "start", "stop", "intergenic")
FEATURES = {"intron": 0, "CDS": 1, "CDSpart": 1, "start": 2, "stop": 3, "irpart": 4}
"""Features that are used, and their number in ``KINDS``."""
STRANDS = {"+": 1, "-": -1, ".": 0}
HINT_DTYPE = np.dtype([("kind", "u1"), ("strand", "i1"), ("start", "i8"), ("end", "i8"), ("support", "i8")])
"""0-based, half-open; strand 0 where the file says none; how much supports it, from 1 on."""
_SUPPORT = re.compile(r"(?:^|;)\s*mult=([0-9]{1,9})\s*(?:;|$)")


def read_hints(path: str | Path, lengths: dict[str, int], warnings: WarningLog) -> dict[str, np.ndarray]:
    """The hints of a plain or gzip-compressed file, by record.

    Rows of other features and of contigs that are no record are left out with a counted warning. Ids match as in
    ``seqids.match_ids``. Several rows that say the same count as one with their support together.

    Args:
        path: The file.
        lengths: Length in bp of every record, by id.
        warnings: Counts rows that are not used.

    Returns:
        Rows of ``HINT_DTYPE`` by record id, sorted; records without any are left out.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and line, for a row with fewer than eight columns, coordinates that are none or lie beyond
            the record, or another strand; and if no contig is a record.
    """
    rows = []
    for number, line in read_lines(Path(path)):
        if line.strip() and not line.startswith("#"):
            contig, row = _row(line, number, path, warnings)
            if row is not None:
                rows.append((contig, row, number))
    partners = find_records(list(lengths), [contig for contig, _, _ in rows], path, "HINTS-004")
    found: dict[str, dict[tuple[int, ...], int]] = defaultdict(lambda: defaultdict(int))
    for contig, (*place, support), number in rows:
        record_id = partners[contig]
        if record_id is None:
            warnings.add("HINTS-101", no_record(contig, f"{path} line {number}"))
            continue
        if place[3] > lengths[record_id]:
            message = f'the hint ends at {place[3]}, but "{record_id}" has {lengths[record_id]} bp.'
            raise _error("HINTS-003", message, path, number, "Is it of another assembly?")
        found[record_id][tuple(place)] += support
    return {
        record_id: np.array(sorted((*place, support) for place, support in hints.items()), HINT_DTYPE)
        for record_id, hints in found.items()
    }


def _row(line: str, number: int, path: str | Path, warnings: WarningLog) -> tuple[str, tuple[int, ...] | None]:
    """Contig and kind, strand, start, end, support; None for features that are not used."""
    columns = line.split("\t")
    if len(columns) < 8 or not columns[0]:
        message = f'expected nine columns separated by tabs, found "{line[:80]}".'
        raise _error("HINTS-001", message, path, number)
    contig, _, feature, low, high, _, strand = columns[:7]
    wrong = [text for text in (low, high) if not WHOLE_NUMBER.fullmatch(text)]
    if wrong or strand not in STRANDS or not 1 <= int(low) <= int(high):
        message = f'expected whole numbers 1 ≤ start ≤ end and a strand +, - or ., found "{low} {high} {strand}"'
        raise _error("HINTS-002", f"{message[:200]}.", path, number)
    if feature not in FEATURES:
        used = ", ".join(FEATURES)
        warnings.add("HINTS-102", f'{path} line {number}: "{feature[:40]}" is not used (used are {used}).')
        return contig, None
    support = _SUPPORT.search(columns[8]) if len(columns) > 8 else None
    many = max(int(support[1]), 1) if support else 1
    return contig, (FEATURES[feature], STRANDS[strand], int(low) - 1, int(high), many)


def _error(code: str, message: str, path: str | Path, line: int, fix: str = "") -> DataError:
    return DataError(code, message, where=f"{path} line {line}", fix=fix)
