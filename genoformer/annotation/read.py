"""Read an annotation, whatever its format: the content of the file decides, not its name."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from genoformer.annotation.file_kinds import flat_format, is_flat_file
from genoformer.annotation.flat_files import read_flat_records
from genoformer.annotation.genbank import read_genbank
from genoformer.annotation.gff3 import read_gff3
from genoformer.annotation.gtf import read_gtf
from genoformer.annotation.models import Annotation
from genoformer.annotation.origin import close_circles
from genoformer.annotation.text_lines import read_head, read_lines
from genoformer.errors import DataError, WarningLog
from genoformer.sequence.fasta import read_fasta
from genoformer.sequence.records import Record

_GTF_ATTRIBUTES = re.compile(r'\s*(?:[^\s"=;]+ "[^"]*"|(?:gene|transcript)_id \w)')
_GFF3_ATTRIBUTES = re.compile(r"\s*[^\s=;]+=")
LONGEST_CDS_BP, LONGEST_GENE_BP = 10_000_000, 1_000_000_000
"""More than ten times what is known of each: whole bacterial genomes as one CDS, or rows wrongly joined, stay legal."""
FORMATS_HELP = "Give a GFF3, GTF, GenBank or EMBL file, plain or compressed with gzip or bgzip."


def read_annotation(
    path: str | Path, *, warnings: WarningLog | None = None, sources: Collection[str] = ()
) -> Annotation:
    """Genes and contigs of a GFF3, GTF, GenBank or EMBL file, plain or gzip-compressed.

    A valid GFF3 file without features gives an annotation without genes.

    Args:
        path: The file.
        warnings: Counts what was repaired or left out; without it those counts are lost.
        sources: Only rows of GFF3 and GTF with one of these words in column 2; every row when empty.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and, for GFF3 and GTF, line, if the file is no such format or breaks its rules; if no row
            is of ``sources``.
    """
    path = Path(path)
    log = WarningLog() if warnings is None else warnings
    head = _annotation_head(path)
    if flat_format(head):
        annotation = read_genbank(path, log)
        _check_sizes(annotation, path)
        return annotation
    read = read_gtf if _is_gtf(path, head) else read_gff3
    annotation = read(path, log, sources=sources)
    _check_sizes(annotation, path)
    annotation = close_circles(annotation, annotation.contig_lengths, log)
    if sources and not annotation.genes:
        message = f"no gene has the source {' or '.join(sorted(sources))} (column 2)."
        raise DataError("ANNOTATION-003", message, where=str(path), fix="Check --source.")
    return annotation


def _check_sizes(annotation: Annotation, path: Path) -> None:
    """DataError for a gene that no genome holds: looking at its bases would take all memory."""
    for gene in annotation.genes:
        if gene.length_bp > LONGEST_CDS_BP or gene.end - gene.start > LONGEST_GENE_BP:
            message = f"gene {gene.id!r} at {gene.contig}:{gene.start + 1}..{gene.end} is longer than any gene."
            fix = "Correct its coordinates, or give the rows of other genes other ids."
            raise DataError("ANNOTATION-004", message, where=str(path), fix=fix)


def read_records(path: str | Path, *, warnings: WarningLog | None = None) -> Iterator[Record]:
    """The sequences of a FASTA, GenBank or EMBL file; the content decides, not the name.

    Args:
        path: Plain or gzip-compressed file.
        warnings: Counts what was repaired or left out.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With the file, if it cannot be read or a record has no nucleotide sequence.
    """
    read = read_flat_records if is_flat_file(path) else read_fasta
    return read(path, warnings=warnings)


def _is_gtf(path: Path, head: bytes) -> bool:
    """Whether a file is GTF: its first line says so, or the first row whose attributes are of one form or the other."""
    if head.startswith(b"##gtf-version") or re.match(rb"##gff-version\s+3", head):
        return head.startswith(b"##gtf-version")
    for _, line in read_lines(path):
        attributes = line.rpartition("\t")[2] if line[:1] not in ("#", ">") else ""
        if line.startswith(">") or _GFF3_ATTRIBUTES.match(attributes):
            return False
        if _GTF_ATTRIBUTES.match(attributes):
            return True
    return False


def _annotation_head(path: Path) -> bytes:
    """How the file begins; DataError if it is empty or of a format that holds no annotation."""
    head = read_head(path)
    text = head.lstrip()
    if not text:
        raise DataError("ANNOTATION-001", "the file is empty.", where=str(path), fix=FORMATS_HELP)
    if text.startswith(b"##fileformat=VCF"):
        raise DataError("ANNOTATION-002", "the file looks like VCF.", where=str(path), fix=FORMATS_HELP)
    if text.startswith(b"#") or flat_format(head):
        return head
    if b"\t" not in text and len(text.splitlines()[0].split(None, 8)) == 9:
        line = 1 + head[: head.index(text[:1])].count(b"\n")
        message = "columns are separated by spaces, not by tabs."
        raise DataError("GFF3-004", message, where=f"{path} line {line}", fix="Write nine columns with tabs between.")
    if text.startswith((b">", b"@", b"<", b"\x1f\x8b")) or b"\t" not in text:
        kinds = {b">": "FASTA", b"@": "FASTQ", b"<": "HTML or XML"}
        kind = kinds.get(text[:1], "neither GFF3, GTF, GenBank nor EMBL")
        raise DataError("ANNOTATION-002", f"the file looks like {kind}.", where=str(path), fix=FORMATS_HELP)
    return head
