"""Read genes from GenBank and EMBL flat files: features, as Biopython parses them, become genes."""

from collections import defaultdict
from pathlib import Path

from Bio.SeqFeature import AfterPosition, BeforePosition, SeqFeature, SimpleLocation
from Bio.SeqRecord import SeqRecord

from genoformer.annotation.exon_features import join_exon_features
from genoformer.annotation.flat_files import contig_id, is_circular, iter_seq_records
from genoformer.annotation.locations import join_over_origin, join_touching, parse_transl_except
from genoformer.annotation.models import Annotation, Gene, RnaGene, Span, most_frequent_codes, order_genes
from genoformer.annotation.rna_rows import order_rna_genes, rna_kind, spliced_genes
from genoformer.annotation.transcript_rows import TranscriptRows, fitting_exons
from genoformer.errors import DataError, WarningLog
from genoformer.files.numbers import whole_number

# Qualifiers of the CDS that later steps read (gene function); several values are joined by commas.
KEPT_QUALIFIERS = ("protein_id", "db_xref", "EC_number", "GO_component", "GO_function", "GO_process")
# A gene feature marked /pseudo that one of these belongs to is no broken reading frame, or comes with its own CDS.
OWNER_KINDS = ("CDS", "tRNA", "rRNA", "ncRNA", "tmRNA")


def read_genbank(path: Path, warnings: WarningLog) -> Annotation:
    """Genes of a GenBank or EMBL flat file.

    Every CDS feature is a gene; those that name one locus tag, one for each exon, are one (see ``exon_features``). A
    gene feature with /pseudo that no CDS or RNA feature belongs to gives a gene with ``pseudo=True``. A CDS whose place
    cannot be read (unknown, between bases, in another record) is left out and counted. Features of rRNA and tRNA are
    genes of RNA.

    Args:
        path: Plain or gzip-compressed file.
        warnings: Counts what was repaired or left out, and Biopython's warnings.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With the file, if Biopython cannot parse it or it holds proteins.
    """
    annotation = Annotation()
    genes: list[Gene] = []
    rna_genes: list[RnaGene] = []
    has_genes = False
    for record in iter_seq_records(path, warnings):
        contig = contig_id(record)
        where = f"{path} record {contig}"
        if contig in annotation.contig_lengths:
            raise DataError("GENBANK-002", "two records have this id.", where=where, fix="Keep one of them.")
        if "protein" in str(record.annotations.get("molecule_type", "")):
            raise DataError("GENBANK-003", "the record is a protein.", where=where, fix="Use nucleotide records.")
        annotation.contig_lengths[contig] = len(record)
        if is_circular(record):
            annotation.circular.add(contig)
        genes += _record_genes(record, annotation, where, warnings)
        rna_genes += [gene for feature in record.features for gene in _rna_genes(feature, record)]
        has_genes |= any(feature.type in ("gene", "mRNA") for feature in record.features)
    if has_genes and not genes:
        warnings.add("ANNOTATION-103", f"{path}: there are features of genes, but none of type CDS: no gene is read")
    annotation.genes = order_genes(genes)
    annotation.genetic_codes = most_frequent_codes(annotation.genes)
    annotation.rna_genes = order_rna_genes(rna_genes)
    return annotation


def _record_genes(record: SeqRecord, annotation: Annotation, where: str, warnings: WarningLog) -> list[Gene]:
    genes, owners = [], set()
    transcripts = _transcripts_by_owner(record)
    for feature in join_exon_features(record, where, warnings):
        genes.append(_gene(feature, record, annotation, where, warnings, transcripts))
    for feature in record.features:
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
    transcripts: dict[tuple[str, str], list[TranscriptRows]] | None = None,
) -> Gene | None:  # fmt: skip
    locations = _readable_parts(feature, record)
    if locations is None:
        warnings.add("GENBANK-102", f"{where}: the place {feature.location} of a {feature.type} cannot be read")
        return None
    strands = [location.strand for location in locations]
    contig = contig_id(record)
    parts = _parts(locations, contig, annotation, where, warnings)
    qualifiers = feature.qualifiers
    phase_offset = (_number(feature, "codon_start", where, range(1, 4)) or 1) - 1
    around = [found for key in _owner_keys(feature) for found in (transcripts or {}).get(key, [])]
    return Gene(
        contig=contig,
        start=parts[0][0],
        end=max(end for _, end in parts),
        strand="+" if strands[0] == 1 else "-",
        parts=parts,
        exons=fitting_exons(parts, [found.exons_around(parts) for found in around]),
        id=_first(feature, "protein_id"),
        locus_tag=_first(feature, "locus_tag"),
        name=_first(feature, "gene"),
        product=_first(feature, "product"),
        pseudo=_is_pseudo(feature),
        partial_5=_is_open(locations[0], five_prime=True) or phase_offset > 0,
        partial_3=_is_open(locations[-1], five_prime=False),
        slippage="ribosomal_slippage" in qualifiers,
        trans_spliced="trans_splicing" in qualifiers or len(set(strands)) > 1,
        genetic_code=_number(feature, "transl_table", where, range(1, 100)),
        transl_except=parse_transl_except(",".join(qualifiers.get("transl_except", []))),
        phase_offset=phase_offset,
        attributes={name: ",".join(qualifiers[name]) for name in KEPT_QUALIFIERS if name in qualifiers},
    )


