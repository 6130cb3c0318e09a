"""Bases as text: what made-up inputs are put together from, without any help of genoformer."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
from Bio.Seq import reverse_complement

CODONS = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]
SENSE_CODONS = [codon for codon in CODONS if codon not in ("TAA", "TAG", "TGA")]
LETTERS_PER_LINE = 70


def draw_bases(rng: np.random.Generator, n: int, letters: str = "ACGT") -> str:
    """``n`` letters, each of ``letters`` as likely as the others."""
    return "".join(rng.choice(list(letters), n))


def draw_rich(rng: np.random.Generator, n: int, letter: str, share: float = 0.55) -> str:
    """``n`` bases of which about ``share`` are ``letter``."""
    weights = [share if base == letter else (1 - share) / 3 for base in "ACGT"]
    return "".join(rng.choice(list("ACGT"), n, p=weights))


def fasta(records: Iterable[tuple[str, str]]) -> str:
    """Text of a FASTA file of titles and bases."""
    return "".join(f">{title}\n{_wrapped(bases)}" for title, bases in records)


def _wrapped(bases: str) -> str:
    cuts = [*range(0, len(bases), LETTERS_PER_LINE), len(bases)]
    return "".join(bases[low:high] + "\n" for low, high in pairwise(cuts))


def read_fasta(path: Path) -> dict[str, str]:
    """Bases by id."""
    records: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if line.startswith(">"):
            lines = records[line[1:].split()[0]] = []
        else:
            lines.append(line.strip())
    return {name: "".join(lines) for name, lines in records.items()}


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Text of a tab-separated table."""
    return "".join("\t".join(row) + "\n" for row in (columns, *rows))


def coding_sequences(genome: dict[str, str], annotation: Path) -> list[tuple[str, str]]:
    """Id and bases of every coding sequence in one piece of a GFF3 file, in the order of its rows."""
    found = []
    for row in (line.split("\t") for line in annotation.read_text().splitlines() if not line.startswith("#")):
        if row[2] != "CDS":
            continue
        name = dict(part.split("=", 1) for part in row[8].split(";"))["ID"]
        bases = genome[row[0]][int(row[3]) - 1 : int(row[4])]
        found.append((name, bases if row[6] == "+" else reverse_complement(bases)))
    return found
