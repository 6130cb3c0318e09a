"""Transformer-XL beside a plain form of the paper's equations, and evaluation with memory beside recomputing; in turn.

    python benchmarks/transformer_xl.py -o docs/results/transformer_xl-cpu.json [--parts layer encoder evaluation]

4,096 tokens in segments of 512 with a memory of 512, width 256, 8 heads, batch 1. The plain form walks segment by
segment: it joins memory and segment, projects both, shifts scores by padding, and lets torch derive the gradients.
Evaluation reads one segment deep in a sequence, by 12 layers: with the memory of what was read before, and behind all
tokens that its outputs depend on, layers times memory, computed anew. Both give the same hidden states. A part that is
not measured keeps what the file holds, if that is of the same machine and number of threads.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from paired import machine, ratios, rounds_in_turn, spread
from torch import Tensor, nn

from genoformer.nn.allocator import tune_allocator
from genoformer.nn.attention.masks import TokenRoles
from genoformer.nn.attention.relative_reference import sinusoids
from genoformer.nn.attention.transformer_xl import TransformerXLAttention, TransformerXLConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder

TOKENS, SEGMENT, MEMORY, D_MODEL, N_HEADS, N_LAYERS = 4096, 512, 512, 256, 8, 6
N_LAYERS_IN_EVALUATION = 12
PARTS = ("layer", "encoder", "evaluation")


class PlainLayer(nn.Module):
    """The equations of section 3.3 of Dai et al. 2019, one segment after the other, in the words of torch."""

    def __init__(self, like: TransformerXLAttention) -> None:
        super().__init__()
        self.projection = nn.Linear(D_MODEL, 3 * D_MODEL)
        self.position = nn.Linear(D_MODEL, D_MODEL, bias=False)
        self.output = nn.Linear(D_MODEL, D_MODEL)
        self.projection.load_state_dict(like.query_key_value.state_dict())
        self.position.load_state_dict(like.position.state_dict())
        self.output.load_state_dict(like.output.state_dict())
        self.u, self.v = (
            nn.Parameter(one.detach().clone().view(N_HEADS, -1)) for one in (like.content_bias, like.position_bias)
        )

    def segment(self, hidden: Tensor, memory: Tensor) -> Tensor:
        B, S, D = hidden.shape
        extended = torch.cat((memory, hidden), dim=1)
        K = extended.shape[1]
        query, key, value = self.projection(extended).view(B, K, 3, N_HEADS, -1).unbind(2)
        query = query[:, -S:]
        distances = torch.arange(K - 1, -1, -1, dtype=hidden.dtype)
        positions = self.position(sinusoids(distances, D)).view(K, N_HEADS, -1)
        content = torch.einsum("bihd,bjhd->bhij", query + self.u, key)
        position = shift(torch.einsum("bihd,jhd->bhij", query + self.v, positions))
        scores = (content + position) / (D // N_HEADS) ** 0.5
        ahead = torch.ones(S, K, dtype=torch.bool).triu(1 + K - S)
        weights = scores.masked_fill(ahead, float("-inf")).softmax(-1)
        return self.output(torch.einsum("bhij,bjhd->bihd", weights, value).flatten(2))

    def forward(self, hidden: Tensor, **_: object) -> Tensor:
        memory, outputs = hidden[:, :0], []
        for segment in hidden.split(SEGMENT, dim=1):
            outputs.append(self.segment(segment, memory))
            memory = torch.cat((memory, segment), dim=1)[:, -MEMORY:].detach()
        return torch.cat(outputs, dim=1)


class PlainEncoderLayer(nn.Module):
    """Pre-norm residual branches in the words of torch, with the weights of one of ours."""

    def __init__(self, like: nn.Module) -> None:
        super().__init__()
        self.attention = PlainLayer(like.attention)
        self.attention_norm, self.feed_forward_norm = like.attention_norm, like.feed_forward_norm
        self.widen, self.narrow = nn.Linear(D_MODEL, 4 * D_MODEL), nn.Linear(4 * D_MODEL, D_MODEL)
        self.widen.load_state_dict(like.widen.state_dict())
        self.narrow.load_state_dict(like.narrow.state_dict())

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = hidden + self.attention(self.attention_norm(hidden))
        return hidden + self.narrow(F.gelu(self.widen(self.feed_forward_norm(hidden))))


def shift(scores: Tensor) -> Tensor:
    """The paper's shift: a column of zeros in front, the rows read anew."""
    B, H, S, K = scores.shape
    padded = F.pad(scores, (1, 0)).view(B, H, K + 1, S)
    return padded[:, :, 1:].view(B, H, S, K)


