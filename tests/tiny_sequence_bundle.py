"""Bundles of structures and of bases small enough for tests: random weights, and maps made by hand."""

import torch

from genoformer.applications import build_task
from genoformer.bundle.folder import network_of, save_bundle
from genoformer.bundle.header import BundleConfig
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig

PAIR_HEAD = {"channels": 4, "rank": 4, "n_convolutions": 1}
SETTINGS = {
    "rna_pairs": (1, 1, ["pair"], {**PAIR_HEAD, "max_bp": 120}),
    "codon_structure": (3, 3, ["C", "E", "H"], {"max_bp": 300}),
    "contacts": (3, 3, ["contact"], {**PAIR_HEAD, "max_bp": 300}),
    "mlm": (3, 1, ["A", "C", "G", "T"], {}),
    "clm": (3, 3, ["A", "C", "G", "T"], {}),
}
"""Bases of a token and between tokens, outputs and settings."""
FITTED = {
    "rna_pairs": {"isotonic": {"x": [0.0, 1.0], "y": [0.0, 0.5]}, "gamma": 8.0},
    "codon_structure": {"temperature": 2.0},
    "contacts": {"isotonic": {"x": [-6.0, 0.0], "y": [0.0, 0.8]}},
}


def write_sequence_bundle(folder, task, **settings):
    """Save the bundle; a language model keeps 30 bases of each tile, and ``settings`` are those of its encoder."""
    k, stride, labels, options = SETTINGS[task]
    encoder = EncoderConfig(
        vocab_size=5 + 4**k, d_model=16, n_heads=2, n_layers=1, d_ff=16, conv_width=0 if task == "clm" else 3,
        stride=stride, attention=LongformerConfig(window_radius=4, causal=task == "clm"), **settings,
    )  # fmt: skip
    config = BundleConfig(
        task=task, head=build_task(task, labels, options).head, encoder=encoder.to_dict(), k=k, stride=stride,
        tile_bp=30, context_bp=encoder.receptive_field_tokens * stride, labels=labels, options=options,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = network_of(config).eval()
    calibration = {task: FITTED[task]} if task in FITTED else {}
    save_bundle(folder, model=model, config=config, card="#\n", calibration=calibration)
    return folder
