"""Files that a prediction reads: FASTA, or GenBank and EMBL with their sequence; the content decides, not the name."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from genoformer.annotation.text_lines import open_bytes, read_head
from genoformer.errors import DataError, GenoformerError, WarningLog
from genoformer.inference.parts import Part
from genoformer.sequence.fasta import read_fasta
from genoformer.sequence.records import Record

_READER: Part[Callable[..., Iterator[Record]]] = Part("genoformer.annotation.genbank:read_genbank_records")
"""Loaded for flat files alone: predictions of FASTA do not wait for Biopython."""
_FLAT_FILE = re.compile(rb"^LOCUS\s", re.MULTILINE)
_FIRST_LINE = re.compile(rb"(?:LOCUS|ID) +\S+(.*)")
"""The line with which a record begins in GenBank and EMBL; what stands behind its name says the topology.

Reference: section 3.4.4 of the GenBank release notes; section 3.4.1 of the EMBL user manual.
"""


def read_records(
    path: str | Path, *, on_bad_record: Literal["error", "skip"] = "error", warnings: WarningLog | None = None
) -> Iterator[Record]:
    """The nucleotide records of a file, one held at a time.

    Args:
        path: FASTA, GenBank or EMBL file, plain, gzip or bgzip; "-" is standard input, as FASTA alone.
        on_bad_record: What to do with bad records of FASTA; others are always errors.
        warnings: Counted warnings go here.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and record, if it cannot be read, or a record has no sequence or the id of another.
    """
    if is_flat_file(path):
        return _read_flat_file(Path(path), WarningLog() if warnings is None else warnings)
    return read_fasta(path, on_bad_record=on_bad_record, warnings=warnings)


def is_flat_file(path: str | Path) -> bool:
    """Whether this is a GenBank or EMBL file; what cannot be told is left to the FASTA reader and its messages."""
    if not Path(path).is_file():  # a pipe can be read once only
        return False
    try:
        head = read_head(Path(path))
    except GenoformerError:
        return False
    return head.lstrip()[:1] not in (b">", b";") and _FLAT_FILE.search(head) is not None


def _read_flat_file(path: Path, warnings: WarningLog) -> Iterator[Record]:
    seen: set[str] = set()
    for record, circular in zip(_READER.load()(path, warnings=warnings), _topologies(path), strict=True):
        where = f"{path} record {record.id}"
        if record.id in seen:
            raise DataError("GENBANK-002", "two records have this id.", where=where, fix="Keep one of them.")
        if not len(record):
            fix = "Download the record with its sequence, or give a FASTA file."
            raise DataError("GENBANK-004", "the record has no sequence.", where=where, fix=fix)
        seen.add(record.id)
        yield replace(record, circular=circular)


def _topologies(path: Path) -> Iterator[bool]:
    """Whether each record is circular."""
    with open_bytes(path) as handle:
        for line in handle:
            if begins := _FIRST_LINE.match(line):
                yield b"circular" in re.split(rb"[\s;]+", begins[1].lower())
