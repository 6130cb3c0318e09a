"""Records of GenBank and EMBL flat files; Biopython parses, this module says what is wrong with a file."""

import warnings as python_warnings
from collections.abc import Iterator
from pathlib import Path

from Bio import SeqIO
from Bio.Seq import MutableSeq, Seq, UndefinedSequenceError
from Bio.SeqRecord import SeqRecord

from genoformer.annotation.file_kinds import flat_format
from genoformer.annotation.text_lines import LineHandle, read_head, read_lines
from genoformer.errors import DataError, GenoformerError, WarningLog
from genoformer.files.limits import MOST_COMMENT_BYTES
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.records import Record

NAMES = {"genbank": "GenBank", "embl": "EMBL"}
FORMAT_HELP = "Is the file complete? Download it again, or give FASTA with GFF3."
_NO_SEQUENCE_HELP = "Download it with its sequence, or give FASTA with GFF3."
_AFTER_HEAD = ("FEATURES ", "FH ", "FT ", "ORIGIN", "SQ ", "//")
"""How the first line behind references and comments begins; behind "//" those of the next record come."""
_LINE_BYTES = 64
"""What a line takes in memory beside its letters."""
# What Biopython says, by what is wrong in words of the format.
_REASONS = {
    "Did not recognise the LOCUS line layout": (
        "the LOCUS line cannot be read: name, length and molecule must be separated by spaces, which some programs "
        "leave out behind a long name.", "Put a space between name and length, or give the sequences shorter names.",
    ),
    "Premature end of features table": ("the record has no sequence (ORIGIN).", _NO_SEQUENCE_HELP),
    "Footer format unexpected: '//": ("the record has no sequence (SQ).", _NO_SEQUENCE_HELP),
    "Premature end of sequence data marker '//'": ("the record has no sequence (SQ).", _NO_SEQUENCE_HELP),
}  # fmt: skip


def read_flat_records(path: str | Path, *, warnings: WarningLog | None = None) -> Iterator[Record]:
    """The sequences of a GenBank or EMBL file, under the ids that ``read_genbank`` gives its contigs.

    Args:
        path: Plain or gzip-compressed file.
        warnings: Counts Biopython's warnings.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and record, if the file cannot be parsed, a record has no nucleotide sequence, or the id of
            another.
    """
    seen: set[str] = set()
    for found in iter_seq_records(Path(path), WarningLog() if warnings is None else warnings):
        record = to_record(found, f"{path} record {contig_id(found)}")
        if record.id in seen:
            where = f"{path} record {record.id}"
            raise DataError("GENBANK-002", "two records have this id.", where=where, fix="Keep one of them.")
        seen.add(record.id)
        yield record


def to_record(record: SeqRecord, where: str) -> Record:
    """Bases, id and topology of a record of Biopython.

    Args:
        record: Of a file, or made by a program.
        where: It is, for messages.

    Raises:
        DataError: If it has no sequence, or one that is not DNA.
    """
    try:
        codes = encode_bases(bytes(_sequence(record)))
        if not len(codes):
            raise UndefinedSequenceError
    except UndefinedSequenceError:
        fix = "Download the record with its sequence, or give a FASTA file."
        raise DataError("GENBANK-004", "the record has no sequence.", where=where, fix=fix) from None
    except ValueError as error:
        raise DataError("GENBANK-003", f"the sequence is not DNA: {error}.", where=where) from error
    return Record(contig_id(record), codes, record.description, circular=is_circular(record))


def is_circular(record: SeqRecord) -> bool:
    """Whether the file calls the record circular."""
    return record.annotations.get("topology") == "circular"


def contig_id(record: SeqRecord) -> str:
    """Accession and version; without an accession, which RAST calls unknown, the name in the LOCUS line."""
    return record.name if record.id is None or record.id in ("", ".", "<unknown id>", "unknown") else record.id


def _sequence(record: SeqRecord) -> Seq | MutableSeq:
    if record.seq is None:
        raise UndefinedSequenceError
    return record.seq


def iter_seq_records(path: Path, warnings: WarningLog) -> Iterator[SeqRecord]:
    """Biopython's records; its warnings are counted, and whatever it raises becomes a DataError.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With the file and the number of the record that failed, or when there is no record.
    """
    n_read, kind = 0, flat_format(read_head(path)) or "genbank"
    records = SeqIO.parse(LineHandle(_checked_lines(path)), kind)
    while (record := _next_record(records, path, n_read, warnings)) is not None:
        n_read += 1
        yield record
    if n_read == 0:
        raise DataError("GENBANK-005", f"there is no {NAMES[kind]} record.", where=str(path), fix=FORMAT_HELP)


def _checked_lines(path: Path) -> Iterator[str]:
    """The lines of a file; DataError where what stands in front of features and sequence has no end."""
    is_head, head_bytes = True, 0
    for number, line in read_lines(path):
        if line.startswith(_AFTER_HEAD):
            is_head, head_bytes = line.startswith("//"), 0
        elif is_head:
            head_bytes += len(line) + _LINE_BYTES
        if head_bytes > MOST_COMMENT_BYTES:
            message = f"more than {MOST_COMMENT_BYTES:,} bytes of comments stand in front of features and sequence."
            raise DataError("GENBANK-007", message, where=f"{path} line {number}", fix=FORMAT_HELP)
        yield line


def _next_record(records: Iterator[SeqRecord], path: Path, n_read: int, warnings: WarningLog) -> SeqRecord | None:
    where = f"{path} record {n_read + 1}"
    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("always")
        try:
            record = next(records, None)
            if record is not None:
                len(record)  # raises when neither LOCUS nor ORIGIN tells the length
        except GenoformerError:
            raise
        except Exception as error:  # Biopython raises ValueError, AssertionError, IndexError and others for bad files
            raise _unreadable(error, where) from error
    for warning in caught:
        if not issubclass(warning.category, DeprecationWarning):
            warnings.add("GENBANK-101", f"{where}: {' '.join(str(warning.message).split())}")
    return record


def _unreadable(error: Exception, where: str) -> DataError:
    said = " ".join(str(error).split())
    for beginning, (message, fix) in _REASONS.items():
        if said.startswith(beginning):
            return DataError("GENBANK-001", message, where=where, fix=fix)
    message = f"cannot be parsed: {type(error).__name__}: {said[:200].rstrip('.')}."
    return DataError("GENBANK-001", message, where=where, fix=FORMAT_HELP)
