"""A Reformer in two files: our ``EncoderConfig``, and the ``config.json`` of Hugging Face's ``ReformerModel``."""

from collections.abc import Sequence
from typing import Any

from genoformer.errors import DataError, UsageError
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.config import EncoderConfig

DEFAULTS: dict[str, Any] = {
    "attention_head_size": 64,
    "attn_layers": ["local", "lsh", "local", "lsh", "local", "lsh"],
    "axial_pos_embds": True,
    "axial_pos_shape": [64, 64],
    "axial_pos_embds_dim": [64, 192],
    "feed_forward_size": 512,
    "hash_seed": None,
    "hidden_act": "relu",
    "hidden_dropout_prob": 0.05,
    "hidden_size": 256,
    "is_decoder": False,
    "layer_norm_eps": 1e-12,
    "local_attn_chunk_length": 64,
    "local_num_chunks_before": 1,
    "local_num_chunks_after": 0,
    "lsh_attn_chunk_length": 64,
    "lsh_num_chunks_before": 1,
    "lsh_num_chunks_after": 0,
    "max_position_embeddings": 4096,
    "num_attention_heads": 12,
    "num_buckets": None,
    "num_hashes": 1,
    "pad_token_id": 0,
}
"""What a ``config.json`` means by leaving a key out.

Reference: ``ReformerConfig`` of transformers 5.
"""
CHUNKS = {"chunk_tokens": "attn_chunk_length", "chunks_before": "num_chunks_before", "chunks_after": "num_chunks_after"}
"""Our setting of a layer, and their key behind "lsh_" or "local_"."""


def check_reformer_exportable(config: EncoderConfig, attention: ReformerConfig) -> None:
    """Refuse what a Reformer of Hugging Face cannot compute.

    Raises:
        UsageError: Naming the first such feature.
    """
    refused = {
        f"positions {config.positions}": config.positions != "learned",
        f"conv_width {config.conv_width}": config.conv_width > 0,
        "base_embedding true": config.base_embedding,
        "amino_acids true": config.amino_acids,
        f"amino_acid_words {config.amino_acid_words}": config.amino_acid_words,
        f"streams {attention.streams}": attention.streams != "both",
        "as_transformers false": not attention.as_transformers,
    }
    refused |= {
        f"{name} that differ between layers of one kind": any(
            len(set(_of_kind(config, attention, name, kind))) > 1 for kind in ("lsh", "local")
        )
        for name in CHUNKS
    }
    for feature, is_there in refused.items():
        if is_there:
            raise UsageError(
                "HF-001", f"a Reformer of Hugging Face has no place for the encoder's {feature}.",
                fix="Train with positions learned, conv_width 0, and attention.as_transformers and streams both.",
            )  # fmt: skip


def to_reformer_config(config: EncoderConfig, attention: ReformerConfig, *, pad_id: int) -> dict:
    """Content of ``config.json`` for a ``ReformerModel``.

    Args:
        config: Of an encoder that ``check_reformer_exportable`` lets pass.
        attention: Its attention.
        pad_id: Id of the padding token.
    """
    chunks = {}
    for kind in ("lsh", "local"):
        for name, key in CHUNKS.items():
            found = _of_kind(config, attention, name, kind)
            chunks[f"{kind}_{key}"] = found[0] if found else DEFAULTS[f"{kind}_{key}"]
    buckets = attention.n_buckets
    return {
        "architectures": ["ReformerModel"],
        "model_type": "reformer",
        "attention_head_size": attention.width_of_head(config),
        "attn_layers": [attention.kind(i) for i in range(config.n_layers)],
        "axial_pos_embds": attention.axial_shape is not None,
        "axial_pos_shape": list(attention.axial_shape or DEFAULTS["axial_pos_shape"]),
        "axial_pos_embds_dim": list(attention.axial_widths or (1, config.d_model - 1)),
        "feed_forward_size": config.d_ff,
        "hash_seed": attention.hash_seed,
        "hidden_act": attention.activation,
        "hidden_dropout_prob": config.dropout,
        "hidden_size": config.d_model,
        "is_decoder": attention.causal,
        "layer_norm_eps": config.norm_eps,
        "local_attention_probs_dropout_prob": 0.0,
        "lsh_attention_probs_dropout_prob": 0.0,
        "max_position_embeddings": config.max_tokens,
        "num_attention_heads": config.n_heads,
        "num_buckets": list(buckets) if isinstance(buckets, tuple) else buckets,
        "num_hashes": attention.n_rounds,
        "pad_token_id": pad_id,
        "vocab_size": config.vocab_size,
        **chunks,
    }


def _of_kind(config: EncoderConfig, attention: ReformerConfig, name: str, kind: str) -> list[int]:
    """A setting of each layer of a kind."""
    sights = [attention.sight(i) for i in range(config.n_layers) if attention.kind(i) == kind]
    fields = {"chunk_tokens": "chunk_tokens", "chunks_before": "before", "chunks_after": "after"}
    return [getattr(sight, fields[name]) for sight in sights]


def from_reformer_config(stored: dict, where: str, *, vocab_size: int, stride: int) -> EncoderConfig:
    """Our configuration from the content of ``config.json``.

    Without a ``hash_seed`` the rotations are those of seed 0: a model that draws others with every call has no
    prediction to be equal to.

    Args:
        stored: As read.
        where: The file, for messages.
        vocab_size: Rows of the embedding.
        stride: Bases that a token owns.

    Raises:
        DataError: If the values make no encoder.
    """
    values = {**DEFAULTS, **{key: value for key, value in stored.items() if value is not None}}
    try:
        layers = tuple(values["attn_layers"])
        is_axial = bool(values["axial_pos_embds"])
        axial = tuple(values["axial_pos_shape"]) if is_axial else None
        chunks = {ours: tuple(values[f"{kind}_{theirs}"] for kind in layers) for ours, theirs in CHUNKS.items()}
        attention = ReformerConfig(
            **{name: _one_or_all(of_layers) for name, of_layers in chunks.items()},
            n_rounds=values["num_hashes"], causal=values["is_decoder"], layers=_one_or_all(layers),
            n_buckets=_buckets(values["num_buckets"]), hash_seed=values["hash_seed"] or 0,
            d_head=_d_head(values), activation=values["hidden_act"], streams="both",
            axial_shape=axial, axial_widths=tuple(values["axial_pos_embds_dim"]) if is_axial else None,
            as_transformers=True,
        )  # fmt: skip
        return EncoderConfig(
            vocab_size=vocab_size, d_model=values["hidden_size"], n_heads=values["num_attention_heads"],
            n_layers=len(layers), d_ff=values["feed_forward_size"], dropout=values["hidden_dropout_prob"],
            attention=attention, positions="learned", norm="pre", conv_width=0, norm_eps=values["layer_norm_eps"],
            max_tokens=axial[0] * axial[1] if axial else values["max_position_embeddings"], stride=stride,
        )  # fmt: skip
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise DataError("HF-005", f"the configuration makes no encoder: {error}", where=where) from error


def _d_head(values: dict) -> int | None:
    """None where heads divide the width, as they do by default."""
    is_default = values["attention_head_size"] * values["num_attention_heads"] == values["hidden_size"]
    return None if is_default else values["attention_head_size"]


def _one_or_all(values: Sequence) -> Any:
    """One value where all layers have the same."""
    return values[0] if len(set(values)) == 1 else values


def _buckets(value: Any) -> Any:
    return (
        tuple(value) if isinstance(value, list) and len(value) > 1 else value[0] if isinstance(value, list) else value
    )
