"""What the model pass of genes keeps of every base, when a format asks for it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from genoformer.decoding.options import CallOptions
from genoformer.inference.tracks import HeldSteps, TrackPass, encode_probabilities

ORIGIN_MARGIN_BP = 12_288
"""Sequence repeated on both sides of a circular record: longer than any gene that is likely to cross the origin."""

OnPiece = Callable[[int, int, np.ndarray], None]
"""Called with start, end and logits [2, end - start, C] of each piece of a record's opened form."""


@dataclass(frozen=True)
class KeptTracks:
    """Keeps probabilities of records while their genes are looked for.

    Attributes:
        finder: The model; its ``probabilities`` says what logits mean.
        kept: Gets them.
        shift: Of coordinates: where the stretch that is looked at begins in its record.
    """

    finder: Any
    kept: TrackPass | HeldSteps
    shift: int = 0

    @classmethod
    def in_folder(cls, finder: Any, folder: Path, shift: int) -> Self:
        """Keep them in files of this folder."""
        return cls(finder, TrackPass(folder), shift)

    def of(self, number: int, codes: np.ndarray, options: CallOptions, owned_from: int) -> OnPiece:
        """What is called with the outputs of one record.

        Args:
            number: Of the record in the input.
            codes: uint8 base codes of the record, shape [L].
            options: Whether it is circular: then it was opened, and its margins are left out.
            owned_from: Outputs before this base of the opened form belong to blocks before.
        """
        margin = min(ORIGIN_MARGIN_BP, len(codes)) if options.circular else 0

        def keep(start: int, end: int, logits: np.ndarray) -> None:
            low, high = max(start, owned_from, margin), min(end, margin + len(codes))
            if low < high:
                said = self.finder.probabilities(logits[:, low - start : high - start])  # [2, n, C]
                steps = encode_probabilities(said).transpose(0, 2, 1).reshape(-1, high - low)  # [2 C, n]
                self.kept.add(number, low - margin + self.shift, steps)

        return keep
