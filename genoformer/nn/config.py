"""What an encoder is made of: one frozen dataclass of plain numbers and words, checked when it is made."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

CODON_VOCABULARY = 5 + 4**3
"""Special tokens and codons."""
CHOICES = {
    "attention": ("longformer", "full"),
    "positions": ("rotary", "learned", "none"),
    "norm": ("pre", "post"),
    "backend": ("auto", "reference", "fused", "blocked", "flex", "sdpa"),
}


@dataclass(frozen=True)
class EncoderConfig:
    """Architecture of an ``Encoder``; every field is a plain JSON type.

    Args:
        vocab_size: Number of token ids; the largest legal id is ``vocab_size - 1``.
        d_model: Width of the hidden states.
        n_heads: Attention heads; divides ``d_model``.
        n_layers: Attention layers.
        d_ff: Width of the feed-forward layer.
        dropout: Probability on the residual branches.
        attention_dropout: Share of the attention weights that is dropped in training.
        attention: "longformer" (window plus global tokens) or "full" (every token sees all).
        window_radius: Tokens seen on each side, for all layers or one per layer. Longer than the input is legal.
        dilation: Step between the tokens of a window, for all layers or one per layer; a layer's may be a list with one
            step per head.
        positions: "rotary", "learned" (up to ``max_tokens``) or "none".
        max_tokens: Longest input of learned positions.
        norm: Layer norm before each residual branch and behind the last layer ("pre"), or after the embeddings and
            after each residual branch, as in BERT and the Longformer ("post").
        conv_width: Odd width in tokens of the depthwise convolution on the embeddings; 0 leaves it out.
        base_embedding: Add embeddings of the ``stride`` bases that a token owns.
        amino_acids: Add an embedding of the amino acid that a codon stands for; needs codons as tokens.
        amino_acid_words: Add an embedding of the word of so many amino acids that begins with a codon, 2 or 3: what
            related proteins share; needs codons as tokens. 0 leaves it out.
        stride: Bases that a token owns.
        backend: How attention is computed; "auto" chooses by length.
        n_global_tokens: Global tokens that collate puts in front of each sequence. With 0 the model has no global
            projections and refuses a global mask.
        norm_eps: Added to the variance in every layer norm.
        checkpoint_tokens: Training batches of at least so many tokens keep the inputs of the layers only, and compute
            the rest again in the backward pass: less memory, a third more time, the same numbers.

    Raises:
        ValueError: If a value is out of range; the sentence names it.
    """

    vocab_size: int
    d_model: int = 128
    n_heads: int = 4
    n_layers: int = 4
    d_ff: int = 512
    dropout: float = 0.0
    attention_dropout: float = 0.0
    attention: str = "longformer"
    window_radius: int | tuple[int, ...] = 96
    dilation: int | tuple[int | tuple[int, ...], ...] = 1
    positions: str = "rotary"
    max_tokens: int = 4096
    norm: str = "pre"
    conv_width: int = 5
    base_embedding: bool = False
    amino_acids: bool = False
    amino_acid_words: int = 0
    stride: int = 1
    backend: str = "auto"
    n_global_tokens: int = 0
    norm_eps: float = 1e-5
    checkpoint_tokens: int = 65_536

    def __post_init__(self) -> None:
        for name in ("window_radius", "dilation"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))
        _check_numbers(self)
        _check_choices(self)
        _check_shapes(self)

    @property
    def radii(self) -> tuple[int, ...]:
        """Window radius of each layer, tokens."""
        return _per_layer(self.window_radius, self.n_layers)

    @property
    def dilations(self) -> tuple[int | tuple[int, ...], ...]:
        """Dilation of each layer, of all heads or of each."""
        return _per_layer(self.dilation, self.n_layers)

    @property
    def largest_dilations(self) -> tuple[int, ...]:
        """Largest dilation of each layer."""
        return tuple(max(step) if isinstance(step, tuple) else step for step in self.dilations)

    @property
    def receptive_field_tokens(self) -> int | None:
        """Tokens on each side that an output can depend on without global tokens; None with full attention."""
        if self.attention == "full":
            return None
        reach = sum(radius * step for radius, step in zip(self.radii, self.largest_dilations, strict=True))
        return reach + self.conv_width // 2

    def to_dict(self) -> dict:
        """Plain JSON types: the inverse of ``from_dict``."""
        return {name: _thawed(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping) -> "EncoderConfig":
        """Read what ``to_dict`` wrote.

        Raises:
            ValueError: If a key is unknown or ``vocab_size`` is missing.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"unknown encoder settings: {', '.join(unknown)}.")
        if "vocab_size" not in values:
            raise ValueError("the encoder settings lack vocab_size.")
        return cls(**values)


