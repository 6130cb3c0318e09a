"""What predictions take from a bundle: task, decoder, calibration, and how sequence is cut into tiles."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from genoformer.bundle.folder import Bundle, model_device
from genoformer.errors import DataError
from genoformer.files.numbers import read_number
from genoformer.inference.interface import Speed
from genoformer.metrics.calibration import IsotonicCalibrator
from genoformer.stream import TilePlan, fastest_precision
from genoformer.tasks.interface import BuildTask

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
    check_task(bundle, task)
    try:
        return read(bundle.calibration["decoder"])
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        message = f"calibration.json holds no {what} ({error})."
        raise DataError("MODEL-008", message, where=bundle.name) from error


def check_task(bundle: Bundle, name: str) -> None:
    """DataError if a bundle is of another task."""
    if bundle.config.task != name:
        message = f'the model is for "{bundle.config.task}", not {name}.'
        raise DataError("MODEL-007", message, where=bundle.name)


def read_task(bundle: Bundle, build: BuildTask) -> Any:
    """The task of a bundle with its outputs and settings; DataError if these make none."""
    config = bundle.config
    try:
        return build(config.labels, config.options, config.ontology)
    except (ValueError, TypeError) as error:
        message = f"the configuration makes no model: {error}"
        raise DataError("MODEL-003", message, where=bundle.name) from error


def read_calibration(bundle: Bundle, needed: Iterable[str] = ()) -> dict[str, Any]:
    """What training fitted to the outputs of the bundle's task.

    Args:
        bundle: A model.
        needed: What must be there: names of numbers, "isotonic" for a rising map, "information" for a list of numbers.

    Raises:
        DataError: If the bundle has none, or something else under such a name.
    """
    fitted = bundle.calibration.get(bundle.config.task)
    if fitted is None:
        raise DataError(
            "MODEL-023", "the model has no calibration: its training did not end.", where=bundle.name,
            fix="Give the training command again.",
        )  # fmt: skip
    for name in needed:
        try:
            READ_FITTED.get(name, read_number)(fitted[name])
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            message = f'calibration.json holds no "{name}" that can be used ({type(error).__name__}: {error}).'
            raise DataError("MODEL-003", message, where=bundle.name) from error
    return fitted


LEAST_TEMPERATURE = 1e-6
"""What training fits is far above it, and logits divided by less are no numbers."""


def _read_temperature(stored: Any) -> float:
    temperature = read_number(stored)
    if temperature < LEAST_TEMPERATURE:
        raise ValueError(f"expected a number of {LEAST_TEMPERATURE} or more, found {temperature}")
    return temperature


READ_FITTED: dict[str, Callable[[Any], Any]] = {
    "isotonic": IsotonicCalibrator.from_dict,
    "information": lambda stored: [read_number(value) for value in stored],
    "temperature": _read_temperature,
}
"""How what is no plain number is read; raises what ``read_calibration`` catches."""


def tile_plan(bundle: Bundle, speed: Speed) -> TilePlan:
    """How the bundle reads sequence.

    Args:
        bundle: Its tiles and context are taken.
        speed: Tiles per model call, and precision: what the machine is fast in if None.
    """
    precision = speed.precision or fastest_precision(model_device(bundle.model))
    return TilePlan(bundle.config.tile_bp, bundle.config.context_bp, batch_size=speed.batch_size, precision=precision)
