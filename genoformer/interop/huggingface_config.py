"""The same architecture in two files: our ``EncoderConfig``, and the ``config.json`` of Hugging Face."""

from typing import Any

from genoformer.errors import DataError, UsageError
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.sequence.kmers import CLS_ID, MASK_ID, SEP_ID, UNK_ID, KmerTokenizer

DEFAULTS = {
    "longformer": {"attention_window": 512, "pad_token_id": 1},
    "bert": {"pad_token_id": 0},
    "reformer": {},
}
"""What a ``config.json`` of each type means by leaving a key out, as do the keys of ``SHARED_DEFAULTS``.

Those of a Reformer have other names, see ``reformer_layout``.

Reference: ``LongformerConfig`` and ``BertConfig`` of transformers 4 and 5.
"""
SHARED_DEFAULTS = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "max_position_embeddings": 512,
    "layer_norm_eps": 1e-12,
}
ONLY_VALUES = {
    "hidden_act": ("gelu",),
    "position_embedding_type": ("absolute",),
    "is_decoder": (False,),
    "add_cross_attention": (False,),
}
"""Values that our encoder can represent; a key that is missing or null is one of them."""
WHOLE_NUMBERS = (
    "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings",
    "pad_token_id",
)  # fmt: skip
KEY = "genoformer"
"""Key of ``config.json`` with what the layout has no place for; other programs ignore it."""


