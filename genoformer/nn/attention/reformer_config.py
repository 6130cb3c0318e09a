"""Settings of a Reformer: its attention by buckets, and what its reversible layers have that others do not."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from genoformer.nn.attention.interface import EncoderShape, Reversible
from genoformer.nn.attention.reformer_chunks import Sight
from genoformer.nn.layers.checks import frozen, is_whole

KINDS = ("lsh", "local")
ACTIVATIONS = ("gelu", "relu")
STREAMS = ("mean", "both")
MAX_SEED = 2**31 - 1


@dataclass(frozen=True)
class ReformerConfig:
    """Settings of a Reformer.

    Args:
        chunk_tokens: Tokens of a chunk, for all layers or one number per layer.
        n_rounds: Rounds of hashing: more find more of what belongs together, at a cost that grows with them.
        causal: No token sees a later one, and each bucket has chunks of its own, so that nothing depends on later
            tokens but the number of buckets, which follows from the length.
        chunks_before: Neighbour chunks that are seen before the own one, for all layers or one number per layer.
        chunks_after: Those behind it; by default 1, and 0 with ``causal``.
        layers: "lsh" (chunks of sorted buckets) or "local" (chunks of neighbours in the sequence, with queries and keys
            of their own), for all layers or one word per layer.
        n_buckets: Buckets, an even number or the two factors of one; by default a power of two that grows with the
            number of real tokens.
        hash_seed: What the rotations are drawn from.
        d_head: Width of a head; by default ``d_model / n_heads``.
        activation: Of the feed-forward layers, "gelu" or "relu".
        streams: What leaves the encoder: the "mean" of the two streams, as wide as they are, or "both" side by side.
        axial_shape: Learned positions are the rows and columns of a table of this shape, two numbers.
        axial_widths: Features of rows and of columns, two numbers that add up to ``d_model``.
        as_transformers: Rotations are the same in every layer, and rounds follow each other in a ring, as in
            ``transformers``; for imported models.

    Raises:
        ValueError: If a value is out of range; the sentence names it.
    """

    name: ClassVar[str] = "reformer"
    free: ClassVar[tuple[str, ...]] = (
        "chunk_tokens", "n_rounds", "causal", "chunks_before", "chunks_after", "n_buckets", "hash_seed",
    )  # fmt: skip

    chunk_tokens: int | tuple[int, ...] = 64
    n_rounds: int = 2
    causal: bool = False
    chunks_before: int | tuple[int, ...] = 1
    chunks_after: int | tuple[int, ...] | None = None
    layers: str | tuple[str, ...] = "lsh"
    n_buckets: int | tuple[int, ...] | None = None
    hash_seed: int = 0
    d_head: int | None = None
    activation: str = "gelu"
    streams: str = "mean"
    axial_shape: tuple[int, ...] | None = None
    axial_widths: tuple[int, ...] | None = None
    as_transformers: bool = False

    def __post_init__(self) -> None:
        for name in ("chunk_tokens", "chunks_before", "chunks_after", "layers", "n_buckets", "axial_shape"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        object.__setattr__(self, "axial_widths", frozen(self.axial_widths))
        for name, least in {"chunk_tokens": 1, "chunks_before": 0, "chunks_after": 0, "n_rounds": 1}.items():
            for value in _values(getattr(self, name)):
                _check_whole(name, value, least)
        for name in ("causal", "as_transformers"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false, not {getattr(self, name)!r}.")
        for name, words in {"layers": KINDS, "activation": ACTIVATIONS, "streams": STREAMS}.items():
            for value in _values(getattr(self, name)):
                if value not in words:
                    raise ValueError(f"{name} must be one of {', '.join(words)}, not {value!r}.")
        self._check_numbers()

    def _check_numbers(self) -> None:
        for factor in _values(self.n_buckets):
            if not is_whole(factor) or factor < 2 or factor % 2:
                raise ValueError(f"n_buckets must be even and at least 2, or factors that are, not {self.n_buckets!r}.")
        _check_whole("hash_seed", self.hash_seed, 0)
        if self.hash_seed > MAX_SEED:
            raise ValueError(f"hash_seed must be at most {MAX_SEED}, not {self.hash_seed}.")
        if self.d_head is not None:
            _check_whole("d_head", self.d_head, 1)
        if (self.axial_shape is None) != (self.axial_widths is None):
            raise ValueError("axial_shape and axial_widths are given together or not at all.")
        for name in ("axial_shape", "axial_widths"):
            values = getattr(self, name)
            if values is not None and len(_values(values)) != 2:
                raise ValueError(f"{name} must be two numbers, not {values!r}.")
            for value in _values(values):
                _check_whole(name, value, 1)

    def check(self, encoder: EncoderShape) -> None:
        """Settings of layers are as many as there are, and the encoder has what these layers can work with.

        Raises:
            ValueError: If not.
        """
        for name in ("chunk_tokens", "chunks_before", "chunks_after", "layers"):
            values = getattr(self, name)
            if isinstance(values, tuple) and len(values) != encoder.n_layers:
                raise ValueError(f"{name} names {len(values)} layers, but n_layers is {encoder.n_layers}.")
        if encoder.n_global_tokens:
            raise ValueError(
                f"n_global_tokens must be 0 with attention reformer, which has no global tokens, not "
                f"{encoder.n_global_tokens}."
            )
        if encoder.norm != "pre":
            raise ValueError(
                f"norm must be pre with attention reformer, whose layers are reversible, not {encoder.norm}."
            )
        if encoder.positions == "rotary" and self.width_of_head(encoder) % 2:
            raise ValueError(f"rotary positions need an even d_head, not {self.width_of_head(encoder)}.")
        self._check_axes(encoder)

    def _check_axes(self, encoder: EncoderShape) -> None:
        if self.axial_shape is None or self.axial_widths is None:
            return
        if encoder.positions != "learned":
            raise ValueError(f"axial_shape needs positions learned, not {encoder.positions}.")
        if math.prod(self.axial_shape) != encoder.max_tokens:
            raise ValueError(f"axial_shape {list(self.axial_shape)} has not max_tokens {encoder.max_tokens} places.")
        if sum(self.axial_widths) != encoder.d_model:
            raise ValueError(f"axial_widths {list(self.axial_widths)} do not add up to d_model {encoder.d_model}.")

    def reaches(self, n_layers: int) -> tuple[None, ...]:
        """No number: what a token sees depends on the buckets of all, and on where the input begins."""
        return (None,) * n_layers

    @property
    def reversible(self) -> Reversible:
        """Its layers are."""
        return Reversible(self.activation, n_streams=2 if self.streams == "both" else 1)

    @property
    def axes(self) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """Shape and widths of the tables of learned positions."""
        if self.axial_shape is None or self.axial_widths is None:
            return None
        return self.axial_shape, self.axial_widths

    @property
    def sorts_ahead(self) -> bool:
        """Chunks of sorted buckets begin where the tokens of all buckets say, later ones among them."""
        return "lsh" in _values(self.layers) and not self.has_own_chunks

    @property
    def has_own_chunks(self) -> bool:
        """Each bucket has chunks of its own, so that what a token sees follows from the tokens before it."""
        return self.causal and not self.as_transformers

    def width_of_head(self, encoder: EncoderShape) -> int:
        """Features of a head."""
        return self.d_head or encoder.d_model // encoder.n_heads

    def kind(self, layer: int) -> str:
        """ "lsh" or "local"."""
        return _of_layer(self.layers, layer)

    def sight(self, layer: int) -> Sight:
        """What the chunks of a layer see."""
        is_local = self.kind(layer) == "local"
        after = int(not self.causal) if self.chunks_after is None else _of_layer(self.chunks_after, layer)
        return Sight(
            _of_layer(self.chunk_tokens, layer), _of_layer(self.chunks_before, layer), after,
            is_causal=self.causal, sees_itself=is_local, is_ring=self.as_transformers,
        )  # fmt: skip

    def padded_tokens(self, n_tokens: int) -> int:
        """Places of an input: as long as it is, or as long as ``transformers`` makes it.

        There inputs longer than the shortest chunk are filled up to a multiple of all chunks.
        """
        chunks = _values(self.chunk_tokens)
        if not self.as_transformers or n_tokens <= min(chunks):
            return n_tokens
        multiple = math.lcm(*chunks)
        return -(-n_tokens // multiple) * multiple


def _values(value: Any) -> tuple:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _of_layer(value: Any, layer: int) -> Any:
    return value[layer] if isinstance(value, tuple) else value


def _check_whole(name: str, value: object, least: int) -> None:
    if not is_whole(value) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}.")
