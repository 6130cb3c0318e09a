"""Functions of the sequences of FASTA files, written to a folder; an interrupted run continues.

The model pass of some thousand records at a time is kept in ``OUT/.work`` until the table is complete.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import numpy as np

from genoformer.decoding.caller import CallOptions
from genoformer.errors import WarningLog
from genoformer.files import atomic_path, write_text_atomic
from genoformer.inference.function_calls import FunctionCaller, calibrated, called_terms
from genoformer.inference.inputs import PredictOptions, all_records, in_chunks, spooled
from genoformer.inference.model_passes import PASS_FILES
from genoformer.inference.prediction_folder import (
    FUNCTIONS,
    SUMMARY,
    TERMS,
    check_folder,
    finish,
    held_folder,
    is_finished,
    make_room,
)  # fmt: skip
from genoformer.sequence.records import Record, SequenceDigest

TERM_COLUMNS = ("term", "name", "namespace", "information_bits", "implies")
CHUNK_BP, CHUNK_RECORDS = 2_000_000, 2_000
"""One model pass ends at either; together they bound memory and what a killed run loses."""


def predict_functions(
    paths: list[str],
    caller: FunctionCaller,
    out: Path,
    *,
    on_bad_record: str = "error",
    allow_empty: bool = False,
    overwrite: bool = False,
    dry_run: bool = False,
    on_bases: Callable[[int], None] = lambda n: None,
    warnings: WarningLog | None = None,
) -> dict:
    """Predict the label of every record and write ``functions.tsv``.

    Args:
        paths: FASTA files; "-" is standard input.
        caller: The model.
        out: Output folder.
        on_bad_record: "error" or "skip".
        allow_empty: Take an empty file for one without records: the coding sequences of a genome without genes.
        overwrite: Replace other results in ``out``.
        dry_run: Check the input, and write nothing.
        on_bases: Called with bases done since the last call.
        warnings: Counted warnings go here.

    Returns:
        Content of ``summary.json``; with ``"nothing_to_do": True`` added when ``out`` already holds this result.

    Raises:
        DataError: Bad input, one id in two files, or a model without calibration.
        OutputExistsError: ``out`` holds something else.
    """
    warnings = WarningLog() if warnings is None else warnings
    calibration, reading = caller.calibration, PredictOptions(CallOptions(), on_bad_record=on_bad_record)
    check_folder(out, paths, overwrite=overwrite)
    paths = _filled(paths) if allow_empty else paths
    if dry_run:
        scan = _scan(paths, caller, reading, warnings)
        return {"dry_run": True, "n_records": scan["n_records"], "n_bases": scan["n_bases"]}
    with held_folder(out) as work:
        paths = spooled(paths, work)
        scan = _scan(paths, caller, reading, warnings)
        key = {
            "sequence_digest": scan["sequence_digest"], "model_digest": caller.bundle.digest,
            "calibration": calibration, "precision": caller.precision, "version": version("genoformer"),
        }  # fmt: skip
        if is_finished(out, key):
            shutil.rmtree(work)
            return {**json.loads((out / SUMMARY).read_text()), "nothing_to_do": True}
        make_room(out, key, overwrite=overwrite)
        records = (record for _, record in all_records(paths, reading))
        chunks = in_chunks(records, n_records=CHUNK_RECORDS, n_bases=CHUNK_BP)
        passes = _passes(caller, chunks, work, on_bases)
        counts = _write(out / FUNCTIONS, caller, passes)
        summary = _summary(caller, scan, counts)
        run = {"key": key, "inputs": paths, "batch_size": caller.batch_size}
        finish(out, summary, run, [FUNCTIONS, *write_terms(out, caller)])
        return summary


def _filled(paths: list[str]) -> list[str]:
    return [path for path in paths if not (Path(path).is_file() and Path(path).stat().st_size == 0)]


def _scan(paths: list[str], caller: FunctionCaller, reading: PredictOptions, warnings: WarningLog) -> dict:
    """Read everything once, so that a broken last record is found before the work, not after it."""
    digest, n_records, n_bases, limit = SequenceDigest(), 0, 0, caller.task.options.max_bp
    for _, record in all_records(paths, reading, warnings):
        digest.update(record)
        n_records += 1
        n_bases += len(record)
        if len(record) > limit:
            warnings.add("FUNCTION-001", f'record "{record.id}": of {len(record):,} bp the first {limit:,} are read.')
    return {"n_records": n_records, "n_bases": n_bases, "sequence_digest": digest.hexdigest()}


def _passes(caller: FunctionCaller, chunks: Iterator[list[Record]], work: Path, on_bases: Callable[[int], None]):
    """Records of each chunk and their outputs; those that an interrupted run left are not made again."""
    for number, chunk in enumerate(chunks):
        path = work / PASS_FILES.replace("*", f"{number:07d}")
        if not path.is_file():
            outputs = caller.outputs([record.codes for record in chunk])
            with atomic_path(path) as temporary, open(temporary, "wb") as file:
                np.savez(file, outputs=outputs)
        with np.load(path) as stored:
            yield chunk, stored["outputs"]
        on_bases(sum(map(len, chunk)))


def _write(path: Path, caller: FunctionCaller, passes) -> Counter:
    counts: Counter = Counter()
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write("\t".join(table_columns(caller)) + "\n")
        for chunk, outputs in passes:
            rows, called = table_rows(chunk, outputs, caller)
            counts.update(chain.from_iterable(called))
            file.writelines("\t".join(row) + "\n" for row in rows)
    return counts


def table_columns(caller: FunctionCaller) -> list[str]:
    """Columns of ``functions.tsv``: what is said, how sure it is, and the probability of every class or term."""
    if caller.task.options.kind == "regression":
        return ["record_id", "length_bp", "prediction", "low", "high"]
    return ["record_id", "length_bp", "prediction", "probability", *caller.task.channels]


def write_terms(out: Path, caller: FunctionCaller) -> list[str]:
    """Write ``terms.tsv``, what the terms of an ontology are; gives the names of what was written."""
    ontology = caller.task.ontology
    if not ontology:
        return []
    bits = caller.calibration["information"]
    lines = ["\t".join(TERM_COLUMNS)]
    for term, information in zip(caller.task.channels, bits, strict=True):
        described = (ontology["names"][term], ontology["namespaces"][term], f"{information:.4f}")
        lines.append("\t".join((term, *described, ";".join(ontology["implied"][term]))))
    write_text_atomic(out / TERMS, "\n".join(lines) + "\n")
    return [TERMS]


def table_rows(
    chunk: list[Record], outputs: np.ndarray, caller: FunctionCaller
) -> tuple[list[list[str]], list[list[str]]]:
    """Rows of ``functions.tsv``, and the names that are said of each record; none for numbers."""
    task, calibration = caller.task, caller.calibration
    values = calibrated(task, outputs, calibration)
    heads = [[record.id, str(len(record))] for record in chunk]
    if task.options.kind == "regression":
        half = calibration["half_width"]
        numbers = [[f"{value:.6g}", f"{value - half:.6g}", f"{value + half:.6g}"] for value in values[:, 0]]
        return [head + row for head, row in zip(heads, numbers, strict=True)], []
    called = called_terms(task, outputs, calibration)
    rows = []
    for head, names, row in zip(heads, called, values, strict=True):
        sure = ";".join(f"{row[task.channels.index(name)]:.4f}" for name in names)
        rows.append([*head, ";".join(names), sure, *(f"{value:.4f}" for value in row)])
    return rows, called


def _summary(caller: FunctionCaller, scan: dict, counts: Counter) -> dict:
    kind = caller.task.options.kind
    return {
        "model": caller.bundle.name, "model_digest": caller.bundle.digest, "task": "function", "kind": kind, **scan,
        **({} if kind == "regression" else {"counts": {name: counts[name] for name in caller.task.channels}}),
    }  # fmt: skip