def _frozen(value: object) -> object:
    """Lists to tuples, at any depth."""
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _thawed(value: object) -> object:
    """Tuples to lists, at any depth."""
    return list(map(_thawed, value)) if isinstance(value, tuple) else value


def _per_layer(value, n_layers: int) -> tuple:
    return value if isinstance(value, tuple) else (value,) * n_layers


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_numbers(config: EncoderConfig) -> None:
    at_least_one = ("vocab_size", "d_model", "n_heads", "n_layers", "d_ff", "max_tokens", "stride", "checkpoint_tokens")
    lowest = {**dict.fromkeys(at_least_one, 1), "conv_width": 0, "n_global_tokens": 0}
    for name, least in lowest.items():
        value = getattr(config, name)
        if not _is_whole(value) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}.")
    for name in ("window_radius", "dilation"):
        values = _per_layer(getattr(config, name), config.n_layers)
        if len(values) != config.n_layers:
            raise ValueError(f"{name} names {len(values)} layers, but n_layers is {config.n_layers}.")
        for value in values:
            _check_step(name, value, config.n_heads)
    for name in ("dropout", "attention_dropout"):
        value = getattr(config, name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0.0 <= value < 1.0:
            raise ValueError(f"{name} must be at least 0 and below 1, not {value!r}.")
    if not isinstance(config.norm_eps, float) or not 0.0 < config.norm_eps < 1.0:
        raise ValueError(f"norm_eps must be above 0 and below 1, not {config.norm_eps!r}.")


def _check_step(name: str, value: object, n_heads: int) -> None:
    """Radius or dilation of one layer; only dilations differ between heads."""
    is_by_head = isinstance(value, tuple) and name == "dilation"
    of_heads = value if is_by_head else (value,)
    if is_by_head and len(value) != n_heads:
        raise ValueError(f"{name} {list(value)} names {len(value)} heads, but n_heads is {n_heads}.")
    for step in of_heads:
        if not _is_whole(step) or step < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, not {step!r}.")


def _check_choices(config: EncoderConfig) -> None:
    for name, choices in CHOICES.items():
        value = getattr(config, name)
        if value not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}.")


def _check_shapes(config: EncoderConfig) -> None:
    if config.d_model % config.n_heads:
        raise ValueError(f"d_model {config.d_model} is not a multiple of n_heads {config.n_heads}.")
    if config.positions == "rotary" and (config.d_model // config.n_heads) % 2:
        d_head = config.d_model // config.n_heads
        raise ValueError(f"rotary positions need an even head width, but d_model / n_heads is {d_head}.")
    if config.backend in ("flex", "fused") and config.attention_dropout:
        raise ValueError(
            f"backend {config.backend} cannot drop attention weights: set attention_dropout to 0 or backend to auto."
        )
    if config.amino_acid_words not in (0, 2, 3):
        raise ValueError(f"amino_acid_words must be 0, 2 or 3, not {config.amino_acid_words!r}.")
    if (config.amino_acids or config.amino_acid_words) and (config.vocab_size, config.stride) != (CODON_VOCABULARY, 3):
        raise ValueError("amino_acids and amino_acid_words need codons as tokens: k 3 and stride 3.")
    if config.conv_width and config.conv_width % 2 == 0:
        raise ValueError(f"conv_width must be 0 or odd, not {config.conv_width}.")
