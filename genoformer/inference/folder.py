"""The folder of a prediction: whose files lie in it, whether it is finished, and where an interrupted run continues."""

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from genoformer.errors import DataError, OutputExistsError
from genoformer.files import (
    LOCK_NAME,
    MANIFEST_NAME,
    folder_lock,
    read_json,
    verify_manifest,
    write_json_atomic,
    write_manifest,
)
from genoformer.files.folders import check_names, made_folder
from genoformer.files.kept import keep_plain, remove

SUMMARY, RUN, WORK = "summary.json", "run.json", ".work"
DESCRIPTIONS = (SUMMARY, RUN, MANIFEST_NAME)
"""What every finished prediction has beside its results."""
KEY = "key.json"
MODEL_PASS = "precision.json"
"""Number format of the model passes that are kept."""
PREPARED = "prepared"
"""In the work folder: what loading the model makes, such as a bundle that was adapted to the input."""
SPOOL = "stdin.fa"
"""Standard input, kept in the work folder: it cannot be read again."""
VCF_SPOOL = "variants.vcf"
"""Likewise, of ``genoformer variants``."""
SPOOLS = (SPOOL, VCF_SPOOL)
"""All files that hold inputs; without model passes they are not worth keeping."""


def check_folder(
    out: Path, inputs: list[str], *, overwrite: bool, results: Sequence[str], kind: str = "prediction"
) -> None:
    """Refuse a folder that holds files of others, or one of the inputs under the name of a result.

    Args:
        out: Output folder; it need not be there.
        inputs: Files that are read.
        overwrite: Results of other runs may be replaced; files of others stay where they are.
        results: Names of the results, or patterns of names.
        kind: What they are, in a word.

    Raises:
        OutputExistsError: If it does, or if it is no folder.
    """
    if os.path.lexists(out) and not os.path.isdir(out):
        raise refusal("OUT-001", "the output must be a folder, but a file has this name.", out)
    for path in inputs:
        if os.path.dirname(os.path.realpath(path)) == os.path.realpath(out) and any(
            fnmatch(Path(path).name, name) for name in results
        ):
            raise refusal("OUT-004", f"the input {path} has the name of a result.", out)
    try:
        names = set(os.listdir(out)) if os.path.isdir(out) else set()
    except OSError as error:
        raise refusal("OUT-001", f"cannot read this folder: {error.strerror}.", out) from error
    if names:
        check_names(out, results)
        _check_work(out / WORK)
    traces = (LOCK_NAME, *_half_written(results))
    # Workflows make the folders of results before the command runs.
    made = {Path(name).parent.name for name in results if "/" in name and not any((out / name).parent.glob("*"))}
    foreign = [name for name in names - made if not any(fnmatch(name, trace) for trace in traces)]
    if foreign and not overwrite and not names & {MANIFEST_NAME, WORK}:
        raise refusal("OUT-002", f"the folder holds files that are no {kind}: {min(foreign)}.", out)


def _check_work(work: Path) -> None:
    """Refuse what is no folder of ours, but has the name of the work folder."""
    if os.path.lexists(work) and (os.path.islink(work) or not os.path.isdir(work)):
        raise refusal("OUT-010", f"{WORK} must be a folder in this one, but is a file or a link.", work.parent)


@contextmanager
def held_folder(out: Path, results: Sequence[str]) -> Iterator[Path]:
    """Make the folder, keep other runs out of it, and remove what a killed run left half written.

    When the block raises, what was made here goes again; only what the same command continues from stays.

    Args:
        out: The folder.
        results: Names of the results, or patterns of names.

    Yields:
        The work folder inside, in which nothing but files and folders lies.

    Raises:
        OutputExistsError: If the folder cannot be made.
        BusyError: If another run holds it.
    """
    with made_folder(out), folder_lock(out):
        work = out / WORK
        _check_work(work)
        work.mkdir(exist_ok=True)
        keep_plain(work)
        remove_half_written(out, results)
        for stale in work.glob(".*.tmp"):
            remove(stale)
        try:
            yield work
        except BaseException as error:
            if _tidy(work):
                error.add_note(f"what was done so far is kept in {out}, and the same command continues")
            raise
        _tidy(work)


def _tidy(work: Path) -> bool:
    """Remove the work folder if no work is kept in it; whether some is."""
    with suppress(OSError):
        if {path.name for path in work.iterdir()} <= {KEY, MODEL_PASS, *SPOOLS}:
            shutil.rmtree(work)
    return work.is_dir()


