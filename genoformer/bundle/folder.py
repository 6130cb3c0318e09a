"""The folder of a model with its network: weights, configuration, calibration, card and manifest.

Loading one runs no code from it: the weights are safetensors, everything else is JSON and text, and the head is looked
up by name.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import nn

from genoformer.bundle.header import CALIBRATION, CARD, CONFIG, WEIGHTS, BundleConfig, BundleHeader, read_header
from genoformer.errors import DataError, OutputExistsError
from genoformer.files import write_bytes_atomic, write_json_atomic, write_manifest, write_text_atomic
from genoformer.nn.config import EncoderConfig
from genoformer.nn.networks import Network, build_network
from genoformer.nn.shapes import weight_shapes
from genoformer.sequence.kmers import KmerTokenizer


@dataclass(frozen=True)
class Bundle:
    """A loaded model, in evaluation mode.

    Attributes:
        name: Name of the shipped model, or of the folder.
        config: As stored, with the settings that are younger than the bundle.
        model: The network.
        calibration: Content of ``calibration.json``; empty when the model has none.
        digest: SHA-256 of the weights: what provenance records.
    """

    name: str
    config: BundleConfig
    model: Network
    calibration: dict[str, Any]
    digest: str

    @property
    def tokenizer(self) -> KmerTokenizer:
        return KmerTokenizer(k=self.config.k, stride=self.config.stride)


def save_bundle(
    folder: Path, *, model: nn.Module, config: BundleConfig, card: str, calibration: dict[str, Any] | None = None
) -> None:
    """Write a bundle; the manifest is written last, so that a folder with one is complete.

    Args:
        folder: Created if it is not there; an older bundle in it is replaced.
        model: Network built by ``network_of`` from ``config``.
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


def add_calibration(folder: Path, bundle: Bundle, fitted: dict, *, to: Path | None = None, more: str = "") -> None:
    """Write a bundle again, with the same weights, and more in its calibration and card.

    Args:
        folder: Where the bundle was read from.
        bundle: As it was read.
        fitted: Entries of ``calibration.json``; those of the same names are replaced.
        to: Where it is written, by default in the same folder.
        more: Text that the card ends with.
    """
    card, calibration = (folder / CARD).read_text() + more, {**bundle.calibration, **fitted}
    save_bundle(to or folder, model=bundle.model, config=bundle.config, card=card, calibration=calibration)


def network_of(config: BundleConfig, initial_logits: Sequence[float] | None = None) -> Network:
    """The network of a bundle with random weights; seed torch before.

    Args:
        config: What the model is.
        initial_logits: What the outputs per base are about before training, see ``nn.heads.BaseHead``.

    Raises:
        ValueError: If encoder or head have settings that make no network.
    """
    encoder = EncoderConfig.from_dict(config.encoder)
    return build_network(encoder, config.head, len(config.labels), initial_logits)


def load_bundle(model: str | Path | BundleHeader) -> Bundle:
    """Load a bundle and check it against its manifest.

    Args:
        model: Folder, name of a shipped model, or what ``read_header`` gave.

    Raises:
        MissingFileError: If there is no such model.
        DataError: If a file is missing, damaged, or from a layout this version does not know.
    """
    header = model if isinstance(model, BundleHeader) else read_header(model)
    _check_sizes(header.config, header.folder)
    network = _build(header.config, header.folder / CONFIG)
    # Settings that are younger than the bundle have their defaults.
    config = replace(header.config, encoder=network.encoder.config.to_dict())
    _load_weights(network, header.folder / WEIGHTS)
    network.eval()
    return Bundle(header.name, config, network, header.calibration, header.digest)


def _check_sizes(config: BundleConfig, folder: Path) -> None:
    """Refuse a configuration whose network would have other weights than those stored, before it takes memory."""
    path = folder / WEIGHTS
    try:
        with safe_open(path, "pt") as file:
            stored = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise _misfit(path, error) from error
    n_layers = config.encoder.get("n_layers", 1)
    if isinstance(n_layers, int) and n_layers > len(stored):  # each has several tensors, and is made one by one
        raise _misfit(path, f"{len(stored)} tensors are no {n_layers} layers")
    expected = weight_shapes(lambda: _build(config, folder / CONFIG))
    for name in sorted(stored.keys() | expected.keys()):
        if stored.get(name) != expected.get(name):
            found, wanted = (str(shapes.get(name, "nothing")) for shapes in (stored, expected))
            raise _misfit(path, f"{name}: found {found}, expected {wanted}")


def _build(config: BundleConfig, path: Path) -> Network:
    try:
        KmerTokenizer(k=config.k, stride=config.stride)
        return network_of(config)
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError, OverflowError, RecursionError) as error:
        raise DataError("MODEL-003", f"the configuration makes no model: {error}", where=str(path)) from error


def _load_weights(network: nn.Module, path: Path) -> None:
    try:
        network.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError, OSError) as error:
        raise _misfit(path, error) from error


def _misfit(path: Path, why: object) -> DataError:
    first_line = (str(why).splitlines() or [""])[0]
    return DataError("MODEL-006", f"the weights do not fit the configuration: {first_line}", where=str(path))


def model_device(network: nn.Module) -> torch.device:
    """Where the network's weights are."""
    return next(network.parameters()).device
