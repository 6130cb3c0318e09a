"""A model of structures made ready: what is alike for states of codons, contacts and base pairs."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch

from genoformer.bundle import Bundle, model_device
from genoformer.inference.bundle_parts import bundle_task, read_calibration
from genoformer.stream import refusals_explained

CODON_BP = 3


@dataclass(frozen=True)
class StructureCaller:
    """A bundle made ready.

    Attributes:
        bundle: The model.
        task: Its task, with classes and settings.
        precision: "float32", or "bfloat16" for autocast.
    """

    task_name: ClassVar[str]

    bundle: Bundle
    task: Any
    precision: str = "float32"

    @classmethod
    def from_bundle(cls, bundle: Bundle, **settings: Any) -> Self:
        """Make a bundle ready; DataError if it is of another task."""
        return cls(bundle, bundle_task(bundle, cls.task_name), **settings)

    @property
    def max_bp(self) -> int:
        """Longest sequence that is read."""
        return self.task.options.max_bp

    @property
    def calibration(self) -> dict:
        """What was fitted when training had ended; DataError if the bundle has none."""
        return read_calibration(self.bundle)

    def run_network(self, codes: np.ndarray, **inputs: np.ndarray) -> torch.Tensor:
        """Outputs of the network for one sequence, float32, on the processor; inputs are [1, ...] each."""
        device = model_device(self.bundle.model)
        inputs = {"token_ids": self.bundle.tokenizer.encode(codes).astype(np.int64)[None], **inputs}
        tensors = {name: torch.from_numpy(array).to(device) for name, array in inputs.items()}
        autocast = torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16")
        with refusals_explained(), torch.inference_mode(), autocast:
            return self.bundle.model(**tensors)[0].float().cpu()

    def run_on_codons(self, codes: np.ndarray, nothing: tuple[int, ...]) -> np.ndarray:
        """Outputs for whole codons, float32; one or two bases left over are not read.

        Args:
            codes: uint8 base codes [L].
            nothing: Shape of the outputs of a sequence without a codon.
        """
        codes = codes[: len(codes) // CODON_BP * CODON_BP]
        return self.run_network(codes).numpy() if len(codes) else np.zeros(nothing, np.float32)