def is_finished(out: Path, key: dict) -> bool:
    """Whether the folder holds the complete and unchanged results of ``key``; a "precision" of None stands for any."""
    try:
        stored = read_description(out / RUN)["key"]
        if key["precision"] is None:
            stored = {**stored, "precision": None}
        return stored == key and SUMMARY in verify_manifest(out)
    except (DataError, OSError, ValueError, KeyError, TypeError):
        return False


def check_results(out: Path, *, overwrite: bool) -> None:
    """Refuse a folder with a finished result of another run, unless it may be replaced.

    Raises:
        OutputExistsError: If it may not.
    """
    check_free(out, "other results, or results that were changed", overwrite=overwrite)


def remove_results(out: Path, results: Sequence[str]) -> None:
    """Remove what other runs have written.

    Args:
        out: Output folder.
        results: Names of the results, or patterns of names.
    """
    for name in (MANIFEST_NAME, RUN, SUMMARY, *results):
        for path in out.glob(name):
            if not path.is_dir():
                path.unlink()
    for folder in {Path(name).parent for name in results if "/" in name}:
        with suppress(OSError):
            (out / folder).rmdir()  # fails, as it should, where it holds files of others


def claim_work(work: Path, key: dict, spools: Collection[str] = (SPOOL,)) -> None:
    """Keep what an interrupted run of ``key`` left in the work folder, and nothing else but ``spools``."""
    if not is_work_of(work, key):
        _clear(work, {*spools})
        write_json_atomic(work / KEY, key)


def claim_passes(work: Path, precision: str, spools: Collection[str] = (SPOOL,)) -> None:
    """Keep model passes of this number format, and no others; ``spools`` stay."""
    try:
        is_same = read_json(work / MODEL_PASS) == precision
    except (OSError, ValueError):
        is_same = False
    if not is_same:
        _clear(work, {*spools, KEY, PREPARED})
        write_json_atomic(work / MODEL_PASS, precision)


def _clear(work: Path, kept: set[str]) -> None:
    for path in work.iterdir():
        if path.name not in kept or path.is_dir() != (path.name == PREPARED):
            remove(path)


def check_free(out: Path, found: str, *, overwrite: bool) -> None:
    """Refuse a folder with a finished result unless it may be replaced; work in it is then of no use.

    Args:
        out: Output folder.
        found: What the folder holds, in words.
        overwrite: It may be replaced.

    Raises:
        OutputExistsError: If it may not.
    """
    if (out / MANIFEST_NAME).exists() and not overwrite:
        shutil.rmtree(out / WORK, ignore_errors=True)
        raise refusal("OUT-003", f"the folder holds {found}.", out)


def is_work_of(work: Path, key: dict) -> bool:
    """Whether the work folder holds what an interrupted run of ``key`` left."""
    try:
        return read_json(work / KEY) == key
    except (OSError, ValueError):
        return False


def remove_half_written(out: Path, results: Sequence[str]) -> None:
    """Remove what a run that was killed left of its results."""
    # A set: patterns of results overlap, such as the name of the first picture and that of all.
    for stale in {path for trace in _half_written(results) for path in out.glob(trace)}:
        remove(stale)


def _half_written(results: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(Path(name).with_name(f".{Path(name).name}.*.tmp")) for name in results)


def read_summary(out: Path) -> dict[str, Any]:
    """Content of ``summary.json`` of a finished prediction."""
    return read_description(out / SUMMARY)


def read_description(path: Path) -> dict[str, Any]:
    """Content of ``summary.json`` or ``run.json``; OSError or ValueError if it is no JSON object."""
    stored = read_json(path)
    if not isinstance(stored, dict):
        raise ValueError("a JSON object is expected")
    return stored


def finish(out: Path, summary: dict, run: dict, names: list[str]) -> None:
    """Write what describes the results ``names``; the manifest comes last.

    ``run.json``, the only file that may differ between equal predictions, is not in the manifest.
    """
    write_json_atomic(out / SUMMARY, summary)
    write_json_atomic(out / RUN, run)
    write_manifest(out, [*names, SUMMARY])
    shutil.rmtree(out / WORK, ignore_errors=True)


def refusal(code: str, message: str, out: Path) -> OutputExistsError:
    """The error that leaves a folder as it is, with what the user can do."""
    fix = "Choose another folder with -o"
    return OutputExistsError(
        code,
        message,
        where=str(out),
        fix=f"{fix}, or add --overwrite." if code in ("OUT-002", "OUT-003") else f"{fix}.",
    )
