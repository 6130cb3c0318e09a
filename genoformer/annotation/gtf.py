"""Read genes from GTF: the rows of each transcript joined to one CDS, the stop codon included.

Reference: https://mblab.wustl.edu/GTF22.html. There a CDS excludes the stop codon, which has rows of its own; Ensembl,
GENCODE, Augustus and others follow.
"""

import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from genoformer.annotation.gff3_genes import fitting_exons
from genoformer.annotation.gff3_rows import Row, parse_row
from genoformer.annotation.models import GENE_ID, Annotation, Gene, Span, order_genes
from genoformer.annotation.text_lines import read_lines
from genoformer.errors import DataError, WarningLog

_ATTRIBUTE = re.compile(r'\s*([\w.]+)\s+(?:"((?:[^"\\]|\\.)*)"|([^\s";]+))\s*(?:;|$)')


@dataclass(slots=True)
class _Transcript:
    cds: list[Row] = field(default_factory=list)
    stop: list[Row] = field(default_factory=list)
    start: list[Row] = field(default_factory=list)
    exons: list[Span] = field(default_factory=list)


PLACES = {"CDS": "cds", "stop_codon": "stop", "start_codon": "start"}


def read_gtf(path: Path, warnings: WarningLog, *, sources: Collection[str] = ()) -> Annotation:
    """Genes of a GTF file, one for each transcript with CDS rows.

    The stop codon is part of the CDS inside genoformer: the ``stop_codon`` rows are joined to the CDS rows, whether
    these hold it already or not. A file without such rows says nothing of it, see ``stop_codons``. In a file that has
    ``start_codon`` (``stop_codon``) rows, a transcript without one lacks that end; so does one with the tag
    ``cds_start_NF`` (``cds_end_NF``).

    Args:
        path: Plain or gzip-compressed file.
        warnings: Counts what was left out.
        sources: Only rows with one of these words in column 2; every row when empty.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and line, if the file breaks the format.
    """
    transcripts: dict[tuple[str, str], _Transcript] = defaultdict(_Transcript)
    for number, line in read_lines(path):
        if not line.strip() or line.startswith("#"):
            continue
        row = parse_row(line, number, path, _attributes)
        if not sources or row.source in sources:
            _collect(row, transcripts, path)
    coding = [transcript for transcript in transcripts.values() if transcript.cds]
    tells_start, tells_stop = any(t.start for t in coding), any(t.stop for t in coding)
    genes = [_gene(transcript, path, tells_start, tells_stop) for transcript in coding]
    return Annotation(genes=order_genes(genes))


def _collect(row: Row, transcripts: dict[tuple[str, str], _Transcript], path: Path) -> None:
    if row.kind not in (*PLACES, "exon"):
        return
    name = row.value("transcript_id")
    if not name:
        message = f"a {row.kind} row needs a transcript_id."
        raise DataError("GTF-001", message, where=f"{path} line {row.line}", fix='Write transcript_id "NAME";.')
    transcript = transcripts[row.contig, name]
    if row.kind == "exon":
        transcript.exons.append((row.start, row.end))
    else:
        getattr(transcript, PLACES[row.kind]).append(row)


def _attributes(text: str, where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    place = 0
    while place < len(text.rstrip()):
        match = _ATTRIBUTE.match(text, place)
        if not match:
            message = f'attributes must be NAME "VALUE" ended by ";", found {text[place : place + 60]!r}.'
            raise DataError("GTF-002", message, where=where)
        name, value = match[1], match[2] if match[2] is not None else match[3]
        # Row.value decodes percent signs, which mean themselves in GTF.
        value = value.replace("%", "%25")
        found[name] = f"{found[name]},{value}" if name == "tag" and name in found else found.get(name, value)
        place = match.end()
    return found


def _gene(transcript: _Transcript, path: Path, tells_start: bool, tells_stop: bool) -> Gene:
    first = transcript.cds[0]
    for row in transcript.cds:
        if row.strand not in ("+", "-") or row.strand != first.strand:
            raise DataError("GTF-003", "CDS rows of one transcript need one strand.", where=f"{path} line {row.line}")
    parts = _joined([(row.start, row.end) for row in (*transcript.cds, *transcript.stop)])
    tags = first.value("tag")
    missing_start = "cds_start_NF" in tags or (tells_start and not transcript.start)
    return Gene(
        contig=first.contig,
        start=parts[0][0],
        end=parts[-1][1],
        strand=first.strand,
        parts=parts,
        exons=fitting_exons(parts, [transcript.exons]),
        id=first.value("transcript_id"),
        locus_tag=first.value("locus_tag"),
        name=first.value("gene_name"),
        product=first.value("product"),
        partial_5=missing_start,
        partial_3="cds_end_NF" in tags or (tells_stop and not transcript.stop),
        phase_offset=_first_phase(transcript.cds),
        score=first.score if first.score is not None and 0 <= first.score <= 1 else None,
        attributes={GENE_ID: first.value("gene_id")} if first.value("gene_id") else {},
    )


def _joined(spans: list[Span]) -> tuple[Span, ...]:
    """Spans in order, those that touch or overlap made one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _first_phase(cds: list[Row]) -> int:
    first = min(cds, key=lambda row: row.start) if cds[0].strand == "+" else max(cds, key=lambda row: row.end)
    return first.phase or 0