def _rna_genes(feature: SeqFeature, record: SeqRecord) -> list[RnaGene]:
    """The gene of a feature of rRNA or tRNA; none for other features, and for places that cannot be read."""
    found = rna_kind(feature.type)
    locations = _readable_parts(feature, record) if found else None
    if found is None or not locations:
        return []
    kind, is_pseudo = found
    strand = "+" if locations[0].strand == 1 else "-"
    spans = [(int(location.start), int(location.end)) for location in locations]
    if is_circular(record):
        spans = list(join_over_origin(spans, len(record)) or spans)
    locus_tag, product = _first(feature, "locus_tag"), _first(feature, "product")
    is_pseudo = is_pseudo or _is_pseudo(feature)
    gene = RnaGene(contig_id(record), *spans[0], strand, kind, "", locus_tag, product, pseudo=is_pseudo)
    return spliced_genes(gene, spans)


def _transcripts_by_owner(record: SeqRecord) -> dict[tuple[str, str], list[TranscriptRows]]:
    """Exons of every mRNA on one strand, by what tells which gene it belongs to; without mRNA, untranslated regions."""
    found: dict[tuple[str, str], list[TranscriptRows]] = defaultdict(list)
    regions: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for feature in record.features:
        is_region = feature.type in ("5'UTR", "3'UTR")
        locations = _readable_parts(feature, record) if is_region or feature.type == "mRNA" else None
        for key in _owner_keys(feature) if locations else ():
            spans = [(int(location.start), int(location.end)) for location in locations or ()]
            if is_region:
                regions[key] += spans
            else:
                found[key].append(TranscriptRows(exons=spans))
    only_regions = {key: [TranscriptRows(untranslated=spans)] for key, spans in regions.items() if key not in found}
    return {**found, **only_regions}


def _readable_parts(feature: SeqFeature, record: SeqRecord) -> list[SimpleLocation] | None:
    """Parts in reading order, over the end of a whole record, too; None if one is unknown, empty or elsewhere."""
    if feature.location is None:
        return None
    length_bp = len(record)
    for part in feature.location.parts:
        try:
            start, end = int(part.start), int(part.end)
        except TypeError:
            return None
        is_inside = 0 <= start < end and (end <= length_bp or (start < length_bp and end <= _last_bp(record)))
        if part.ref is not None or part.strand not in (1, -1) or not is_inside:
            return None
    return list(feature.location.parts)


def _last_bp(record: SeqRecord) -> int:
    """Where places may end: behind the origin in a record that is as long as its source, which damaged ones are not."""
    sources = [
        int(feature.location.end) for feature in record.features if feature.type == "source" and feature.location
    ]
    is_whole = max(sources) == len(record) if sources else is_circular(record)
    return 2 * len(record) if is_whole else len(record)


def _parts(
    locations: list[SimpleLocation], contig: str, annotation: Annotation, where: str, warnings: WarningLog
) -> tuple[tuple[int, int], ...]:
    spans = [(int(location.start), int(location.end)) for location in locations]
    parts = join_touching(spans)
    if len({location.strand for location in locations}) > 1:
        return parts
    length_bp = annotation.contig_lengths[contig]
    over_origin = parts if parts[-1][1] > length_bp else join_over_origin(list(parts), length_bp)
    is_wrapped = over_origin == parts or spans != sorted(spans, reverse=locations[0].strand == -1)
    if over_origin is None or not (is_wrapped or contig in annotation.circular):
        return parts
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
    number = whole_number(text)
    if number not in allowed:
        message = f"/{name} must be {allowed.start} to {allowed.stop - 1}, found {text[:40]!r}."
        raise DataError("GENBANK-006", message, where=where)
    return number
