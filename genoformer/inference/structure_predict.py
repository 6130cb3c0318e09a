"""Structures of the sequences of FASTA files, written to a folder; an interrupted run continues.

What the model says of some records at a time is kept in ``OUT/.work`` until the files are complete.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np

from genoformer.bundle import Bundle
from genoformer.decoding.caller import CallOptions
from genoformer.errors import DataError, WarningLog
from genoformer.files import atomic_path
from genoformer.inference.inputs import PredictOptions, all_records, in_chunks, spooled
from genoformer.inference.model_passes import PASS_FILES
from genoformer.inference.prediction_folder import (
    SUMMARY,
    check_folder,
    finish,
    held_folder,
    is_finished,
    make_room,
)  # fmt: skip
from genoformer.sequence.records import Record, SequenceDigest

CHUNK_BP, CHUNK_RECORDS = 50_000, 500
"""One file of outputs ends at either; together they bound memory and what a killed run loses."""

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
        Content of ``summary.json``; with ``"nothing_to_do": True`` added when ``out`` already holds this result.

    Raises:
        DataError: Bad input, one id in two files, a record that is too long, or a model without calibration.
        OutputExistsError: ``out`` holds something else.
    """
    warnings = WarningLog() if warnings is None else warnings
    calibration, reading = caller.calibration, PredictOptions(CallOptions(), on_bad_record=on_bad_record)
    check_folder(out, paths, overwrite=overwrite)
    if dry_run:
        scan = _scan(paths, caller, reading, warnings)
        return {"dry_run": True, "n_records": scan["n_records"], "n_bases": scan["n_bases"]}
    with held_folder(out) as work:
        paths = spooled(paths, work)
        scan = _scan(paths, caller, reading, warnings)
        key = {
            "sequence_digest": scan["sequence_digest"], "model_digest": caller.bundle.digest, "settings": settings,
            "calibration": calibration, "precision": caller.precision, "version": version("genoformer"),
        }  # fmt: skip
        if is_finished(out, key):
            shutil.rmtree(work)
            return {**json.loads((out / SUMMARY).read_text()), "nothing_to_do": True}
        make_room(out, key, overwrite=overwrite)
        records = (record for _, record in all_records(paths, reading))
        chunks = in_chunks(records, n_records=CHUNK_RECORDS, n_bases=CHUNK_BP)
        names, counts = write(out, _results(caller, chunks, work, on_bases))
        task = {"model": caller.bundle.name, "model_digest": caller.bundle.digest, "task": caller.bundle.config.task}
        summary = {**task, **scan, **counts}
        finish(out, summary, {"key": key, "inputs": paths}, names)
        return summary


def _scan(paths: list[str], caller: Caller, reading: PredictOptions, warnings: WarningLog) -> dict:
    """Read everything once, so that a bad last record is found before the work, not after it."""
    digest, n_records, n_bases = SequenceDigest(), 0, 0
    for _, record in all_records(paths, reading, warnings):
        if len(record) > caller.max_bp:
            raise DataError(
                "STRUCTURE-001", f'record "{record.id}" has {len(record):,} bases; the model reads up to '
                f"{caller.max_bp:,}.", where=", ".join(paths), fix="Cut it, or train with a larger max_bp.",
            )  # fmt: skip
        digest.update(record)
        n_records += 1
        n_bases += len(record)
    return {"n_records": n_records, "n_bases": n_bases, "sequence_digest": digest.hexdigest()}


def _results(
    caller: Caller, chunks: Iterator[list[Record]], work: Path, on_bases: Callable[[int], None]
) -> Iterator[Result]:
    """Records and their outputs; those that an interrupted run left are not made again."""
    for number, chunk in enumerate(chunks):
        path = work / PASS_FILES.replace("*", f"{number:07d}")
        if not path.is_file():
            arrays = {}
            for i, record in enumerate(chunk):
                arrays.update({f"{i} {name}": array for name, array in caller.outputs(record.codes).items()})
                on_bases(len(record))
            with atomic_path(path) as temporary, open(temporary, "wb") as file:
                np.savez(file, **arrays)
        with np.load(path) as stored:
            for i, record in enumerate(chunk):
                mark = f"{i} "
                yield record, {name.removeprefix(mark): stored[name] for name in stored if name.startswith(mark)}
