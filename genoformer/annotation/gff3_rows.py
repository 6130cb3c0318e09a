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

N_COLUMNS = 9
FORMAT_HELP = "GFF3 has nine columns separated by tabs; see https://github.com/The-Sequence-Ontology/Specifications."
_GTF_ATTRIBUTE = re.compile(r'^\s*\w+ "[^"]*"')
_INTEGER = re.compile(r"[0-9]+")


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
        return unquote(self.raw[name]) if name in self.raw else ""

    def values(self, name: str) -> list[str]:
        """Decoded values of an attribute with several; a literal comma separates, an encoded one does not."""
        return [unquote(value) for value in self.raw[name].split(",") if value] if name in self.raw else []

    def is_true(self, name: str) -> bool:
        return self.raw.get(name, "").lower() == "true"


@dataclass(slots=True)
class Directives:
    """What ``##`` lines say: contig lengths from ``##sequence-region``."""

    contig_lengths: dict[str, int] = field(default_factory=dict)


def iter_rows(path: Path, directives: Directives, warnings: WarningLog) -> Iterator[Row]:
    """Rows of a GFF3 file up to ``##FASTA``; directives are collected on the way.

    Args:
        path: Plain or gzip-compressed file.
        directives: Filled while reading.
        warnings: Counts a missing ``##gff-version 3``.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and line, for a row that breaks the format.
    """
    is_first = True
    for number, line in read_lines(path):
        if not line.strip():
            continue
        if is_first and not line.startswith("##gff-version"):
            warnings.add("GFF3-101", f"{path}: the first line is not ##gff-version 3")
        is_first = False
        if line.startswith("##FASTA") or line.startswith(">"):
            return
        if line.startswith("#"):
            _read_directive(line, f"{path} line {number}", directives)
        else:
            yield parse_row(line, number, path)


def _read_directive(line: str, where: str, directives: Directives) -> None:
    words = line.split()
    if words[0] == "##gff-version" and (len(words) < 2 or words[1].split(".")[0] != "3"):
        fix = "Convert it to GFF3, for example with `gt gtf_to_gff3` or `agat_convert_sp_gxf2gxf.pl`."
        raise DataError("GFF3-002", f"is GFF version {' '.join(words[1:])!r}, not 3.", where=where, fix=fix)
    if words[0] == "##sequence-region":
        if len(words) != 4 or not all(_INTEGER.fullmatch(word) for word in words[2:]):
            raise DataError("GFF3-003", f"expected '##sequence-region ID START END', found {line!r}.", where=where)
        directives.contig_lengths[unquote(words[1])] = int(words[3])


def parse_row(
    line: str, number: int, path: Path, read_attributes: Callable[[str, str], dict[str, str]] | None = None
) -> Row:
    """Check and convert one line with nine columns.

    Args:
        line: The line without its end.
        number: Its number, from 1.
        path: The file, for messages.
        read_attributes: Reads column 9, given the place for messages, too; that of GFF3 by default.

    Raises:
        DataError: With file and line, if a column breaks the format.
    """
    where = f"{path} line {number}"
    columns = line.split("\t")
    if len(columns) != N_COLUMNS:
        message = f"expected {N_COLUMNS} columns separated by tabs, found {len(columns)}."
        raise DataError("GFF3-004", message, where=where, fix=FORMAT_HELP)
    contig, source, kind, start, end, score, strand, phase, attributes = columns
    if contig in ("", ".") or kind in ("", "."):
        raise DataError("GFF3-005", "a row needs a sequence id and a feature type.", where=where, fix=FORMAT_HELP)
    first, last = _coordinates(start, end, where)
    if strand not in ("+", "-", ".", "?"):
        raise DataError("GFF3-008", f"the strand must be one of + - . ?, found {strand!r}.", where=where)
    if phase not in ("0", "1", "2", "."):
        raise DataError("GFF3-009", f"the phase must be 0, 1, 2 or '.', found {phase!r}.", where=where)
    return Row(
        line=number,
        contig=unquote(contig),
        source=source,
        kind=kind,
        start=first,
        end=last,
        score=_score(score, where),
        strand=strand,
        phase=None if phase == "." else int(phase),
        raw=(read_attributes or _attributes)(attributes, where),
    )


def _coordinates(start: str, end: str, where: str) -> tuple[int, int]:
    for text in (start, end):
        if not _INTEGER.fullmatch(text):
            raise DataError("GFF3-006", f"coordinates must be whole numbers, found {text!r}.", where=where)
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
    for pair in text.split(";"):
        name, equals, value = pair.strip().partition("=")
        if (not name and not equals) or (name == "." and not equals):
            continue
        if not equals or not name:
            message = f"attributes must be NAME=VALUE separated by ';', found {pair.strip()[:60]!r}."
            raise DataError("GFF3-012", message, where=where, fix="Encode a literal ';' as %3B and '=' as %3D.")
        found[unquote(name)] = value
    return found
