"""Writers of predicted base pairs."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from genoformer.applications.rna_pairs.maps import draw_map
from genoformer.files import atomic_path
from genoformer.inference.chunks import Outputs
from genoformer.inference.text_files import TextWriter
from genoformer.report.pair_drawings import draw_arcs, draw_square_map
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.records import Record
from genoformer.structures.dot_bracket import pairs_of
from genoformer.structures.pair_files import write_bpseq, write_ct, write_dbn

MOST_CELLS = 1024
"""Rows of a picture: it is some 900 pixels wide."""
LISTED = 0.05
"""Pairs in the table are in the structure, or at least this probable."""


class DotBracketWriter(TextWriter):
    """Structures in dot-bracket, as ViennaRNA writes them."""

    def lines(self, record: Record, found: Outputs) -> Iterable[str]:
        return write_dbn([_row(record, found)])


class CtWriter(TextWriter):
    """Structures as connectivity tables."""

    def lines(self, record: Record, found: Outputs) -> Iterable[str]:
        return write_ct([_row(record, found)])


class TableWriter(TextWriter):
    """One row for each pair that is in the structure, or probable."""

    header = "record_id\ti\tj\tbase_i\tbase_j\tprobability\tin_structure\n"

    def lines(self, record: Record, found: Outputs) -> Iterator[str]:
        bases = letters(record)
        for i, j, sure, chosen in listed_pairs(found):
            yield f"{record.id}\t{i + 1}\t{j + 1}\t{bases[i]}\t{bases[j]}\t{sure:.4f}\t{int(chosen)}\n"


def listed_pairs(found: Outputs) -> Iterator[tuple[int, int, float, bool]]:
    """Pairs of the table: both bases, 0-based, the probability, and whether the pair is in the structure."""
    pairs, probability = found["pairs"], found["probability"]
    chosen = found["partners"][pairs[:, 0]] == pairs[:, 1]
    shown = chosen | (probability.astype(np.float64) >= LISTED)
    rows = pairs[shown].tolist(), probability[shown].tolist(), chosen[shown].tolist()
    yield from ((i, j, sure, is_chosen) for (i, j), sure, is_chosen in zip(*rows, strict=True))


def write_one_bpseq(path: Path, record: Record, found: Outputs) -> None:
    """The structure of one record as bpseq."""
    with atomic_path(path) as temporary:
        temporary.write_text("".join(write_bpseq(_row(record, found))), encoding="utf-8")


def draw_one(path: Path, record: Record, found: Outputs) -> None:
    """A picture of one record: probabilities above the diagonal, the structure below it."""
    with atomic_path(path) as temporary:
        label = "base (above: probability; below: structure)"
        draw_map(temporary, record.id, _map(record, found), label, n=len(record))


def draw_one_as_arcs(path: Path, record: Record, found: Outputs) -> None:
    """The structure of one record as arcs above its bases, the other pairs of the table below them."""
    pairs = list(listed_pairs(found))
    chosen = [(i, j, sure) for i, j, sure, is_chosen in pairs if is_chosen]
    draw_arcs(path, record.id, letters(record), above=chosen, below=[row[:3] for row in pairs if not row[3]])


def draw_one_dot_plot(path: Path, record: Record, found: Outputs) -> None:
    """A dot plot of one record: pairs of the table above the diagonal, the structure below it."""
    pairs = [row[:3] for row in listed_pairs(found)]
    chosen = [(i, j, 1.0) for i, j in pairs_of(found["partners"]).tolist()]
    draw_square_map(path, record.id, len(record), above=pairs, below=chosen, unit="base")


def _map(record: Record, found: Outputs) -> np.ndarray:
    """Probabilities above the diagonal, the structure below it, float32; a cell of a large map is several bases.

    Cells have the highest value of their bases.
    """
    bases = max(1, -(-len(record) // MOST_CELLS))
    n = -(-len(record) // bases)
    values, (i, j) = np.zeros((n, n), np.float32), found["pairs"].T // bases
    np.maximum.at(values, (i, j), found["probability"])
    first, second = pairs_of(found["partners"]).T // bases
    values[second, first] = 1.0
    return values


def _row(record: Record, found: Outputs) -> tuple[str, str, np.ndarray]:
    return record.id, letters(record), found["partners"]


def letters(record: Record) -> str:
    """Bases as RNA has them."""
    return decode_bases(record.codes).replace("T", "U")
