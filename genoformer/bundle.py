"""A model as a folder: weights, configuration, calibration, card and manifest.

Loading one runs no code from it: the weights are safetensors, everything else is JSON and text, and the task is looked
up by name.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from importlib import resources
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from genoformer.errors import DataError, MissingFileError, OutputExistsError
from genoformer.files import verify_manifest, write_bytes_atomic, write_json_atomic, write_manifest, write_text_atomic
from genoformer.nn.config import EncoderConfig, from_flat
from genoformer.nn.model import GenomeModel, build_model, build_token_model
from genoformer.nn.pair_head import PairModel, build_pair_model
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.tasks import TASKS, build_task

FORMAT_VERSION = 1
WEIGHTS, CONFIG, CALIBRATION, CARD = "model.safetensors", "config.json", "calibration.json", "model_card.md"


@dataclass(frozen=True)
class BundleConfig:
    """What a model is and how it wants to be fed.

    Attributes:
        task: Name in ``TASKS``.
        encoder: Fields of ``EncoderConfig``, as its ``to_dict`` gives them or as bundles had them before.
        k: Bases per token.
        stride: Bases between token starts.
        tile_bp: Bases kept of each tile in prediction; a multiple of ``stride``.
        context_bp: Bases read on each side of a tile and thrown away.
        genetic_code: NCBI number of the code that prediction assumes unless told otherwise.
        channels: Names of the outputs.
        options: Settings of the task.
        ontology: What outputs imply, see ``tasks.function.Function``; empty for most models.
        format_version: Version of this folder's layout.
    """

    task: str
    encoder: dict
    k: int
    stride: int
    tile_bp: int = 24_576
    context_bp: int = 1_536
    genetic_code: int = 11
    channels: list[str] = field(default_factory=list)
    options: dict = field(default_factory=dict)
    ontology: dict = field(default_factory=dict)
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True)
class Bundle:
    """A loaded model, in evaluation mode.

    Attributes:
        name: Name of the shipped model, or of the folder.
        config: As stored.
        model: The network.
        calibration: Content of ``calibration.json``; empty when the model has none.
        digest: SHA-256 of the weights: what provenance records.
    """

    name: str
    config: BundleConfig
    model: nn.Module
    calibration: dict
    digest: str

    @property
    def tokenizer(self) -> KmerTokenizer:
        return KmerTokenizer(k=self.config.k, stride=self.config.stride)


def save_bundle(folder: Path, *, model: nn.Module, config: BundleConfig, card: str, calibration: dict | None = None):
    """Write a bundle; the manifest is written last, so that a folder with one is complete.

    Args:
        folder: Created if it is not there; an older bundle in it is replaced.
        model: Network built by ``build_model`` from ``config.encoder``.
        config: What the model is.
        card: Text of the model card, Markdown.
        calibration: Decoder weights and confidence maps, plain JSON types.

    Raises:
        OutputExistsError: If the folder cannot be created.
        OutputWriteError: If writing fails.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the folder cannot be created ({error.strerror})."
        raise OutputExistsError("MODEL-010", message, where=str(folder), fix="Choose another name.") from error
    (folder / "manifest.json").unlink(missing_ok=True)
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    write_bytes_atomic(folder / WEIGHTS, save(state))
    write_json_atomic(folder / CONFIG, asdict(config))
    write_json_atomic(folder / CALIBRATION, calibration or {})
    write_text_atomic(folder / CARD, card)
    write_manifest(folder, [WEIGHTS, CONFIG, CALIBRATION, CARD])


def add_calibration(folder: Path, bundle: Bundle, fitted: dict) -> None:
    """Write a bundle again, with the same weights and card, and more in its calibration.

    Args:
        folder: Where the bundle was read from.
        bundle: As it was read.
        fitted: Entries of ``calibration.json``; those of the same names are replaced.
    """
    card, calibration = (folder / CARD).read_text(), {**bundle.calibration, **fitted}
    save_bundle(folder, model=bundle.model, config=bundle.config, card=card, calibration=calibration)


