"""What the command is asked to do, and what follows from it before any model is loaded."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation
from genoformer.annotation.seqids import MAP_HELP, find_partners, listed_ids, match_ids, read_seqid_map
from genoformer.annotation.text_lines import digest_input
from genoformer.bundle.header import BundleHeader
from genoformer.errors import DataError, UsageError, WarningLog
from genoformer.files import sha256_file
from genoformer.inference.reading import Reading
from genoformer.sequence.alphabet import N_CODE, decode_bases, encode_bases
from genoformer.sequence.records import Record, SequenceDigest
from genoformer.variants.alleles import LEFT_ALONE, allele_kind
from genoformer.variants.interface import Genome, VariantOptions
from genoformer.variants.reports import OUTSIDE, REF_MISMATCH, UNKNOWN_CONTIG
from genoformer.variants.vcf_rows import VcfFile, VcfRow

ADVICE = "Use the genome that the variants were called on, or --skip to count such rows and leave them."
OTHER_NAMES = MAP_HELP.replace("the annotation", "the VCF")
OR_SKIP = f"{OTHER_NAMES} --skip leaves rows of other contigs as they are."
N_SHOWN = 20


@dataclass(frozen=True)
class VariantRequest:
    """What the user decides.

    Attributes:
        options: What models are told.
        formats: Words of ``write.FORMATS``.
        skip: Rows that do not fit the genome are counted, and left as they are.
        annotation: File of the genes that consequences are told of; None for those that the model finds.
        seqid_map: Table of two columns: id in VCF or annotation, id in the genome; None for none.
        precision: Of the model pass; None for what the machine is fast in.
    """

    options: VariantOptions = field(default_factory=VariantOptions)
    formats: tuple[str, ...] = ("vcf", "tsv")
    skip: bool = False
    annotation: str | None = None
    seqid_map: str | None = None
    precision: str | None = None

    def key(self, vcf: VcfFile, survey: "Survey", header: BundleHeader | None) -> dict[str, Any]:
        """What makes two results the same, JSON types."""
        asked = {**asdict(self), "annotation": None, "seqid_map": None}
        files = [path for path in (self.annotation, self.seqid_map) if path]
        model = {} if header is None else {
            "model": header.name, "model_digest": header.digest, "task": header.config.task,
            "calibration": hashlib.sha256(json.dumps(header.calibration, sort_keys=True).encode()).hexdigest(),
        }  # fmt: skip
        return json.loads(json.dumps({
            **asked, **model, "sequence_digest": survey.sequence_digest, "rows": sha256_file(vcf.path),
            "files": [digest_input(path) for path in files], "version": version("genoformer"),
        }))  # fmt: skip


@dataclass
class Survey:
    """What genome and rows have to do with each other.

    Attributes:
        sequence_digest: Of the genome.
        lengths: Of every record in bp, by id, in the order of the genome.
        spelled: Id in the rows by id in the genome, of those that the rows name.
        statuses: Why a row is left as it is, by its number; rows that fit are not there.
        order: Numbers of the rows, sorted by record and place; those of unknown contigs last.
        by_record: Range of ``order`` of each record that has rows.
    """

    sequence_digest: str
    lengths: dict[str, int]
    spelled: dict[str, str]
    statuses: dict[int, str]
    order: np.ndarray
    by_record: dict[str, tuple[int, int]]

    @property
    def n_bases(self) -> int:
        """Of the genome."""
        return sum(self.lengths.values())


def survey(paths: list[str], vcf: VcfFile, request: VariantRequest, warnings: WarningLog) -> Survey:
    """Read the genome once, and compare each row with it.

    Raises:
        DataError: If the genome cannot be read, no contig of the rows is in it, or, unless such rows are to be skipped,
            a row has a contig, a place or bases that are not there.
    """
    reading, lengths, digest = Reading(), {}, SequenceDigest()
    for _, record in reading.all_records(paths, warnings):
        lengths[record.id] = len(record)
        digest.update(record)
    partner = _partners(list(lengths), vcf, request)
    ranks = {record_id: i for i, record_id in enumerate(lengths)}
    of_contig = np.array([_rank(partner[name], ranks, i) for i, name in enumerate(vcf.contigs)], np.int64)
    rows_rank = of_contig[np.array(vcf.numbers, np.int64)] if len(vcf) else np.empty(0, np.int64)
    order = np.lexsort((np.arange(len(vcf)), np.array(vcf.positions, np.int64), rows_rank))
    if not vcf.is_sorted:
        warnings.add("VARIANTS-101", f"the rows of {vcf.name} are not sorted by place; they were sorted")
    edges = {record_id: np.searchsorted(rows_rank[order], [rank, rank + 1]) for record_id, rank in ranks.items()}
    by_record = {record_id: (int(low), int(high)) for record_id, (low, high) in edges.items() if low < high}
    spelled = {record_id: name for name, record_id in partner.items() if record_id is not None}
    found = Survey(digest.hexdigest(), lengths, spelled, {}, order, by_record)
    _check_rows(paths, vcf, request, found, warnings)
    return found


def _partners(ids: list[str], vcf: VcfFile, request: VariantRequest) -> dict[str, str | None]:
    mapped = read_seqid_map(request.seqid_map) if request.seqid_map else None
    partner = find_partners(ids, vcf.contigs, mapped)
    known = [record_id for record_id in partner.values() if record_id is not None]
    if vcf.contigs and not known:
        message = f"no contig of the rows ({listed_ids(vcf.contigs)}) is in the genome ({listed_ids(ids)})."
        raise DataError("VARIANTS-008", message, where=vcf.name, fix=OTHER_NAMES)
    twice = [record_id for record_id, n in Counter(known).items() if n > 1]
    if twice:
        names = [name for name, record_id in partner.items() if record_id == twice[0]]
        message = f"{names[0]!r} and {names[1]!r} both mean the sequence {twice[0]!r}."
        raise DataError("VARIANTS-008", message, where=vcf.name, fix="Give it one name in column 1.")
    return partner


def _rank(record_id: str | None, ranks: dict[str, int], at: int) -> int:
    return len(ranks) + at if record_id is None else ranks[record_id]


def _check_rows(paths: list[str], vcf: VcfFile, request: VariantRequest, found: Survey, warnings: WarningLog) -> None:
    n_known = max((high for _, high in found.by_record.values()), default=0)
    unknown = found.order[n_known:]
    for number, row in zip(unknown, vcf.rows(unknown), strict=True):
        where = f"{vcf.name} line {row.number}"
        error = DataError("VARIANTS-008", f"the genome has no {row.contig!r}.", where=where, fix=OR_SKIP)
        _leave(int(number), UNKNOWN_CONTIG, error, request, found, warnings)
    if not found.by_record:
        return
    for _, record in Reading().all_records(paths):
        low, high = found.by_record.get(record.id, (0, 0))
        for number, row in zip(found.order[low:high], vcf.rows(found.order[low:high]), strict=True):
            problem = row_problem(row, record, vcf.name)
            if problem is not None:
                _leave(int(number), *problem, request, found, warnings)


def row_problem(row: VcfRow, record: Record, name: str) -> tuple[str, DataError] | None:
    """Why a row does not fit its record: status and error; None where it does.

    An N in REF fits every letter but A, C, G and T, as the specification writes ambiguous bases so. Places before
    the first base and behind the last are telomeres, which only rows of symbols and breakends may name.

    Args:
        row: The row.
        record: The sequence that it names.
        name: Of the file.
    """
    names_no_bases = all(allele_kind(row.ref, alt) in LEFT_ALONE for alt in row.alts)
    if row.position in (-1, len(record)) and names_no_bases:
        return None
    end, where = row.position + len(row.ref), f"{name} line {row.number}"
    if row.position < 0 or end > len(record):
        message = f"REF covers bases {row.position + 1} to {end}, but {row.contig!r} has {len(record):,}."
        return OUTSIDE, DataError("VARIANTS-009", message, where=where, fix=ADVICE)
    bases, there = encode_bases(row.ref), record.codes[row.position : end]
    differs = (bases != there) & ~((bases == N_CODE) & (there > 3))
    if not differs.any():
        return None
    place = f"{row.contig}:{row.position + 1}"
    message = f"REF is {_letters(bases)} at {place}, but the genome has {_letters(there)}."
    return REF_MISMATCH, DataError("VARIANTS-007", message, where=where, fix=ADVICE)


def _letters(codes: np.ndarray) -> str:
    return decode_bases(codes[:N_SHOWN]) + ("…" if len(codes) > N_SHOWN else "")


def _leave(
    number: int, status: str, error: DataError, request: VariantRequest, found: Survey, warnings: WarningLog
) -> None:
    """Leave a row as it is, and count it; the error if such rows are not to be skipped."""
    if not request.skip:
        raise error
    found.statuses[number] = status
    text = f"{error.where}: {error.message} The row was left as it is"
    if status == REF_MISMATCH:
        warnings.add("VARIANTS-107", text)
    elif status == OUTSIDE:
        warnings.add("VARIANTS-109", text)
    else:
        warnings.add("VARIANTS-108", text)


def read_genes(request: VariantRequest, ids: Sequence[str], warnings: WarningLog) -> dict[str, list[Gene]] | None:
    """Genes of the annotation by record; None without one.

    Raises:
        DataError: If it cannot be read, or names none of the records.
    """
    if request.annotation is None:
        return None
    annotation = read_annotation(request.annotation, warnings=warnings)
    mapped = read_seqid_map(request.seqid_map) if request.seqid_map else None
    matched = match_ids(list(ids), annotation.contigs, mapped, warnings=warnings, spelled=annotation.named)
    genes: dict[str, list[Gene]] = {record_id: [] for record_id in ids}
    for gene in annotation.genes:
        if gene.contig in matched:
            genes[matched[gene.contig]].append(gene)
    n_left = sum(one.pseudo or one.trans_spliced or one.is_shifted for found in genes.values() for one in found)
    if n_left:
        text = "pseudogenes, trans-spliced genes and genes with a shifted frame have no consequences"
        warnings.add("VARIANTS-102", f"{request.annotation}: {text}", n_left)
    return genes


def check_inputs(genome: str, vcf: str) -> None:
    """Refuse standard input for both.

    Raises:
        UsageError: If both are "-".
    """
    if genome == vcf == "-":
        raise UsageError("INPUT-002", 'standard input ("-") can be read only once.')


def genome_of(paths: list[str], found: Survey, genes: dict[str, list[Gene]] | None) -> Genome:
    """The reference, for models."""
    return Genome(lambda: Reading().all_records(paths), found.n_bases, genes, frozenset(found.by_record))
