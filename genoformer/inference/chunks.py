"""What a model says of some records at a time, kept while a prediction runs, so that an interrupted one continues.

Groups of records follow from the input alone: shards make the groups that begin in their share.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genoformer.files.kept import has_arrays, read_own_arrays, write_arrays
from genoformer.inference.interface import OnBases
from genoformer.inference.passes import PASS_FILES
from genoformer.sequence.records import Record

Outputs = Mapping[str, np.ndarray]
"""What is said of one record, by name."""


@dataclass(frozen=True)
class ChunkSize:
    """A group of records ends at either; together they bound memory, and what a killed run loses.

    Attributes:
        n_records: Records of a group.
        n_bases: Bases of a group.
    """

    n_records: int
    n_bases: int


def make_chunks(
    records: Iterable[Record],
    folder: Path,
    make: Callable[[list[Record]], list[Outputs]],
    size: ChunkSize,
    on_bases: OnBases,
    share: range | None = None,
) -> None:
    """Keep what the model says of every group of records; groups that are there, undamaged, are not made again.

    Args:
        records: In the order of the input.
        folder: Of the files, one for each group.
        make: Says something of each record of a group.
        size: Of a group.
        on_bases: Called with bases done since the last call.
        share: Only groups that begin among these bases, counted through all records; None for all.
    """
    n_before = 0
    for number, chunk in enumerate(in_chunks(records, size)):
        begin, n_bases = n_before, sum(map(len, chunk))
        n_before += n_bases
        if share is not None and begin not in share:
            continue
        path = folder / _name(number)
        if not has_arrays(path):
            write_arrays(path, **pack(make(chunk)))
        on_bases(n_bases)


def read_chunks(records: Iterable[Record], folders: list[Path], size: ChunkSize) -> Iterator[tuple[Record, Outputs]]:
    """Every record with what the model said of it.

    Args:
        records: The same that ``make_chunks`` was given.
        folders: Of the files.
        size: The same, too.
    """
    for number, chunk in enumerate(in_chunks(records, size)):
        path = next(path for folder in folders if (path := folder / _name(number)).is_file())
        yield from zip(chunk, unpack(read_own_arrays(path), len(chunk)), strict=True)


def in_chunks(records: Iterable[Record], size: ChunkSize) -> Iterator[list[Record]]:
    """Records together until they are as many, or as long, as a group may be."""
    chunk: list[Record] = []
    gathered = 0
    for record in records:
        chunk.append(record)
        gathered += len(record)
        if gathered >= size.n_bases or len(chunk) >= size.n_records:
            yield chunk
            chunk, gathered = [], 0
    if chunk:
        yield chunk


def pack(outputs: list[Outputs]) -> dict[str, np.ndarray]:
    """Outputs of a group as arrays by name: one array for all records where their shapes are the same."""
    packed = {}
    for name in dict.fromkeys(name for found in outputs for name in found):
        arrays = [found[name] for found in outputs]
        if len({array.shape for array in arrays}) == 1:
            packed[f"all {name}"] = np.stack(arrays)
        else:
            packed |= {f"{i} {name}": array for i, array in enumerate(arrays)}
    return packed


def unpack(stored: Mapping[str, np.ndarray], n_records: int) -> list[Outputs]:
    """What ``pack`` was given."""
    found: list[dict[str, np.ndarray]] = [{} for _ in range(n_records)]
    for key in stored:
        place, _, name = key.partition(" ")
        array = stored[key]
        if place == "all":
            for row, mine in zip(array, found, strict=True):
                mine[name] = row
        else:
            found[int(place)][name] = array
    return list(found)


def _name(number: int) -> str:
    return PASS_FILES.replace("*", f"{number:07d}")
