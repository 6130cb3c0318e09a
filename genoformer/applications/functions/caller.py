"""A function model and its calibration: sequences to probabilities, labels or numbers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import torch

from genoformer.applications.functions.relatives import Relatives
from genoformer.batches.tables import Views, collate_views, sequence_views
from genoformer.bundle.folder import Bundle, model_device
from genoformer.inference.bundle_digests import RELATIVES
from genoformer.inference.bundle_parts import check_task, read_calibration, read_task
from genoformer.inference.chunks import ChunkSize, Outputs, in_chunks
from genoformer.inference.formats import Formats
from genoformer.inference.interface import Speed
from genoformer.inference.parts import Part
from genoformer.inference.presentation import Presentation
from genoformer.inference.results import Result
from genoformer.metrics.calibration import IsotonicCalibrator, class_probabilities
from genoformer.sequence.records import Record
from genoformer.stream import refusals_explained
from genoformer.tasks import function
from genoformer.tasks.function import Function, merge_views
from genoformer.training.progress import stepped

FORMATS: Part[Formats] = Part("genoformer.applications.functions.outputs:FORMATS")
DRAW: Part[Any] = Part("genoformer.applications.functions.picture:draw")
CHUNK = ChunkSize(n_records=2_000, n_bases=2_000_000)
"""Sequences that are sorted into batches together: what a batch holds changes the last digits of its outputs."""
BATCH = 16
"""Sequences per call of the network for each tile of a genome: they are that much shorter."""

FITTED = {
    "multiclass": ("temperature",), "multilabel": ("isotonic", "threshold"),
    "regression": ("mean", "sd", "half_width"),
}  # fmt: skip
"""What the calibration of each kind of labels holds."""


@dataclass(frozen=True, repr=False)
class FunctionPrediction(Result):
    """What a model says one sequence does; see ``Result`` for what all results have.

    Attributes:
        called: Names of the labels; none for numbers.
        probabilities: Of every class or term, or numbers in the units of the labels, float64 [C].
        outputs: What the network says, before calibration, float32 [C].
        labels: Names of the classes or terms, or of the number.
    """

    called: tuple[str, ...]
    probabilities: np.ndarray
    outputs: np.ndarray
    labels: tuple[str, ...]

    def given(self, needs: str) -> tuple[Outputs, dict[str, Any]]:
        return {"outputs": self.outputs}, {}

    def in_words(self) -> str:
        if self.called:
            chances = dict(zip(self.labels, self.probabilities.tolist(), strict=True))
            return ", ".join(f"{name} ({chances[name]:.2f})" for name in self.called)
        return f"{self.probabilities[0]:.4g}" if self.is_number else "no label is sure enough"

    @property
    def is_number(self) -> bool:
        """Whether the model says a number, not classes or terms."""
        caller: FunctionCaller = self.shown.settings["functions"]["caller"]
        return caller.says_numbers


@dataclass(frozen=True)
class FunctionCaller:
    """A bundle made ready; see ``inference.interface.Caller``.

    Attributes:
        bundle: The model.
        task: Its task with the classes.
        batch_size: Sequences per model call; speed and memory only.
        precision: "float32", or "bfloat16" for autocast.
    """

    bundle: Bundle
    task: Function
    batch_size: int = 32
    precision: str = "float32"

    result_type: ClassVar[type[FunctionPrediction]] = FunctionPrediction

    @classmethod
    def from_bundle(cls, bundle: Bundle, speed: Speed = Speed()) -> Self:
        """Make a bundle ready.

        Raises:
            DataError: If it is of another task, or has settings that make none.
        """
        check_task(bundle, function.name)
        return cls(bundle, read_task(bundle, function.build), BATCH * speed.batch_size, speed.precision or "float32")

    @property
    def max_bp(self) -> int:
        """Bases of a sequence that are read, from its 5′ end on."""
        return self.task.options.max_bp

    @property
    def presentation(self) -> Presentation:
        """How results are shown."""
        return Presentation(FORMATS, {"functions": {"caller": self}}, draw=DRAW)

    @property
    def says_numbers(self) -> bool:
        """Whether it says numbers, not classes or terms."""
        return self.task.options.kind == "regression"

    def outputs_of(self, records: list[Record]) -> list[Outputs]:
        """The "outputs" of some records, see ``outputs``."""
        return [{"outputs": row} for row in self.outputs([record.codes for record in records])]

    def predictions(self, read: Callable[[], Iterable[Record]]) -> Iterator[FunctionPrediction]:
        """What the model says of each record."""
        shown, labels = self.presentation, tuple(self.task.channels)
        for chunk in in_chunks(read(), CHUNK):
            outputs = self.outputs([record.codes for record in chunk])
            called = [[]] * len(chunk) if self.says_numbers else called_terms(self.task, outputs, self.calibration)
            for record, names, row, said in zip(chunk, called, self.probabilities(outputs), outputs, strict=True):
                yield FunctionPrediction(
                    record.id, len(record), tuple(names), row, said, labels, record=record, shown=shown
                )

    def outputs(self, sequences: Sequence[np.ndarray]) -> np.ndarray:
        """Logits of sequences, with what relatives say, coherent; longer ones are cut to ``max_bp``.

        Args:
            sequences: uint8 base codes of each.

        Returns:
            float32 [n, C].
        """
        found = self.network_outputs(sequences)
        if self.relatives is not None:
            found = self.relatives.beside(found, self.relatives.nearest(self.cut(sequences)))
        return self.task.coherent(found)

    def nearest(self, sequences: Sequence[np.ndarray]) -> list[tuple[str, float]]:
        """The most similar training sequence of each ("" if none is), and how similar it is.

        A model without relatives gives an empty list.
        """
        if self.relatives is None:
            return []
        near = self.relatives.nearest(self.cut(sequences))
        found = zip(near.numbers[:, 0].tolist(), near.similarities[:, 0].tolist(), strict=True)
        return [(self.relatives.ids[number] if similarity > 0 else "", similarity) for number, similarity in found]

    def cut(self, sequences: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Sequences as far as they are read."""
        return [codes[: self.max_bp] for codes in sequences]

    def network_outputs(self, sequences: Sequence[np.ndarray]) -> np.ndarray:
        """Logits of the network alone, mean over the views, float32 [n, C]; arguments as for ``outputs``."""
        cut = self.cut(sequences)
        found = np.zeros((len(cut), len(self.task.channels)), np.float32)
        order = np.argsort([len(codes) for codes in cut], kind="stable")
        starts = range(0, len(order), self.batch_size)
        for start in stepped(starts, "reading sequences", "batch"):
            chosen = order[start : start + self.batch_size]
            found[chosen] = self._run([cut[i] for i in chosen])
        return found

    def _run(self, sequences: list[np.ndarray]) -> np.ndarray:
        network, config = self.bundle.model, self.bundle.config
        both_strands = self.task.strands == "average"
        items = [
            Views(views=sequence_views(codes, self.bundle.tokenizer, both_strands=both_strands)) for codes in sequences
        ]
        batch = collate_views(items, n_global_tokens=config.encoder.get("n_global_tokens", 0))
        device = model_device(network)
        tensors = {name: tensor.to(device) for name, tensor in batch.items()}
        autocast = torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16")
        with refusals_explained(), torch.inference_mode(), autocast:
            return merge_views(network(**tensors).float(), len(sequences)).cpu().numpy()

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of classes or terms, or numbers in the units of the labels, float64 [n, C].

        Args:
            outputs: From ``outputs``.

        Raises:
            DataError: If the bundle has no calibration.
        """
        return calibrated(self.task, outputs, self.calibration)

    @cached_property
    def relatives(self) -> Relatives | None:
        """The training sequences of a model that knows them; DataError if they are not there."""
        if not self.task.options.relatives:
            return None
        is_multilabel, n_labels = self.task.options.kind == "multilabel", len(self.task.channels)
        stored = self.calibration.get(RELATIVES, {})
        return Relatives.from_dict(stored, n_labels, is_multilabel=is_multilabel, name=self.bundle.name)

    @cached_property  # what it must hold is looked at once, not for each record
    def calibration(self) -> dict:
        """What ``calibrate.fit_calibration`` made; DataError if the bundle has none."""
        needed = FITTED[self.task.options.kind]
        return read_calibration(self.bundle, (*needed, *(["information"] if self.task.ontology else [])))


def calibrated(task: Function, outputs: np.ndarray, calibration: dict) -> np.ndarray:
    """Outputs as probabilities, or as numbers in the units of the labels, float64 [n, C].

    Args:
        task: Kind of labels.
        outputs: Logits [n, C].
        calibration: From ``calibrate.fit_calibration``.
    """
    outputs = np.asarray(outputs, np.float64)
    if task.options.kind == "multiclass":
        return class_probabilities(outputs, calibration["temperature"])
    if task.options.kind == "multilabel":
        return IsotonicCalibrator.from_dict(calibration["isotonic"]).apply(outputs)
    return outputs * calibration["sd"] + calibration["mean"]


def called_terms(task: Function, outputs: np.ndarray, calibration: dict) -> list[list[str]]:
    """Names of what is said of each sequence: the likeliest class, or all terms from the threshold on.

    Args:
        task: Multi-class or multi-label.
        outputs: Logits [n, C].
        calibration: From ``calibrate.fit_calibration``.
    """
    if task.options.kind == "multiclass":
        return [[task.channels[number]] for number in outputs.argmax(axis=1)]
    yes = outputs >= calibration["threshold"]
    return [[task.channels[number] for number in np.flatnonzero(row)] for row in yes]
