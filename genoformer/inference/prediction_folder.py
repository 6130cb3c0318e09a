"""The folder of a prediction: whose files lie in it, whether it is finished, and where an interrupted run continues."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path

from genoformer.errors import DataError, OutputExistsError
from genoformer.files import LOCK_NAME, MANIFEST_NAME, folder_lock, verify_manifest, write_json_atomic, write_manifest
from genoformer.inference.gene_outputs import WRITERS
from genoformer.inference.model_passes import PASS_FILES

SUMMARY, RUN, WORK = "summary.json", "run.json", ".work"
RESULTS = (*(name for name, _ in WRITERS.values()), SUMMARY, RUN, MANIFEST_NAME)
_TRACES = (LOCK_NAME, *(f".{name}.*.tmp" for name in RESULTS))
"""What a run that was killed, or that failed early, leaves behind."""


def check_folder(out: Path, inputs: list[str], *, overwrite: bool) -> None:
    """Refuse a folder that holds files of others, or one of the inputs under the name of a result.

    Raises:
        OutputExistsError: If it does, or if it is no folder.
    """
    if out.exists() and not out.is_dir():
        raise _refusal("OUT-001", "the output must be a folder, but a file has this name.", out)
    taken = {(out / name).resolve() for name in RESULTS}
    for path in inputs:
        if Path(path).resolve() in taken:
            raise _refusal("OUT-004", f"the input {path} has the name of a result.", out)
    names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    foreign = [name for name in names if not any(fnmatch(name, trace) for trace in _TRACES)]
    if foreign and not overwrite and not names & {MANIFEST_NAME, WORK}:
        raise _refusal("OUT-002", f"the folder holds files that are no prediction: {min(foreign)}.", out)


@contextmanager
def held_folder(out: Path) -> Iterator[Path]:
    """Make the folder, keep other runs out of it, and remove what a killed run left half written.

    Yields:
        The work folder inside.

    Raises:
        OutputExistsError: If the folder cannot be made.
        BusyError: If another run holds it.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refusal("OUT-001", f"cannot create this folder: {error.strerror}.", out) from error
    with folder_lock(out):
        work = out / WORK
        work.mkdir(exist_ok=True)
        for stale in (*(path for trace in _TRACES[1:] for path in out.glob(trace)), *work.glob(".*.tmp")):
            stale.unlink()
        try:
            yield work
        finally:
            with suppress(OSError):
                work.rmdir()  # fails, as it should, where model passes are kept


def is_finished(out: Path, key: dict) -> bool:
    """Whether the folder holds the complete and unchanged results of ``key``."""
    try:
        same = json.loads((out / RUN).read_text())["key"] == key
        return same and SUMMARY in verify_manifest(out)
    except (DataError, OSError, ValueError, KeyError, TypeError):
        return False


def make_room(out: Path, key: dict, *, overwrite: bool) -> None:
    """Remove results of other runs, and model passes that are not those of ``key``.

    Raises:
        OutputExistsError: If there is a finished result, and ``overwrite`` was not given.
    """
    work = out / WORK
    if (out / MANIFEST_NAME).exists() and not overwrite:
        shutil.rmtree(work, ignore_errors=True)
        raise _refusal("OUT-003", "the folder holds other results, or results that were changed.", out)
    for name in reversed(RESULTS):  # the manifest first
        (out / name).unlink(missing_ok=True)
    try:
        same = json.loads((work / "key.json").read_text()) == key
    except (OSError, ValueError):
        same = False
    if not same:
        for stale in work.glob(PASS_FILES):
            stale.unlink()
        write_json_atomic(work / "key.json", key)


def finish(out: Path, summary: dict, run: dict, names: list[str]) -> None:
    """Write what describes the results ``names``; the manifest comes last.

    ``run.json``, the only file that may differ between equal predictions, is not in the manifest.
    """
    write_json_atomic(out / SUMMARY, summary)
    write_json_atomic(out / RUN, run)
    write_manifest(out, [*names, SUMMARY])
    shutil.rmtree(out / WORK, ignore_errors=True)


def _refusal(code: str, message: str, out: Path) -> OutputExistsError:
    fix = "Choose another folder with -o"
    return OutputExistsError(
        code,
        message,
        where=str(out),
        fix=f"{fix}, or add --overwrite." if code in ("OUT-002", "OUT-003") else f"{fix}.",
    )
