"""The four architectures in sizes that can be compared: the same width and depth, and as many parameters."""

from dataclasses import replace

from torch import nn

from genoformer.nn.attention.full import FullConfig
from genoformer.nn.attention.interface import AttentionConfig
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.attention.transformer_xl import TransformerXLConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder

CONTENDERS = ("longformer", "full", "reformer", "transformer_xl")
MEASURE = CONTENDERS[0]
"""The others get feed-forward layers that make them as large as this one."""


def attention_of(name: str, *, causal: bool) -> AttentionConfig:
    """Settings of an architecture; what a token sees in one layer is about 128 tokens wide where it has a width."""
    settings: dict[str, AttentionConfig] = {
        "longformer": LongformerConfig(window_radius=64, causal=causal),
        "full": FullConfig(causal=causal),
        "reformer": ReformerConfig(chunk_tokens=64, n_rounds=2, causal=causal),
        "transformer_xl": TransformerXLConfig(segment=128, memory=128, causal=causal),
    }
    return settings[name]


def make_config(name: str, *, vocab_size: int, causal: bool = False, **sizes) -> EncoderConfig:
    """An encoder of an architecture with as many parameters as the Longformer of these sizes, to a share of a percent.

    Args:
        name: Of ``CONTENDERS``.
        vocab_size: As of ``EncoderConfig``.
        causal: No token sees a later one.
        sizes: Other fields of ``EncoderConfig``; ``d_ff`` is that of the Longformer.
    """
    measure = EncoderConfig(vocab_size=vocab_size, attention=attention_of(MEASURE, causal=causal), **sizes)
    positions = "none" if name == "transformer_xl" else measure.positions
    config = replace(measure, attention=attention_of(name, causal=causal), positions=positions)
    lacking = n_parameters(Encoder(measure)) - n_parameters(Encoder(config))
    per_column = config.n_layers * (2 * config.d_model + 1)
    return replace(config, d_ff=config.d_ff + round(lacking / per_column))


def n_parameters(module: nn.Module) -> int:
    """Numbers that are learned."""
    return sum(weights.numel() for weights in module.parameters())
