"""A language model made ready: what it says of every base, and how it sees a whole record."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from genoformer.bundle.folder import Bundle
from genoformer.inference.bundle_parts import tile_plan
from genoformer.inference.interface import Speed
from genoformer.inference.parts import Part
from genoformer.inference.presentation import TABLE, Presentation
from genoformer.inference.results import Result
from genoformer.sequence.records import Record
from genoformer.stream import TilePlan, record_logits, strand_logits

EMBEDDINGS: Part[Any] = Part("genoformer.applications.pretraining.embeddings:EmbeddingWriter")
DRAW: Part[Any] = Part("genoformer.applications.pretraining.picture:draw")


@dataclass(frozen=True, repr=False)
class BasePrediction(Result):
    """What a language model says of one record; see ``Result`` for what all results have.

    Attributes:
        logits: Of the bundle's labels (A, C, G, T) for every base, row 0 of the forward strand, row 1 of the other
            one, both in forward coordinates; float32 [2, L, C].
        embedding: Mean of the hidden states over the forward strand, float32 [D].
    """

    logits: np.ndarray
    embedding: np.ndarray

    @property
    def probabilities(self) -> np.ndarray:
        """What is expected at every base, of the bundle's labels (A, C, G, T), float32 [2, L, C]."""
        return torch.from_numpy(self.logits).softmax(-1).numpy()

    def given(self, needs: str) -> tuple[np.ndarray, dict[str, Any]]:
        return self.embedding, {}

    def in_words(self) -> str:
        return f"embedding of {len(self.embedding)} numbers"


def base_presentation(width: int) -> Presentation:
    """How results are shown: no files, and a table of embeddings of this many numbers."""
    return Presentation(settings={TABLE: {"width": width}}, table=EMBEDDINGS, draw=DRAW)


class HiddenStates(nn.Module):
    """The hidden states of a network in place of its outputs: those of a token for each base that it owns.

    Args:
        network: With an encoder.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.encoder, self.n_global_tokens = network.encoder, network.n_global_tokens

    def forward(self, token_ids: Tensor, base_codes: Tensor | None = None) -> Tensor:
        """Token ids [B, G + T] to hidden states [B, T * stride, D]."""
        is_global = None
        if self.n_global_tokens:
            is_global = token_ids.new_zeros(token_ids.shape, dtype=torch.bool)
            is_global[:, : self.n_global_tokens] = True
        hidden = self.encoder(token_ids, global_mask=is_global, base_codes=base_codes)
        return hidden[:, self.n_global_tokens :].repeat_interleave(self.encoder.config.stride, dim=1)

    def read_stretch(self, token_ids: Tensor, **inputs: Any) -> tuple[Tensor, Any]:
        """The same of one stretch of longer sequences; see ``Encoder.read_stretch``."""
        hidden, kept = self.encoder.read_stretch(token_ids, **inputs)
        return hidden.repeat_interleave(self.encoder.config.stride, dim=1), kept


@dataclass(frozen=True)
class BaseCaller:
    """A bundle made ready; see ``inference.interface.Caller``.

    Attributes:
        bundle: The model.
        plan: How sequence is cut into tiles and batches.
    """

    bundle: Bundle
    plan: TilePlan

    result_type: ClassVar[type[BasePrediction]] = BasePrediction

    @classmethod
    def from_bundle(cls, bundle: Bundle, speed: Speed = Speed()) -> Self:
        """Make a bundle ready."""
        return cls(bundle, tile_plan(bundle, speed))

    @property
    def presentation(self) -> Presentation:
        """How results are shown."""
        return base_presentation(self._width)

    def predictions(self, read: Callable[[], Iterable[Record]]) -> Iterator[BasePrediction]:
        """Logits and embedding of each record."""
        network, tokenizer = self.bundle.model, self.bundle.tokenizer
        hidden = HiddenStates(network)
        for record in read():
            pieces = [piece for _, _, piece in record_logits(network, tokenizer, record.codes, self.plan)]
            states = (piece for _, _, piece in strand_logits(hidden, tokenizer, record.codes, self.plan))
            total = sum((piece.sum(axis=0, dtype=np.float64) for piece in states), np.zeros(self._width))
            logits = np.concatenate(pieces, axis=1) if pieces else np.zeros((2, 0, self._n_labels), np.float32)
            embedding = (total / max(1, len(record))).astype(np.float32)
            yield BasePrediction(record.id, len(record), logits, embedding, record=record, shown=self.presentation)

    @property
    def _width(self) -> int:
        return self.bundle.model.encoder.config.d_hidden

    @property
    def _n_labels(self) -> int:
        return len(self.bundle.config.labels)
