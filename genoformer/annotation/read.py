"""Read an annotation, whatever its format: the content of the file decides, not its name."""

import re
from pathlib import Path

from genoformer.annotation.genbank import read_genbank, read_genbank_records
from genoformer.annotation.gff3 import read_gff3
from genoformer.annotation.models import Annotation
from genoformer.annotation.text_lines import read_head
from genoformer.errors import DataError, WarningLog

__all__ = ["read_annotation", "read_genbank_records"]

_GENBANK = re.compile(rb"^LOCUS\s", re.MULTILINE)
FORMATS_HELP = "Give a GFF3 or GenBank file, plain or compressed with gzip or bgzip."


def read_annotation(path: str | Path, *, warnings: WarningLog | None = None) -> Annotation:
    """Genes and contigs of a GFF3 or GenBank file, plain or gzip-compressed.

    A valid GFF3 file without features gives an annotation without genes.

    Args:
        path: The file.
        warnings: Counts what was repaired or left out; without it those counts are lost.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and, for GFF3, line, if the file is neither format or breaks its rules.
    """
    path = Path(path)
    log = WarningLog() if warnings is None else warnings
    return read_genbank(path, log) if _is_genbank(path) else read_gff3(path, log)


def _is_genbank(path: Path) -> bool:
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
        kind = {b">": "FASTA", b"@": "FASTQ", b"<": "HTML or XML"}.get(text[:1], "neither GFF3 nor GenBank")
        raise DataError("ANNOTATION-002", f"the file looks like {kind}.", where=str(path), fix=FORMATS_HELP)
    return False