def check_exportable(config: EncoderConfig) -> None:
    """Refuse what a Longformer of Hugging Face cannot compute.

    Raises:
        UsageError: Naming the first such feature.
    """
    windows = _windows_of(config)
    radii, reaches = windows.radii(config.n_layers), windows.reaches(config.n_layers)
    dilation = max(reach // radius for reach, radius in zip(reaches, radii, strict=True))
    refused = {
        f"positions {config.positions}": config.positions != "learned",
        f"norm {config.norm}": config.norm != "post",
        f"dilation {dilation}": dilation > 1,
        "attention causal true": windows.causal,
        f"conv_width {config.conv_width}": config.conv_width > 0,
        "base_embedding true": config.base_embedding,
        "amino_acids true": config.amino_acids,
        f"amino_acid_words {config.amino_acid_words}": config.amino_acid_words,
        # It pads each input to a multiple of the widest window, and cuts it into windows in every layer.
        f"window_radius {radii}, where the largest is no multiple of all": any(max(radii) % radius for radius in radii),
    }
    for feature, is_there in refused.items():
        if is_there:
            raise _refusal(feature)


def _windows_of(config: EncoderConfig) -> LongformerConfig:
    """Settings of its windows; UsageError if its attention has none."""
    if not isinstance(config.attention, LongformerConfig):
        raise _refusal(f"attention {config.attention.name}")
    return config.attention


def _refusal(feature: str) -> UsageError:
    return UsageError(
        "HF-001", f"a Longformer of Hugging Face has no place for the encoder's {feature}.",
        fix="Train with a configuration like gene_structure_hf.",
    )  # fmt: skip


def to_longformer_config(config: EncoderConfig, *, pad_id: int, tokenizer: KmerTokenizer | None) -> dict:
    """Content of ``config.json`` for a ``LongformerModel``.

    Args:
        config: Of an encoder that ``check_exportable`` lets pass.
        pad_id: Id of the padding token.
        tokenizer: Whose ids the encoder reads; None = unknown.
    """
    special = {"unk_token_id": UNK_ID, "cls_token_id": CLS_ID, "sep_token_id": SEP_ID, "mask_token_id": MASK_ID}
    special |= {"bos_token_id": CLS_ID, "eos_token_id": SEP_ID}
    ours, windows = {"n_global_tokens": config.n_global_tokens}, _windows_of(config)
    return {
        "architectures": ["LongformerModel"],
        "model_type": "longformer",
        "attention_probs_dropout_prob": windows.dropout,
        "attention_window": [2 * radius for radius in windows.radii(config.n_layers)],
        "hidden_act": "gelu",
        "hidden_dropout_prob": config.dropout,
        "hidden_size": config.d_model,
        "intermediate_size": config.d_ff,
        "layer_norm_eps": config.norm_eps,
        "max_position_embeddings": config.max_tokens + pad_id + 1,
        "num_attention_heads": config.n_heads,
        "num_hidden_layers": config.n_layers,
        "type_vocab_size": 1,
        "vocab_size": config.vocab_size,
        "pad_token_id": pad_id,
        **(special if tokenizer else {}),
        KEY: ours | ({"k": tokenizer.k, "stride": tokenizer.stride} if tokenizer else {}),
    }


def model_type(stored: dict, where: str) -> str:
    """Which of ``DEFAULTS`` a folder is, from ``model_type`` or, where that is missing, from ``architectures``.

    Raises:
        DataError: If it is anything else.
    """
    # The configurations of DNABERT name the architecture only.
    found = stored.get("model_type")
    if found is None and isinstance(stored.get("architectures"), list):
        named = str(stored["architectures"][:1])
        found = next((kind for kind in DEFAULTS if kind in named.lower()), named)
    if isinstance(found, str) and found in DEFAULTS:
        return found
    raise DataError(
        "HF-003", f"the model_type is {found}; longformer, reformer and bert can be read.", where=where,
        fix="Name a folder of a Longformer, of a Reformer, or of a BERT over k-mers.",
    )  # fmt: skip


def with_defaults(stored: dict, where: str) -> dict:
    """``config.json`` with the values that it leaves out, checked for what the encoder cannot represent.

    Raises:
        DataError: Naming the key and the value.
    """
    kind = model_type(stored, where)
    given = {key: value for key, value in stored.items() if value is not None}
    values = {**SHARED_DEFAULTS, **DEFAULTS[kind], **given, "model_type": kind}
    for key in WHOLE_NUMBERS:
        if not isinstance(values[key], int) or values[key] < 0:
            raise DataError("HF-004", f"expected a whole number as {key}, found {values[key]!r}.", where=where)
    for key, legal in ONLY_VALUES.items():
        if values.get(key, legal[0]) not in legal:
            raise DataError(
                "HF-004", f"{key} {values[key]!r} cannot be represented; expected {legal[0]!r}.", where=where
            )
    return values


def to_encoder_config(
    values: dict, where: str, *, window_radius: int | tuple[int, ...], **settings: Any
) -> EncoderConfig:
    """Our configuration from the result of ``with_defaults``.

    Args:
        values: As read.
        where: The file, for messages.
        window_radius: Tokens seen on each side.
        settings: Fields of ``EncoderConfig`` that are known from elsewhere.

    Raises:
        DataError: If the values make no encoder.
    """
    try:
        return EncoderConfig(
            d_model=values["hidden_size"], n_heads=values["num_attention_heads"], n_layers=values["num_hidden_layers"],
            d_ff=values["intermediate_size"], dropout=values["hidden_dropout_prob"], norm="post", conv_width=0,
            positions="learned", norm_eps=values["layer_norm_eps"],
            attention=LongformerConfig(window_radius=window_radius), **settings,
        )  # fmt: skip
    except (ValueError, TypeError) as error:
        raise DataError("HF-005", f"the configuration makes no encoder: {error}", where=where) from error


def window_radius(values: dict, where: str) -> int | tuple[int, ...]:
    """Tokens seen on each side: half of ``attention_window``; one number where all layers have the same.

    Raises:
        DataError: If a window is not an even number of at least 2.
    """
    stored = values["attention_window"]
    windows = stored if isinstance(stored, list) else [stored] * values["num_hidden_layers"]
    for window in windows:
        if not isinstance(window, int) or window < 2 or window % 2:
            raise DataError("HF-006", f"expected an even attention_window, found {window!r}.", where=where)
    radii = tuple(window // 2 for window in windows)
    is_one = len(set(radii)) == 1 and len(radii) == values["num_hidden_layers"]
    return radii[0] if is_one else radii
