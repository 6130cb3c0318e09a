"""Embeddings: hidden states of a model's encoder for records, windows or bases; with any model, whatever its task."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from genoformer.bundle.folder import Bundle
from genoformer.embeddings.request import Embedding, check_layer
from genoformer.embeddings.windows import Means
from genoformer.inference.interface import Speed
from genoformer.nn.config import EncoderConfig
from genoformer.nn.hidden_states import states_network
from genoformer.nn.model import GenomeModel
from genoformer.sequence.alphabet import N_CODE, reverse_complement
from genoformer.sequence.records import Record
from genoformer.stream import Piece, TilePlan, strand_logits

TILES = 8
"""Tiles of a record that are read at once, at most: what memory holds where every base is a row."""
WINDOW_TILES = 40
"""The same where rows are few: a row over a border is read twice."""
HELD_BYTES = 100_000_000
"""Of states, about."""


@dataclass(frozen=True)
class Rows:
    """Neighbouring rows of one record.

    Attributes:
        starts: First base of each, int64 [n]; 0-based, half-open, forward strand.
        ends: One past the last.
        known_bp: A, C, G and T in each: what the mean is over.
        values: [n, D].
    """

    starts: np.ndarray
    ends: np.ndarray
    known_bp: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class RecordEmbedding:
    """All rows of one record.

    Attributes:
        record_id: The record.
        rows: At least one with ``per="record"``; none of an empty record otherwise.
    """

    record_id: str
    rows: Rows


@dataclass
class Strands:
    """A record and its reverse complement, made when it is asked for; uint8 base codes [L]."""

    forward: np.ndarray

    @cached_property
    def reverse(self) -> np.ndarray:
        return reverse_complement(self.forward)


@dataclass(frozen=True)
class Embedder:
    """A bundle made ready to embed; see ``inference.interface.Caller``.

    The value of a base is the state of the token that owns it. A row of several bases is the mean over its A, C, G and
    T: unknown bases, and what pads a tile, are left out; without any such base it is zero. A row of one base is the
    state itself, also of an unknown base.

    Attributes:
        network: Gives the states of every base.
        bundle: The model.
        plan: How sequence is read.
        asked: What is asked, with the number of the layer.
    """

    network: GenomeModel
    bundle: Bundle
    plan: TilePlan
    asked: Embedding

    @classmethod
    def from_bundle(cls, bundle: Bundle, speed: Speed = Speed(), asked: Embedding = Embedding()) -> Self:
        """Make a bundle ready.

        Raises:
            UsageError: If it has no such layer.
        """
        config = bundle.model.encoder.config
        check_layer(asked.layer, config.n_layers)
        layer = config.n_layers if asked.layer is None else asked.layer
        network = states_network(bundle.model.encoder, layer).eval()
        return cls(network, bundle, reading_plan(bundle, config, speed), replace(asked, layer=layer))

    @property
    def width(self) -> int:
        """Numbers of a row, D."""
        return self.network.encoder.config.d_hidden

    @property
    def block_bp(self) -> int:
        """Bases that are read at once; whole tiles, whatever the batch size."""
        per_base = self.asked.windows.per == "base"
        n_tiles = min(TILES, max(1, HELD_BYTES // (4 * self.plan.tile_bp * self.width))) if per_base else WINDOW_TILES
        return n_tiles * self.plan.tile_bp

    def blocks(self, length: int) -> Iterator[tuple[int, int]]:
        """Rows of a record, [first, last), that are made at once."""
        windows, n_rows = self.asked.windows, self.asked.windows.n_rows(length)
        step = {"record": n_rows, "base": self.block_bp}.get(windows.per, max(1, self.block_bp // windows.step_bp))
        return ((first, min(first + step, n_rows)) for first in range(0, n_rows, max(step, 1)))

    def rows(self, strands: Strands, first: int, last: int) -> Rows:
        """Rows [first, last) of a record."""
        codes = strands.forward
        starts, ends = self.asked.windows.bounds(len(codes), first, last)
        known = codes < N_CODE
        span = int(starts[0]), int(ends[-1])
        if self.asked.windows.per == "base":
            return Rows(starts, ends, known[first:last].astype(np.int64), self._states(strands, span))
        means = Means(starts, ends, known, self.width)
        for start, weight, values in self._pieces(strands, span):
            means.add(start, values, weight)
        return Rows(starts, ends, means.known_bp, means.values().astype(self.asked.dtype))

    def embeddings(self, read: Callable[[], Iterable[Record]]) -> Iterator[RecordEmbedding]:
        """All rows of each record, which are in memory together.

        Args:
            read: Gives the records.
        """
        for record in read():
            strands = Strands(record.codes)
            found = [self.rows(strands, *block) for block in self.blocks(len(record))] or [self._nothing()]
            columns = ([getattr(rows, name) for rows in found] for name in ("starts", "ends", "known_bp", "values"))
            yield RecordEmbedding(record.id, Rows(*(np.concatenate(parts) for parts in columns)))

    def _nothing(self) -> Rows:
        none = np.zeros(0, np.int64)
        return Rows(none, none, none, np.zeros((0, self.width), self.asked.dtype))

    def _states(self, strands: Strands, span: tuple[int, int]) -> np.ndarray:
        """Of every base of a stretch, [n, D]."""
        found = np.zeros((span[1] - span[0], self.width), np.float32)
        for start, weight, values in self._pieces(strands, span):
            found[start - span[0] : start - span[0] + len(values)] += np.float32(weight) * values
        return found.astype(self.asked.dtype, copy=False)

    def _pieces(self, strands: Strands, span: tuple[int, int]) -> Iterator[tuple[int, float, np.ndarray]]:
        """Start, weight and states [n, D] of pieces that cover a stretch, once for each strand that is read."""
        length = len(strands.forward)
        weight = 0.5 if self.asked.strand == "average" else 1.0
        if self.asked.strand != "reverse":
            for start, _, values in self._read(strands.forward, span):
                yield start, weight, values
        if self.asked.strand != "forward":
            for _, end, values in self._read(strands.reverse, (length - span[1], length - span[0])):
                yield length - end, weight, values[::-1]

    def _read(self, codes: np.ndarray, span: tuple[int, int]) -> Iterator[Piece]:
        return strand_logits(self.network, self.bundle.tokenizer, codes, self.plan, span=span)


def reading_plan(bundle: Bundle, config: EncoderConfig, speed: Speed) -> TilePlan:
    """How a bundle of any task reads long sequence: the tiles of its configuration, as prediction has them.

    A model of whole sequences reads as much at once as its positions and its own limit allow. Context is as wide as the
    encoder can see, where that is known and wider than configured.

    Args:
        bundle: The model.
        config: Of its encoder.
        speed: Tiles per model call, and precision: float32 if None.
    """
    stride, reach, limit = config.stride, reach_tokens(config), bundle.config.options.get("max_bp")
    tile_bp, context_bp = bundle.config.tile_bp, bundle.config.context_bp
    if isinstance(limit, int):
        tile_bp, context_bp = min(tile_bp, limit), 0
    if reach is not None:
        context_bp = max(context_bp, reach * stride)
    if config.positions == "learned":
        tile_bp, context_bp = _within(config, tile_bp, context_bp)
    unit = stride * (config.carried.segment if config.carried is not None else 1)
    tile_bp = max(unit, tile_bp // unit * unit)
    return TilePlan(
        tile_bp, context_bp, batch_size=min(speed.batch_size, TILES), precision=speed.precision or "float32"
    )


def reach_tokens(config: EncoderConfig) -> int | None:
    """Tokens on each side that a state can depend on; None where that is all, or depends on where reading begins."""
    known = config.receptive_field_tokens
    if known is None or config.n_global_tokens or config.carried is not None or config.positions == "learned":
        return None
    return known + max(0, config.amino_acid_words - 1)


def _within(config: EncoderConfig, tile_bp: int, context_bp: int) -> tuple[int, int]:
    """Tile and context that fit learned positions; the context is at most a quarter of them on each side."""
    n_tokens = config.max_tokens - config.n_global_tokens
    context = min(-(-context_bp // config.stride), n_tokens // 4)
    return min(tile_bp, (n_tokens - 2 * context) * config.stride), context * config.stride


def describe(embedder: Embedder) -> dict[str, Any]:
    """What an embedding is of, for files; plain JSON types."""
    asked, bundle = embedder.asked, embedder.bundle
    sizes = {"window_bp": asked.windows.window_bp, "step_bp": asked.windows.step_bp}
    return {
        "model": bundle.name, "model_digest": bundle.digest, "task": bundle.config.task, "layer": asked.layer,
        "per": asked.windows.per, **(sizes if asked.windows.per == "window" else {}), "strand": asked.strand,
        "dtype": asked.dtype, "width": embedder.width,
    }  # fmt: skip
