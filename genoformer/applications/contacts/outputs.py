"""Files of predicted contacts: a table of the best, HDF5 of all, and pictures of the maps."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from genoformer.applications.rna_pairs.maps import PairMapWriter, draw_map, load_pyplot
from genoformer.errors import UsageError
from genoformer.files import atomic_path
from genoformer.sequence.records import Record

CONTACTS_TSV, CONTACTS_H5 = "contacts.tsv", "contacts.h5"
PICTURE = "contacts-{:04d}.png"
DEFAULT_FORMATS = ("tsv", "h5")
FORMATS = (*DEFAULT_FORMATS, "png")
LISTED_PER_CODON = 2
"""Pairs in the table, for each codon of the sequence."""


def check_contact_formats(words: Iterable[str]) -> tuple[str, ...]:
    """The same words; UsageError if one is unknown, or if pictures cannot be made here."""
    words = tuple(words)
    for word in words:
        if word not in FORMATS:
            raise UsageError(
                "FORMATS-001", f'"{word}" is no format of contacts: {", ".join(FORMATS)}.', where="--formats"
            )
    if "png" in words:
        load_pyplot()
    return words


def write_contacts(
    out: Path, results: Iterable[tuple[Record, dict[str, np.ndarray]]], formats: tuple[str, ...]
) -> tuple[list[str], dict]:
    """Write all files, record by record.

    Args:
        out: Folder; old pictures in it are removed.
        results: Records in the order of the input, with what ``ContactCaller.outputs`` says of them.
        formats: Words of ``FORMATS``.

    Returns:
        Names of the files, and counts for the summary.
    """
    for stale in out.glob("contacts-*.png"):
        stale.unlink()
    names, n_listed = [name for word, name in (("tsv", CONTACTS_TSV), ("h5", CONTACTS_H5)) if word in formats], 0
    with ExitStack() as stack:
        paths = {name: stack.enter_context(atomic_path(out / name)) for name in names}
        table = stack.enter_context(open(paths[CONTACTS_TSV], "w")) if CONTACTS_TSV in names else None
        maps = PairMapWriter(paths[CONTACTS_H5], stack) if CONTACTS_H5 in names else None
        if table:
            table.write("record_id\ti\tj\tseparation\tprobability\n")
        for number, (record, found) in enumerate(results, 1):
            lines = list(_lines(record, found))
            n_listed += len(lines)
            if table:
                table.writelines(lines)
            if maps:
                maps.add(record, found)
            if "png" in formats:
                names.append(PICTURE.format(number))
                with atomic_path(out / names[-1]) as temporary:
                    draw_map(temporary, record.id, _map(record, found), "codon")
        if table:
            table.close()
        if maps:
            maps.close()
    return names, {"n_listed": n_listed}


def _lines(record: Record, found: dict[str, np.ndarray]) -> Iterator[str]:
    n = LISTED_PER_CODON * (len(record) // 3)
    for (i, j), sure in zip(found["pairs"][:n].tolist(), found["probability"][:n].tolist(), strict=True):
        yield f"{record.id}\t{i + 1}\t{j + 1}\t{j - i}\t{sure:.4f}\n"


def _map(record: Record, found: dict[str, np.ndarray]) -> np.ndarray:
    values = np.zeros((len(record) // 3, len(record) // 3), np.float32)
    i, j = found["pairs"].T
    values[i, j] = values[j, i] = found["probability"]
    return values
