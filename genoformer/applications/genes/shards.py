"""A prediction in parts: what several processes or jobs make of one input, and the one result it becomes.

A shard is the model pass of an equal share of the bases. What follows depends on the whole genome (its statistics, and
the selection along each record) and is done by ``merge_shards``. Shards divide the input between the blocks of
``decoding.caller``, with the tiles and batches of the whole, so that any number of them gives the same bytes.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from genoformer.applications.genes.caller import GeneFinder
from genoformer.applications.genes.predict import (
    GenomeScan,
    gene_files,
    make_passes,
    prediction_key,
    scan_input,
    write_results,
)
from genoformer.bundle import load_bundle
from genoformer.decoding.caller import CallOptions
from genoformer.errors import DataError, MissingFileError, UsageError, WarningLog
from genoformer.files import MANIFEST_NAME, folder_lock, verify_manifest, write_json_atomic, write_manifest
from genoformer.inference.bundle_parts import decoder_digest
from genoformer.inference.folder import check_free, refusal
from genoformer.inference.passes import PASS_FILES, ModelPasses
from genoformer.inference.reading import PredictOptions
from genoformer.inference.run import Written, run_prediction

SHARD = "shard.json"
FOLDER = re.compile(r"shard-(\d+)-of-(\d+)")
OTHER = {"sequence_digest": "another input", "model_digest": "another model", "mask_digest": "another mask"}


@dataclass(frozen=True)
class Shard:
    """One of ``of`` equal parts, counted from 1."""

    number: int
    of: int

    def folder(self, parts: Path) -> Path:
        """Where the shard is written, in the folder of all shards."""
        return parts / f"shard-{self.number}-of-{self.of}"

    def share(self, n_bases: int) -> range:
        """The bases of the input, counted through all records, whose blocks belong to this shard."""
        return range(n_bases * (self.number - 1) // self.of, n_bases * self.number // self.of)


def predict_shard(
    paths: list[str],
    finder: GeneFinder,
    parts: Path,
    options: PredictOptions,
    shard: Shard,
    *,
    model: str,
    mask: str | Path | None = None,
    overwrite: bool = False,
    on_start: Callable[[int], None] = lambda n: None,
    on_bases: Callable[[int], None] = lambda n: None,
    warnings: WarningLog | None = None,
) -> Path:
    """The model pass of one shard; the same call continues one that was interrupted.

    Args:
        paths: FASTA files; not standard input, which every process would have to read.
        finder: Model and decoder.
        parts: Folder of all shards; this one goes to ``shard-I-of-N`` in it.
        options: Those of the whole prediction.
        shard: Which part.
        model: Where the bundle is, for the merge: a folder or a shipped name.
        mask: BED file of intervals in which no gene may lie.
        overwrite: Replace a finished shard of another prediction.
        on_start: Called with about how many bases the model will read.
        on_bases: Called with bases done since the last call.
        warnings: Counted warnings go here.

    Returns:
        Folder of the shard.

    Raises:
        UsageError: If the input is standard input.
        DataError: Bad input.
        OutputExistsError: The shard's folder cannot be made, or holds one of another prediction.
        BusyError: Another process makes this shard.
    """
    if "-" in paths:
        message = "shards cannot share standard input."
        raise UsageError("SHARD-002", message, where="--shard", fix="Write it to a file first.")
    folder = shard.folder(parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refusal("OUT-001", f"cannot create this folder: {error.strerror}.", folder) from error
    with folder_lock(folder):
        scan = scan_input(paths, options, mask, WarningLog() if warnings is None else warnings)
        description = {
            "key": prediction_key(scan, finder, options),
            "shard": [shard.number, shard.of],
            "options": json.loads(json.dumps(asdict(options))),
            "model": str(Path(model).resolve()) if Path(model).is_dir() else model,
            "inputs": [str(Path(path).resolve()) for path in paths],
        }
        if not _claim(folder, description, overwrite=overwrite):
            return folder
        share = shard.share(scan.n_bases)
        on_start(len(share))
        make_passes(paths, finder, options, scan.mask, folder, on_bases, share)
        write_manifest(folder, [SHARD, *sorted(path.name for path in folder.glob(PASS_FILES))])
    return folder


def merge_shards(
    parts: Path,
    out: Path,
    *,
    fasta: list[str] | None = None,
    model: str | None = None,
    overwrite: bool = False,
    warnings: WarningLog | None = None,
) -> dict:
    """Statistics, selection and files from all shards: what ``predict`` without shards writes.

    Args:
        parts: Folder of the shards.
        out: Output folder.
        fasta: The input, if it is not where the shards found it.
        model: The bundle, if it is not where the shards found it.
        overwrite: Replace other results in ``out``.
        warnings: Counted warnings go here.

    Returns:
        As ``predict``.

    Raises:
        MissingFileError: If a shard, the input or the model is not there.
        DataError: If a shard is unfinished or damaged, or shards, input and model do not belong together.
        OutputExistsError: ``out`` holds something else.
    """
    warnings = WarningLog() if warnings is None else warnings
    folders, shards = _read_shards(parts)
    first = shards[0]
    key, paths, options = first["key"], fasta or first["inputs"], _options_of(first)
    finder = GeneFinder.from_bundle(load_bundle(model or first["model"]), precision=key["precision"])
    if (finder.bundle.digest, decoder_digest(finder.decoder)) != (key["model_digest"], key["decoder_digest"]):
        raise DataError("SHARD-005", "the shards were made with another model.", where=finder.bundle.name)

    def scan(paths: list[str]) -> GenomeScan:
        found = scan_input(paths, options, None, warnings)
        if found.sequence_digest != key["sequence_digest"]:
            message = "this is not the sequence that the shards were made from."
            raise DataError("SHARD-005", message, where=", ".join(paths))
        return found

    def write(paths: list[str], scan: GenomeScan, work: Path) -> Written:
        summary = write_results(paths, finder, out, options, scan, ModelPasses(*folders), warnings)
        return Written(summary, gene_files(options), {"shards": len(folders)})

    return run_prediction(paths, out, scan=scan, key=lambda scan: key, write=write, overwrite=overwrite)


def _claim(folder: Path, description: dict, *, overwrite: bool) -> bool:
    """Whether there is work to do; then the folder holds the description, and passes of no other prediction."""
    is_same, is_finished = _is_shard(folder, description), (folder / MANIFEST_NAME).exists()
    if is_same and is_finished and _is_intact(folder):
        return False
    if not is_same:
        check_free(folder, "the shard of another prediction", overwrite=overwrite)
    (folder / MANIFEST_NAME).unlink(missing_ok=True)
    for stale in folder.glob(".*.tmp"):
        stale.unlink()
    if is_finished or not is_same:  # a finished one comes here when a file was changed or lost
        for stale in folder.glob(PASS_FILES):
            stale.unlink()
        write_json_atomic(folder / SHARD, description)
    return True


def _is_shard(folder: Path, description: dict) -> bool:
    try:
        stored = json.loads((folder / SHARD).read_text())
        return all(stored[name] == description[name] for name in ("key", "shard"))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _is_intact(folder: Path) -> bool:
    try:
        return SHARD in verify_manifest(folder)
    except DataError:
        return False


def _read_shards(parts: Path) -> tuple[list[Path], list[dict]]:
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
    verify_manifest(folder)
    return json.loads((folder / SHARD).read_text())


def _check_same(expected: dict, found: dict, folder: Path) -> None:
    names = [name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)]
    if names:
        reasons = sorted({OTHER.get(name, f"another {name}") for name in names})
        message = f"this shard was made with {', '.join(reasons)} than the first one."
        raise DataError("SHARD-005", message, where=str(folder), fix="Make it again with --overwrite.")


def _options_of(shard: dict) -> PredictOptions:
    stored = {name: tuple(value) if isinstance(value, list) else value for name, value in shard["options"].items()}
    return PredictOptions(**{**stored, "call": CallOptions(**stored["call"])})
