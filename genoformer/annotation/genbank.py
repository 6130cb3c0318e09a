"""Read genes and sequences from GenBank flat files; Biopython parses, this module turns features into genes."""

import io
import warnings as python_warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from Bio import SeqIO
from Bio.Seq import MutableSeq, Seq, UndefinedSequenceError
from Bio.SeqFeature import AfterPosition, BeforePosition, SeqFeature, SimpleLocation
from Bio.SeqRecord import SeqRecord

from genoformer.annotation.gff3_genes import fitting_exons
from genoformer.annotation.locations import join_over_origin, parse_transl_except
from genoformer.annotation.models import Annotation, Gene, Span, most_frequent_codes, order_genes
from genoformer.annotation.text_lines import open_bytes
from genoformer.errors import DataError, WarningLog
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.records import Record

# Qualifiers of the CDS that later steps read (gene function); several values are joined by commas.
KEPT_QUALIFIERS = ("protein_id", "db_xref", "EC_number", "GO_component", "GO_function", "GO_process")
# A gene feature marked /pseudo that one of these belongs to is no broken reading frame, or comes with its own CDS.
OWNER_KINDS = ("CDS", "tRNA", "rRNA", "ncRNA", "tmRNA")
FORMAT_HELP = "Check the file with `python -c \"from Bio import SeqIO; SeqIO.read('FILE', 'genbank')\"`."


def read_genbank(path: Path, warnings: WarningLog) -> Annotation:
    """Genes of a GenBank flat file.

    Every CDS feature is a gene. A gene feature with /pseudo that no CDS or RNA feature belongs to gives a gene with
    ``pseudo=True``. A CDS whose place cannot be read (unknown, between bases, in another record) is left out and
    counted.

    Args:
        path: Plain or gzip-compressed file.
        warnings: Counts what was repaired or left out, and Biopython's warnings.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With the file, if Biopython cannot parse it or it holds proteins.
    """
    annotation = Annotation()
    genes: list[Gene] = []
    for record in iter_seq_records(path, warnings):
        contig = _contig_id(record)
        where = f"{path} record {contig}"
        if contig in annotation.contig_lengths:
            raise DataError("GENBANK-002", "two records have this id.", where=where, fix="Keep one of them.")
        if "protein" in str(record.annotations.get("molecule_type", "")):
            raise DataError("GENBANK-003", "the record is a protein.", where=where, fix="Use nucleotide records.")
        annotation.contig_lengths[contig] = len(record)
        if record.annotations.get("topology") == "circular":
            annotation.circular.add(contig)
        genes += _record_genes(record, annotation, where, warnings)
    annotation.genes = order_genes(genes)
    annotation.genetic_codes = most_frequent_codes(annotation.genes)
    return annotation


def read_genbank_records(path: str | Path, *, warnings: WarningLog | None = None) -> Iterator[Record]:
    """The sequences of a GenBank file, under the ids that ``read_genbank`` gives its contigs.

    Args:
        path: Plain or gzip-compressed file.
        warnings: Counts Biopython's warnings.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and record, if the file cannot be parsed or a record has no nucleotide sequence.
    """
    for record in iter_seq_records(Path(path), WarningLog() if warnings is None else warnings):
        contig = _contig_id(record)
        where = f"{path} record {contig}"
        try:
            codes = encode_bases(bytes(_sequence(record)))
        except UndefinedSequenceError:
            fix = "Download the record with its sequence, or give a FASTA file."
            raise DataError("GENBANK-004", "the record has no sequence.", where=where, fix=fix) from None
        except ValueError as error:
            raise DataError("GENBANK-003", f"the sequence is not DNA: {error}.", where=where) from error
        yield Record(contig, codes, record.description)


def iter_seq_records(path: Path, warnings: WarningLog) -> Iterator[SeqRecord]:
    """Biopython's records; its warnings are counted, and whatever it raises becomes a DataError.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With the file and the number of the record that failed, or when there is no record.
    """
    n_read = 0
    with io.TextIOWrapper(open_bytes(path), encoding="utf-8-sig") as handle:
        records = SeqIO.parse(handle, "genbank")
        while (record := _next_record(records, path, n_read, warnings)) is not None:
            n_read += 1
            yield record
    if n_read == 0:
        raise DataError("GENBANK-005", "there is no GenBank record.", where=str(path), fix=FORMAT_HELP)


def _contig_id(record: SeqRecord) -> str:
    """Accession and version; without an accession, the name in the LOCUS line."""
    return record.name if record.id is None or record.id in ("", ".", "<unknown id>") else record.id


def _sequence(record: SeqRecord) -> Seq | MutableSeq:
    if record.seq is None:
        raise UndefinedSequenceError
    return record.seq


def _next_record(records: Iterator[SeqRecord], path: Path, n_read: int, warnings: WarningLog) -> SeqRecord | None:
    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("always")
        try:
            record = next(records, None)
            if record is not None:
                len(record)  # raises when neither LOCUS nor ORIGIN tells the length
        except Exception as error:  # Biopython raises ValueError, AssertionError, IndexError and others for bad files
            message = f"cannot be parsed: {type(error).__name__}: {' '.join(str(error).split())[:200]}."
            raise DataError("GENBANK-001", message, where=f"{path} record {n_read + 1}", fix=FORMAT_HELP) from error
    for warning in caught:
        if not issubclass(warning.category, DeprecationWarning):
            warnings.add("GENBANK-101", f"{path} record {n_read + 1}: {' '.join(str(warning.message).split())}")
    return record


