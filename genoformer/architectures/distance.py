"""What window, dilation, global tokens, buckets and memory buy: a label that hangs on a motif N bases away.

A sequence of random 6-mers holds one of two motifs, and N bases behind it a site. The label of the site is which of
the two motifs it was: nothing nearer tells. Each architecture is trained at the shortest distance, then on at the next,
until the last fresh sequences were answered right or its share of processor time is used; accuracy is that on 128 other
sequences (0.5 is chance).
"""

import time
from typing import Any

import torch
from torch import Tensor, nn

from genoformer.nn.attention.full import FullConfig
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.attention.transformer_xl import TransformerXLConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder

BASES_PER_TOKEN = 6
DISTANCES_BP = (192, 1_536, 6_144, 32_256)
MARGIN_TOKENS = 40
CLS_ID, MOTIF_IDS, SITE_ID, FIRST_KMER_ID, VOCAB_SIZE = 2, (5, 6), 7, 8, 4101
SOLVED, N_TEST = 0.98, 128
TOKENS_PER_STEP, CHECK_EVERY = 8_192, 20
UNREACHED_SHARE = 0.1
"""Of the time, where no path of attention is long enough, or the distance before was not learned: to show it."""
VARIANTS: dict[str, dict[str, Any]] = {
    "window 32": {"attention": LongformerConfig(32)},
    "window 256": {"attention": LongformerConfig(256)},
    "window 32, dilation 1 and 32": {"attention": LongformerConfig(32, (1, 32))},
    "window 32, heads of dilation 1, 4, 16, 64": {"attention": LongformerConfig(32, ((1, 4, 16, 64),) * 2)},
    "window 32, 1 global token": {"attention": LongformerConfig(32), "n_global_tokens": 1},
    "full": {"attention": FullConfig()},
    "reformer, 2 rounds": {"attention": ReformerConfig(n_rounds=2)},
    "transformer_xl, segment and memory 256": {
        "attention": TransformerXLConfig(segment=256, memory=256), "positions": "none",
    },
}  # fmt: skip


class SiteModel(nn.Module):
    """Encoder and one output at the site."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        config = EncoderConfig(
            vocab_size=VOCAB_SIZE, d_model=64, n_heads=4, n_layers=2, d_ff=128, conv_width=0, **settings
        )
        self.encoder, self.output = Encoder(config), nn.Linear(config.d_model, 1)

    @property
    def reach_bp(self) -> int | None:
        """How far a path of attention leads from any token; None = anywhere."""
        config = self.encoder.config
        # Of segments, what the last token of one sees is a memory away for each layer; others see further.
        memory = None if config.carried is None else config.carried.memory * config.n_layers
        reach = config.receptive_field_tokens if memory is None else memory
        return None if reach is None or config.n_global_tokens else reach * BASES_PER_TOKEN

    def forward(self, token_ids: Tensor, sites: Tensor) -> Tensor:
        """Logits [B] of sequences [B, T] with a site each."""
        G = self.encoder.config.n_global_tokens
        token_ids = nn.functional.pad(token_ids, (G, 0), value=CLS_ID)
        is_global = (torch.arange(token_ids.shape[1]) < G).expand_as(token_ids) if G else None
        hidden = self.encoder(token_ids, global_mask=is_global)
        return self.output(hidden[torch.arange(len(sites)), sites + G])[:, 0]


def make_batch(n: int, distance: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Token ids [n, T], sites [n] and labels [n], with the motif ``distance`` tokens before the site."""
    T = distance + 2 * MARGIN_TOKENS
    token_ids = torch.randint(FIRST_KMER_ID, VOCAB_SIZE, (n, T), generator=generator)
    labels = torch.randint(2, (n,), generator=generator)
    motifs = torch.randint(T - distance, (n,), generator=generator)
    rows = torch.arange(n)
    token_ids[rows, motifs] = torch.tensor(MOTIF_IDS)[labels]
    token_ids[rows, motifs + distance] = SITE_ID
    return token_ids, motifs + distance, labels.float()


def count_right(logits: Tensor, labels: Tensor) -> int:
    """Answers on the right side of zero."""
    return int(((logits > 0) == labels.bool()).sum())


@torch.no_grad()
def accuracy(model: SiteModel, distance: int) -> float:
    """Share of right answers on sequences that training never draws."""
    generator, n_right = torch.Generator().manual_seed(10**9 + distance), 0
    model.eval()
    for _ in range(0, N_TEST, 16):
        token_ids, sites, labels = make_batch(16, distance, generator)
        n_right += count_right(model(token_ids, sites), labels)
    model.train()
    return n_right / N_TEST


def train(model: SiteModel, distance: int, seconds: float, generator: torch.Generator) -> dict[str, Any]:
    """Train at one distance until it is solved or the processor time is used, then test once.

    No sequence is drawn twice, so that the answers before each step are those to unknown ones.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.0)
    batch_size = max(2, min(32, TOKENS_PER_STEP // (distance + 2 * MARGIN_TOKENS)))
    start, n_steps, n_right, is_solved = time.process_time(), 0, 0, False
    while not n_steps or (time.process_time() - start < seconds and not is_solved):
        token_ids, sites, labels = make_batch(batch_size, distance, generator)
        logits = model(token_ids, sites)
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(logits, labels).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        n_steps, n_right = n_steps + 1, n_right + count_right(logits, labels)
        if n_steps % CHECK_EVERY == 0:
            is_solved, n_right = n_right >= SOLVED * CHECK_EVERY * batch_size, 0
    n_tokens = n_steps * batch_size * (distance + 2 * MARGIN_TOKENS)
    used = time.process_time() - start
    return {
        "distance_bp": distance * BASES_PER_TOKEN, "accuracy": round(accuracy(model, distance), 3),
        "sequences": n_steps * batch_size, "is_solved": is_solved,
        "microseconds_per_token": round(1e6 * used / n_tokens, 1),
    }  # fmt: skip


def measure_distances(
    name: str, seed: int, seconds: float, distances_bp: tuple[int, ...] = DISTANCES_BP
) -> dict[str, Any]:
    """All distances of one variant with one seed, from near to far.

    Args:
        name: Of ``VARIANTS``.
        seed: Of weights and sequences.
        seconds: Of the processor, at most, for each distance.
        distances_bp: Multiples of ``BASES_PER_TOKEN``.

    Returns:
        ``reach_bp``, and ``rows``, one for each distance.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, generator = SiteModel(**VARIANTS[name]), torch.Generator().manual_seed(seed + 1)
        rows, is_learned = [], True
        for distance_bp in distances_bp:
            is_reached = model.reach_bp is None or distance_bp <= model.reach_bp
            share = 1.0 if is_reached and is_learned else UNREACHED_SHARE
            rows.append(train(model, distance_bp // BASES_PER_TOKEN, share * seconds, generator))
            is_learned = is_learned and rows[-1]["accuracy"] >= SOLVED
    return {"reach_bp": model.reach_bp, "rows": rows}
