"""Read genes from GTF: the rows of each transcript joined to one CDS, the stop codon included.

Reference: https://mblab.wustl.edu/GTF22.html. There a CDS excludes the stop codon, which has rows of its own; Ensembl,
GENCODE, Augustus and others follow. Nothing is percent-encoded.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from genoformer.annotation.copies import split_copies
from genoformer.annotation.gff3_rows import BROWSER_LINES, Row, has_place, parse_row
from genoformer.annotation.locations import join_touching, parse_transl_except
from genoformer.annotation.models import GENE_ID, Annotation, Gene, most_frequent_codes, order_genes
from genoformer.annotation.rna_rows import RnaRows, mentions_rna
from genoformer.annotation.text_lines import read_lines
from genoformer.annotation.transcript_rows import ROW_KINDS, TranscriptRows, fitting_exons
from genoformer.errors import DataError, WarningLog
from genoformer.files.numbers import whole_number

_VALUE = r'"((?:[^"\\]|\\.)*)"|([^\s";][^";]*?)'
_ATTRIBUTE = re.compile(rf'\s*(?:#.*$|([^\s";]+)\s+(?:{_VALUE})\s*(?:;|$)|[^\s";]*\s*;)')
"""One attribute, quoted or not; a comment, a name without value or a needless semicolon has no name here."""
IDS = ("gene_id", "transcript_id")


@dataclass(slots=True)
class _Transcript:
    """Rows of one transcript."""

    cds: list[Row] = field(default_factory=list)
    others: list[Row] = field(default_factory=list)

    @property
    def source(self) -> str:
        """The program that wrote the CDS."""
        return self.cds[0].source

    def around(self) -> TranscriptRows:
        """What the other rows say."""
        found = TranscriptRows()
        for row in self.others:
            found.add(row)
        return found


def read_gtf(path: Path, warnings: WarningLog, *, sources: Collection[str] = ()) -> Annotation:
    """Genes of a GTF file, one for each transcript with CDS rows.

    The stop codon is part of the CDS inside genoformer: the ``stop_codon`` rows are joined to the CDS rows, whether
    these hold it already or not. A file without such rows says nothing of it, see ``stop_codons``. Where transcripts of
    one source (column 2) have ``start_codon`` (``stop_codon``) rows, one without lacks that end; so does one with the
    tag ``cds_start_NF`` (``cds_end_NF``), or whose first phase is not 0.

    For genes, rows of other types, such as gene and transcript, are not looked at: some programs write bare names in
    their column 9. A transcript_id that stands at several places of a sequence is several genes where each place is a
    reading frame of its own, and trans-spliced where it is on both strands otherwise. CDS rows of NCBI say by
    ``pseudo``, ``exception``, ``transl_except`` and ``transl_table`` what they say in GFF3. Genes of rRNA and tRNA are
    told apart by ``rna_rows``; a row of theirs whose place cannot be read is none.

    Args:
        path: Plain or gzip-compressed file.
        warnings: Counts what was repaired or left out.
        sources: Only rows with one of these words in column 2; every row when empty.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and line, if the file breaks the format.
    """
    transcripts: dict[tuple[str, str, str], _Transcript] = defaultdict(_Transcript)
    named: dict[str, str] = {}
    has_genes, rna = False, RnaRows(IDS)
    for number, line in read_lines(path):
        if not line.strip() or line.startswith(("#", *BROWSER_LINES)):
            continue
        contig, _, kind = [*line.split("\t", 3), "", ""][:3]
        named[contig] = contig
        has_genes |= kind in ("gene", "transcript", "mRNA")
        if has_place(line, f"{path} line {number}", warnings) and (_is_read(kind) or not kind):
            row = parse_row(line, number, path, _attributes)
            if not sources or row.source in sources:
                _collect(row, transcripts, path)
        elif mentions_rna(kind, line):
            _collect_rna(line, number, path, sources, rna)
    coding = [copy for found in transcripts.values() if found.cds for copy in _copies(found, path, warnings)]
    around = [transcript.around() for transcript in coding]
    pairs = list(zip(coding, around, strict=True))
    tell_start = {transcript.source for transcript, found in pairs if found.starts}
    tell_stop = {transcript.source for transcript, found in pairs if found.stops}
    genes = [_gene(one, found, one.source in tell_start, one.source in tell_stop) for one, found in pairs]
    if (transcripts or has_genes) and not genes:
        warnings.add("ANNOTATION-103", f"{path}: there are rows of transcripts, but none of type CDS: no gene is read")
    return Annotation(
        genes=order_genes(genes), named=named, genetic_codes=most_frequent_codes(genes), rna_genes=rna.genes()
    )


def _is_read(kind: str) -> bool:
    return kind in ("CDS", "cds") or kind.lower() in ROW_KINDS


def _collect(row: Row, transcripts: dict[tuple[str, str, str], _Transcript], path: Path) -> None:
    name = row.value("transcript_id")
    if not name:
        message = f"a {row.kind} row needs a transcript_id."
        raise DataError("GTF-001", message, where=f"{path} line {row.line}", fix='Write transcript_id "NAME";.')
    transcript = transcripts[row.contig, row.value("gene_id"), name]
    (transcript.cds if row.kind == "CDS" else transcript.others).append(row)


def _collect_rna(line: str, number: int, path: Path, sources: Collection[str], rna: RnaRows) -> None:
    """Note a row of an RNA gene; one whose place breaks the format is left: nobody asked for rows of its type."""
    try:
        row = parse_row(line, number, path, _attributes_or_none)
    except DataError:
        return
    if not sources or row.source in sources:
        rna.add(row)


def _attributes_or_none(text: str, where: str) -> dict[str, str]:
    """The attributes; none where some program wrote a bare name."""
    try:
        return _attributes(text, where)
    except DataError:
        return {}


def _attributes(text: str, where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    tags: list[str] = []
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _ATTRIBUTE.match(text, place)
        if not match:
            message = f'attributes must be NAME "VALUE" ended by ";", found {text[place : place + 60]!r}.'
            raise DataError("GTF-002", message, where=where)
        if match[1]:
            _add_attribute(found, tags, match[1], match[2] if match[2] is not None else match[3], where)
        place = match.end()
    return found | {"tag": ",".join(tags)} if tags else found


def _add_attribute(found: dict[str, str], tags: list[str], name: str, value: str, where: str) -> None:
    """Note an attribute; of one that is given twice the first counts, but for tags, and ids must be the same."""
    value = value.replace("%", "%25")  # Row.value decodes percent signs, which mean themselves in GTF
    if name == "tag":
        tags.append(value)
    if name != "tag" and found.get(name, value) != value:
        if name in IDS:
            raise DataError("GTF-004", f"the attribute {name!r} is given twice.", where=where, fix="Write it once.")
        return
    found[name] = value


def _copies(transcript: _Transcript, path: Path, warnings: WarningLog) -> Iterator[_Transcript]:
    """The transcript, or one for each place where its name stands."""
    first = transcript.cds[0]
    for row in transcript.cds:
        if row.strand not in ("+", "-"):
            raise DataError("GTF-003", "a CDS row needs the strand + or -.", where=f"{path} line {row.line}")
    pieces = split_copies(transcript.cds)
    where = f"{path} line {first.line}"
    copies = [_Transcript(rows) for rows in pieces]
    for row in transcript.others:
        min(copies, key=lambda copy: _distance_bp(row, copy.cds)).others.append(row)
    starts = [any(row.kind == "start_codon" for row in copy.others) for copy in copies]
    if len(pieces) < 2 or (any(starts) and not all(starts)):
        if any(row.strand != first.strand for row in transcript.cds) and first.value("exception") != "trans-splicing":
            warnings.add("GTF-102", f"{where}: one CDS on both strands is read as trans-spliced")
        yield transcript
        return
    text = f"transcript_id {first.value('transcript_id')!r} is read as {len(pieces)} genes"
    warnings.add("GTF-101", f"{where}: {text}: each place is a reading frame of its own")
    yield from copies


def _distance_bp(row: Row, cds: list[Row]) -> tuple[bool, int]:
    low, high = min(each.start for each in cds), max(each.end for each in cds)
    return row.strand != cds[0].strand, max(0, low - row.end, row.start - high)


def _gene(transcript: _Transcript, around: TranscriptRows, tells_start: bool, tells_stop: bool) -> Gene:
    first = transcript.cds[0]
    exception = first.value("exception")
    trans_spliced = exception == "trans-splicing" or len({row.strand for row in transcript.cds}) > 1
    parts = around.with_stop_codon(join_touching([(row.start, row.end) for row in transcript.cds]))
    tags, phase_offset = first.value("tag"), _first_phase(transcript.cds)
    is_cut_5, is_cut_3 = "cds_start_NF" in tags or phase_offset > 0, "cds_end_NF" in tags
    assumed_5 = tells_start and not (is_cut_5 or around.starts)
    assumed_3 = tells_stop and not (is_cut_3 or around.stops)
    return Gene(
        contig=first.contig,
        start=parts[0][0],
        end=max(end for _, end in parts),
        strand=first.strand,
        parts=parts,
        exons=() if trans_spliced else fitting_exons(parts, [around.exons_around(parts)]),
        id=first.value("transcript_id"),
        locus_tag=first.value("locus_tag"),
        name=first.value("gene_name"),
        product=first.value("product"),
        partial_5=is_cut_5 or assumed_5,
        partial_3=is_cut_3 or assumed_3,
        assumed_5=assumed_5,
        assumed_3=assumed_3,
        pseudo=first.is_true("pseudo"),
        slippage=exception == "ribosomal slippage",
        trans_spliced=trans_spliced,
        genetic_code=whole_number(first.value("transl_table")),
        transl_except=parse_transl_except(first.value("transl_except")) or around.exceptions(),
        phase_offset=phase_offset,
        score=first.score if first.score is not None and 0 <= first.score <= 1 else None,
        attributes={GENE_ID: first.value("gene_id")} if first.value("gene_id") else {},
    )


def _first_phase(cds: list[Row]) -> int:
    first = min(cds, key=lambda row: row.start) if cds[0].strand == "+" else max(cds, key=lambda row: row.end)
    return first.phase or 0
