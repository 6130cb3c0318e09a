"""Made-up tables of labelled sequences."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

TABLE = "labelled.csv"
CODONS = [a + b + c for a in "TCAG" for b in "TCAG" for c in "TCAG"]
SENSE = [codon for codon in CODONS if codon not in ("TAA", "TAG", "TGA")]


def write_table(path: Path, rows: Iterable[Sequence[object]], columns: Sequence[str] = ("sequence", "label")) -> str:
    """Write a comma-separated table; gives its path as text."""
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def bases(rng: np.random.Generator, n: int, rich: str = "") -> str:
    """Bases, half of them one letter where that is asked for."""
    weights = [0.55 if letter == rich else 0.15 for letter in "ACGT"] if rich else [0.25] * 4
    return "".join(rng.choice(list("ACGT"), n, p=weights))


def coding_bases(rng: np.random.Generator, n_codons: int) -> str:
    """A coding sequence of so many codons, from start to stop."""
    return "ATG" + "".join(rng.choice(SENSE, n_codons - 2)) + "TAA"


def two_kinds(n: int, bp: Sequence[int], seed: int = 0) -> list[tuple[str, str]]:
    """Sequences rich in A or in C in turn, of random lengths from the first to the second."""
    rng = np.random.default_rng(seed)
    kinds = [("A", "rich_in_a"), ("C", "rich_in_c")]
    return [(bases(rng, int(rng.integers(bp[0], bp[1] + 1)), kinds[i % 2][0]), kinds[i % 2][1]) for i in range(n)]


def data_of_recipe(stored: dict, folder: Path) -> list[str]:
    """Options with data for a configuration that chooses settings from them; none for another one."""
    if not stored.get("recipe"):
        return []
    rows = two_kinds(60, (30, 30))
    if stored["model"]["options"]["kind"] == "regression":
        rows = [(sequence, sequence.count("A")) for sequence, _ in rows]
    return ["--data.labels", write_table(folder / TABLE, rows)]
