"""The course of every prediction: look at folder and input, leave what is finished, do the work, write the manifest."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from genoformer.inference.folder import SUMMARY, check_folder, finish, held_folder, is_finished, make_room
from genoformer.inference.reading import Scan, spooled

AnyScan = TypeVar("AnyScan", bound=Scan)


@dataclass(frozen=True)
class Written:
    """What a prediction has written.

    Attributes:
        summary: Content of ``summary.json``.
        names: Files in the folder.
        run: What ``run.json`` says besides key and inputs.
    """

    summary: dict
    names: list[str]
    run: dict = field(default_factory=dict)


def run_prediction(
    paths: list[str],
    out: Path,
    *,
    scan: Callable[[list[str]], AnyScan],
    key: Callable[[AnyScan], dict],
    write: Callable[[list[str], AnyScan, Path], Written],
    also_read: list[str] | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
) -> dict:
    """Fill a folder with a prediction, or find that it holds it already; an interrupted run continues.

    Args:
        paths: FASTA files; "-" is standard input.
        out: Output folder.
        scan: Reads all of the files once, so that a broken last record is found before the work, not after it.
        key: What makes two predictions the same, JSON types.
        write: Does the work, with the folder in which an interrupted run keeps what it has.
        also_read: Other files that are read.
        overwrite: Replace other results in ``out``.
        dry_run: Check the input, and write nothing.

    Returns:
        Content of ``summary.json``; with ``"nothing_to_do": True`` added when ``out`` already holds this result.

    Raises:
        OutputExistsError: ``out`` holds something else.
        BusyError: Another run fills it.
    """
    check_folder(out, [*paths, *(also_read or [])], overwrite=overwrite)
    if dry_run:
        found = scan(paths)
        return {"dry_run": True, "n_records": found.n_records, "n_bases": found.n_bases}
    with held_folder(out) as work:
        paths = spooled(paths, work)
        found = scan(paths)
        own_key = key(found)
        if is_finished(out, own_key):
            shutil.rmtree(work)
            return {**json.loads((out / SUMMARY).read_text()), "nothing_to_do": True}
        make_room(out, own_key, overwrite=overwrite)
        written = write(paths, found, work)
        finish(out, written.summary, {"key": own_key, "inputs": paths, **written.run}, written.names)
        return written.summary
