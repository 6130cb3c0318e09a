"""A model made ready to be explained: records in, what each base contributes out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genoformer.bundle.folder import Bundle
from genoformer.errors import DataError, UsageError
from genoformer.explain.attention import attention_of_globals
from genoformer.explain.request import GLOBALS, GRADIENTS, MUTAGENESIS, Explaining
from genoformer.explain.scoring import N_BASES, Scorer, View
from genoformer.explain.target import OVERALL, PER_TOKEN
from genoformer.inference.optional_packages import load_captum
from genoformer.inference.parts import Part
from genoformer.sequence.alphabet import N_CODE, reverse_complement
from genoformer.sequence.records import Record

_GRADIENTS: Part[Any] = Part("genoformer.explain.gradients:integrated_gradients")
"""Its package is optional."""
COMPLETE = 0.01
"""Share of the difference that contributions by gradients may lack."""
OnPositions = Callable[[int], None]


@dataclass(frozen=True)
class Explanation:
    """What each base of a stretch of a record contributes.

    Attributes:
        start: First base, in coordinates of the record; 0-based.
        mutagenesis: What each base A, C, G, T instead would change, [n, 4]: 0 for the base that is there, NaN where
            that is unknown; None if it was not asked for, as the others.
        gradients: Contributions by integrated gradients, [n].
        attention: Of the global tokens of each layer, [n_layers, n].
        missing: What the contributions by gradients lack, as a share of the difference that they explain.
    """

    start: int
    mutagenesis: np.ndarray | None = None
    gradients: np.ndarray | None = None
    attention: np.ndarray | None = None
    missing: float = 0.0


def importance(mutagenesis: np.ndarray) -> np.ndarray:
    """How much the bases that are there do for the output: what is lost by another base, on average; 0 if unknown.

    Args:
        mutagenesis: [n, 4], see ``Explanation``.
    """
    return np.nan_to_num(-mutagenesis.sum(axis=1) / (N_BASES - 1))


@dataclass(frozen=True)
class Explainer:
    """A bundle made ready.

    Attributes:
        bundle: The model.
        scorer: The output that is explained.
        strands: Strands that are read, "forward" and "reverse"; of both the mean counts.
        asked: What is asked.
    """

    bundle: Bundle
    scorer: Scorer
    strands: tuple[str, ...]
    asked: Explaining

    @classmethod
    def from_bundle(cls, bundle: Bundle, asked: Explaining, *, is_exclusive: bool, both_strands: bool) -> "Explainer":
        """Make ready.

        Args:
            bundle: The model.
            asked: Methods, target, strand.
            is_exclusive: Classes of a sequence exclude each other.
            both_strands: The model says the mean of what it says of both strands, unless one is asked for.

        Raises:
            UsageError: If a package is missing.
        """
        if GRADIENTS in asked.methods:
            load_captum()
        scorer = Scorer(bundle.model, bundle.tokenizer, asked.target, is_exclusive)  # type: ignore[arg-type]  # no pairs
        default = ("forward", "reverse") if both_strands else ("forward",)
        return cls(bundle, scorer, default if asked.strand is None else (asked.strand,), asked)

    def explain(self, record: Record, region: tuple[int, int] | None, on_positions: OnPositions) -> Explanation:
        """What the bases of a record, or of a stretch of it, contribute.

        Args:
            record: The whole record.
            region: Bases that are asked about; None for all that the output can depend on.
            on_positions: Called with the number of bases done by mutagenesis since the last call.

        Raises:
            DataError: If the record is longer than what the model reads at once, where that matters, or ends before
                the positions of the target.
            UsageError: If the region lies behind what is read.
        """
        codes = self.read_codes(record)
        views = self.views(record, codes, region)
        first, last = self.positions(views, len(codes), region, record.id)
        found = Explanation(first)
        if MUTAGENESIS in self.asked.methods:
            both = [self._mutants(view, turned, (first, last), on_positions) for view, turned in views]
            found = replace(found, mutagenesis=np.mean(both, axis=0))
        if GRADIENTS in self.asked.methods:
            parts = [_GRADIENTS.load()(self.scorer, view, self.asked.n_steps) for view, _ in views]
            values = [_turned(part.values, turned) for part, (_, turned) in zip(parts, views, strict=True)]
            difference, missing = (sum(getattr(part, name) for part in parts) for name in ("difference", "missing"))
            share = abs(missing) / max(abs(difference), 1e-12)
            found = replace(found, gradients=np.mean(values, axis=0)[first:last], missing=share)
        if GLOBALS in self.asked.methods:
            weights = [_turned(attention_of_globals(self.scorer, view.codes), turned) for view, turned in views]
            found = replace(found, attention=np.mean(weights, axis=0)[:, first:last])
        return found

    def score(self, record: Record, region: tuple[int, int] | None = None) -> float:
        """The number that is explained; arguments as for ``explain``."""
        views = self.views(record, self.read_codes(record), region)
        return float(np.mean([self.scorer.score(view) for view, _ in views]))

    def read_codes(self, record: Record) -> np.ndarray:
        """The bases of a record that the model reads, as predictions do: outputs of whole sequences have a limit.

        Raises:
            DataError: If there are more than the model reads at once, and all of them count.
        """
        target, codes, limit = self.scorer.target, record.codes, self.bundle.config.options.get("max_bp")
        if target.head == OVERALL:
            return codes[:limit]
        at_once = limit or self.bundle.config.tile_bp
        if self.scorer.reach_tokens is None and len(codes) > at_once:
            message = f'record "{record.id}" has {len(codes):,} bases; the model reads up to {at_once:,} at once.'
            raise DataError("EXPLAIN-003", message, fix="Cut out what is to be explained.")
        whole = len(codes) // self.scorer.tokenizer.stride * self.scorer.tokenizer.stride
        return codes[:whole] if target.head == PER_TOKEN else codes

    def views(self, record: Record, codes: np.ndarray, region: tuple[int, int] | None) -> list[tuple[View, bool]]:
        """What is read of each strand, and whether it is turned around."""
        length = len(codes)
        start, end = self._span(record, length, region)
        found = {"forward": (View(codes, (start, end)), False)}
        if "reverse" in self.strands:
            found["reverse"] = View(reverse_complement(codes), (length - end, length - start)), True
        return [found[strand] for strand in self.strands]

    def positions(
        self, views: list[tuple[View, bool]], length: int, region: tuple[int, int] | None, name: str
    ) -> tuple[int, int]:
        """Bases that are asked about, forward coordinates: the region, or all that the output can depend on."""
        if region is not None:
            if region[0] >= length:
                message = f'the region begins at {region[0] + 1}, but of "{name}" {length} bp are read.'
                raise UsageError("REGION-002", message, where="--region")
            return region[0], min(region[1], length)
        spans = [self.scorer.reaching(view) for view, _ in views]
        turned = [
            (length - end, length - start) if is_turned else (start, end)
            for (start, end), (_, is_turned) in zip(spans, views, strict=True)
        ]
        return min(start for start, _ in turned), max(end for _, end in turned)

    def _span(self, record: Record, length: int, region: tuple[int, int] | None) -> tuple[int, int]:
        """Positions whose outputs are added up."""
        span = self.scorer.target.span
        if self.scorer.target.head == OVERALL:
            return 0, length
        if span is None:
            return (0, length) if region is None else (min(region[0], length), min(region[1], length))
        if span[1] > length:
            message = f'the target ends at {span[1]:,}, but of record "{record.id}" {length:,} bp are read.'
            raise DataError("EXPLAIN-003", message, fix="Give other positions with --target.")
        return span

    def _mutants(self, view: View, turned: bool, span: tuple[int, int], on_positions: OnPositions) -> np.ndarray:
        """[n, 4] of the bases [span) in forward coordinates."""
        length = len(view.codes)
        first, last = (length - span[1], length - span[0]) if turned else span
        known = view.codes[first:last] < N_CODE
        found = np.where(known[:, None], np.zeros((last - first, N_BASES)), np.nan)
        for start, changes in self.scorer.mutant_scores(view, first, last):
            found[start - first : start - first + len(changes)] = changes
            on_positions(len(changes) // len(self.strands))
        return found[::-1, ::-1] if turned else found  # A, C, G, T backwards are their complements


def _turned(values: np.ndarray, is_turned: bool) -> np.ndarray:
    return values[..., ::-1] if is_turned else values
