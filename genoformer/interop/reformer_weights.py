"""The same weights under two names: those of our reversible layers, and those of Hugging Face's ``ReformerModel``."""

from collections.abc import Iterator

from genoformer.interop.huggingface_names import PARTS, WORDS, State
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.config import EncoderConfig

AXES = ("embeddings.position_embeddings.weights.0", "embeddings.position_embeddings.weights.1")
POSITIONS = "embeddings.position_embeddings.embedding.weight"
LAYER_NAMES = {
    "attention_norm": "attention.layer_norm",
    "feed_forward_norm": "feed_forward.layer_norm",
    "widen": "feed_forward.dense.dense",
    "narrow": "feed_forward.output.dense",
}
"""Modules of a layer that have weight and bias, ours to theirs."""
INPUTS = {"lsh": ("query_key", "value"), "local": ("query", "key", "value")}
UNUSED_AXIS = {"position_embedding.rows": 1, "position_embedding.columns": 0}
"""Where their tables have a dimension of one, so that both can be added up to a grid."""


def to_reformer_names(state: State, config: EncoderConfig) -> State:
    """The state of our encoder as the state of a ``ReformerModel``.

    Args:
        state: State of an ``Encoder`` whose attention is that of a Reformer, with learned positions.
        config: Its configuration.
    """
    return {
        theirs: state[ours].unsqueeze(UNUSED_AXIS[ours]) if ours in UNUSED_AXIS else state[ours]
        for ours, theirs in _names(config)
    }


def from_reformer_names(state: State, config: EncoderConfig) -> State:
    """The inverse of ``to_reformer_names``.

    Raises:
        KeyError: With the name of a tensor that is missing.
    """
    return {
        ours: state[theirs].squeeze(UNUSED_AXIS[ours]) if ours in UNUSED_AXIS else state[theirs]
        for ours, theirs in _names(config)
    }


def _names(config: EncoderConfig) -> Iterator[tuple[str, str]]:
    """Name of each tensor, ours and theirs."""
    attention = config.attention
    if not isinstance(attention, ReformerConfig):
        raise ValueError(f"expected attention reformer, found {config.attention.name}.")
    yield "token_embedding.weight", WORDS
    if attention.axial_shape is None:
        yield "position_embedding.weight", POSITIONS
    else:
        yield from zip(UNUSED_AXIS, AXES, strict=True)
    for i in range(config.n_layers):
        ours, theirs = f"layers.{i}", f"encoder.layers.{i}"
        for name in INPUTS[attention.kind(i)]:
            yield f"{ours}.attention.inputs.{name}.weight", f"{theirs}.attention.self_attention.{name}.weight"
        yield f"{ours}.attention.output.weight", f"{theirs}.attention.output.dense.weight"
        for part in PARTS:
            for our_name, their_name in LAYER_NAMES.items():
                yield f"{ours}.{our_name}.{part}", f"{theirs}.{their_name}.{part}"
    for part in PARTS:
        yield f"final_norm.{part}", f"encoder.layer_norm.{part}"
