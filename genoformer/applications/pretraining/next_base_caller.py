"""A causal language model made ready: what it expects at every base from those before it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from genoformer.applications.pretraining.caller import BasePrediction, HiddenStates, base_presentation
from genoformer.batches.next_bases import one_token_late
from genoformer.bundle.folder import Bundle
from genoformer.inference.bundle_parts import check_task, tile_plan
from genoformer.inference.interface import Speed
from genoformer.inference.presentation import Presentation
from genoformer.sequence.alphabet import N_CODE, reverse_complement
from genoformer.sequence.records import Record
from genoformer.stream import TilePlan, strand_logits
from genoformer.tasks import clm


@dataclass(frozen=True)
class NextBaseCaller:
    """A bundle made ready; see ``inference.interface.Caller``.

    Attributes:
        bundle: The model.
        plan: How sequence is cut into tiles.
    """

    bundle: Bundle
    plan: TilePlan

    result_type: ClassVar[type[BasePrediction]] = BasePrediction

    @classmethod
    def from_bundle(cls, bundle: Bundle, speed: Speed = Speed()) -> Self:
        """Make a bundle ready; DataError if it is of another task."""
        check_task(bundle, clm.name)
        return cls(bundle, tile_plan(bundle, speed))

    @property
    def presentation(self) -> Presentation:
        """How results are shown."""
        return base_presentation(self.bundle.model.encoder.config.d_hidden)

    def predictions(self, read: Callable[[], Iterable[Record]]) -> Iterator[BasePrediction]:
        """Logits of every base from those before it on the strand that is read, and embedding of each record."""
        for record in read():
            plus = self._strand(self.bundle.model, record.codes)
            minus = self._strand(self.bundle.model, reverse_complement(record.codes))[::-1]
            states = self._strand(HiddenStates(self.bundle.model), record.codes)
            embedding = states.sum(axis=0, dtype=np.float64) / max(1, len(record))
            yield BasePrediction(
                record.id, len(record), np.stack((plus, minus)), embedding.astype(np.float32), record=record,
                shown=self.presentation,
            )  # fmt: skip

    def _strand(self, network: Any, codes: np.ndarray) -> np.ndarray:
        """What a network says of each base, float32 [L, C]."""
        tokenizer = self.bundle.tokenizer
        read = one_token_late(codes, np.full(tokenizer.k, N_CODE, np.uint8))
        pieces = [piece for *_, piece in strand_logits(network, tokenizer, read, self.plan)]
        width = self.bundle.model.encoder.config.d_model if isinstance(network, HiddenStates) else len(clm.channels)
        return np.concatenate(pieces)[: len(codes)] if pieces else np.zeros((0, width), np.float32)


def bits_per_base(prediction: BasePrediction, codes: np.ndarray) -> float:
    """What a record costs by the chain rule, over its known bases on the forward strand; 2 is a guess.

    Args:
        prediction: Of the record.
        codes: Its base codes, uint8 [L].
    """
    known = codes < len(clm.channels)
    logits = prediction.logits[0, known].astype(np.float64)
    costs = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(logits)), codes[known]]
    return float(costs.sum() / max(1, known.sum()) / np.log(2))
