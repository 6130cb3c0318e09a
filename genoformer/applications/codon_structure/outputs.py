"""The table of predicted states, ``structure.tsv``: one row per codon."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from genoformer.files import atomic_path
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.records import Record

STRUCTURE_TSV = "structure.tsv"
HEAD = ("record_id", "codon", "bases", "state", "probability")


def write_states(
    out: Path, results: Iterable[tuple[Record, dict[str, np.ndarray]]], channels: tuple[str, ...]
) -> tuple[list[str], dict]:
    """Write the table.

    Args:
        out: Folder.
        results: Records in the order of the input, with what ``CodonCaller.outputs`` says of them.
        channels: Letters of the states.

    Returns:
        Names of the files, and counts for the summary.
    """
    counts: Counter = Counter()
    with atomic_path(out / STRUCTURE_TSV) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write("\t".join([*HEAD, *channels]) + "\n")
        for record, found in results:
            best = found["probabilities"].argmax(axis=1)
            counts.update(channels[number] for number in best)
            file.writelines(_rows(record, found["probabilities"], best, channels))
    return [STRUCTURE_TSV], {"n_codons": sum(counts.values()), "counts": {name: counts[name] for name in channels}}


def _rows(record: Record, probabilities: np.ndarray, best: np.ndarray, channels: tuple[str, ...]) -> Iterator[str]:
    bases = decode_bases(record.codes)
    for i, (row, number) in enumerate(zip(probabilities.tolist(), best.tolist(), strict=True)):
        values = "\t".join(f"{value:.4f}" for value in row)
        codon = bases[3 * i : 3 * i + 3]
        yield f"{record.id}\t{i + 1}\t{codon}\t{channels[number]}\t{row[number]:.4f}\t{values}\n"
