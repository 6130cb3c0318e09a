"""Many genomes in one table: where each comes from, what it weighs in training, and what group it belongs to.

Tab-separated text with a header line; lines with "#" and empty ones are not read. Paths are relative to the table.

| column | |
|---|---|
| `fasta` | FASTA, GenBank or EMBL file with the bases; may be left out where the annotation is a flat file |
| `annotation` | GFF3, GTF, GenBank or EMBL file with the genes; may be empty or left out where they are not needed |
| `genetic_code` | NCBI number; an empty cell means what the annotation says |
| `weight` | share of the crops, relative to the other genomes of the group, 0 for none; without it the bases decide |
| `group` | groups get equal shares; without the column all genomes are one |
| `family` | what is left out together where a decoder is fitted across genomes; where it is empty, the group |
"""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from genoformer.annotation.file_kinds import is_flat_file
from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.text_lines import read_lines
from genoformer.errors import DataError, MissingFileError, UsageError
from genoformer.files.numbers import whole_number
from genoformer.genomes.prepare import GenomeFiles, genome_names

COLUMNS = ("fasta", "annotation", "genetic_code", "weight", "group", "family")


@dataclass(frozen=True)
class TableGenome:
    """One row.

    Attributes:
        files: The genome.
        weight: Its share, relative to the others of its group; None where the bases decide.
        group: Its group; None where all genomes are one.
        where: Table and line.
        family: What it is left out with, a part of its group; None where that is the group.
    """

    files: GenomeFiles
    weight: float | None
    group: str | None
    where: str
    family: str | None = None

    @property
    def left_out_with(self) -> str | None:
        """Name of the genomes that are left out together with this one; None where there is none."""
        return self.family or self.group


def read_genome_table(path: str | Path, *, needs_genes: bool = True) -> list[TableGenome]:
    """The genomes of a table, in its order.

    Args:
        path: The table.
        needs_genes: A genome without annotation is an error; otherwise annotations give no more than bases.

    Raises:
        DataError: If a column is unknown or missing, a row has too few cells or names no genome, a genome comes twice,
            a number is none, negative, or zero in all of a group, or a family lies in two groups.
        UsageError: If there is no such genetic code.
        MissingFileError: If the table or a file of a genome is not there.
    """
    table = Path(path)
    rows = list(_read_rows(table))
    if not rows:
        raise DataError("GENOMES-001", "the table has no rows.", where=str(path))
    files = [_find_files(table, cells, where, needs_genes) for where, cells in rows]
    places = [where for where, _ in rows]
    _refuse_copies([Path(os.path.realpath(sequence)) for sequence, _ in files], places)
    names = genome_names([sequence for sequence, _ in files])
    _refuse_copies([f"a genome called {name}" for name in names], places)
    found = [
        TableGenome(
            GenomeFiles(name, *pair, _genetic_code(cells, where)),
            _weight(cells, where),
            _group(cells, where),
            where,
            cells.get("family") or None,
        )
        for (where, cells), pair, name in zip(rows, files, names, strict=True)
    ]
    _check_weights(found, table)
    _check_families(found)
    return found


def region_shares(table: Sequence[TableGenome], genomes: Sequence[str], lengths: Sequence[int]) -> list[float] | None:
    """Share of the crops that each region gets.

    Groups get equal shares; inside a group genomes get shares in proportion to their weights, or to the bases of their
    regions where the table has none; inside a genome regions get shares in proportion to their length. Only groups and
    genomes that have a region count.

    Args:
        table: The genomes; may be empty.
        genomes: Name of the genome of each region; its weight is not 0.
        lengths: Length of each region, bp.

    Returns:
        Shares that sum to 1; None where the table has neither weights nor groups, so that lengths alone decide.
    """
    rows = {row.files.name: row for row in table}
    if all(row.weight is None and row.group is None for row in table):
        return None
    bases: dict[str, int] = {}
    for name, length in zip(genomes, lengths, strict=True):
        bases[name] = bases.get(name, 0) + length
    masses, totals = {}, dict.fromkeys((rows[name].group for name in bases), 0.0)
    for name, n_bases in bases.items():
        weight = rows[name].weight
        masses[name] = n_bases if weight is None else weight
        totals[rows[name].group] += masses[name]
    return [
        masses[name] / totals[rows[name].group] / len(totals) * length / bases[name]
        for name, length in zip(genomes, lengths, strict=True)
    ]


