"""A prediction in parts: what several processes or jobs make of one input, and the one result it becomes.

A shard is the model pass of an equal share of the bases. What follows depends on the whole genome (its statistics, and
the selection along each record) and is done by ``merge_shards``. Shards divide the input between the blocks of
``decoding.caller``, with the tiles and batches of the whole, so that any number of them gives the same bytes.
"""

import os
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from genoformer.bundle.header import BundleHeader
from genoformer.errors import DataError, MissingFileError, UsageError
from genoformer.files import (
    MANIFEST_NAME,
    folder_lock,
    read_json,
    verify_manifest,
    write_json_atomic,
    write_manifest,
)
from genoformer.files.folders import made_folder
from genoformer.files.kept import remove
from genoformer.files.typed import check_types
from genoformer.inference.folder import check_free
from genoformer.inference.interface import CommandRequest, Predictor, Request, Written
from genoformer.inference.passes import LEARNED, PASS_FILES
from genoformer.inference.reading import Scan
from genoformer.inference.run import Job, predict
from genoformer.inference.space import check_space
from genoformer.inference.tracks import TRACK_FILES

SHARD = "shard.json"
FOLDER = re.compile(r"shard-(\d+)-of-(\d+)")
PRECISIONS = ("bfloat16", "float32")
OTHER = {
    "sequence_digest": "another input",
    "model_digest": "another model",
    "mask": "another mask",
    "hints": "other hints",
    "isoforms": "another number of isoforms",
    "calibration": "another calibration",
}
"""What a message calls a difference; others have the name of the setting."""


