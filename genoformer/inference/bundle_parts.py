"""What predictions take from a bundle: task, decoder, calibration, and how sequence is cut into tiles."""

import hashlib
import json
from collections.abc import Callable
from typing import TypeVar

from genoformer.bundle import Bundle, model_device
from genoformer.errors import DataError
from genoformer.stream import TilePlan, fastest_precision
from genoformer.tasks import build_task

Decoder = TypeVar("Decoder")


def read_decoder(bundle: Bundle, task: str, read: Callable[[dict], Decoder], *, what: str) -> Decoder:
    """The decoder of a bundle.

    Args:
        bundle: Of this task.
        task: Name of the task.
        read: Makes the decoder of what is stored; KeyError, TypeError or ValueError if that is something else.
        what: What the decoder is called, for messages.

    Raises:
        DataError: If the bundle is of another task, or has no decoder.
    """
    if bundle.config.task != task:
        message = f'the model is for "{bundle.config.task}", not {task}.'
        raise DataError("MODEL-007", message, where=bundle.name)
    try:
        return read(bundle.calibration["decoder"])
    except (KeyError, TypeError, ValueError) as error:
        message = f"calibration.json holds no {what} ({error})."
        raise DataError("MODEL-008", message, where=bundle.name) from error


def bundle_task(bundle: Bundle, name: str):
    """The task of a bundle, with its classes and settings; DataError if it is another than ``name``."""
    config = bundle.config
    if config.task != name:
        raise DataError("MODEL-020", f"a model for {name} is expected, found {config.task}.", where=bundle.name)
    return build_task(name, config.channels, config.options, config.ontology)


def read_calibration(bundle: Bundle) -> dict:
    """What training fitted to the outputs of the bundle's task; DataError if the bundle has none."""
    fitted = bundle.calibration.get(bundle.config.task)
    if fitted is None:
        raise DataError(
            "MODEL-023", "the model has no calibration: its training did not end.", where=bundle.name,
            fix="Give the training command again.",
        )  # fmt: skip
    return fitted


def tile_plan(bundle: Bundle, *, batch_size: int = 2, precision: str | None = None) -> TilePlan:
    """How the bundle reads sequence.

    Args:
        bundle: Its tiles and context are taken.
        batch_size: Tiles per model call: speed and memory only.
        precision: Of the model pass, see ``TilePlan``; what the machine is fast in if None.
    """
    precision = precision or fastest_precision(model_device(bundle.model))
    return TilePlan(bundle.config.tile_bp, bundle.config.context_bp, batch_size=batch_size, precision=precision)


def decoder_digest(decoder) -> str:
    """SHA-256 of what a decoder holds: what provenance records."""
    return hashlib.sha256(json.dumps(decoder.to_dict(), sort_keys=True).encode()).hexdigest()
