"""A function bundle small enough for tests: random weights, classes or terms that follow from the sequence."""

import torch

from genoformer.applications import build_task
from genoformer.bundle.folder import network_of, save_bundle
from genoformer.bundle.header import BundleConfig
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig

ENCODER = EncoderConfig(
    vocab_size=69, d_model=16, n_heads=2, n_layers=1, d_ff=16, attention=LongformerConfig(window_radius=8),
    n_global_tokens=1,
)  # fmt: skip
MAPS = {
    "multiclass": {"temperature": 2.0, "min_score": 0.0},
    "multilabel": {"isotonic": {"x": [-3.0, 3.0], "y": [0.1, 0.9]}, "threshold": 0.0, "min_score": 0.0},
    "regression": {"mean": 10.0, "sd": 2.0, "half_width": 1.5},
}
NAMES = {"multiclass": ["a", "b", "c"], "multilabel": ["a", "b", "c"], "regression": ["value"]}


def write_function_bundle(folder, kind="multiclass", **options):
    """Save the bundle; it reads 200 bases."""
    options = {"kind": kind, "max_bp": 200, **options}
    head = build_task("function", NAMES[kind], options).head
    config = BundleConfig(
        task="function", head=head, encoder=ENCODER.to_dict(), k=3, stride=1, labels=NAMES[kind], options=options
    )
    with torch.random.fork_rng():
        torch.manual_seed(4)
        model, tokens = network_of(config).eval(), torch.randint(5, 69, (50, 40))
    with torch.no_grad():
        model.head.projection.weight.mul_(8)
        # Sequences differ little from each other in a network that was never trained: their mean must not decide.
        model.head.projection.bias.sub_(model(tokens).mean(dim=0))
    save_bundle(folder, model=model, config=config, card="#\n", calibration={"function": MAPS[kind]})
    return folder
