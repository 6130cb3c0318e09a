"""Attention: one file for each architecture, and one for each way to compute a window."""

from genoformer.nn.attention.full import FullConfig, build_full
from genoformer.nn.attention.interface import Architecture
from genoformer.nn.attention.longformer import LongformerConfig, build_longformer
from genoformer.nn.attention.reformer import build_reformer
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.attention.transformer_xl import TransformerXLConfig, build_transformer_xl

ATTENTIONS = {
    "longformer": Architecture(LongformerConfig, build_longformer),
    "full": Architecture(FullConfig, build_full),
    "reformer": Architecture(ReformerConfig, build_reformer),
    "transformer_xl": Architecture(TransformerXLConfig, build_transformer_xl),
}
"""Architectures by the name that ``encoder.attention`` gives them."""
