"""A bundle for genes with introns small enough for tests: random weights, a decoder that likes genes."""

import torch

from genoformer.applications.introns.caller import CalibratedDecoder
from genoformer.bundle.folder import save_bundle
from genoformer.bundle.header import BundleConfig
from genoformer.decoding.introns.motifs import GeneCounts, Motifs
from genoformer.decoding.introns.weights import EXON_KINDS, MOTIF_WEIGHTS, IntronDecoder, IntronWeights, fit_lengths
from genoformer.metrics.calibration import IsotonicCalibrator
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import build_model
from genoformer.tasks import gene_structure_eukaryote

INITIAL_LOGITS = (0.4, *[0.0] * 7, *[-2.0] * 4)
TASK = "gene_structure_eukaryote"


def tiny_intron_decoder(counts: GeneCounts | None = None) -> CalibratedDecoder:
    """With counts of training genes the decoder follows the genome at hand."""
    exons = {kind: fit_lengths([90, 150, 240], shortest_bp=45, n_bp=600) for kind in EXON_KINDS}
    introns = fit_lengths([50, 90, 200], shortest_bp=30, n_bp=300)
    motif_weights = dict.fromkeys(MOTIF_WEIGHTS, 0.0 if counts is None else 1.0)
    weights = IntronWeights(state=1.0, utr=1.0, untranslated=2.0, gene=40.0, intron=14.0, **motif_weights)
    motifs = None if counts is None else Motifs(None, counts)
    decoder = IntronDecoder(weights, exons, introns, motifs=motifs)
    return CalibratedDecoder(decoder, IsotonicCalibrator((-4.0, 60.0), (0.1, 0.9)))


def write_tiny_intron_bundle(folder, counts=None):
    """Save the bundle; its tiles have 3 kb."""
    task = gene_structure_eukaryote
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
        model = build_model(encoder, n_channels=len(task.channels), initial_logits=INITIAL_LOGITS).eval()
    config = BundleConfig(
        task=TASK, head={"name": "base"}, encoder=encoder.__dict__, k=3, stride=3, tile_bp=3_072, context_bp=192,
        genetic_code=1,
        labels=list(task.channels),
    )  # fmt: skip
    calibration = {"decoder": tiny_intron_decoder(counts).to_dict()}
    save_bundle(folder, model=model, config=config, card="# tiny\n", calibration=calibration)
    return folder
