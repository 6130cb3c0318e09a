"""Models with random weights, in float64, for tests of explanations."""

import numpy as np
import torch

from genoformer.bundle.folder import Bundle, network_of
from genoformer.bundle.header import BundleConfig
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig

LABELS = ["a", "b", "c"]


def bundle_of(head, k=3, stride=3, options=None, window_radius=3, **settings):
    """A bundle that nothing was trained for; the reach of its two layers is 2 * window_radius + 1 tokens."""
    encoder = EncoderConfig(
        vocab_size=5 + 4**k, d_model=16, n_heads=2, n_layers=2, d_ff=16, conv_width=3, stride=stride,
        **{"attention": LongformerConfig(window_radius=window_radius, backend="blocked"), **settings},
    )  # fmt: skip
    config = BundleConfig(
        task="any", head=head, encoder=encoder.to_dict(), k=k, stride=stride, tile_bp=300, context_bp=0,
        labels=LABELS, options=options or {},
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = network_of(config).double().eval()
    return Bundle("tiny", config, model, {}, "digest")


def random_codes(length, unknown=0.0, seed=0):
    """Base codes, a share of them unknown."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, length, dtype=np.uint8)
    codes[rng.random(length) < unknown] = 4
    return codes
