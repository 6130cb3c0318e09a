"""Structures of the sequences of FASTA files, written to a folder; an interrupted run continues."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np

from genoformer.bundle import Bundle
from genoformer.decoding.caller import CallOptions
from genoformer.errors import DataError, WarningLog
from genoformer.inference.chunks import Outputs, kept_outputs
from genoformer.inference.reading import PredictOptions, Scan, all_records, scan_records
from genoformer.inference.run import Written, run_prediction
from genoformer.sequence.records import Record

CHUNK_BP, CHUNK_RECORDS = 50_000, 500
"""One file of outputs ends at either."""

Result = tuple[Record, dict[str, np.ndarray]]
Write = Callable[[Path, Iterable[Result]], tuple[list[str], dict]]
"""Writes all files into a folder; gives their names, and counts for the summary."""


class Caller(Protocol):
    """A model made ready."""

    bundle: Bundle
    precision: str

    @property
    def max_bp(self) -> int:
        """Longest sequence that is read."""

    @property
    def calibration(self) -> dict:
        """DataError if the bundle has none."""

    def outputs(self, codes: np.ndarray) -> dict[str, np.ndarray]:
        """What is to be written of a sequence; DataError or ValueError if it is no sequence for this model."""


def predict_structures(
    paths: list[str], caller: Caller, out: Path, write: Write, *, settings: dict, on_bad_record: str = "error",
    overwrite: bool = False, dry_run: bool = False, on_bases: Callable[[int], None] = lambda n: None,
    warnings: WarningLog | None = None,
) -> dict:  # fmt: skip
    """Predict the structure of every record and write it.

    Args:
        paths: FASTA files; "-" is standard input.
        caller: The model.
        out: Output folder.
        write: Writes the files.
        settings: What besides model and sequences decides about the results; JSON types.
        on_bad_record: "error" or "skip".
        overwrite: Replace other results in ``out``.
        dry_run: Check the input, and write nothing.
        on_bases: Called with bases done since the last call.
        warnings: Counted warnings go here.

    Returns:
        As ``run_prediction``.

    Raises:
        DataError: Bad input, one id in two files, a record that is too long, or a model without calibration.
        OutputExistsError: ``out`` holds something else.
    """
    warnings = WarningLog() if warnings is None else warnings
    reading = PredictOptions(CallOptions(), on_bad_record=on_bad_record)
    about_model = {
        "model_digest": caller.bundle.digest, "settings": settings, "calibration": caller.calibration,
        "precision": caller.precision, "version": version("genoformer"),
    }  # fmt: skip

    def outputs_of(chunk: list[Record]) -> Outputs:
        arrays = {}
        for i, record in enumerate(chunk):
            arrays.update({f"{i} {name}": array for name, array in caller.outputs(record.codes).items()})
            on_bases(len(record))
        return arrays

    def write_all(paths: list[str], scan: Scan, work: Path) -> Written:
        records = (record for _, record in all_records(paths, reading))
        chunks = kept_outputs(records, work, outputs_of, n_records=CHUNK_RECORDS, n_bases=CHUNK_BP)
        names, counts = write(out, _results(chunks))
        about = {"model": caller.bundle.name, "model_digest": caller.bundle.digest, "task": caller.bundle.config.task}
        return Written({**about, **asdict(scan), **counts}, names)

    return run_prediction(
        paths, out, scan=lambda paths: scan_records(_checked(paths, caller, reading, warnings)),
        key=lambda scan: {"sequence_digest": scan.sequence_digest, **about_model}, write=write_all,
        overwrite=overwrite, dry_run=dry_run,
    )  # fmt: skip


def _checked(paths: list[str], caller: Caller, reading: PredictOptions, warnings: WarningLog) -> Iterator[Record]:
    """The records; DataError if one is too long."""
    for _, record in all_records(paths, reading, warnings):
        if len(record) > caller.max_bp:
            raise DataError(
                "STRUCTURE-001", f'record "{record.id}" has {len(record):,} bases; the model reads up to '
                f"{caller.max_bp:,}.", where=", ".join(paths), fix="Cut it, or train with a larger max_bp.",
            )  # fmt: skip
        yield record


def _results(chunks: Iterable[tuple[list[Record], Outputs]]) -> Iterator[Result]:
    """Each record with its own outputs."""
    for chunk, stored in chunks:
        for i, record in enumerate(chunk):
            mark = f"{i} "
            yield record, {name.removeprefix(mark): stored[name] for name in stored if name.startswith(mark)}
