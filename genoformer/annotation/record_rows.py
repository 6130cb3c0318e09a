"""Rows of a file that say something of records: which records they mean, and one digest of all that is said."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from genoformer.annotation.seqids import find_partners, listed_ids
from genoformer.errors import DataError


def find_records(
    record_ids: Sequence[str], contigs: Sequence[str], path: str | Path, code: str
) -> dict[str, str | None]:
    """For each contig of a file the record that it means, see ``seqids.find_partners``; None where there is none.

    A file may cover more of a genome than the input holds, but where none of its contigs is a record, the names are of
    another kind.

    Args:
        record_ids: Of the input.
        contigs: Of the rows of the file.
        path: The file, for the message.
        code: Of the error.

    Raises:
        DataError: If there are contigs, and none is a record.
    """
    partners = find_partners(list(record_ids), list(contigs))
    if partners and not any(partners.values()):
        message = f"none of its contigs ({listed_ids(list(partners))}) is a record of the input"
        fix = "Use the ids of the FASTA file."
        raise DataError(code, f"{message} ({listed_ids(list(record_ids))}).", where=str(path), fix=fix)
    return partners


def no_record(contig: str, where: str) -> str:
    """The warning about a row whose contig is no record."""
    return f'{where}: contig "{contig}" is no record of the input, or could be several.'


def digest_rows(rows: Mapping[str, np.ndarray]) -> str | None:
    """SHA-256 over record ids and their rows, 64 hexadecimal digits; None where there are none.

    Args:
        rows: By record id, of one type.
    """
    if not rows:
        return None
    sha256 = hashlib.sha256()
    for record_id, of_record in sorted(rows.items()):
        sha256.update(f"{record_id}\0{len(of_record)}\0".encode())
        sha256.update(np.ascontiguousarray(of_record).tobytes())
    return sha256.hexdigest()