def describe_genome(genome: TableGenome) -> str:
    """Weight and group in words, as an addition to a sentence; "" where there are none."""
    weight = "" if genome.weight is None else f", weight {genome.weight:g}"
    return f"{weight}, group {genome.group}" if genome.group else weight


def _read_rows(table: Path) -> Iterator[tuple[str, dict[str, str]]]:
    columns: list[str] | None = None
    for number, line in read_lines(table):
        where = f"{table} line {number}"
        if not line.strip(" ") or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if columns is None:
            columns = _check_columns(cells, where)
        elif len(cells) != len(columns):
            raise DataError("GENOMES-002", f"expected {len(columns)} columns, found {len(cells)}.", where=where)
        else:
            yield where, dict(zip(columns, cells, strict=True))


def _check_columns(columns: list[str], where: str) -> list[str]:
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown or len(set(columns)) < len(columns):
        found = f'"{unknown[0]}"' if unknown else f"{max(columns, key=columns.count)} twice"
        raise DataError("GENOMES-003", f"expected columns of {', '.join(COLUMNS)}, found {found}.", where=where)
    if not {"fasta", "annotation"} & set(columns):
        raise DataError("GENOMES-003", "there is neither a column fasta nor annotation.", where=where)
    return columns


def _find_files(table: Path, cells: dict[str, str], where: str, needs_genes: bool) -> tuple[Path, Path | None]:
    """Files with the bases and with the genes of a row."""
    given = {name: table.parent / cells[name] for name in ("fasta", "annotation") if cells.get(name)}
    if not given:
        raise DataError("GENOMES-004", "the row names no file.", where=where)
    for path in given.values():
        if not os.path.isfile(path):  # also of a name that no file can have
            raise MissingFileError(
                "DATA-003", f"there is no file {path}.", where=where, fix="Paths are relative to the table."
            )
    sequence = given["fasta"] if "fasta" in given else given["annotation"]
    if (needs_genes or "fasta" not in given) and len(given) == 1 and not is_flat_file(sequence):
        lacking = "annotation" if "fasta" in given else "fasta"
        message = f"{sequence} is neither GenBank nor EMBL and needs a file in column {lacking}."
        raise DataError("GENOMES-004", message, where=where)
    return sequence, given.get("annotation", sequence) if needs_genes else None


def _refuse_copies(genomes: Sequence[Path | str], places: Sequence[str]) -> None:
    first: dict[Path | str, str] = {}
    for genome, where in zip(genomes, places, strict=True):
        other = first.setdefault(genome, where)
        if other != where:
            raise DataError("GENOMES-005", f"{genome} is also in {other}.", where=where, fix="Leave one of them out.")


def _genetic_code(cells: dict[str, str], where: str) -> int | None:
    text = cells.get("genetic_code")
    if not text:
        return None
    number = whole_number(text)
    if number is None:
        raise DataError("GENOMES-006", f'expected the number of a genetic code, found "{text[:40]}".', where=where)
    try:
        get_genetic_code(number)
    except UsageError as error:
        raise UsageError(error.code, error.message, where=where, fix=error.fix) from error
    return number


def _weight(cells: dict[str, str], where: str) -> float | None:
    text = cells.get("weight")
    if text is None:
        return None
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 <= weight < math.inf:
        raise DataError("GENOMES-006", f'expected a weight of at least 0, found "{text}".', where=where)
    return weight


def _group(cells: dict[str, str], where: str) -> str | None:
    if cells.get("group") == "":
        raise DataError("GENOMES-006", "the genome has no group.", where=where, fix="Name one for every genome.")
    return cells.get("group")


def _check_weights(genomes: Sequence[TableGenome], table: Path) -> None:
    for group in dict.fromkeys(genome.group for genome in genomes):
        if all(genome.weight == 0 for genome in genomes if genome.group == group):
            named = f'the group "{group}"' if group else "the table"
            raise DataError("GENOMES-007", f"all weights of {named} are 0.", where=str(table))


def _check_families(genomes: Sequence[TableGenome]) -> None:
    first: dict[str | None, TableGenome] = {}
    for genome in genomes:
        other = first.setdefault(genome.left_out_with, genome)
        if other.group != genome.group:
            raise DataError(
                "GENOMES-006", f'the family "{genome.left_out_with}" is also in the group "{other.group}".',
                where=genome.where, fix="A family is a part of one group, and called like no other one.",
            )  # fmt: skip
