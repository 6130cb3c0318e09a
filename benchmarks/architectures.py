"""What window, dilation, global tokens and full attention buy: a label that hangs on a motif N bases away.

A sequence of random 6-mers holds one of two motifs, and N bases behind it a site. The label of the site is which of
the two motifs it was: nothing nearer tells. Each architecture is trained at the shortest distance, then on at the next,
until it is solved or its share of processor time is used; accuracy is that on 128 other sequences (0.5 is chance).

    python benchmarks/architectures.py -o docs/results/architectures-distance.json --plot docs/architectures.png
"""

import argparse
import json
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from genoformer.nn.allocator import tune_allocator
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder

BASES_PER_TOKEN = 6
DISTANCES_BP = (192, 1_536, 6_144, 32_256)
MARGIN_TOKENS = 40
CLS_ID, MOTIF_IDS, SITE_ID, FIRST_KMER_ID, VOCAB_SIZE = 2, (5, 6), 7, 8, 4101
SOLVED, N_TEST = 0.98, 128
TOKENS_PER_STEP, EVALUATE_EVERY = 8_192, 20
ARCHITECTURES = {
    "window 32": {"window_radius": 32},
    "window 256": {"window_radius": 256},
    "window 32, dilation 1 and 32": {"window_radius": 32, "dilation": (1, 32)},
    "window 32, heads of dilation 1, 4, 16, 64": {"window_radius": 32, "dilation": ((1, 4, 16, 64),) * 2},
    "window 32, 1 global token": {"window_radius": 32, "n_global_tokens": 1},
    "full": {"attention": "full"},
}


class SiteModel(nn.Module):
    """Encoder and one output at the site."""

    def __init__(self, **settings) -> None:
        super().__init__()
        config = EncoderConfig(
            vocab_size=VOCAB_SIZE, d_model=64, n_heads=4, n_layers=2, d_ff=128, conv_width=0, **settings
        )
        self.encoder, self.output = Encoder(config), nn.Linear(config.d_model, 1)

    def forward(self, token_ids: Tensor, sites: Tensor) -> Tensor:
        """Logits [B] of sequences [B, T] with a site each."""
        G = self.encoder.config.n_global_tokens
        token_ids = nn.functional.pad(token_ids, (G, 0), value=CLS_ID)
        is_global = (torch.arange(token_ids.shape[1]) < G).expand_as(token_ids)
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


@torch.no_grad()
def accuracy(model: SiteModel, distance: int) -> float:
    """Share of right answers on sequences that training never draws."""
    generator, n_right = torch.Generator().manual_seed(10**9 + distance), 0
    model.eval()
    for _ in range(0, N_TEST, 16):
        token_ids, sites, labels = make_batch(16, distance, generator)
        n_right += int(((model(token_ids, sites) > 0) == labels.bool()).sum())
    model.train()
    return n_right / N_TEST


def train(model: SiteModel, distance: int, seconds: float, generator: torch.Generator) -> dict:
    """Train at one distance until it is solved or the processor time is used."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.0)
    batch_size = max(2, min(32, TOKENS_PER_STEP // (distance + 2 * MARGIN_TOKENS)))
    start, n_steps, score, step_seconds = time.process_time(), 0, 0.0, 0.0
    while time.process_time() - start < seconds and score < SOLVED:
        for _ in range(EVALUATE_EVERY):
            begun = time.process_time()
            token_ids, sites, labels = make_batch(batch_size, distance, generator)
            loss = nn.functional.binary_cross_entropy_with_logits(model(token_ids, sites), labels)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step_seconds += time.process_time() - begun
            n_steps += 1
        score = accuracy(model, distance)
    n_tokens = batch_size * (distance + 2 * MARGIN_TOKENS)
    return {
        "distance_bp": distance * BASES_PER_TOKEN, "accuracy": round(score, 3), "sequences": n_steps * batch_size,
        "microseconds_per_token": round(1e6 * step_seconds / n_steps / n_tokens, 1),
    }  # fmt: skip


def run(name: str, seconds: float) -> dict:
    """All distances of one architecture, from near to far."""
    torch.manual_seed(0)
    model, generator = SiteModel(**ARCHITECTURES[name]), torch.Generator().manual_seed(1)
    reach = model.encoder.config.receptive_field_tokens
    is_reached = reach is None or model.encoder.config.n_global_tokens > 0
    results = []
    for distance in (bp // BASES_PER_TOKEN for bp in DISTANCES_BP):
        # What no path of attention connects stays at chance: a short run shows it.
        share = 1.0 if is_reached or distance <= reach else 0.2
        results.append(train(model, distance, share * seconds, generator))
        print(name, results[-1], flush=True)
    return {"reach_bp": None if is_reached else reach * BASES_PER_TOKEN, "distances": results}


def plot(results: dict, path: Path) -> None:
    """Accuracy over distance, one line for each architecture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    for (name, result), marker in zip(results.items(), "osv^Dx", strict=False):
        points = [(row["distance_bp"], row["accuracy"]) for row in result["distances"]]
        axes.plot(*zip(*points, strict=True), marker=marker, label=name, alpha=0.8)
    axes.axhline(0.5, color="grey", linestyle=":", label="chance")
    axes.set(xscale="log", xlabel="distance of the two motifs, bp", ylabel="accuracy", ylim=(0.4, 1.03))
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=100, bbox_inches="tight")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--plot", type=Path, help="PNG; needs the extra plot")
    parser.add_argument("--seconds", type=float, default=50.0, help="processor time of one architecture and distance")
    args = parser.parse_args()
    tune_allocator()
    torch.set_num_threads(1)
    results = {}
    for name in ARCHITECTURES:
        results[name] = run(name, args.seconds)
        record = {"seconds": args.seconds, "n_test": N_TEST, "torch": torch.__version__, "architectures": results}
        args.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if args.plot:
        plot(results, args.plot)


if __name__ == "__main__":
    main()
