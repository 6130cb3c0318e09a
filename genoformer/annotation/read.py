"""Read an annotation, whatever its format: the content of the file decides, not its name."""

import re
from collections.abc import Collection
from pathlib import Path

from genoformer.annotation.genbank import read_genbank, read_genbank_records
from genoformer.annotation.gff3 import read_gff3
from genoformer.annotation.gtf import read_gtf
from genoformer.annotation.models import Annotation
from genoformer.annotation.text_lines import read_head
from genoformer.errors import DataError, WarningLog

__all__ = ["read_annotation", "read_genbank_records"]

_GENBANK = re.compile(rb"^LOCUS\s", re.MULTILINE)
_GTF_ROW = re.compile(rb'^[^#\n]*\t\s*\w+ "[^"\n]*"', re.MULTILINE)
FORMATS_HELP = "Give a GFF3, GTF or GenBank file, plain or compressed with gzip or bgzip."


def read_annotation(
    path: str | Path, *, warnings: WarningLog | None = None, sources: Collection[str] = ()
) -> Annotation:
    """Genes and contigs of a GFF3, GTF or GenBank file, plain or gzip-compressed.

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
    if is_genbank(path):
        return read_genbank(path, log)
    read = read_gtf if _is_gtf(path) else read_gff3
    annotation = read(path, log, sources=sources)
    if sources and not annotation.genes:
        message = f"no gene has the source {' or '.join(sorted(sources))} (column 2)."
        raise DataError("ANNOTATION-003", message, where=str(path), fix="Check --source.")
    return annotation


def _is_gtf(path: Path) -> bool:
    head = read_head(path)
    if head.startswith((b"##gtf-version", b"##gff-version")):
        return head.startswith(b"##gtf-version")
    return _GTF_ROW.search(head) is not None


def is_genbank(path: Path) -> bool:
    """Whether a file begins as GenBank does; DataError if it is empty or of a format that holds no annotation."""
    head = read_head(path)
    text = head.lstrip()
    if not text:
        raise DataError("ANNOTATION-001", "the file is empty.", where=str(path), fix=FORMATS_HELP)
    if text.startswith(b"##fileformat=VCF"):
        raise DataError("ANNOTATION-002", "the file looks like VCF.", where=str(path), fix=FORMATS_HELP)
    if text.startswith(b"#"):
        return False
    if _GENBANK.search(head):
        return True
    if text.startswith((b">", b"@", b"<", b"\x1f\x8b")) or b"\t" not in text:
        kind = {b">": "FASTA", b"@": "FASTQ", b"<": "HTML or XML"}.get(text[:1], "neither GFF3, GTF nor GenBank")
        raise DataError("ANNOTATION-002", f"the file looks like {kind}.", where=str(path), fix=FORMATS_HELP)
    return False