@dataclass(frozen=True)
class Shard:
    """One of ``of`` equal parts, counted from 1."""

    number: int
    of: int

    def folder(self, parts: Path) -> Path:
        """Where the shard is written, in the folder of all shards."""
        return parts / f"shard-{self.number}-of-{self.of}"

    def share(self, n_bases: int) -> range:
        """The bases of the input, counted through all records, that belong to this shard."""
        return range(n_bases * (self.number - 1) // self.of, n_bases * self.number // self.of)


def predict_shard(job: Job, parts: Path, shard: Shard, *, model: str, overwrite: bool = False) -> tuple[Path, bool]:
    """The model pass of one shard; the same call continues one that was interrupted.

    Args:
        job: The whole prediction; not of standard input, which every process would have to read.
        parts: Folder of all shards; this one goes to ``shard-I-of-N`` in it.
        shard: Which part.
        model: Where the bundle is, for the merge: a folder or a shipped name.
        overwrite: Replace a finished shard of another prediction.

    Returns:
        Folder of the shard, and whether there was work to do.

    Raises:
        UsageError: If the input is standard input.
        DataError: Bad input.
        OutputExistsError: The shard's folder cannot be made, or holds one of another prediction.
        BusyError: Another process makes this shard.
    """
    if "-" in job.paths:
        message = "shards cannot share standard input."
        raise UsageError("SHARD-002", message, where="--shard", fix="Write it to a file first.")
    folder = shard.folder(parts)
    with made_folder(folder), folder_lock(folder):
        scan = job.request.scan(job.paths, job.warnings)
        predictor = job.load(job.paths, scan, folder)
        predictor.check(scan)
        description = {
            "key": {**job.request.key(job.header, scan), "precision": predictor.precision},
            "shard": [shard.number, shard.of],
            "request": job.request.to_dict(),
            "model": str(Path(model).resolve()) if Path(model).is_dir() else model,
            "inputs": [str(Path(path).resolve()) for path in job.paths],
        }
        if not _claim(folder, description, overwrite=overwrite):
            return folder, False
        share = shard.share(scan.n_bases)
        check_space(folder, round(predictor.needed_bytes(scan)[0] * len(share) / max(scan.n_bases, 1)))
        job.on_start(len(share))
        try:
            predictor.run_passes(job.paths, scan, folder, job.on_bases, share)
        except BaseException as error:
            error.add_note(f"what was done so far is kept in {folder}, and the same command continues")
            raise
        write_manifest(folder, [SHARD, *sorted(path.name for path in _pass_files(folder))])
    return folder, True


@dataclass(frozen=True)
class Shards:
    """All shards of a prediction, finished and made alike.

    Attributes:
        folders: Of the shards, in order.
        key: What makes two predictions the same.
        request: What ``Request.to_dict`` gave.
        model: Where the bundle was.
        inputs: Where the input was.
    """

    folders: list[Path]
    key: dict[str, Any]
    request: dict[str, Any]
    model: str
    inputs: list[str]


@dataclass(frozen=True)
class Description:
    """What ``shard.json`` says.

    Attributes:
        key: What makes two predictions the same.
        shard: Number and count.
        request: What ``Request.to_dict`` gave.
        model: Where the bundle was.
        inputs: Where the input was.
    """

    key: dict[str, Any]
    shard: list[int]
    request: dict[str, Any]
    model: str
    inputs: list[str]


def read_request(kind: type[CommandRequest], shards: Shards) -> Any:
    """The request that shards were made with.

    Args:
        kind: Of the model's task.
        shards: From ``read_shards``.

    Raises:
        DataError: If ``shard.json`` says something else than such a request.
    """
    try:
        request = kind.from_dict(shards.request)
        check_types(request)
        return request
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise _unreadable(shards.folders[0], error) from error


@dataclass(frozen=True)
class MergedRequest:
    """The request of shards: the input must be theirs, the key is theirs.

    Attributes:
        request: As it was given to the shards.
        shards: The shards.
    """

    request: Request
    shards: Shards

    def __getattr__(self, name: str) -> Any:
        return getattr(self.request, name)

    def scan(self, paths: list[str], warnings: Any) -> Scan:
        """Read the input; DataError if it is not that of the shards."""
        found = self.request.scan(paths, warnings)
        if found.sequence_digest != self.shards.key["sequence_digest"]:
            message = "this is not the sequence that the shards were made from."
            raise DataError("SHARD-005", message, where=", ".join(paths))
        return found

    def key(self, header: BundleHeader, scan: Scan) -> dict[str, Any]:
        """The key of the shards; DataError if the input calls other records circular than it did for them."""
        if self.request.key(header, scan).get("circular") != self.shards.key.get("circular"):
            message = "other records are circular than when the shards were made."
            raise DataError("SHARD-005", message, where=", ".join(self.shards.inputs))
        return self.shards.key


@dataclass(frozen=True)
class MergingPredictor:
    """A predictor whose model pass was done by shards.

    Attributes:
        predictor: Writes the files.
        shards: Did the model pass.
    """

    predictor: Predictor
    shards: Shards

    @property
    def precision(self) -> str:
        return self.shards.key["precision"]

    def check(self, scan: Scan) -> None:
        """The shards have checked the input."""

    def needed_bytes(self, scan: Scan) -> tuple[int, int]:
        """The files alone: the rest is there."""
        return 0, self.predictor.needed_bytes(scan)[1]

    def run_passes(self, *args: Any) -> None:
        """Nothing: they are there."""

    def write(self, paths: list[str], scan: Scan, out: Path, folders: list[Path], warnings: Any) -> Written:
        """The files of the prediction, from the model pass of all shards."""
        written = self.predictor.write(paths, scan, out, self.shards.folders, warnings)
        return replace(written, run={"shards": len(self.shards.folders)})


def merge_shards(job: Job, shards: Shards, out: Path, *, overwrite: bool = False) -> dict[str, Any]:
    """Everything behind the model pass, from all shards: what ``predict`` without shards writes.

    Args:
        job: The prediction, with the request of the shards.
        shards: From ``read_shards``.
        out: Output folder.
        overwrite: Replace other results in ``out``.

    Returns:
        As ``predict``.

    Raises:
        DataError: If shards, input and model do not belong together.
        OutputExistsError: ``out`` holds something else.
    """
    mine = job.request.key(job.header, Scan(0, 0, ""))
    if any(mine.get(name) != shards.key.get(name) for name in ("model_digest", "decoder_digest", "task")):
        raise DataError("SHARD-005", "the shards were made with another model.", where=job.header.name)

    def load(paths: list[str], scan: Scan, work: Path) -> Predictor:
        return MergingPredictor(job.load(paths, scan, work), shards)

    merged = replace(job, request=MergedRequest(job.request, shards), load=load)
    return predict(merged, out, overwrite=overwrite)


def read_shards(parts: Path) -> Shards:
    """All shards of a folder, checked against their manifests and each other.

    Raises:
        MissingFileError: If one is not there.
        DataError: If one is unfinished or damaged, or made otherwise than the first.
    """
    folders, shards = _read_all(parts)
    first = shards[0]
    return Shards(folders, first["key"], first["request"], first["model"], first["inputs"])


def _claim(folder: Path, description: dict, *, overwrite: bool) -> bool:
    """Whether there is work to do; then the folder holds the description, and passes of no other prediction."""
    _keep_plain(folder)
    is_same, is_finished = _is_shard(folder, description), (folder / MANIFEST_NAME).exists()
    if is_same and is_finished and _is_intact(folder):
        return False
    if not is_same:
        check_free(folder, "the shard of another prediction", overwrite=overwrite)
    for stale in [folder / MANIFEST_NAME, *folder.glob(".*.tmp")]:
        if os.path.lexists(stale):
            remove(stale)
    if not is_same:
        for stale in _pass_files(folder):
            remove(stale)
    write_json_atomic(folder / SHARD, description)
    return True


def _keep_plain(folder: Path) -> None:
    """Remove what has the name of a file of ours, but is none: a link would be followed, a pipe waited for."""
    for path in [folder / SHARD, folder / MANIFEST_NAME, *_pass_files(folder)]:
        if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
            remove(path)


def _pass_files(folder: Path) -> list[Path]:
    """What a model pass has written."""
    patterns = (PASS_FILES, TRACK_FILES, LEARNED)
    return [path for pattern in patterns for path in folder.glob(pattern)]


def _is_shard(folder: Path, description: dict) -> bool:
    try:
        stored: Any = read_json(folder / SHARD)
        return all(stored[name] == description[name] for name in ("key", "shard"))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _is_intact(folder: Path) -> bool:
    try:
        return SHARD in verify_manifest(folder)
    except DataError:
        return False


def _read_all(parts: Path) -> tuple[list[Path], list[dict]]:
    """Folders and descriptions of all shards, in order, checked against their manifests and each other."""
    found = [match for path in parts.glob("shard-*") if (match := FOLDER.fullmatch(path.name))]
    if not found:
        raise MissingFileError("SHARD-003", "there are no shards in this folder.", where=str(parts))
    sizes = sorted({int(match[2]) for match in found})
    if len(sizes) > 1:
        message = f"there are shards of {' and of '.join(map(str, sizes))}."
        raise DataError("SHARD-004", message, where=str(parts), fix="Delete those that are not wanted.")
    have, of = {int(match[1]) for match in found}, sizes[0]
    if missing := sorted(set(range(1, of + 1)) - have):
        text = ", ".join(f"{number}/{of}" for number in missing[:20])
        fix = "Run genoformer predict with --shard for each."
        raise MissingFileError("SHARD-003", f"missing shards: {text}.", where=str(parts), fix=fix)
    folders = [Shard(number, of).folder(parts) for number in range(1, of + 1)]
    shards = [_read_shard(folder) for folder in folders]
    for folder, shard in zip(folders, shards, strict=True):
        _check_same(shards[0]["key"], shard["key"], folder)
    return folders, shards


def _read_shard(folder: Path) -> dict:
    if not (folder / MANIFEST_NAME).is_file():
        fix = "Run the same genoformer predict command again; it continues."
        raise DataError("SHARD-006", "this shard is not finished.", where=str(folder), fix=fix)
    for name in [MANIFEST_NAME, SHARD, *(path.name for path in _pass_files(folder))]:
        if (folder / name).is_symlink() or not (folder / name).is_file():
            raise _unreadable(folder, f"{name} is no plain file")
    if SHARD not in (files := verify_manifest(folder)) or {path.name for path in _pass_files(folder)} - files.keys():
        raise _unreadable(folder, "its manifest is that of another folder")
    try:
        stored: Any = read_json(folder / SHARD)
        found = Description(**{field.name: stored[field.name] for field in fields(Description)})
        check_types(found)
        if not found.inputs or folder.name != "shard-{}-of-{}".format(*found.shard):
            raise ValueError("it is that of another shard")
        if any("\0" in name for name in (found.model, *found.inputs)):
            raise ValueError("it names what no file can be called")
        if not isinstance(found.key["sequence_digest"], str) or found.key["precision"] not in PRECISIONS:
            raise ValueError("its key is that of no prediction")
        return stored
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise _unreadable(folder, error) from error


def _unreadable(folder: Path, why: object) -> DataError:
    why = f"no {why}" if isinstance(why, KeyError) else why
    fix = "Copy it again, or make it again with --overwrite."
    return DataError("SHARD-010", f"this is not the folder of a shard: {why}.", where=str(folder), fix=fix)


def _check_same(expected: dict, found: dict, folder: Path) -> None:
    if names := _differing(expected, found):
        reasons = sorted({OTHER.get(name, f"another {name}") for name in names})
        message = f"this shard was made with {', '.join(reasons)} than the first one."
        raise DataError("SHARD-005", message, where=str(folder), fix="Make it again with --overwrite.")


def _differing(expected: dict, found: dict) -> set[str]:
    """Names of the settings that differ, those of groups of settings among them."""
    names: set[str] = set()
    for name in expected.keys() | found.keys():
        one, other = expected.get(name), found.get(name)
        if name not in OTHER and isinstance(one, dict) and isinstance(other, dict):
            names |= _differing(one, other)
        elif one != other:
            names.add(name)
    return names
