"""Genetic codes as arrays over the 64 codons, from NCBI's tables, which ``genetic_codes.json`` holds."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from genoformer.errors import UsageError

BASES = "ACGT"
CODONS = tuple(a + b + c for a in BASES for b in BASES for c in BASES)
TABLES = Path(__file__).parent / "genetic_codes.json"
"""By number: NCBI's name, 64 amino acids, and 64 marks, ``M`` for a start codon, ``*`` for a stop; in codon order.

A file of our own, as Biopython's tables take longer to load than most commands take to answer.
"""


@dataclass(frozen=True, slots=True, eq=False)
class GeneticCode:
    """One translation table; a codon's index is 16 * b0 + 4 * b1 + b2 with A0 C1 G2 T3.

    A codon that a table lists both as a stop and as an amino acid (tables 27, 28, 31) is a stop in ``stop_mask`` and
    an amino acid in ``aa``: its reading depends on the place.

    Args:
        number: NCBI's number of the table.
        name: NCBI's name of the table.
        aa: 64 one-letter amino acids, ``*`` for a stop.
        stop_mask: bool [64], True for stop codons.
        start_mask: bool [64], True for every start codon of the table.
    """

    number: int
    name: str
    aa: str
    stop_mask: np.ndarray
    start_mask: np.ndarray

    @property
    def start_codons(self) -> tuple[str, ...]:
        """Start codons as letters, in codon order."""
        return tuple(codon for codon, is_start in zip(CODONS, self.start_mask, strict=True) if is_start)

    @property
    def stop_codons(self) -> tuple[str, ...]:
        """Stop codons as letters, in codon order."""
        return tuple(codon for codon, is_stop in zip(CODONS, self.stop_mask, strict=True) if is_stop)


@cache
def get_genetic_code(number: int) -> GeneticCode:
    """The translation table with NCBI's number ``number``; 11 is the code of bacteria, 4 that of Mycoplasma.

    Raises:
        UsageError: If there is no such table.

    Reference:
        https://www.ncbi.nlm.nih.gov/Taxonomy/Utils/wprintgc.cgi
    """
    tables = _tables()
    if number not in tables:
        known = ", ".join(map(str, sorted(tables)))
        raise UsageError("CODE-001", f"there is no genetic code {number!r}.", fix=f"Known codes: {known}.")
    table = tables[number]
    return GeneticCode(number, table["name"], table["aa"], _mask(table["marks"], "*"), _mask(table["marks"], "M"))


@cache
def _tables() -> dict[int, dict[str, str]]:
    return {int(number): table for number, table in json.loads(TABLES.read_text(encoding="utf-8")).items()}


def _mask(marks: str, wanted: str) -> np.ndarray:
    mask = np.array([mark == wanted for mark in marks])
    mask.flags.writeable = False
    return mask


def codon_indices(codes: np.ndarray) -> np.ndarray:
    """Index of every whole codon of a reading frame; -1 for a codon with any base but A, C, G or T.

    Args:
        codes: uint8 base codes in reading direction, shape [L].

    Returns:
        int64 codon indices, shape [L // 3]; one or two bases left over at the end are not read.
    """
    triplets = codes[: len(codes) // 3 * 3].reshape(-1, 3).astype(np.int64)  # [L // 3, 3]
    indices = triplets @ np.array([16, 4, 1])
    indices[(triplets > 3).any(axis=1)] = -1
    return indices


def translate(codes: np.ndarray, table: GeneticCode | int) -> str:
    """Translate a reading frame codon by codon: ``*`` for stops, ``X`` where a base is unknown.

    The first codon is read like any other: a caller that knows it to be a start writes M.

    Args:
        codes: uint8 base codes in reading direction, shape [L].
        table: A genetic code, or its number.

    Returns:
        L // 3 letters.

    Raises:
        UsageError: If there is no such table.
    """
    code = get_genetic_code(table) if isinstance(table, int) else table
    letters = np.frombuffer((code.aa + "X").encode(), dtype=np.uint8)  # index -1 is the X
    return letters[codon_indices(codes)].tobytes().decode()