def _record_genes(record: SeqRecord, annotation: Annotation, where: str, warnings: WarningLog) -> list[Gene]:
    genes, owners = [], set()
    mrnas = _exons_by_owner(record)
    for feature in record.features:
        if feature.type == "CDS":
            genes.append(_gene(feature, record, annotation, where, warnings, mrnas))
        if feature.type in OWNER_KINDS:
            owners.update(_owner_keys(feature))
    for feature in record.features:
        is_pseudo = feature.type == "gene" and _is_pseudo(feature)
        if is_pseudo and not owners.intersection(_owner_keys(feature)):
            genes.append(_gene(feature, record, annotation, where, warnings))
    return [gene for gene in genes if gene is not None]


def _owner_keys(feature: SeqFeature) -> list[tuple[str, str]]:
    """What tells that a CDS or RNA belongs to a gene feature: the locus tag, else the gene name."""
    for name in ("locus_tag", "gene"):
        if name in feature.qualifiers:
            return [(name, value) for value in feature.qualifiers[name]]
    return []


def _is_pseudo(feature: SeqFeature) -> bool:
    return "pseudo" in feature.qualifiers or "pseudogene" in feature.qualifiers


def _gene(
    feature: SeqFeature, record: SeqRecord, annotation: Annotation, where: str, warnings: WarningLog,
    mrnas: dict[tuple[str, str], list[list[Span]]] | None = None,
) -> Gene | None:  # fmt: skip
    locations = _readable_parts(feature, len(record))
    if locations is None:
        warnings.add("GENBANK-102", f"{where}: the place {feature.location} of a {feature.type} cannot be read")
        return None
    strands = [location.strand for location in locations]
    contig = _contig_id(record)
    parts = _parts(locations, contig, annotation, where, warnings)
    qualifiers = feature.qualifiers
    return Gene(
        contig=contig,
        start=parts[0][0],
        end=max(end for _, end in parts),
        strand="+" if strands[0] == 1 else "-",
        parts=parts,
        exons=fitting_exons(parts, [exons for key in _owner_keys(feature) for exons in (mrnas or {}).get(key, [])]),
        id=_first(feature, "protein_id"),
        locus_tag=_first(feature, "locus_tag"),
        name=_first(feature, "gene"),
        product=_first(feature, "product"),
        pseudo=_is_pseudo(feature),
        partial_5=_is_open(locations[0], five_prime=True),
        partial_3=_is_open(locations[-1], five_prime=False),
        slippage="ribosomal_slippage" in qualifiers,
        trans_spliced="trans_splicing" in qualifiers or len(set(strands)) > 1,
        genetic_code=_number(feature, "transl_table", where, range(1, 100)),
        transl_except=parse_transl_except(",".join(qualifiers.get("transl_except", []))),
        phase_offset=(_number(feature, "codon_start", where, range(1, 4)) or 1) - 1,
        attributes={name: ",".join(qualifiers[name]) for name in KEPT_QUALIFIERS if name in qualifiers},
    )


def _exons_by_owner(record: SeqRecord) -> dict[tuple[str, str], list[list[Span]]]:
    """Exons of every mRNA on one strand, by what tells which gene it belongs to."""
    found: dict[tuple[str, str], list[list[Span]]] = defaultdict(list)
    for feature in record.features:
        locations = _readable_parts(feature, len(record)) if feature.type == "mRNA" else None
        if locations is None:
            continue
        for key in _owner_keys(feature):
            found[key].append([(int(location.start), int(location.end)) for location in locations])
    return found


def _readable_parts(feature: SeqFeature, length_bp: int) -> list[SimpleLocation] | None:
    """Parts in reading order; None if one is unknown, empty, in another record or outside this one."""
    if feature.location is None:
        return None
    for part in feature.location.parts:
        try:
            start, end = int(part.start), int(part.end)
        except TypeError:
            return None
        if part.ref is not None or part.strand not in (1, -1) or not 0 <= start < end <= length_bp:
            return None
    return list(feature.location.parts)


def _parts(
    locations: list[SimpleLocation], contig: str, annotation: Annotation, where: str, warnings: WarningLog
) -> tuple[tuple[int, int], ...]:
    parts = sorted((int(location.start), int(location.end)) for location in locations)
    if len({location.strand for location in locations}) > 1:
        return tuple(parts)
    over_origin = join_over_origin(parts, annotation.contig_lengths[contig])
    in_reading_order = [(int(location.start), int(location.end)) for location in locations]
    is_wrapped = in_reading_order != (parts if locations[0].strand == 1 else parts[::-1])
    if over_origin is None or not (is_wrapped or contig in annotation.circular):
        return tuple(parts)
    if contig not in annotation.circular:
        annotation.circular.add(contig)
        warnings.add("GENBANK-103", f"{where}: a CDS runs over the end of the record, which is read as circular")
    return over_origin


def _is_open(location: SimpleLocation, *, five_prime: bool) -> bool:
    """Whether ``<`` or ``>`` marks the 5' or 3' edge of a part."""
    if (location.strand == 1) == five_prime:
        return isinstance(location.start, BeforePosition)
    return isinstance(location.end, AfterPosition)


def _first(feature: SeqFeature, name: str) -> str:
    return feature.qualifiers.get(name, [""])[0]


def _number(feature: SeqFeature, name: str, where: str, allowed: range) -> int | None:
    text = _first(feature, name)
    if not text:
        return None
    if not text.isdecimal() or int(text) not in allowed:
        message = f"/{name} must be {allowed.start} to {allowed.stop - 1}, found {text!r}."
        raise DataError("GENBANK-006", message, where=where)
    return int(text)
