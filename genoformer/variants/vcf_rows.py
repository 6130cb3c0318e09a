"""Rows of a VCF file: a strict reader of the columns that count, which hands on everything else as it stands.

The file is read once as a whole, so that a broken last row is found before the work; what is kept of each row is its
place in the file. Rows are then read again in any order.

Reference: The Variant Call Format specification, VCFv4.4, https://samtools.github.io/hts-specs/VCFv4.4.pdf.
"""

import itertools
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from genoformer.annotation.text_lines import endless, open_bytes
from genoformer.errors import DataError
from genoformer.files import atomic_path
from genoformer.files.limits import MOST_COLUMNS, MOST_COMMENT_BYTES, MOST_COMMENT_LINES, MOST_WIDE_LINE_BYTES
from genoformer.files.numbers import whole_number
from genoformer.inference.folder import VCF_SPOOL
from genoformer.sequence.byte_chunks import STDIN, display_name, read_chunks
from genoformer.variants.alleles import BASES, allele_kind

FIXED = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
MOST_ALLELES = 100_000
"""Of a row, which is judged as a whole."""
_LINE_BYTES = 64
"""What a line takes in memory beside its letters."""
GZIP_MAGIC = b"\x1f\x8b"
OTHER_FORMATS = {b"BCF": "BCF", b">": "FASTA", b"@": "FASTQ", b"##gff": "GFF3", b"<": "HTML or XML"}


@dataclass(frozen=True, slots=True)
class VcfRow:
    """One row.

    Attributes:
        number: Of its line in the file, from 1.
        columns: All of them, as they stand there.
        position: Of the first base of REF, 0-based; -1 for the telomere before the first base.
        ref: Bases.
        alts: Alternative alleles, at least one; "." where the row has none.
    """

    number: int
    columns: tuple[str, ...]
    position: int
    ref: str
    alts: tuple[str, ...]

    @property
    def contig(self) -> str:
        """Id of the sequence as the file spells it."""
        return self.columns[0]


@dataclass
class VcfFile:
    """A file that was read once.

    Attributes:
        path: Plain text.
        name: How messages call it.
        meta: Lines before the one that names the columns.
        header: That line.
        contigs: Ids in column 1, in the order first met.
        numbers: Index of each row's contig in ``contigs``.
        positions: Of each row, 0-based.
        places: Offset of each row in the file, in bytes.
        lines: Number of each row's line.
    """

    path: Path
    name: str
    meta: list[str] = field(default_factory=list)
    header: str = ""
    contigs: list[str] = field(default_factory=list)
    numbers: array = field(default_factory=lambda: array("l"))
    positions: array = field(default_factory=lambda: array("q"))
    places: array = field(default_factory=lambda: array("q"))
    lines: array = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self.places)

    @property
    def is_sorted(self) -> bool:
        """Rows of a contig stand together, by position."""
        places = np.lexsort((np.array(self.positions), np.array(self.numbers)))
        return bool((places == np.arange(len(self))).all())

    def rows(self, which: np.ndarray) -> Iterator[VcfRow]:
        """Some rows.

        Args:
            which: Their numbers from 0, in the wanted order, int64 [n].
        """
        n_columns = self.header.count("\t") + 1
        with open(self.path, "rb") as file:
            for i in which.tolist():
                file.seek(self.places[i])
                yield read_row(_text(file.readline()), self.lines[i], n_columns, self.name)


def spool_vcf(path: str, work: Path) -> Path:
    """The file itself if it is plain text, else its text in the work folder.

    Raises:
        MissingFileError: If there is no such file.
        DataError: If it cannot be read or decompressed.
    """
    if path != STDIN:
        with open_bytes(Path(path)) as file:  # which says so where there is none
            file.read(1)
        with open(path, "rb") as raw:
            if raw.read(2) != GZIP_MAGIC:
                return Path(path)
    spool = work / VCF_SPOOL
    with atomic_path(spool) as temporary, open(temporary, "wb") as out:
        out.writelines(read_chunks(path))
    return spool


def scan_vcf(path: Path, name: str) -> VcfFile:
    """Read and check every row of a plain text file.

    Args:
        path: The file.
        name: How messages call it, such as the path of the compressed file.

    Raises:
        DataError: With file and line, if it is no VCF file, or a row breaks its rules.
    """
    found = VcfFile(path, display_name(name))
    index: dict[str, int] = {}
    with open(path, "rb") as file:
        n_lines, place = _read_header(file, found)
        n_columns = found.header.count("\t") + 1
        for number, raw in _numbered(file, found.name, n_lines):
            if raw.strip():
                row = read_row(_text(raw), number, n_columns, found.name)
                found.numbers.append(index.setdefault(row.contig, len(index)))
                found.positions.append(row.position)
                found.places.append(place)
                found.lines.append(number)
            place += len(raw)
    found.contigs = list(index)
    return found


