"""Genes around a change: both sequences are decoded in a window that grows until its ends do not feel the change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.sequence.alphabet import reverse_complement
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.variants.alleles import Change
from genoformer.variants.found_genes import Namer, gene_changes, placed
from genoformer.variants.reach import BLOCK_TOKENS, StrandReader, Stretch
from genoformer.variants.reports import GeneChange

SAFE_SHARE = 0.5
"""Differences must lie in this inner share of a window; beyond it the window's ends could have made them."""
DENSE_GAP_BP, SMALL_BLOCK_TOKENS = 500, 1024
"""Changes that are further apart on average read smaller blocks of the reference, of which they need less."""
AT_ONCE = 16
"""Changes whose outputs are computed together."""


class Decode(Protocol):
    """Genes of a stretch of a record from its outputs."""

    def __call__(self, codes: np.ndarray, logits: np.ndarray, *, is_first: bool, is_last: bool) -> list[Gene]:
        """The genes, in coordinates of the stretch.

        Args:
            codes: uint8 base codes, forward strand, shape [L].
            logits: Of both strands in forward coordinates, float32 [2, L, C].
            is_first: The stretch begins with the record.
            is_last: It ends with it.
        """


@dataclass(frozen=True)
class RecordReader:
    """Both strands of a record, and how its genes are decoded.

    Attributes:
        codes: uint8 base codes, forward strand, shape [L].
        plus: Reads the "+" strand.
        minus: Reads the "-" strand.
        decode: Decodes genes.
    """

    codes: np.ndarray
    plus: StrandReader
    minus: StrandReader
    decode: Decode

    @classmethod
    def of(
        cls, codes: np.ndarray, network: Any, tokenizer: KmerTokenizer, precision: str, decode: Decode,
        known: np.ndarray | None = None, gap_bp: float = 0.0,
    ) -> "RecordReader":  # fmt: skip
        """Readers of both strands.

        Args:
            codes: Of the record.
            network: See ``StrandReader``, as the next two.
            tokenizer: Of the model.
            precision: Of the model pass.
            decode: Decodes genes.
            known: Outputs of the reference, float32 [2, L, C], where they were kept.
            gap_bp: About how far apart changes will be: speed only.
        """
        above, below = (None, None) if known is None else (known[0], known[1, ::-1])
        size = BLOCK_TOKENS if gap_bp < DENSE_GAP_BP else SMALL_BLOCK_TOKENS
        plus = StrandReader(network, tokenizer, codes, precision, above, size)
        minus = StrandReader(network, tokenizer, reverse_complement(codes), precision, below, size)
        return cls(codes, plus, minus, decode)

    def turned(self, change: Change) -> Change:
        """A change in coordinates of the "-" strand."""
        n = len(self.codes)
        return Change(n - change.end, n - change.start, reverse_complement(change.bases))

    def judge(
        self, changes: Sequence[Change], name: Namer, min_change: float, margin_bp: int
    ) -> Iterator[list[GeneChange]]:
        """What becomes different about genes with each change by itself.

        Args:
            changes: Sorted by place.
            name: Names genes in coordinates of the record.
            min_change: Smaller changes of confidence are not told.
            margin_bp: Of the first window.
        """
        windows: dict[tuple[int, int], list[Gene]] = {}
        for start in range(0, len(changes), AT_ONCE):
            some = changes[start : start + AT_ONCE]
            plus, minus = self.plus.changed(some), self.minus.changed([self.turned(change) for change in some])
            for change, above, below in zip(some, plus, minus, strict=True):
                yield self._judge_one(change, (above, below), name, min_change, margin_bp, windows)

    def _judge_one(
        self, change: Change, stretches: tuple[Stretch, Stretch], name: Namer, min_change: float, margin_bp: int,
        windows: dict[tuple[int, int], list[Gene]],
    ) -> list[GeneChange]:  # fmt: skip
        while True:
            start, end = self._window(change, margin_bp)
            before = placed(self._reference_genes(change, start, end, windows))
            after = placed(self._changed_genes(change, stretches, start, end), change)
            found = gene_changes(before, after, change, name, min_change)
            low = 0 if start == 0 else change.start - round(margin_bp * SAFE_SHARE)
            high = end if end == len(self.codes) else change.end + round(margin_bp * SAFE_SHARE)
            is_whole = start == 0 and end == len(self.codes)
            if is_whole or all(low <= one.low and one.high <= high for _, one in found):
                return [told for told, _ in found]
            margin_bp *= 2

    def _window(self, change: Change, margin_bp: int) -> tuple[int, int]:
        """Around a change; neighbouring changes share windows, so that the reference is decoded once for them."""
        step = margin_bp // 3
        start = (change.start - margin_bp) // step * step
        end = -(-(change.end + margin_bp) // step) * step
        return max(start, 0), min(end, len(self.codes))

    def _reference_genes(
        self, change: Change, start: int, end: int, windows: dict[tuple[int, int], list[Gene]]
    ) -> list[Gene]:
        is_shared = self.plus.grid_behind(change) == 0
        if is_shared and (start, end) in windows:
            return windows[start, end]
        logits = self._both(
            self.plus.reference_window(change, start, end),
            self.minus.reference_window(self.turned(change), len(self.codes) - end, len(self.codes) - start),
        )
        genes = self._decoded(self.codes[start:end], logits, start, end)
        if is_shared:
            if len(windows) > AT_ONCE:
                windows.clear()
            windows[start, end] = genes
        return genes

    def _changed_genes(self, change: Change, stretches: tuple[Stretch, Stretch], start: int, end: int) -> list[Gene]:
        above, below = stretches
        n = len(self.codes)
        logits = self._both(
            self.plus.window(change, above, start, end),
            self.minus.window(self.turned(change), below, n - end, n - start),
        )
        codes = np.concatenate((self.codes[start : change.start], change.bases, self.codes[change.end : end]))
        return self._decoded(codes, logits, start, end)

    def _decoded(self, codes: np.ndarray, logits: np.ndarray, start: int, end: int) -> list[Gene]:
        genes = self.decode(codes, logits, is_first=start == 0, is_last=end == len(self.codes))
        return [gene.shifted(start) for gene in genes]

    @staticmethod
    def _both(plus: np.ndarray, minus: np.ndarray) -> np.ndarray:
        return np.stack((plus, minus[::-1]))
