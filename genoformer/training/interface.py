"""What training asks of the data of a task: a LightningDataModule that can be bound to a model."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import pytorch_lightning as pl

from genoformer.nn.config import EncoderConfig
from genoformer.sequence.records import Record
from genoformer.stream import TilePlan
from genoformer.training.run_batches import RunBatches
from genoformer.training.settings import ModelReading


class TrainingData(Protocol):
    """Samples of a task; ``store_data.StoreData`` and ``labelled_data.LabelledData`` are the two kinds there are."""

    parts: dict[str, Any]
    """What "train", "validation" and "test" consist of, once it is set up."""

    batches: RunBatches
    """Makes the loaders, and knows where the run stands."""

    def bind(self, reading: ModelReading, *, seed: int = 0, work_dir: str | Path = ".") -> Self:
        """Take what follows from the model and from the run; UsageError if the data cannot be read in this way."""

    def check_model(self, encoder: EncoderConfig, plan: TilePlan) -> None:
        """UsageError if the model cannot be fed."""

    def input_digest(self) -> str:
        """SHA-256 of what training reads."""

    def prepare_data(self) -> None:
        """Write what is to be read; Lightning calls it in one process."""

    def setup(self, stage: str | None = None) -> None:
        """Read and divide."""

    def records(self, part: str) -> Iterator[Record]:
        """The sequences of a part."""

    def card_lines(self) -> list[str]:
        """What the model card says of the data."""


@runtime_checkable
class NamesOutputs(Protocol):
    """Data whose labels say what the outputs of the network are."""

    channels: Sequence[str]
    """Names of the outputs; there after ``setup``."""


def data_of(trainer: pl.Trainer) -> TrainingData:
    """The data that a trainer was given."""
    return trainer.datamodule  # type: ignore[attr-defined]  # Lightning sets it and does not declare it
