"""What a bundle says of itself, read without its network: configuration, calibration and digest.

Commands that only ask (``models``, a prediction that is there already) need no more than this, and start fast.
"""

import json
import os
import sys
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from genoformer.bundle.fields import check_calibration, check_fields, check_plain_files
from genoformer.bundle.flat_encoder import nested_encoder
from genoformer.errors import DataError, MissingFileError
from genoformer.files import MANIFEST_NAME, verify_manifest

FORMAT_VERSION = 2
WEIGHTS, CONFIG, CALIBRATION, CARD = "model.safetensors", "config.json", "calibration.json", "model_card.md"
FORMAT_1 = Path(__file__).parent / "format_1.json"
"""Heads by the tasks that there were when a configuration did not name its head, with the settings of the time."""
ALIASES = {"bacteria": "prokaryotes", "eukaryote-small": "eukaryotes"}
"""Names of shipped models by which others are asked for: what a command line of before says goes on, with a line."""
OPTIONS_OF_HEADS = {"head_dropout": "dropout"}
"""Settings of a task in layout 1 that are settings of its head under another name."""


@dataclass(frozen=True)
class BundleConfig:
    """What a model is and how it wants to be fed; plain JSON types.

    Attributes:
        task: Name of the task; who asks for a task's parts looks it up in ``applications``.
        head: Name and settings of the head, see ``nn.networks.HEADS``.
        encoder: Fields of ``EncoderConfig``.
        k: Bases per token.
        stride: Bases between token starts.
        tile_bp: Bases kept of each tile in prediction; a multiple of ``stride``.
        context_bp: Bases read on each side of a tile and thrown away.
        genetic_code: NCBI number of the code that prediction assumes unless told otherwise.
        labels: Names of the outputs.
        options: Settings of the task.
        ontology: What outputs imply, see ``tasks.function.Function``; empty for most models.
        format_version: Version of this folder's layout.
    """

    task: str
    head: dict[str, Any]
    encoder: dict[str, Any]
    k: int
    stride: int
    tile_bp: int = 24_576
    context_bp: int = 1_536
    genetic_code: int = 11
    labels: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    ontology: dict[str, Any] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True)
class BundleHeader:
    """A bundle whose files were checked against its manifest, without its network.

    Attributes:
        name: Name of the shipped model, or of the folder.
        folder: Where it is.
        config: As stored, in the present layout.
        calibration: Content of ``calibration.json``; empty when the model has none.
        digest: SHA-256 of the weights: what provenance records.
    """

    name: str
    folder: Path
    config: BundleConfig
    calibration: dict[str, Any]
    digest: str


def shipped_models() -> list[str]:
    """Names of the models that come with the package."""
    root = Path(str(resources.files("genoformer.shipped")))
    return sorted(path.parent.name for path in root.glob("*/manifest.json"))


def find_bundle(model: str | Path) -> Path:
    """The folder of a model named by path, by shipped name, or by one of ``ALIASES``, which a line on stderr says.

    Raises:
        MissingFileError: If it is neither.
    """
    if os.path.isdir(model):  # False for what no folder can be called
        return Path(model)
    if (name := ALIASES.get(str(model), str(model))) in shipped_models():
        if name != str(model):
            _say_alias(str(model), name)
        return Path(str(resources.files("genoformer.shipped"))) / name
    names = ", ".join(shipped_models()) or "none"
    raise MissingFileError(
        "MODEL-001", f'there is no model "{model}".', fix=f"Give the folder of a bundle, or a shipped model: {names}."
    )


@cache
def _say_alias(alias: str, name: str) -> None:
    """Once in a process: commands look a model up more than once."""
    print(f'genoformer: "{alias}" is another name of the model "{name}", which is used.', file=sys.stderr)


def read_header(model: str | Path) -> BundleHeader:
    """Read what a bundle says of itself, and check all of its files against the manifest.

    Args:
        model: Folder, or name of a shipped model.

    Raises:
        MissingFileError: If there is no such model.
        DataError: If a file is missing, damaged, or from a layout this version does not know.
    """
    folder = find_bundle(model)
    if not (folder / MANIFEST_NAME).is_file():
        raise DataError(
            "MODEL-002", "there is no manifest.json: this is no finished bundle.", where=str(folder),
            fix="Name the folder called model/ of a training run.",
        )  # fmt: skip
    check_plain_files(folder, [MANIFEST_NAME, WEIGHTS, CONFIG, CALIBRATION, CARD])
    files = verify_manifest(folder)
    if unlisted := [name for name in (WEIGHTS, CONFIG, CALIBRATION) if name not in files]:
        raise DataError("MODEL-002", f"manifest.json does not name {', '.join(unlisted)}.", where=str(folder))
    config, calibration = read_config(folder / CONFIG), _read_object(folder / CALIBRATION)
    check_calibration(calibration, folder / CALIBRATION)
    return BundleHeader(folder.resolve().name, folder, config, calibration, files[WEIGHTS]["sha256"])


def read_config(path: Path) -> BundleConfig:
    """Read a ``config.json``, of this layout or of the one before.

    Raises:
        DataError: If it is damaged, or of a layout this version does not know.
    """
    stored = _read_object(path)
    try:
        version = stored.get("format_version", 1)
        config = BundleConfig(**(_of_format_1(stored, path) if version == 1 else stored))
    except TypeError as error:
        raise DataError("MODEL-003", f"the configuration cannot be read: {error}.", where=str(path)) from error
    if config.format_version != FORMAT_VERSION:
        raise DataError(
            "MODEL-004", f"layout version {config.format_version} is not {FORMAT_VERSION}.", where=str(path),
            fix="Use the version of genoformer that wrote it, or train the model again.",
        )  # fmt: skip
    check_fields(vars(config), path)
    return config


def _of_format_1(stored: dict[str, Any], path: Path) -> dict[str, Any]:
    """Layout 1 named the task alone; the head followed from it and from its settings. Its encoder was flat."""
    heads = json.loads(FORMAT_1.read_text(encoding="utf-8"))
    task, options = stored.get("task"), stored.get("options") or {}
    if not isinstance(task, str) or task not in heads:
        raise DataError("MODEL-005", f'the task "{task}" is unknown; known: {", ".join(heads)}.', where=str(path))
    if not isinstance(options, dict):
        raise TypeError(f"the options are {options!r}, not an object")
    given = {OPTIONS_OF_HEADS.get(name, name): value for name, value in options.items()}
    head = {name: given.get(name, value) for name, value in heads[task].items()}
    kept = {name: value for name, value in stored.items() if name not in ("channels", "format_version")}
    if "encoder" in kept:
        kept["encoder"] = nested_encoder(kept["encoder"])
    return {**kept, "head": head, "labels": stored.get("channels", [])}


def _read_object(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError("MODEL-003", f"this is not JSON: {error}.", where=str(path)) from error
    if not isinstance(stored, dict):
        raise DataError("MODEL-003", "a JSON object is expected.", where=str(path))
    return stored
