"""Files that a prediction reads: FASTA, or GenBank and EMBL with their sequence; the content decides, not the name."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from genoformer.annotation import file_kinds
from genoformer.errors import GenoformerError, WarningLog
from genoformer.inference.parts import Part
from genoformer.sequence.fasta import read_fasta
from genoformer.sequence.records import Record

_READER: Part[Callable[..., Iterator[Record]]] = Part("genoformer.annotation.flat_files:read_flat_records")
"""Loaded for flat files alone: predictions of FASTA do not wait for Biopython."""


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
        return _READER.load()(path, warnings=warnings)
    return read_fasta(path, on_bad_record=on_bad_record, warnings=warnings)


def is_flat_file(path: str | Path) -> bool:
    """Whether this is a GenBank or EMBL file; what cannot be told is left to the FASTA reader and its messages."""
    if not Path(path).is_file():  # a pipe can be read once only
        return False
    try:
        return file_kinds.is_flat_file(path)
    except GenoformerError:
        return False