def build_network(config: BundleConfig) -> GenomeModel | PairModel:
    """The network of a bundle with random weights; seed torch before.

    Args:
        config: What the model is.

    Raises:
        ValueError: If encoder or task have settings that make no network.
    """
    task = build_task(config.task, config.channels, config.options, config.ontology)
    encoder = EncoderConfig.from_dict(from_flat(config.encoder))
    if task.level == "pair":
        return build_pair_model(encoder, **task.head_settings())
    if task.level == "token":
        return build_token_model(encoder, len(config.channels))
    return build_model(
        encoder, len(config.channels), task.initial_logits,
        pooling=getattr(task, "pooling", None), head_dropout=getattr(task, "head_dropout", 0.0),
    )  # fmt: skip


def shipped_models() -> list[str]:
    """Names of the models that come with the package."""
    root = Path(str(resources.files("genoformer.shipped")))
    return sorted(path.parent.name for path in root.glob("*/manifest.json"))


def find_bundle(model: str | Path) -> Path:
    """The folder of a model named by path or by shipped name.

    Raises:
        MissingFileError: If it is neither.
    """
    folder = Path(model)
    if folder.is_dir():
        return folder
    if str(model) in shipped_models():
        return Path(str(resources.files("genoformer.shipped"))) / str(model)
    names = ", ".join(shipped_models()) or "none"
    raise MissingFileError(
        "MODEL-001", f'there is no model "{model}".', fix=f"Give the folder of a bundle, or a shipped model: {names}."
    )


def load_bundle(model: str | Path) -> Bundle:
    """Load a bundle and check it against its manifest.

    Args:
        model: Folder, or name of a shipped model.

    Raises:
        MissingFileError: If there is no such model.
        DataError: If a file is missing, damaged, or from a layout this version does not know.
    """
    folder = find_bundle(model)
    if not (folder / "manifest.json").is_file():
        raise DataError(
            "MODEL-002", "there is no manifest.json: this is no finished bundle.", where=str(folder),
            fix="Name the folder called model/ of a training run.",
        )  # fmt: skip
    files = verify_manifest(folder)
    if unlisted := [name for name in (WEIGHTS, CONFIG, CALIBRATION) if name not in files]:
        raise DataError("MODEL-002", f"manifest.json does not name {', '.join(unlisted)}.", where=str(folder))
    config = _read_config(folder)
    network = _build(config, folder / CONFIG)
    # Settings that are younger than the bundle have their defaults.
    config = replace(config, encoder=network.encoder.config.to_dict())
    _load_weights(network, folder / WEIGHTS)
    calibration = _read_object(folder / CALIBRATION)
    return Bundle(folder.resolve().name, config, network.eval(), calibration, files[WEIGHTS]["sha256"])


def _read_object(path: Path) -> dict:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError("MODEL-003", f"this is not JSON: {error}.", where=str(path)) from error
    if not isinstance(stored, dict):
        raise DataError("MODEL-003", "a JSON object is expected.", where=str(path))
    return stored


def _build(config: BundleConfig, path: Path) -> nn.Module:
    try:
        KmerTokenizer(k=config.k, stride=config.stride)
        return build_network(config)
    except (ValueError, TypeError) as error:
        raise DataError("MODEL-003", f"the configuration makes no model: {error}", where=str(path)) from error


def _read_config(folder: Path) -> BundleConfig:
    where = str(folder / CONFIG)
    try:
        config = BundleConfig(**_read_object(folder / CONFIG))
    except TypeError as error:
        raise DataError("MODEL-003", f"the configuration cannot be read: {error}.", where=where) from error
    if config.format_version != FORMAT_VERSION:
        raise DataError(
            "MODEL-004", f"layout version {config.format_version} is not {FORMAT_VERSION}.", where=where,
            fix="Use the version of genoformer that wrote it, or train the model again.",
        )  # fmt: skip
    if not isinstance(config.task, str) or config.task not in TASKS:
        raise DataError("MODEL-005", f'the task "{config.task}" is unknown; known: {", ".join(TASKS)}.', where=where)
    return config


def _load_weights(network: nn.Module, path: Path) -> None:
    try:
        state = load_file(path)
        network.load_state_dict(state)
    except (SafetensorError, RuntimeError, OSError) as error:
        first_line = str(error).splitlines()[0]
        raise DataError(
            "MODEL-006", f"the weights do not fit the configuration: {first_line}", where=str(path)
        ) from error


def model_device(network: nn.Module) -> torch.device:
    """Where the network's weights are."""
    return next(network.parameters()).device
