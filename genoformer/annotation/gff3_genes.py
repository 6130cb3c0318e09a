"""Build one gene from its CDS rows and the rows above them."""

from genoformer.annotation.gff3_cds import CdsRows
from genoformer.annotation.gff3_rows import Row
from genoformer.annotation.gff3_tree import GENE_KINDS, ReadContext
from genoformer.annotation.locations import join_over_origin, join_touching, parse_transl_except
from genoformer.annotation.models import GENE_ID, Gene
from genoformer.annotation.transcript_rows import TranscriptRows, fitting_exons
from genoformer.errors import DataError
from genoformer.files.numbers import whole_number

# Attributes of the CDS that later steps read (gene function), by the name they get in Gene.attributes.
KEPT_ATTRIBUTES = {
    "protein_id": "protein_id", "Dbxref": "db_xref", "Ontology_term": "GO", "ec_number": "EC_number",
    "eC_number": "EC_number", "EC_number": "EC_number",
}  # fmt: skip


def build_gene(cds: CdsRows, ancestors: list[Row], transcripts: list[TranscriptRows], context: ReadContext) -> Gene:
    """One gene from its CDS rows, the rows above them, nearest first, and what else is said of each of its transcripts.

    Raises:
        DataError: With file and line, for a CDS without strand or with a transl_table that is no number.
    """
    group = cds.rows
    first, family = group[0], [*group, *ancestors]
    exceptions = {row.value("exception") for row in family}
    trans_spliced = _is_trans_spliced(group, "trans-splicing" in exceptions, context)
    partial_5, partial_3 = _partial_ends(group, context)
    parts = _parts(group, transcripts, context, is_cut=partial_5 or partial_3 or trans_spliced)
    phase_offset = _phase_offset(group, parts, context)
    exceptions_of_rows = {codon for found in transcripts for codon in found.exceptions()}
    return Gene(
        contig=first.contig,
        start=parts[0][0],
        end=max(end for _, end in parts),
        strand=first.strand,
        parts=parts,
        exons=fitting_exons(parts, [found.exons_around(parts) for found in transcripts]),
        id=cds.id,
        locus_tag=_first_value(family, "locus_tag"),
        name=_first_value(family, "gene") or _first_value([r for r in ancestors if r.kind in GENE_KINDS], "Name"),
        product=_first_value(family, "product"),
        pseudo=any(row.is_true("pseudo") or row.kind == "pseudogene" for row in family),
        partial_5=partial_5 or phase_offset > 0,
        partial_3=partial_3,
        slippage="ribosomal slippage" in exceptions,
        trans_spliced=trans_spliced,
        genetic_code=_table_number(first, context),
        transl_except=parse_transl_except(first.value("transl_except")) or tuple(sorted(exceptions_of_rows)),
        phase_offset=phase_offset,
        score=first.score if first.score is not None and 0 <= first.score <= 1 else None,
        start_score=_start_score(first),
        attributes=_kept_attributes(first, ancestors),
    )


def _kept_attributes(first: Row, ancestors: list[Row]) -> dict[str, str]:
    kept = {new: first.value(old) for old, new in KEPT_ATTRIBUTES.items() if old in first.raw}
    gene_id = next((row.id for row in ancestors if row.kind in GENE_KINDS), "")
    return kept | ({GENE_ID: gene_id} if gene_id else {})


def _is_trans_spliced(group: list[Row], is_marked: bool, context: ReadContext) -> bool:
    for row in group:
        if row.strand not in ("+", "-"):
            raise DataError("GFF3-014", "a CDS row needs the strand + or -.", where=context.where(row))
    on_both = len({row.strand for row in group}) > 1
    if on_both and not is_marked:
        context.warn("GFF3-104", group[0], "one CDS on both strands is read as trans-spliced")
    return is_marked or on_both


def _parts(
    group: list[Row], transcripts: list[TranscriptRows], context: ReadContext, *, is_cut: bool
) -> tuple[tuple[int, int], ...]:
    parts = join_touching([(row.start, row.end) for row in group])
    for found in transcripts:
        parts = found.with_stop_codon(parts)
    first, annotation = group[0], context.annotation
    over_origin = None if is_cut else join_over_origin(list(parts), annotation.contig_lengths.get(first.contig))
    # Where no row calls the sequence circular, ``origin`` looks at the reading frame.
    return over_origin if over_origin is not None and first.contig in annotation.circular else parts


def _partial_ends(group: list[Row], context: ReadContext) -> tuple[bool, bool]:
    """Which biological ends are missing, from start_range/end_range (NCBI) or partial=10 (Prodigal: left, right)."""
    low = any(row.value("start_range").startswith(".") for row in group)
    high = any(row.value("end_range").endswith(".") for row in group)
    partial = group[0].value("partial")
    if len(partial) == 2 and set(partial) <= {"0", "1"}:
        low, high = partial[0] == "1", partial[1] == "1"
    elif partial == "true" and not (low or high):
        context.warn("GFF3-106", group[0], "partial=true without start_range or end_range: both ends count as missing")
        low = high = True
    return (low, high) if group[0].strand == "+" else (high, low)


def _phase_offset(group: list[Row], parts: tuple[tuple[int, int], ...], context: ReadContext) -> int:
    """Phase of the row that holds the first base in reading direction."""
    is_plus = group[0].strand == "+"
    length_bp = context.annotation.contig_lengths.get(group[0].contig)
    edge = parts[0][0] if is_plus else parts[-1][1]
    wrapped = edge - length_bp if length_bp is not None and edge > length_bp else edge
    for row in group:
        if (row.start if is_plus else row.end) in (edge, wrapped):
            if row.phase is None:
                context.warn("GFF3-107", row, "a CDS row without phase is read as phase 0")
            return row.phase or 0
    return 0


def _table_number(row: Row, context: ReadContext) -> int | None:
    text = row.value("transl_table")
    if not text:
        return None
    number = whole_number(text)
    if number is None:
        raise DataError("GFF3-015", f"transl_table must be a number, found {text[:40]!r}.", where=context.where(row))
    return number


def _start_score(row: Row) -> float | None:
    try:
        return float(row.value("start_score"))
    except ValueError:
        return None


def _first_value(rows: list[Row], name: str) -> str:
    return next((row.value(name) for row in rows if name in row.raw), "")


def pseudo_gene(row: Row, context: ReadContext) -> Gene:
    """A pseudogene without CDS rows: one part over its gene row."""
    strand = row.strand
    if strand not in ("+", "-"):
        context.warn("GFF3-108", row, "a pseudogene without strand is read as +")
        strand = "+"
    return Gene(
        contig=row.contig,
        start=row.start,
        end=row.end,
        strand=strand,
        id=row.id,
        locus_tag=row.value("locus_tag"),
        name=row.value("gene") or row.value("Name"),
        product=row.value("product"),
        pseudo=True,
    )
