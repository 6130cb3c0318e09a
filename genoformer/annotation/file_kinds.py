"""Whether a file is GenBank or EMBL, told by how it begins; nothing here loads Biopython."""

import re
from pathlib import Path

from genoformer.annotation.text_lines import read_head

_GENBANK = re.compile(rb"^LOCUS\s", re.MULTILINE)
_EMBL = re.compile(rb"\s*ID   \S")
_OTHERS = (b">", b";", b"#")
"""How FASTA and GFF3 begin, in which a line may begin with LOCUS."""


def flat_format(head: bytes) -> str | None:
    """Which flat file begins so: "genbank", "embl", or None for neither.

    Args:
        head: The first bytes of the decompressed file; lines before the first LOCUS are allowed, as NCBI writes them.
    """
    if head.lstrip().startswith(_OTHERS):
        return None
    if _GENBANK.search(head):
        return "genbank"
    return "embl" if _EMBL.match(head) else None


def is_flat_file(path: str | Path) -> bool:
    """Whether a file's content begins as GenBank or EMBL does.

    Raises:
        MissingFileError: If there is no such file.
        DataError: If the file cannot be read or decompressed.
    """
    return flat_format(read_head(Path(path))) is not None