def _read_header(file: BinaryIO, found: VcfFile) -> tuple[int, int]:
    """Fill ``meta`` and ``header``; lines and bytes that they take."""
    number = place = held_bytes = 0
    for number, raw in _numbered(file, found.name):
        place, line = place + len(raw), _text(raw)
        if number == 1:
            _check_first_line(raw, line, found.name)
        if line.startswith("##"):
            found.meta.append(line)
            held_bytes += len(raw) + _LINE_BYTES
            if held_bytes > MOST_COMMENT_BYTES:
                message = f"the ## lines are more than {MOST_COMMENT_BYTES:,} bytes."
                raise _error("VARIANTS-015", message, found.name, number, "Remove those of contigs without rows.")
            continue
        columns = line.split("\t", MOST_COLUMNS)
        if tuple(columns[:8]) != FIXED:
            message = f"expected the line {' '.join(FIXED)} (separated by tabs) behind the ## lines."
            raise _error("VARIANTS-002", message, found.name, number, "Copy the file again, or add that line.")
        if len(columns) == 9 or len(set(columns[9:])) < len(columns[9:]):
            message = "expected no column FORMAT without samples, and samples with different names."
            raise _error("VARIANTS-002", message, found.name, number)
        found.header = line
        return number, place
    if not number:
        raise DataError("VARIANTS-001", "the file is empty.", where=found.name, fix="Give a VCF file.")
    raise _error("VARIANTS-002", "the file ends before the line #CHROM POS ….", found.name, number)


def _numbered(file: BinaryIO, name: str, before: int = 0) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers, behind those that were read before; DataError where one, or empty ones, have no end."""
    n_empty = 0
    for number in itertools.count(before + 1):
        if not (raw := file.readline(MOST_WIDE_LINE_BYTES + 1)):
            return
        n_empty = 0 if len(raw) > 2 else n_empty + 1
        if len(raw) > MOST_WIDE_LINE_BYTES or n_empty > MOST_COMMENT_LINES:
            raise endless(f"{name} line {number}", MOST_WIDE_LINE_BYTES if len(raw) > MOST_WIDE_LINE_BYTES else None)
        yield number, raw


def _check_first_line(raw: bytes, line: str, name: str) -> None:
    if line.startswith("##fileformat=VCFv4"):
        return
    kinds = [kind for start, kind in OTHER_FORMATS.items() if raw.startswith(start)]
    looks = f" It looks like {kinds[0]}." if kinds else ""
    fix = "Convert it with bcftools view." if kinds == ["BCF"] else "Give a VCF file of version 4."
    raise _error("VARIANTS-001", f"expected ##fileformat=VCFv4.x first.{looks}", name, 1, fix)


def read_row(line: str, number: int, n_columns: int, name: str) -> VcfRow:
    """One row, checked.

    Args:
        line: Its text without line end.
        number: Of the line.
        n_columns: Columns of the header.
        name: Of the file, for messages.

    Raises:
        DataError: With file and line, if the row breaks the rules.
    """
    n_found = line.count("\t") + 1
    if n_found != n_columns:
        message = f"expected {n_columns} columns separated by tabs, as the header has, found {n_found}."
        raise _error("VARIANTS-003", message, name, number)
    columns = tuple(line.split("\t"))
    contig, position, _, ref, alt = columns[:5]
    if not contig or any(letter in contig for letter in " <>,"):
        raise _error("VARIANTS-003", f"expected the id of a sequence in column 1, found {contig!r}.", name, number)
    first = whole_number(position)
    if first is None:
        raise _error("VARIANTS-004", f"expected a position of 0 or more, found {position[:40]!r}.", name, number)
    if not BASES.fullmatch(ref):
        raise _error("VARIANTS-005", f"expected bases in REF, found {ref!r}.", name, number)
    if alt.count(",") >= MOST_ALLELES:
        raise _error("VARIANTS-006", f"expected at most {MOST_ALLELES:,} alleles in ALT.", name, number)
    alts = tuple(alt.split(","))
    for one in alts:
        if allele_kind(ref, one) is None or (one == "." and len(alts) > 1):
            message = f"expected bases, *, a symbol such as <DEL>, or a breakend in ALT, found {one!r}."
            raise _error("VARIANTS-006", message, name, number)
    return VcfRow(number, columns, first - 1, ref, alts)


def _text(raw: bytes) -> str:
    # What is no UTF-8 in a column that is handed on goes out as it came in.
    return raw.rstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _error(code: str, message: str, name: str, number: int, fix: str = "Correct the row.") -> DataError:
    return DataError(code, message, where=f"{name} line {number}", fix=fix)
