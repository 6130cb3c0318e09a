"""What a model says of some records at a time, kept while a prediction runs, so that an interrupted one continues."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from genoformer.files import atomic_path
from genoformer.inference.passes import PASS_FILES
from genoformer.sequence.records import Record

Outputs = Mapping[str, np.ndarray]


def kept_outputs(
    records: Iterable[Record], work: Path, make: Callable[[list[Record]], Outputs], *, n_records: int, n_bases: int
) -> Iterator[tuple[list[Record], Outputs]]:
    """Records together, with their outputs; those that an interrupted run left are not made again.

    Args:
        records: In the order of the input.
        work: Folder of the files, one for each group of records.
        make: Makes the outputs of a group.
        n_records: A group ends at this many records,
        n_bases: or this many bases; together they bound memory and what a killed run loses.
    """
    for number, chunk in enumerate(in_chunks(records, n_records=n_records, n_bases=n_bases)):
        path = work / PASS_FILES.replace("*", f"{number:07d}")
        if not path.is_file():
            outputs = make(chunk)
            with atomic_path(path) as temporary, open(temporary, "wb") as file:
                np.savez(file, **outputs)
        with np.load(path) as stored:
            yield chunk, stored


def in_chunks(records: Iterable[Record], *, n_records: int, n_bases: int) -> Iterator[list[Record]]:
    """Records together until there are ``n_records`` of them, or ``n_bases`` bases."""
    chunk, gathered = [], 0
    for record in records:
        chunk.append(record)
        gathered += len(record)
        if gathered >= n_bases or len(chunk) >= n_records:
            yield chunk
            chunk, gathered = [], 0
    if chunk:
        yield chunk
