"""What a prediction is about: its options, and the records, or the stretch of one, that it reads."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.decoding.caller import CallOptions
from genoformer.errors import DataError, UsageError, WarningLog
from genoformer.files import atomic_path
from genoformer.sequence.byte_chunks import read_chunks
from genoformer.sequence.fasta import read_fasta
from genoformer.sequence.records import Record, SequenceDigest

Region = tuple[str, int, int]


@dataclass(frozen=True)
class PredictOptions:
    """What the user decides about a prediction; everything here can change the results.

    Attributes:
        call: Genetic code, shortest gene and gaps.
        circular: Ids of circular records; ``("auto",)`` trusts a header that says so; empty for none.
        formats: Words of ``gene_outputs.WRITERS``.
        locus_tag: Prefix of gene names; "" for none.
        region: Only this stretch (record id, start, end; 0-based, half-open).
        statistics: Let codon usage, start codons and binding sites of the input itself count.
        metagenome: The records are of many organisms: each has its own statistics, or none if it is short.
        on_bad_record: "error" or "skip".
        adaptation: Settings of an adaptation to the input that comes first, JSON types; None for none.
    """

    call: CallOptions
    circular: tuple[str, ...] = ()
    formats: tuple[str, ...] = ("gff3", "tsv", "protein")
    locus_tag: str = ""
    region: Region | None = None
    statistics: bool = True
    metagenome: bool = False
    on_bad_record: str = "error"
    adaptation: dict | None = None


@dataclass(frozen=True)
class Scan:
    """What the input holds.

    Attributes:
        n_records: Number of records.
        n_bases: Total length in bp.
        sequence_digest: Of the records, in order.
    """

    n_records: int
    n_bases: int
    sequence_digest: str


def scan_records(records: Iterable[Record], length_bp: Callable[[Record], int] = len) -> Scan:
    """Count records and bases, and digest them.

    Args:
        records: In the order of the input.
        length_bp: How many bases of a record count.
    """
    digest, n_records, n_bases = SequenceDigest(), 0, 0
    for record in records:
        digest.update(record)
        n_records += 1
        n_bases += length_bp(record)
    return Scan(n_records, n_bases, digest.hexdigest())


def spooled(paths: list[str], work: Path) -> list[str]:
    """The same inputs with standard input, which can be read once only, kept in the work folder."""
    if paths.count("-") > 1:
        raise UsageError("INPUT-002", 'standard input ("-") can be read only once.')
    if "-" not in paths:
        return paths
    spool = work / "stdin.fa"
    with atomic_path(spool) as temporary, open(temporary, "wb") as file:
        file.writelines(read_chunks("-"))
    return [str(spool) if path == "-" else path for path in paths]


def all_records(
    paths: list[str], options: PredictOptions, warnings: WarningLog | None = None
) -> Iterator[tuple[int, Record]]:
    """Every record of the input with its number."""
    seen: dict[str, str] = {}
    number = 0
    for path in paths:
        for record in read_fasta(path, on_bad_record=options.on_bad_record, warnings=warnings):
            if record.id in seen:
                raise DataError("INPUT-001", f'record "{record.id}" is also in {seen[record.id]}.', where=path)
            yield number, record
            number += 1
            if len(paths) > 1:  # inside one file the reader sees to it
                seen[record.id] = path


def records_of(paths: list[str], options: PredictOptions) -> Iterator[tuple[int, Record]]:
    """The records that the prediction is about, with their number in the input."""
    return (found for found in all_records(paths, options) if is_wanted(found[1], options))


def is_wanted(record: Record, options: PredictOptions) -> bool:
    """Whether the prediction is about this record."""
    return options.region is None or options.region[0] == record.id


def stretch(record: Record, options: PredictOptions) -> np.ndarray:
    """Base codes of what is looked at: the record, or its region."""
    if options.region is None:
        return record.codes
    _, start, end = options.region
    if start >= len(record):
        raise UsageError("REGION-002", f'the region begins at {start + 1}, but "{record.id}" has {len(record)} bp.')
    return record.codes[start:end]


def placed(genes: list[Gene], options: PredictOptions) -> list[Gene]:
    """Genes of a stretch in coordinates of its record."""
    if options.region is None:
        return genes
    return [gene.shifted(options.region[1]) for gene in genes]


def call_options(record: Record, options: PredictOptions) -> CallOptions:
    """Options of one record: circular if it is named, or its header says so."""
    header = f" {record.description.lower()} "
    says_so = any(mark in header for mark in ("circular=true", "topology=circular"))
    circular = record.id in options.circular or ("auto" in options.circular and says_so)
    return replace(options.call, circular=circular and options.region is None)
