"""The same weights under two names: those of our encoder, and those of Hugging Face's Longformer and BERT."""

import torch
from torch import Tensor

State = dict[str, Tensor]

PARTS = ("weight", "bias")
LOCAL = ("query", "key", "value")
GLOBAL = ("query_global", "key_global", "value_global")
LAYER_NAMES = {
    "attention.output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "widen": "intermediate.dense",
    "narrow": "output.dense",
    "feed_forward_norm": "output.LayerNorm",
}
"""Modules of a layer that differ in nothing but the name, ours to theirs."""

WORDS = "embeddings.word_embeddings.weight"
POSITIONS = "embeddings.position_embeddings.weight"
TOKEN_TYPES = "embeddings.token_type_embeddings.weight"
NORM = "embeddings.LayerNorm"


def to_longformer_names(state: State, *, n_layers: int, pad_id: int) -> State:
    """The state of our encoder as the state of a ``LongformerModel`` without pooler.

    Positions of a Longformer begin behind ``pad_id``, so that many rows of zeros come first. The one token type is
    zero. An encoder without global projections gets copies of the local ones.

    Args:
        state: State of an ``Encoder`` with learned positions and post-norm.
        n_layers: Its layers.
        pad_id: Id of the padding token.
    """
    positions = state["position_embedding.weight"]
    unused = positions.new_zeros(pad_id + 1, positions.shape[1])
    theirs = {WORDS: state["token_embedding.weight"], POSITIONS: torch.cat((unused, positions))}
    theirs[TOKEN_TYPES] = positions.new_zeros(1, positions.shape[1])
    theirs |= {f"{NORM}.{part}": state[f"embedding_norm.{part}"] for part in PARTS}
    for i in range(n_layers):
        theirs |= _layer_to_theirs(state, f"layers.{i}", f"encoder.layer.{i}")
    return theirs


def from_longformer_names(state: State, *, n_layers: int, pad_id: int, has_global: bool) -> State:
    """The inverse of ``to_longformer_names``; the first token type is added to the positions.

    Args:
        state: State of a ``LongformerModel``; only what the encoder needs is read.
        n_layers: Its layers.
        pad_id: Id of the padding token.
        has_global: Keep the global projections.

    Raises:
        KeyError: With the name of a tensor that is missing.
    """
    ours = {
        "token_embedding.weight": state[WORDS],
        "position_embedding.weight": state[POSITIONS][pad_id + 1 :] + state[TOKEN_TYPES][0],
        **{f"embedding_norm.{part}": state[f"{NORM}.{part}"] for part in PARTS},
    }
    for i in range(n_layers):
        ours |= _layer_to_ours(state, f"layers.{i}", f"encoder.layer.{i}", has_global=has_global)
    return ours


def last_norm(state: State, n_layers: int) -> State:
    """Scale and shift of the norm whose output are the hidden states of our encoder, "weight" and "bias" [D]."""
    last = f"layers.{n_layers - 1}.feed_forward_norm" if n_layers else "embedding_norm"
    return {part: state[f"{last}.{part}"] for part in PARTS}


def _layer_to_theirs(state: State, ours: str, theirs: str) -> State:
    layer = {}
    for part in PARTS:
        for our_name, their_name in LAYER_NAMES.items():
            layer[f"{theirs}.{their_name}.{part}"] = state[f"{ours}.{our_name}.{part}"]
        local = state[f"{ours}.attention.query_key_value.{part}"].chunk(3)
        for name, name_global, tensor in zip(LOCAL, GLOBAL, local, strict=True):
            layer[f"{theirs}.attention.self.{name}.{part}"] = tensor
            key = f"{ours}.attention.global_projections.{name_global}.{part}"
            layer[f"{theirs}.attention.self.{name_global}.{part}"] = state.get(key, tensor)
    return layer


def _layer_to_ours(state: State, ours: str, theirs: str, *, has_global: bool) -> State:
    layer = {}
    for part in PARTS:
        for our_name, their_name in LAYER_NAMES.items():
            layer[f"{ours}.{our_name}.{part}"] = state[f"{theirs}.{their_name}.{part}"]
        local = [state[f"{theirs}.attention.self.{name}.{part}"] for name in LOCAL]
        layer[f"{ours}.attention.query_key_value.{part}"] = torch.cat(local)
        for name in GLOBAL if has_global else ():
            key = f"{ours}.attention.global_projections.{name}.{part}"
            layer[key] = state[f"{theirs}.attention.self.{name}.{part}"]
    return layer
