"""Attention beside Hugging Face's Longformer, dense attention and, on a GPU, FlexAttention; all in turn, in one run.

    python benchmarks/attention.py -o docs/results/attention-cpu.json [--plot docs/attention.png] [--parts speed …]
    python benchmarks/attention.py -o docs/results/attention-gpu.json --device cuda

Radius 256, 12 heads of 64, batch 1. The core is what lies between the projections, without global tokens; the layer has
projections to query, key and value, and one global token. Dense is full attention by scaled_dot_product_attention,
without a mask; masked is the same layer by scaled_dot_product_attention with the mask of window and global token, made
before. A part that is not measured keeps what the file holds.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from paired import (
    exponent,
    extra_memory,
    in_child,
    machine,
    ratios,
    rounds_in_turn,
    seconds_of,
    share_of_rate,
    spread,
)  # fmt: skip
from torch import Tensor, nn
from transformers import LongformerConfig
from transformers.models.longformer.modeling_longformer import LongformerSelfAttention as TheirAttention

from genoformer.nn.allocator import tune_allocator
from genoformer.nn.attention.backends import make_window
from genoformer.nn.attention.longformer import LongformerSelfAttention
from genoformer.nn.attention.masks import TokenRoles, token_roles
from genoformer.nn.attention.windowed import fast_attention

D_MODEL, N_HEADS, RADIUS = 768, 12, 256
D_HEAD = D_MODEL // N_HEADS
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
LENGTHS, GROWTH = (128, 256, 384, 512, 640, 768, 1024, 2048), (8192, 32768, 131072)
MEMORY = ((65536, False), (16384, True))
LONGEST_DENSE = 2048
WARM_TOKENS = 512
"""A pass before others are measured, so that loading the kernels does not count."""
PARTS = ("speed", "lengths", "memory", "growth")


class Given(nn.Module):
    """Stands for a projection whose result is there; a fresh copy, as the caller scales it in place."""

    def __init__(self, states: Tensor) -> None:
        super().__init__()
        self.states = states

    def forward(self, hidden: Tensor) -> Tensor:
        return self.states.clone()


def make_theirs(T: int, with_global: bool, place: dict, states: list[Tensor] | None = None):
    """Hugging Face's layer as a function of hidden states; with ``states`` the core alone."""
    config = LongformerConfig(
        hidden_size=D_MODEL, num_attention_heads=N_HEADS, attention_window=[2 * RADIUS],
        attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    layer = TheirAttention(config, 0).to(**place)
    for name, given in zip(("query", "key", "value"), states or (), strict=False):
        setattr(layer, name, Given(given))
    mask = torch.zeros(1, T, **place)
    mask[0, 0] = 10000.0 if with_global else 0.0
    flags = {"is_index_masked": mask < 0, "is_index_global_attn": mask > 0, "is_global_attn": with_global}
    return lambda hidden: layer(hidden, attention_mask=mask, **flags)[0]


def make_layers(T: int, place: dict) -> dict[str, Callable[[Tensor], Tensor]]:
    """The layers with projections and one global token, as functions of hidden states."""
    is_global = (torch.arange(T, device=place["device"]) == 0)[None]
    layers = {"hugging_face": make_theirs(T, True, place)}
    backends = {"genoformer": "auto", "masked": "sdpa", **({"flex": "flex"} if place["device"] == "cuda" else {})}
    for name, backend in backends.items():
        module = LongformerSelfAttention(D_MODEL, N_HEADS, window_radius=RADIUS, has_global=True, backend=backend)
        module.output = nn.Identity()  # theirs has it in another module
        module, roles = module.to(**place), token_roles(None, is_global)
        layers[name] = lambda hidden, module=module, roles=roles: module(hidden, roles=roles)
    full = LongformerSelfAttention(D_MODEL, N_HEADS, window_radius=None).to(**place)
    full.output = nn.Identity()
    layers["dense"] = lambda hidden: full(hidden)
    return layers


def make_cores(T: int, place: dict) -> dict[str, Callable[[], Tensor]]:
    """What lies between the projections, without arguments; the inputs are leaves."""
    qkv = torch.randn(1, T, 3, N_HEADS, D_HEAD, **place).permute(2, 0, 3, 1, 4).requires_grad_()
    of_theirs = [torch.randn(T, 1, D_MODEL, **place).requires_grad_() for _ in range(3)]
    theirs, hidden = make_theirs(T, False, place, of_theirs), torch.zeros(1, T, D_MODEL, **place)
    window, whole = (make_window(radius, 1, N_HEADS, 0.0, "auto") for radius in (RADIUS, T))
    cores = {
        "hugging_face": lambda: theirs(hidden),
        "genoformer": lambda: fast_attention(qkv, TokenRoles(), window),
        "dense": lambda: fast_attention(qkv, TokenRoles(), whole, backend="sdpa"),
    }
    if place["device"] == "cuda":
        cores["flex"] = lambda: fast_attention(qkv, TokenRoles(), window, backend="flex")
    return cores


def as_pass(function: Callable[[], Tensor], is_training: bool) -> Callable[[], object]:
    """Forward without gradients, or forward and backward."""
    if is_training:
        return lambda: function().sum().backward()
    return torch.no_grad()(function)


def useful_flop(T: int, part: str, is_training: bool) -> float:
    """Products of pairs within the window, and of the three projections that every method needs."""
    pairs = T * (2 * RADIUS + 1) - RADIUS * (RADIUS + 1)
    forward = 4 * pairs * D_MODEL + (6 * T * D_MODEL**2 if part == "layer" else 0)
    return forward * (3 if is_training else 1)


def contestants(part: str, T: int, is_training: bool, place: dict) -> dict[str, Callable[[], object]]:
    if part == "core":
        return {name: as_pass(core, is_training) for name, core in make_cores(T, place).items()}
    hidden = torch.randn(1, T, D_MODEL, **place).requires_grad_()
    return {
        name: as_pass(lambda layer=layer: layer(hidden), is_training) for name, layer in make_layers(T, place).items()
    }


def measure_speed(args) -> dict:
    """One comparison, all in this process."""
    place = {"device": args.device, "dtype": DTYPES[args.dtype]}
    actions = contestants(args.part, args.tokens, args.training, place)
    if args.tokens % (2 * RADIUS):
        del actions["hugging_face"]  # it takes multiples of its window only
    if args.tokens > LONGEST_DENSE and args.device == "cpu":
        for name in ("dense", "masked"):  # more than twice the time of all others together
            actions.pop(name, None)
    times = rounds_in_turn(actions, args.rounds, args.device, place["dtype"])
    flop = useful_flop(args.tokens, args.part, args.training)
    to_dense, to_masked = (
        ratios(times, name)["genoformer"] if name in actions else None for name in ("dense", "masked")
    )
    return {
        "part": args.part, "tokens": args.tokens, "pass": "training" if args.training else "forward",
        "dtype": args.dtype, "allocator": args.allocator, "rounds": args.rounds,
        "faster_than_hugging_face": ratios(times, "hugging_face") if "hugging_face" in actions else {},
        "to_dense": to_dense, "to_masked": to_masked,
        "share": {name: share_of_rate(times, name, flop) for name in actions},
        "milliseconds": {name: spread([1e3 * t for t in times[name]]) for name in actions},
        "gigaflop_per_second": spread([rate / 1e9 for rate in times["rate"]]),
    }  # fmt: skip


def measure_one(args) -> dict:
    """Memory and seconds of one pass of one contestant."""
    place = {"device": args.device, "dtype": DTYPES[args.dtype]}
    if args.warm:
        layer = make_layers(WARM_TOKENS, place)[args.contestant]
        as_pass(lambda: layer(torch.randn(1, WARM_TOKENS, D_MODEL, **place)), args.training)()
    layer = make_layers(args.tokens, place)[args.contestant]
    hidden = torch.randn(1, args.tokens, D_MODEL, **place).requires_grad_()
    found = {}
    action = as_pass(lambda: layer(hidden), args.training)
    seconds = seconds_of(lambda: found.update(bytes=extra_memory(action, args.device)), args.device)
    kb_per_token = round(found["bytes"] / args.tokens / 1000, 2)
    return {"tokens": args.tokens, "kb_per_token": kb_per_token, "seconds": round(seconds, 2)}


def child(args, job: str, **settings) -> dict:
    """Run one job in a process of its own."""
    settings = {"device": args.device, "threads": args.threads, "rounds": args.rounds, **settings}
    flags = [f"--{name}={value}" for name, value in settings.items() if not isinstance(value, bool)]
    flags += [f"--{name}" for name, value in settings.items() if value is True]
    return in_child(__file__, [job, *flags])


def run_speed(args) -> list[dict]:
    kinds = [("core", "tuned"), ("layer", "tuned")] + ([("layer", "default")] if args.device == "cpu" else [])
    rows = []
    for part, allocator in kinds:
        for training in (False, True):
            rows.append(child(args, "speed", part=part, training=training, allocator=allocator, dtype=args.dtype))
            print(part, allocator, training, json.dumps(rows[-1]["faster_than_hugging_face"]), flush=True)
    return rows


def run_lengths(args) -> list[dict]:
    ways = [(T, training) for T in LENGTHS for training in (False, True)]
    return [child(args, "speed", part="layer", tokens=T, training=training) for T, training in ways]


def run_memory(args) -> list[dict]:
    """The first pass of a process; and its seconds when a short pass went before, with which kernels are loaded."""
    rows = []
    for T, training in MEMORY:
        row = {"tokens": T, "pass": "training" if training else "forward"}
        for name in ("genoformer", "hugging_face"):
            settings = {"contestant": name, "tokens": T, "training": training, "allocator": "default"}
            measured, later = (child(args, "one", warm=warm, **settings) for warm in (False, True))
            row |= {name: measured["kb_per_token"], f"{name}_seconds": measured["seconds"]}
            row[f"{name}_later_seconds"] = later["seconds"]
        rows.append(row)
        print(row, flush=True)
    return rows


def run_growth(args) -> dict:
    rows = [child(args, "one", contestant="genoformer", tokens=T, warm=True) for T in GROWTH]
    sizes = [row["tokens"] for row in rows]
    return {
        "rows": rows, "time_exponent": exponent(sizes, [row["seconds"] for row in rows]),
        "memory_exponent": exponent(sizes, [row["kb_per_token"] * row["tokens"] for row in rows]),
    }  # fmt: skip


def plot(result: dict, path: Path) -> None:
    """Times as fast as dense attention over length."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.5))
    for way in ("forward", "training"):
        rows = [row for row in result["lengths"] if row["pass"] == way]
        tokens = [row["tokens"] for row in rows]
        found = {
            "the same mask": [row["to_masked"] for row in rows],
            "dense": [row["to_dense"] for row in rows],
            "Hugging Face": [row["faster_than_hugging_face"].get("genoformer") for row in rows],
        }
        for (other, values), style in zip(found.items(), (":", "-", "--"), strict=True):
            points = [(T, value["median"]) for T, value in zip(tokens, values, strict=True) if value]
            axes.plot(*zip(*points, strict=True), style, marker="o", label=f"{way}, to {other}")
    axes.axhline(1.0, color="grey", linewidth=0.8)
    axes.set(xscale="log", xlabel="tokens", ylabel="times as fast", xticks=tokens, xticklabels=tokens)
    axes.minorticks_off()
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=100, bbox_inches="tight")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", nargs="?", choices=("all", "speed", "one"), default="all", help="others: for children")
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--plot", type=Path, help="PNG; needs the extra plot")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=7)
    for name, default in (
        ("part", "layer"),
        ("dtype", "float32"),
        ("allocator", "tuned"),
        ("contestant", "genoformer"),
    ):
        parser.add_argument(f"--{name}", default=default, help=argparse.SUPPRESS)
    parser.add_argument("--tokens", type=int, default=4096, help=argparse.SUPPRESS)
    parser.add_argument("--warm", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--training", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.job != "all":
        if args.allocator == "tuned":
            tune_allocator()
        print(json.dumps(measure_speed(args) if args.job == "speed" else measure_one(args)))
        return
    result = json.loads(args.out.read_text()) if args.out.is_file() else {}
    result["machine"] = machine(args.device, args.threads)
    for part in args.parts:
        result[part] = globals()[f"run_{part}"](args)
        args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if args.plot:
        plot(result, args.plot)


if __name__ == "__main__":
    main()