def make_encoder(n_layers: int = N_LAYERS) -> Encoder:
    torch.manual_seed(0)
    attention = TransformerXLConfig(segment=SEGMENT, memory=MEMORY)
    config = EncoderConfig(
        vocab_size=69, d_model=D_MODEL, n_heads=N_HEADS, n_layers=n_layers, d_ff=4 * D_MODEL, attention=attention,
        positions="none", conv_width=0, checkpoint_tokens=10**9,
    )  # fmt: skip
    encoder = Encoder(config)
    for layer in encoder.attentions():
        nn.init.normal_(layer.content_bias, std=0.1)
        nn.init.normal_(layer.position_bias, std=0.1)
    return encoder


def check_equal(one: Tensor, other: Tensor, tolerance: float = 1e-4) -> float:
    """Largest difference; the two contestants must compute the same."""
    difference = float((one - other).abs().max())
    if difference > tolerance:
        raise ValueError(f"the contestants differ by {difference}")
    return difference


def compare(ours: Callable[[], Tensor], plain: Callable[[], Tensor], n_rounds: int) -> dict:
    """Forward without gradients, and forward and backward; seconds of one thread, by the clock with more, in turn."""
    found: dict = {"largest_difference": check_equal(ours().detach(), plain().detach())}
    passes = {
        "forward": {"plain": torch.no_grad()(plain), "genoformer": torch.no_grad()(ours)},
        "training": {"plain": lambda: plain().sum().backward(), "genoformer": lambda: ours().sum().backward()},
    }
    for name, contestants in passes.items():
        times = rounds_in_turn(contestants, n_rounds)
        found[name] = {
            "times_as_fast": ratios(times, "plain")["genoformer"],
            "seconds": {who: spread(times[who]) for who in contestants},
        }
    return found


def compare_layers(n_rounds: int) -> dict:
    layer = make_encoder().attentions()[0]
    plain, hidden = PlainLayer(layer), torch.randn(1, TOKENS, D_MODEL, requires_grad=True)
    return compare(lambda: layer(hidden), lambda: plain(hidden), n_rounds)


def compare_encoders(n_rounds: int) -> dict:
    encoder = make_encoder().eval()
    hidden = torch.randn(1, TOKENS, D_MODEL, requires_grad=True)
    plain = nn.Sequential(*(PlainEncoderLayer(layer) for layer in encoder.layers))

    def ours() -> Tensor:
        states = hidden
        for layer in encoder.layers:
            states, _ = layer(states, roles=TokenRoles(), rotary=None)
        return states

    return compare(ours, lambda: plain(hidden), n_rounds)


def compare_evaluation(n_rounds: int) -> dict:
    """Seconds of a segment with memory, and with its context computed anew."""
    encoder = make_encoder(N_LAYERS_IN_EVALUATION).eval()
    n_context = N_LAYERS_IN_EVALUATION * MEMORY
    tokens = torch.randint(5, 69, (1, n_context + SEGMENT))
    with torch.no_grad():
        _, kept = encoder.read_stretch(tokens[:, :n_context])

        def with_memory() -> Tensor:
            return encoder.read_stretch(tokens[:, n_context:], kept=kept)[0]

        def anew() -> Tensor:
            return encoder(tokens)[:, n_context:]

        difference = check_equal(with_memory(), anew())
        times = rounds_in_turn({"anew": anew, "with_memory": with_memory}, n_rounds)
    return {
        "largest_difference": difference,
        "tokens_of_context": n_context,
        "times_as_fast": ratios(times, "anew")["with_memory"],
        "microseconds_per_token": {
            who: spread([seconds / SEGMENT * 1e6 for seconds in times[who]]) for who in ("anew", "with_memory")
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--threads", type=int, default=1, help="with more than one, seconds by the clock: an idle machine"
    )
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tune_allocator()
    measure = {"layer": compare_layers, "encoder": compare_encoders, "evaluation": compare_evaluation}
    found = json.loads(args.output.read_text()) if args.output.is_file() else {}
    if found.get("machine") != machine("cpu", args.threads):
        found = {}
    found |= {part: measure[part](args.rounds) for part in args.parts}
    about = {"tokens": TOKENS, "segment": SEGMENT, "memory": MEMORY, "d_model": D_MODEL, "n_heads": N_HEADS}
    found = {
        "machine": machine("cpu", args.threads),
        "settings": about,
        **{part: found[part] for part in PARTS if part in found},
    }
    args.output.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
