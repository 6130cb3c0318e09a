"""What an encoder is made of: one frozen dataclass of plain numbers and words, checked when it is made.

What one architecture of attention alone has is a dataclass of its own: the field ``attention``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from genoformer.nn.attention import ATTENTIONS
from genoformer.nn.attention.interface import AttentionConfig, Carried, Reversible
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.layers.checks import check_share, frozen, is_whole, thawed

CODON_VOCABULARY = 5 + 4**3
"""Special tokens and codons."""
CHOICES = {
    "positions": ("rotary", "learned", "none"),
    "norm": ("pre", "post"),
}


@dataclass(frozen=True)
class EncoderConfig:
    """Architecture of an ``Encoder``; every field but ``attention`` is a plain JSON type.

    Args:
        vocab_size: Number of token ids; the largest legal id is ``vocab_size - 1``.
        d_model: Width of the hidden states.
        n_heads: Attention heads; divides ``d_model``.
        n_layers: Attention layers.
        d_ff: Width of the feed-forward layer.
        dropout: Probability on the residual branches.
        attention: Settings of an architecture in ``ATTENTIONS``.
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
    attention: AttentionConfig = field(default_factory=LongformerConfig)
    positions: str = "rotary"
    max_tokens: int = 4096
    norm: str = "pre"
    conv_width: int = 5
    base_embedding: bool = False
    amino_acids: bool = False
    amino_acid_words: int = 0
    stride: int = 1
    n_global_tokens: int = 0
    norm_eps: float = 1e-5
    checkpoint_tokens: int = 65_536

    def __post_init__(self) -> None:
        _check_numbers(self)
        _check_choices(self)
        _check_shapes(self)
        known = tuple(architecture.config for architecture in ATTENTIONS.values())
        if not isinstance(self.attention, known):
            raise ValueError(f"attention must be settings of one of {', '.join(ATTENTIONS)}, not {self.attention!r}.")
        self.attention.check(self)

    @property
    def receptive_field_tokens(self) -> int | None:
        """Tokens on each side that an output can depend on without global tokens; None where that is all of them."""
        known = [reach for reach in self.attention.reaches(self.n_layers) if reach is not None]
        return sum(known) + self.conv_width // 2 if len(known) == self.n_layers else None

    @property
    def reversible(self) -> Reversible | None:
        """What reversible layers are like; None of layers that are not."""
        return getattr(self.attention, "reversible", None)

    @property
    def d_hidden(self) -> int:
        """Width of the hidden states that the encoder gives: two of ``d_model`` where both streams leave it."""
        return self.d_model * (1 if self.reversible is None else self.reversible.n_streams)

    @property
    def d_head(self) -> int:
        """Width of a head of attention."""
        return getattr(self.attention, "d_head", None) or self.d_model // self.n_heads

    @property
    def axes(self) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """Shape and widths of the tables of learned positions; None for one row per token."""
        return getattr(self.attention, "axes", None)

    @property
    def carried(self) -> Carried | None:
        """What layers hand on from one stretch of a sequence to the next; None where each is read by itself."""
        return getattr(self.attention, "carried", None)

    @property
    def sorts_ahead(self) -> bool:
        """Which earlier tokens a token sees depends on later ones, too, even where attention is causal."""
        return getattr(self.attention, "sorts_ahead", False)

    @property
    def embedded_neighbours(self) -> tuple[int, int]:
        """Tokens in front and behind that the embedding of a token looks at."""
        return self.conv_width // 2, self.conv_width // 2 + max(0, self.amino_acid_words - 1)

    def to_dict(self) -> dict:
        """Plain JSON types: the inverse of ``from_dict``."""
        values = {one.name: thawed(getattr(self, one.name)) for one in fields(self)}
        return {**values, "attention": write_attention(self.attention)}

    @classmethod
    def from_dict(cls, values: Mapping) -> "EncoderConfig":
        """Read what ``to_dict`` wrote.

        Args:
            values: Fields by name. ``attention`` is a mapping with the name of the architecture and its own fields, or
                that name alone; fields that are left out have their defaults.

        Raises:
            ValueError: If a key is unknown or ``vocab_size`` is missing.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"unknown encoder settings: {', '.join(unknown)}.")
        if "vocab_size" not in values:
            raise ValueError("the encoder settings lack vocab_size.")
        return cls(**{**values, "attention": read_attention(values.get("attention", {}))})


def write_attention(config: AttentionConfig) -> dict:
    """Plain JSON types: the inverse of ``read_attention``."""
    return {"name": config.name, **{one.name: thawed(getattr(config, one.name)) for one in fields(config)}}


def read_attention(values: Mapping | str) -> AttentionConfig:
    """Settings of attention.

    Args:
        values: Name of an architecture in ``ATTENTIONS``, or a mapping with ``name`` and fields of that architecture;
            without a name it is the Longformer.

    Raises:
        ValueError: If the name or a field is unknown, or a value out of range.
    """
    if not isinstance(values, Mapping):
        values = {"name": values}
    settings = {"name": LongformerConfig.name, **values}
    name = settings.pop("name")
    if not isinstance(name, str) or name not in ATTENTIONS:
        raise ValueError(f"attention must be one of {', '.join(ATTENTIONS)}, not {name!r}.")
    for key in settings:
        _check_attention_field(name, key)
    return ATTENTIONS[name].config(**{key: frozen(value) for key, value in settings.items()})


def _check_attention_field(name: str, key: str) -> None:
    if key in _attention_fields(name):
        return
    others = [other for other in ATTENTIONS if key in _attention_fields(other)]
    hint = f"; it is a setting of {', '.join(others)}" if others else ""
    raise ValueError(f"attention {name} has no setting {key}{hint}.")


def _attention_fields(name: str) -> set[str]:
    return {one.name for one in fields(ATTENTIONS[name].config)}


MOST_LAYERS = 10_000
"""More take hours to make before memory ends."""


def _check_numbers(config: EncoderConfig) -> None:
    at_least_one = ("vocab_size", "d_model", "n_heads", "n_layers", "d_ff", "max_tokens", "stride", "checkpoint_tokens")
    lowest = {**dict.fromkeys(at_least_one, 1), "conv_width": 0, "n_global_tokens": 0}
    for name, least in lowest.items():
        value = getattr(config, name)
        if not is_whole(value) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}.")
    if config.n_layers > MOST_LAYERS:
        raise ValueError(f"n_layers must be at most {MOST_LAYERS:,}, not {config.n_layers}.")
    check_share("dropout", config.dropout)
    if not isinstance(config.norm_eps, float) or not 0.0 < config.norm_eps < 1.0:
        raise ValueError(f"norm_eps must be above 0 and below 1, not {config.norm_eps!r}.")


def _check_choices(config: EncoderConfig) -> None:
    for name, choices in CHOICES.items():
        value = getattr(config, name)
        if value not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}.")


def _check_shapes(config: EncoderConfig) -> None:
    has_own_heads = getattr(config.attention, "d_head", None) is not None
    if config.d_model % config.n_heads and not has_own_heads:
        raise ValueError(f"d_model {config.d_model} is not a multiple of n_heads {config.n_heads}.")
    if not has_own_heads and config.positions == "rotary" and (config.d_model // config.n_heads) % 2:
        d_head = config.d_model // config.n_heads
        raise ValueError(f"rotary positions need an even head width, but d_model / n_heads is {d_head}.")
    if config.amino_acid_words not in (0, 2, 3):
        raise ValueError(f"amino_acid_words must be 0, 2 or 3, not {config.amino_acid_words!r}.")
    if (config.amino_acids or config.amino_acid_words) and (config.vocab_size, config.stride) != (CODON_VOCABULARY, 3):
        raise ValueError("amino_acids and amino_acid_words need codons as tokens: k 3 and stride 3.")
    if config.conv_width and config.conv_width % 2 == 0:
        raise ValueError(f"conv_width must be 0 or odd, not {config.conv_width}.")
