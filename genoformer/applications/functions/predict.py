"""Functions of the sequences of FASTA files, written to a folder; an interrupted run continues."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from genoformer.applications.functions.caller import FunctionCaller
from genoformer.applications.functions.outputs import table_columns, table_rows, write_terms
from genoformer.decoding.caller import CallOptions
from genoformer.errors import WarningLog
from genoformer.files import atomic_path
from genoformer.inference.chunks import Outputs, kept_outputs
from genoformer.inference.folder import FUNCTIONS
from genoformer.inference.reading import PredictOptions, Scan, all_records, scan_records
from genoformer.inference.run import Written, run_prediction
from genoformer.sequence.records import Record

CHUNK_BP, CHUNK_RECORDS = 2_000_000, 2_000
"""One model pass ends at either."""


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
        As ``run_prediction``.

    Raises:
        DataError: Bad input, one id in two files, or a model without calibration.
        OutputExistsError: ``out`` holds something else.
    """
    warnings = WarningLog() if warnings is None else warnings
    reading = PredictOptions(CallOptions(), on_bad_record=on_bad_record)
    about_model = {
        "model_digest": caller.bundle.digest, "calibration": caller.calibration, "precision": caller.precision,
        "version": version("genoformer"),
    }  # fmt: skip

    def outputs_of(chunk: list[Record]) -> Outputs:
        return {"outputs": caller.outputs([record.codes for record in chunk])}

    def write(paths: list[str], scan: Scan, work: Path) -> Written:
        records = (record for _, record in all_records(paths, reading))
        chunks = kept_outputs(records, work, outputs_of, n_records=CHUNK_RECORDS, n_bases=CHUNK_BP)
        counts = _write_table(out / FUNCTIONS, caller, chunks, on_bases)
        run = {"batch_size": caller.batch_size}
        return Written(_summary(caller, scan, counts), [FUNCTIONS, *write_terms(out, caller)], run)

    return run_prediction(
        _filled(paths) if allow_empty else paths, out,
        scan=lambda paths: scan_records(_counted(all_records(paths, reading, warnings), caller, warnings)),
        key=lambda scan: {"sequence_digest": scan.sequence_digest, **about_model}, write=write, also_read=paths,
        overwrite=overwrite, dry_run=dry_run,
    )  # fmt: skip


def _filled(paths: list[str]) -> list[str]:
    return [path for path in paths if not (Path(path).is_file() and Path(path).stat().st_size == 0)]


def _counted(records: Iterable[tuple[int, Record]], caller: FunctionCaller, warnings: WarningLog) -> Iterator[Record]:
    """The records; those that are not read to their end are counted."""
    limit = caller.task.options.max_bp
    for _, record in records:
        if len(record) > limit:
            warnings.add("FUNCTION-001", f'record "{record.id}": of {len(record):,} bp the first {limit:,} are read.')
        yield record


def _write_table(
    path: Path, caller: FunctionCaller, chunks: Iterable[tuple[list[Record], Outputs]], on_bases: Callable[[int], None]
) -> Counter:
    counts: Counter = Counter()
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write("\t".join(table_columns(caller)) + "\n")
        for chunk, stored in chunks:
            rows, called = table_rows(chunk, stored["outputs"], caller)
            counts.update(chain.from_iterable(called))
            file.writelines("\t".join(row) + "\n" for row in rows)
            on_bases(sum(map(len, chunk)))
    return counts


def _summary(caller: FunctionCaller, scan: Scan, counts: Counter) -> dict:
    kind = caller.task.options.kind
    about = {"model": caller.bundle.name, "model_digest": caller.bundle.digest, "task": "function", "kind": kind}
    said = {} if kind == "regression" else {"counts": {name: counts[name] for name in caller.task.channels}}
    return {**about, **asdict(scan), **said}
