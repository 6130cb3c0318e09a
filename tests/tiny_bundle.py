"""A bundle small enough for tests: random weights, hand-made decoder. It finds genes by open frames and codon usage."""

import torch

from genoformer.bundle.folder import save_bundle
from genoformer.bundle.header import BundleConfig
from genoformer.decoding.decoder import GeneDecoder, Scorer
from genoformer.decoding.scoring import (
    GENE_FEATURES,
    GENE_STATISTICS,
    START_FEATURES,
    START_STATISTICS,
    DecoderWeights,
)
from genoformer.metrics.calibration import IsotonicCalibrator
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import build_model
from genoformer.tasks import gene_structure

NO_WEIGHTS = dict.fromkeys((*START_FEATURES, *GENE_FEATURES), 0.0)
START = NO_WEIGHTS | {"n_codons": 1.0, "start_logit": 0.05, "atg": 1.0, "edge": 2.0, "other": -3.0}
GENE = NO_WEIGHTS | {"intercept": -14.0, "open_frame": 3.0, "codon_sum": 0.02, "start_logit": 0.1}


def write_tiny_bundle(folder):
    """Save the bundle; its tiles have 3 kb."""
    channels = list(gene_structure.channels)
    encoder = EncoderConfig(
        vocab_size=5 + 4**3,
        d_model=16,
        n_heads=2,
        n_layers=1,
        d_ff=16,
        attention=LongformerConfig(window_radius=8),
        stride=3,
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = build_model(encoder, n_channels=len(channels)).eval()
    config = BundleConfig(
        task="gene_structure", head={"name": "base"}, encoder=encoder.__dict__, k=3, stride=3, tile_bp=3_072,
        context_bp=192, labels=channels,
    )  # fmt: skip
    statistics = DecoderWeights(
        start=START | dict.fromkeys(START_STATISTICS, 0.2), gene=GENE | dict.fromkeys(GENE_STATISTICS, 0.2)
    )
    maps = IsotonicCalibrator((-4.0, 8.0), (0.1, 0.9)), IsotonicCalibrator((0.0, 1.0), (0.1, 0.9))
    decoder = GeneDecoder(plain=Scorer(DecoderWeights(START, GENE), *maps), adapted=Scorer(statistics, *maps))
    save_bundle(folder, model=model, config=config, card="# tiny\n", calibration={"decoder": decoder.to_dict()})
    return folder
