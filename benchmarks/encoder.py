"""A whole encoder beside Hugging Face's LongformerModel, in turn, in one run; and a million tokens in one pass.

    python benchmarks/encoder.py -o docs/results/encoder-cpu.json [--parts speed million]

6 layers of 256 (4 heads of 64, feed-forward 1 024), radius 128, batch 1, one global token, learned positions,
post-norm, random weights. The million tokens go through the same encoder with rotary positions. A part that is not
measured keeps what the file holds.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from paired import extra_memory, in_child, machine, ratios, rounds_in_turn, seconds_of, share_of_rate, spread
from torch import nn
from transformers import LongformerConfig, LongformerModel

from genoformer.nn.allocator import tune_allocator
from genoformer.nn.attention.longformer import LongformerConfig as OurConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder

D_MODEL, N_HEADS, N_LAYERS, D_FF, RADIUS, VOCAB_SIZE, T = 256, 4, 6, 1024, 128, 4101, 4096
PARTS = ("speed", "million")
MILLION = 2**20


def make_ours(**settings) -> Encoder:
    config = EncoderConfig(
        vocab_size=VOCAB_SIZE, d_model=D_MODEL, n_heads=N_HEADS, n_layers=N_LAYERS, d_ff=D_FF, conv_width=0,
        attention=OurConfig(window_radius=RADIUS), n_global_tokens=1, **settings,
    )  # fmt: skip
    return Encoder(config)


def make_theirs() -> LongformerModel:
    config = LongformerConfig(
        vocab_size=VOCAB_SIZE, hidden_size=D_MODEL, num_attention_heads=N_HEADS, num_hidden_layers=N_LAYERS,
        intermediate_size=D_FF, attention_window=[2 * RADIUS] * N_LAYERS, max_position_embeddings=T + 2, pad_token_id=1,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    return LongformerModel(config, add_pooling_layer=False)


def useful_flop(is_training: bool) -> float:
    """Products of projections, feed-forward and pairs within the window."""
    pairs = T * (2 * RADIUS + 1) - RADIUS * (RADIUS + 1)
    layer = T * (8 * D_MODEL**2 + 4 * D_MODEL * D_FF) + 4 * pairs * D_MODEL
    return N_LAYERS * layer * (3 if is_training else 1)


def as_action(module: nn.Module, run: Callable[[], torch.Tensor], is_training: bool) -> Callable[[], object]:
    """A forward pass, or a training step with AdamW."""
    if not is_training:
        module.eval()
        return torch.inference_mode()(run)
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-4)

    def step() -> None:
        optimizer.zero_grad()
        run().float().square().mean().backward()
        optimizer.step()

    return step


def measure_speed(args) -> dict:
    """One comparison, all in this process."""
    torch.manual_seed(0)
    token_ids = torch.randint(5, VOCAB_SIZE, (1, T), device=args.device)
    is_global = (torch.arange(T, device=args.device) == 0)[None]
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[args.dtype]

    def mixed(run):
        return torch.autocast(args.device, torch.bfloat16, enabled=args.dtype == "bfloat16")(run)

    ours = make_ours(positions="learned", norm="post", max_tokens=T).to(args.device)
    theirs = make_theirs().to(args.device)
    masks = {"attention_mask": torch.ones_like(token_ids), "global_attention_mask": is_global.long()}
    runs = {
        "hugging_face": (theirs, mixed(lambda: theirs(token_ids, **masks).last_hidden_state)),
        "genoformer": (ours, mixed(lambda: ours(token_ids, global_mask=is_global))),
    }
    actions = {name: as_action(module, run, args.training) for name, (module, run) in runs.items()}
    times = rounds_in_turn(actions, args.rounds, args.device, dtype)
    flop = useful_flop(args.training)
    return {
        "tokens": T, "pass": "training step" if args.training else "inference", "dtype": args.dtype,
        "allocator": "tuned", "rounds": args.rounds, "faster_than_hugging_face": ratios(times, "hugging_face"),
        "share": {name: share_of_rate(times, name, flop) for name in actions},
        "milliseconds": {name: spread([1e3 * t for t in times[name]]) for name in actions},
        "gigaflop_per_second": spread([rate / 1e9 for rate in times["rate"]]),
    }  # fmt: skip


def measure_million(args) -> dict:
    """Memory and seconds of one pass over 1 048 576 tokens."""
    encoder = make_ours().to(args.device).eval()
    token_ids = torch.randint(5, VOCAB_SIZE, (1, args.tokens), device=args.device)
    is_global = (torch.arange(args.tokens, device=args.device) == 0)[None]
    found = {}

    @torch.inference_mode()
    def run() -> None:
        found["is_finite"] = bool(encoder(token_ids, global_mask=is_global)[:, ::1000].isfinite().all())

    seconds = seconds_of(lambda: found.update(bytes=extra_memory(run, args.device)), args.device)
    gigabytes = round(found["bytes"] / 1e9, 2)
    return {"tokens": args.tokens, "gigabytes": gigabytes, "seconds": round(seconds), "is_finite": found["is_finite"]}


def child(args, job: str, *flags: str) -> dict:
    """Run one job in a process of its own."""
    settings = (f"--{name}={getattr(args, name)}" for name in ("device", "threads", "rounds", "tokens"))
    return in_child(__file__, [job, *settings, *flags])


def run_speed(args) -> list[dict]:
    rows = []
    for dtype in ("float32", "bfloat16"):
        for flags in ([], ["--training"]):
            rows.append(child(args, "speed", f"--dtype={dtype}", *flags))
            print(dtype, flags, json.dumps(rows[-1]["faster_than_hugging_face"]), flush=True)
    return rows


def run_million(args) -> dict:
    return child(args, "million")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "job", nargs="?", choices=("all", "speed", "million"), default="all", help="others: for children"
    )
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tokens", type=int, default=MILLION, help="length of the long pass")
    parser.add_argument("--dtype", default="float32", help=argparse.SUPPRESS)
    parser.add_argument("--training", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.job != "all":
        tune_allocator()
        print(json.dumps(measure_speed(args) if args.job == "speed" else measure_million(args)))
        return
    result = json.loads(args.out.read_text()) if args.out.is_file() else {}
    result["machine"] = machine(args.device, args.threads)
    for part in args.parts:
        result[part] = {"speed": run_speed, "million": run_million}[part](args)
        args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
