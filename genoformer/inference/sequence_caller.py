"""A model of whole sequences made ready: what is alike for states of codons, contacts and base pairs."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import torch

from genoformer.bundle.folder import Bundle, model_device
from genoformer.errors import DataError
from genoformer.inference.bundle_parts import check_task, read_calibration, read_task
from genoformer.inference.chunks import Outputs
from genoformer.inference.interface import Speed
from genoformer.inference.presentation import Presentation
from genoformer.inference.results import Result
from genoformer.sequence.records import Record
from genoformer.stream import refusals_explained

CODON_BP = 3


@dataclass(frozen=True, repr=False)
class SequencePrediction(Result):
    """What a model says of the structure of one record; see ``Result`` for what all results have.

    Attributes:
        outputs: Arrays by name; see ``outputs`` of the application's caller.
    """

    outputs: Outputs

    def given(self, needs: str) -> tuple[Outputs, dict[str, Any]]:
        return self.outputs, {}

    def in_words(self) -> str:
        return self.shown.words.load()(self) if self.shown.words else ", ".join(self.outputs)


@dataclass(frozen=True)
class SequenceCaller:
    """A bundle made ready; see ``interface.Caller``.

    Attributes:
        bundle: The model.
        task: Its task, with classes and settings.
        precision: "float32", or "bfloat16" for autocast.
    """

    bundle: Bundle
    task: Any
    precision: str = "float32"

    result_type: ClassVar[type[SequencePrediction]] = SequencePrediction

    task_module: ClassVar[Any]
    """The module of the task: its name, and how it is built."""
    fitted: ClassVar[tuple[str, ...]] = ()
    """What the calibration must hold; see ``bundle_parts.read_calibration``."""

    @property
    def presentation(self) -> Presentation:
        """How results are shown."""
        raise NotImplementedError

    @classmethod
    def from_bundle(cls, bundle: Bundle, speed: Speed = Speed(), **settings: Any) -> Self:
        """Make a bundle ready; DataError if it is of another task, or has settings that make none."""
        check_task(bundle, cls.task_module.name)
        task = read_task(bundle, cls.task_module.build)
        return cls(bundle, task, speed.precision or "float32", **settings)

    @property
    def max_bp(self) -> int:
        """Longest sequence that is read."""
        return self.task.options.max_bp

    @cached_property  # what it must hold is looked at once, not for each record
    def calibration(self) -> dict[str, Any]:
        """What was fitted when training had ended; DataError if the bundle has none."""
        return read_calibration(self.bundle, self.fitted)

    def outputs(self, codes: np.ndarray) -> Outputs:
        """What is said of a sequence; DataError or ValueError if it is no sequence for this model."""
        raise NotImplementedError

    def outputs_of(self, records: list[Record]) -> list[Outputs]:
        """What is said of some records."""
        return [self.outputs(record.codes) for record in records]

    def predictions(self, read: Callable[[], Iterable[Record]]) -> Iterator[SequencePrediction]:
        """What the model says of each record; DataError if one is too long."""
        for record in read():
            if len(record) > self.max_bp:
                message = f"{len(record):,} bases; the model reads up to {self.max_bp:,}."
                raise DataError("STRUCTURE-001", message, where=record.id)
            outputs = self.outputs(record.codes)
            yield SequencePrediction(record.id, len(record), outputs, record=record, shown=self.presentation)

    @contextmanager
    def running(self) -> Iterator[tuple[Any, Callable[[np.ndarray], torch.Tensor]]]:
        """The network for as long as the block lasts, without gradients, and what makes inputs of arrays."""
        device = model_device(self.bundle.model)
        autocast = torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16")
        with refusals_explained(), torch.inference_mode(), autocast:
            yield self.bundle.model, lambda array: torch.from_numpy(array).to(device)

    def run_network(self, codes: np.ndarray, **inputs: np.ndarray) -> torch.Tensor:
        """Outputs of the network for one sequence, float32, on the processor; inputs are [1, ...] each."""
        inputs = {"token_ids": self.bundle.tokenizer.encode(codes).astype(np.int64)[None], **inputs}
        with self.running() as (network, read):
            return network(**{name: read(array) for name, array in inputs.items()})[0].float().cpu()

    def run_on_codons(self, codes: np.ndarray, nothing: tuple[int, ...]) -> np.ndarray:
        """Outputs for whole codons, float32; one or two bases left over are not read.

        Args:
            codes: uint8 base codes [L].
            nothing: Shape of the outputs of a sequence without a codon.
        """
        codes = codes[: len(codes) // CODON_BP * CODON_BP]
        return self.run_network(codes).numpy() if len(codes) else np.zeros(nothing, np.float32)
