"""The course of every prediction: look at folder and input, leave what is finished, do the work, write the manifest."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from genoformer.bundle.header import BundleHeader
from genoformer.errors import WarningLog
from genoformer.inference.folder import (
    DESCRIPTIONS,
    check_folder,
    check_results,
    claim_passes,
    claim_work,
    finish,
    held_folder,
    is_finished,
    read_summary,
    remove_results,
)
from genoformer.inference.interface import OnBases, Predictor, Request
from genoformer.inference.reading import Scan, spooled
from genoformer.inference.report_files import Finished
from genoformer.inference.space import check_space
from genoformer.nn.allocator import give_back

Load = Callable[[list[str], Scan, Path], Predictor]
"""Loads the model when there is work for it: from the input, what it holds, and the work folder."""


def ignore(count: Any) -> None:
    """Tell nobody how far the work is."""


@dataclass(frozen=True)
class Job:
    """A prediction that is to be made.

    Attributes:
        paths: FASTA, GenBank or EMBL files; "-" is standard input.
        request: What to do.
        header: The model, without its network.
        load: Loads the network.
        results: Names, and patterns of names, that results of any prediction have.
        also_read: Other files that are read.
        warnings: Counted warnings go here.
        on_start: Called once the input is known and there is work, with the number of bases.
        on_bases: Called with bases done since the last call.
    """

    paths: list[str]
    request: Request
    header: BundleHeader
    load: Load
    results: Sequence[str]
    also_read: list[str] = field(default_factory=list)
    warnings: WarningLog = field(default_factory=WarningLog)
    on_start: Callable[[int], None] = ignore
    on_bases: OnBases = ignore


def predict(job: Job, out: Path, *, overwrite: bool = False, dry_run: bool = False) -> dict[str, Any]:
    """Fill a folder with a prediction, or find that it holds it already; an interrupted run continues.

    Args:
        job: The prediction.
        out: Output folder.
        overwrite: Replace other results in ``out``.
        dry_run: Check the input, and write nothing.

    Returns:
        Content of ``summary.json``; with ``"nothing_to_do": True`` added when ``out`` already holds this result.

    Raises:
        DataError: Bad input, or a model that lacks what a prediction needs.
        UsageError: The request does not fit the input.
        OutputExistsError: ``out`` holds something else.
        BusyError: Another run fills it.
    """
    names = [*job.results, *DESCRIPTIONS]
    check_folder(out, [*job.paths, *job.also_read], overwrite=overwrite, results=names)
    if dry_run:
        with TemporaryDirectory() as scratch:  # standard input is kept, as it says what it is only when it is read
            paths = spooled(job.paths, Path(scratch))
            found = job.request.scan(paths, job.warnings)
            predictor = job.load(paths, found, out)
            predictor.check(found)
            needed = sum(predictor.needed_bytes(found))
            check_space(out, needed)
        counts = {"n_records": found.n_records, "n_bases": found.n_bases}
        return {"dry_run": True, **counts, "needed_bytes": needed}
    with held_folder(out, names) as work:
        paths = spooled(job.paths, work)
        found = job.request.scan(paths, job.warnings)
        key = job.request.key(job.header, found)
        if is_finished(out, key):
            shutil.rmtree(work)
            return {**read_summary(out), "nothing_to_do": True}
        check_results(out, overwrite=overwrite)
        claim_work(work, key)
        predictor = job.load(paths, found, work)
        predictor.check(found)
        check_space(work, sum(predictor.needed_bytes(found)))
        remove_results(out, job.results)  # not before it is sure that the model can take their place
        claim_passes(work, predictor.precision)
        key = {**key, "precision": predictor.precision}
        job.on_start(found.n_bases)
        predictor.run_passes(paths, found, work, job.on_bases)
        give_back()
        written = predictor.write(paths, found, out, [work], job.warnings)
        for report in written.reports:
            names_read = [Path(path).name for path in paths]
            report.describe(
                Finished(job.header, job.request.to_dict(), names_read, written.summary, predictor.precision)
            )
        finish(out, written.summary, {"key": key, "inputs": paths, **written.run}, written.names)
        return written.summary
