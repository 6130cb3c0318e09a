"""Files that a prediction reads: FASTA, or GenBank and EMBL with their sequence; the content decides, not the name."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from genoformer.annotation.text_lines import read_head
from genoformer.errors import DataError, GenoformerError, WarningLog
from genoformer.inference.parts import Part
from genoformer.sequence.fasta import read_fasta
from genoformer.sequence.records import Record

_READER: Part[Callable[..., Iterator[Record]]] = Part("genoformer.annotation.flat_files:read_flat_records")
"""Loaded for flat files alone: predictions of FASTA do not wait for Biopython."""
_FLAT_FILE = re.compile(rb"^LOCUS\s|\A\s*ID   \S", re.MULTILINE)
"""How GenBank (after lines of NCBI's own, at times) and EMBL begin."""


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
    for record in _READER.load()(path, warnings=warnings):
        where = f"{path} record {record.id}"
        if record.id in seen:
            raise DataError("GENBANK-002", "two records have this id.", where=where, fix="Keep one of them.")
        if not len(record):
            fix = "Download the record with its sequence, or give a FASTA file."
            raise DataError("GENBANK-004", "the record has no sequence.", where=where, fix=fix)
        seen.add(record.id)
        yield record
