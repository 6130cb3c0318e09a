"""Rows of a GFF3 file, checked one by one, and what its directives say of the contigs.

Reference: https://github.com/The-Sequence-Ontology/Specifications/blob/master/gff3.md, version 1.26.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from genoformer.annotation.text_lines import read_lines
from genoformer.errors import DataError, WarningLog
from genoformer.files.numbers import WHOLE_NUMBER

N_COLUMNS = 9
FORMAT_HELP = "GFF3 has nine columns separated by tabs; see https://github.com/The-Sequence-Ontology/Specifications."
GTF_HELP = "GTF has nine columns separated by tabs; see https://mblab.wustl.edu/GTF22.html."
_GTF_ATTRIBUTE = re.compile(r'^\s*\w+ "[^"]*"')
ONE_VALUE = (
    "ID", "Name", "locus_tag", "gene", "product", "protein_id", "pseudo", "partial", "start_range", "end_range",
    "exception", "transl_table", "Is_circular",
)  # fmt: skip
"""Attributes that decide what a gene is, so that two of one name contradict each other."""
BROWSER_LINES = ("track ", "browser ")
"""How lines for genome browsers begin, which hold no feature."""


def decode(text: str) -> str:
    """Text without percent-encoding."""
    return unquote(text) if "%" in text else text


@dataclass(slots=True)
class Row:
    """One feature row; coordinates are 0-based, half-open. Attribute values stay percent-encoded until asked for."""

    line: int
    contig: str
    source: str
    kind: str
    start: int
    end: int
    score: float | None
    strand: str
    phase: int | None
    raw: dict[str, str]

    @property
    def id(self) -> str:
        return self.value("ID")

    def value(self, name: str) -> str:
        """Decoded value of an attribute, "" when absent."""
        return decode(self.raw.get(name, ""))

    def values(self, name: str) -> list[str]:
        """Decoded values of an attribute with several; a literal comma separates, an encoded one does not."""
        return [decode(value) for value in self.raw[name].split(",") if value] if name in self.raw else []

    def is_true(self, name: str) -> bool:
        return self.raw.get(name, "").lower() == "true"


@dataclass(slots=True)
class Contigs:
    """What a file says of the contigs, row by row.

    Attributes:
        lengths: In bp, from ``##sequence-region``.
        named: Every contig that a row or a directive names, in the order first met, with its id as it stands there.
    """

    lengths: dict[str, int] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)

    def name(self, text: str) -> str:
        """Note a contig by its id as it stands in the file; gives the id."""
        contig = decode(text)
        self.named.setdefault(contig, text)
        return contig


def iter_rows(path: Path, contigs: Contigs, warnings: WarningLog) -> Iterator[Row]:
    """Rows of a GFF3 file; what it says of the contigs is collected on the way.

    Sequences begin with ``##FASTA`` or a ``>`` line, and go on to the next ``##gff-version``: several files in one.

    Args:
        path: Plain or gzip-compressed file.
        contigs: Filled while reading.
        warnings: Counts a missing ``##gff-version 3``, and lines without a place.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and line, for a row that breaks the format.
    """
    is_first, is_sequence = True, False
    for number, line in read_lines(path):
        is_sequence = is_sequence and not line.startswith("##gff-version")
        if is_sequence or not line.strip():
            continue
        if is_first and not line.startswith("##gff-version"):
            warnings.add("GFF3-101", f"{path}: the first line is not ##gff-version 3")
        is_first = False
        # A comment may begin with these letters, so that only the directive itself ends the rows.
        if line.rstrip() == "##FASTA" or line.startswith(">"):
            is_sequence = True
        elif line.startswith(BROWSER_LINES):
            continue
        elif line.startswith("#"):
            _read_directive(line, f"{path} line {number}", contigs, warnings)
        else:
            contigs.name(line.partition("\t")[0])
            if has_place(line, f"{path} line {number}", warnings):
                yield parse_row(line, number, path)


def has_place(line: str, where: str, warnings: WarningLog) -> bool:
    """Whether a row lies somewhere: some exports write 0..0 for what has no place, which is counted but for a CDS."""
    columns = line.split("\t", 4) if "\t0\t" in line else []
    if len(columns) < 5 or columns[3] != "0" or columns[2] in ("CDS", "cds"):
        return True
    warnings.add("GFF3-111", f"{where}: a row of type {columns[2]!r} begins at base 0 and is left out")
    return False


def _read_directive(line: str, where: str, contigs: Contigs, warnings: WarningLog) -> None:
    words = line.split()
    if words[0] == "##gff-version" and (len(words) < 2 or words[1].split(".")[0] != "3"):
        fix = "Convert it to GFF3, for example with `gt gtf_to_gff3` or `agat_convert_sp_gxf2gxf.pl`."
        raise DataError("GFF3-002", f"is GFF version {' '.join(words[1:])!r}, not 3.", where=where, fix=fix)
    if words[0] == "##sequence-region" and len(words) > 1:
        contig = contigs.name(words[1])
        if len(words) == 4 and all(WHOLE_NUMBER.fullmatch(word) for word in words[2:]) and int(words[3]) > 0:
            contigs.lengths[contig] = int(words[3])
        else:
            warnings.add("GFF3-110", f"{where}: expected '##sequence-region ID START END', found {line[:80]!r}")


def parse_row(
    line: str, number: int, path: Path, read_attributes: Callable[[str, str], dict[str, str]] | None = None
) -> Row:
    """Check and convert one line with nine columns.

    Args:
        line: The line without its end.
        number: Its number, from 1.
        path: The file, for messages.
        read_attributes: Reads column 9 of a dialect without percent-encoding, from the text and the place for
            messages; None: as GFF3.

    Raises:
        DataError: With file and line, if a column breaks the format.
    """
    where, format_help = f"{path} line {number}", GTF_HELP if read_attributes else FORMAT_HELP
    columns = line.split("\t")
    if len(columns) != N_COLUMNS:
        message = f"expected {N_COLUMNS} columns separated by tabs, found {len(columns)}."
        raise DataError("GFF3-004", message, where=where, fix=format_help)
    contig, source, kind, start, end, score, strand, phase, attributes = columns
    kind = "CDS" if kind == "cds" else kind
    if contig in ("", ".") or kind in ("", "."):
        raise DataError("GFF3-005", "a row needs a sequence id and a feature type.", where=where, fix=format_help)
    first, last = _coordinates(start, end, where)
    if strand not in ("+", "-", ".", "?"):
        raise DataError("GFF3-008", f"the strand must be one of + - . ?, found {strand!r}.", where=where)
    if phase not in ("0", "1", "2", "."):
        raise DataError("GFF3-009", f"the phase must be 0, 1, 2 or '.', found {phase!r}.", where=where)
    return Row(
        line=number,
        contig=contig if read_attributes else decode(contig),
        source=source,
        kind=kind,
        start=first,
        end=last,
        score=_score(score, where),
        strand=strand,
        phase=None if phase == "." else int(phase),
        raw=read_attributes(attributes, where) if read_attributes else _attributes(attributes, where),
    )


def _coordinates(start: str, end: str, where: str) -> tuple[int, int]:
    for text in (start, end):
        if not WHOLE_NUMBER.fullmatch(text):
            raise DataError("GFF3-006", f"coordinates must be whole numbers, found {text[:40]!r}.", where=where)
    first, last = int(start), int(end)
    if not 1 <= first <= last:
        message = f"start must be 1 or more and not behind the end, found {start}..{end}."
        raise DataError("GFF3-007", message, where=where, fix="The strand is told by column 7 alone.")
    return first - 1, last


def _score(text: str, where: str) -> float | None:
    if text == ".":
        return None
    try:
        return float(text)
    except ValueError:
        raise DataError("GFF3-010", f"the score must be a number or '.', found {text!r}.", where=where) from None


def _attributes(text: str, where: str) -> dict[str, str]:
    if _GTF_ATTRIBUTE.match(text):
        fix = "Convert it to GFF3, for example with `gt gtf_to_gff3`."
        raise DataError("GFF3-011", f"column 9 looks like GTF: {text[:60]!r}.", where=where, fix=fix)
    found: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    for pair in text.split(";"):
        name, equals, value = pair.strip().partition("=")
        if (not name and not equals) or (name == "." and not equals):
            continue
        if not equals or not name:
            message = f"attributes must be NAME=VALUE separated by ';', found {pair.strip()[:60]!r}."
            raise DataError("GFF3-012", message, where=where, fix="Encode a literal ';' as %3B and '=' as %3D.")
        _add_attribute(found, repeated, decode(name), value, where)
    return found | {name: ",".join(values) for name, values in repeated.items()} if repeated else found


def _add_attribute(found: dict[str, str], repeated: dict[str, list[str]], name: str, value: str, where: str) -> None:
    """Note an attribute; one that is given twice has both values, as Parent may, and database references do."""
    if name not in found:
        found[name] = value
    elif name not in ONE_VALUE:
        repeated.setdefault(name, [found[name]]).append(value)
    elif found[name] != value:
        fix = "Write it once."
        raise DataError("GFF3-018", f"the attribute {name!r} is given twice.", where=where, fix=fix)
