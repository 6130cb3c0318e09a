"""A small model of promoters that are made up: those with a motif, and those with what is nearly the motif."""

import numpy as np
import torch

from genoformer.batches.tables import Views, collate_views
from genoformer.bundle.folder import Bundle, network_of
from genoformer.bundle.header import BundleConfig
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.sequence.alphabet import encode_bases

MOTIF, LENGTH, LABELS = encode_bases("TATAATGC"), 80, ["none", "promoter"]
STEPS, BATCH = 400, 64


def made_up(n, seed):
    """Sequences, whether each has the motif, and where it, or what is like it but for two bases, begins."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, LENGTH), dtype=np.uint8)
    is_promoter, starts = rng.random(n) < 0.5, rng.integers(0, LENGTH - len(MOTIF), n)
    for row, is_whole, start in zip(codes, is_promoter, starts, strict=True):
        row[start : start + len(MOTIF)] = MOTIF
        if not is_whole:
            places = rng.choice(len(MOTIF), 2, replace=False) + start
            row[places] = (row[places] + rng.integers(1, 4, 2)) % 4
    return codes, is_promoter, starts


def trained_bundle(seed=0):
    """A bundle that tells the two apart, and its share of right answers on new sequences."""
    encoder = EncoderConfig(
        vocab_size=5 + 4**3, d_model=32, n_heads=2, n_layers=1, d_ff=64, conv_width=9,
        attention=LongformerConfig(window_radius=8),
    )  # fmt: skip
    config = BundleConfig(
        task="function", head={"name": "sequence", "pooling": "mean_max"}, encoder=encoder.to_dict(), k=3, stride=1,
        labels=LABELS, options={"kind": "multiclass", "max_bp": 200, "pooling": "mean_max"},
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = network_of(config)
        bundle = Bundle("planted", config, model, {}, "digest")
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=STEPS)
        codes, labels, _ = made_up(STEPS * BATCH, seed + 1)
        for at in range(0, len(codes), BATCH):
            optimizer.zero_grad()
            logits = model(**_batch(bundle, codes[at : at + BATCH]))
            torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels[at : at + BATCH]).long()).backward()
            optimizer.step()
            schedule.step()
    codes, labels, _ = made_up(500, seed + 2)
    with torch.no_grad():
        right = model.eval()(**_batch(bundle, codes)).argmax(dim=1).numpy() == labels
    return bundle, float(right.mean())


def _batch(bundle, codes):
    return collate_views([Views(views=[bundle.tokenizer.encode(row)]) for row in codes])
