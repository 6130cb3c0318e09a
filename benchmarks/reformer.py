"""The Reformer beside Hugging Face's and ``reformer-pytorch``, in turn, in one run; its memory over depth, its growth.

    python benchmarks/reformer.py -o docs/results/reformer-cpu.json [--parts memory speed growth]

Batch 1, float32, dropout 0, random weights. Hugging Face's model has the weights of ours and computes the same:

- "default": the sizes of transformers' ``ReformerConfig``, six layers local and by hashing in turn, one round;
- "hashing": two layers by hashing, four rounds, 4 heads of 64, feed-forward 1 024.

``reformer-pytorch`` (a peer that may be missing) has the sizes of "hashing" and weights of its own.
Seconds are those of the processor, all threads together, so that a machine that others use can be measured on; what
the clock says stands beside them. A part that is not measured keeps what the file holds.
"""

import argparse
import importlib.util
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from paired import exponent, extra_memory, in_child, machine, spread
from torch import Tensor, nn
from transformers import ReformerConfig as TheirConfig
from transformers import ReformerModel

from genoformer.interop.reformer_layout import from_reformer_config
from genoformer.interop.reformer_weights import from_reformer_names
from genoformer.nn.allocator import tune_allocator
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder

PARTS = ("memory", "speed", "growth")
VOCAB_SIZE, D_MODEL, AXIS = 69, 256, 128
HASHING = {
    "attn_layers": ["lsh"] * 2, "num_attention_heads": 4, "feed_forward_size": 1024, "num_hashes": 4,
    "hidden_act": "gelu",
}  # fmt: skip
DEPTHS, LENGTHS = (2, 12), (4096, 8192, 16384, 32768, 65536)


def make_pair(n_tokens: int, **sizes) -> tuple[Encoder, ReformerModel]:
    """Ours and Hugging Face's with the same weights, in training mode."""
    their_config = TheirConfig(
        vocab_size=VOCAB_SIZE, axial_pos_shape=(AXIS, n_tokens // AXIS), max_position_embeddings=n_tokens, hash_seed=0,
        hidden_dropout_prob=0.0, local_attention_probs_dropout_prob=0.0, lsh_attention_probs_dropout_prob=0.0, **sizes,
    )  # fmt: skip
    theirs = ReformerModel(their_config)
    config = from_reformer_config(their_config.to_dict(), "", vocab_size=VOCAB_SIZE, stride=1)
    ours = Encoder(config)
    ours.load_state_dict(from_reformer_names(theirs.state_dict(), config))
    return ours, theirs


def make_ours(n_layers: int, *, n_rounds: int, chunks_after: int = 0) -> Encoder:
    config = EncoderConfig(
        vocab_size=VOCAB_SIZE, d_model=D_MODEL, n_heads=4, n_layers=n_layers, d_ff=4 * D_MODEL, conv_width=0,
        attention=ReformerConfig(n_rounds=n_rounds, chunks_after=chunks_after),
    )  # fmt: skip
    return Encoder(config)


class Peer(nn.Module):
    """``reformer-pytorch`` behind an embedding."""

    def __init__(self) -> None:
        super().__init__()
        from reformer_pytorch import Reformer

        self.embedding = nn.Embedding(VOCAB_SIZE, D_MODEL)
        self.layers = Reformer(dim=D_MODEL, depth=2, heads=4, dim_head=64, bucket_size=64, n_hashes=4)

    def forward(self, token_ids: Tensor) -> Tensor:
        return self.layers(self.embedding(token_ids))


def as_action(module: nn.Module, token_ids: Tensor, is_training: bool) -> Callable[[], object]:
    """A forward pass, or a training step with AdamW."""

    def run() -> Tensor:
        output = module(token_ids)
        return output if isinstance(output, Tensor) else output.last_hidden_state

    if not is_training:
        return torch.no_grad()(lambda: module.eval() and run())
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-4)

    def step() -> None:
        module.train()
        optimizer.zero_grad()
        run().square().mean().backward()
        optimizer.step()

    return step


def in_turn(actions: dict[str, Callable[[], object]], n_rounds: int) -> dict[str, list[tuple[float, float]]]:
    """(processor seconds, seconds by the clock) of every action in every round; one warm-up before."""
    for action in actions.values():
        action()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in actions}
    for _ in range(n_rounds):
        for name, action in actions.items():
            of_processor, by_clock = time.process_time(), time.perf_counter()
            action()
            times[name].append((time.process_time() - of_processor, time.perf_counter() - by_clock))
    return times


def compare(n_tokens: int, n_rounds: int, is_training: bool, peer: str) -> dict:
    """One comparison, all in this process."""
    torch.manual_seed(0)
    token_ids = torch.randint(5, VOCAB_SIZE, (1, n_tokens))
    if peer == "reformer_pytorch":
        modules = {peer: Peer(), "genoformer": make_ours(2, n_rounds=4)}
    else:
        ours, theirs = make_pair(n_tokens, **(HASHING if peer == "hashing" else {}))
        modules = {peer: theirs, "genoformer": ours}
    actions = {name: as_action(module, token_ids, is_training) for name, module in modules.items()}
    times = in_turn(actions, n_rounds)
    paired = list(zip(times[peer], times["genoformer"], strict=True))
    return {
        "peer": "reformer_pytorch" if peer == "reformer_pytorch" else "hugging_face", "sizes": peer, "tokens": n_tokens,
        "pass": "training step" if is_training else "forward", "rounds": n_rounds,
        "faster": spread([theirs[0] / ours[0] for theirs, ours in paired]),
        "faster_by_the_clock": spread([theirs[1] / ours[1] for theirs, ours in paired]),
        "processor_seconds": {name: spread([one[0] for one in of_one]) for name, of_one in times.items()},
    }  # fmt: skip


def measure_memory(n_layers: int, n_tokens: int) -> dict:
    """Peak of a training step above weights, gradients and the optimiser's state, in bytes; in a process of its own."""
    import resource

    encoder = make_ours(n_layers, n_rounds=2, chunks_after=1)
    as_action(encoder, torch.randint(5, VOCAB_SIZE, (1, 256)), True)()  # gradients and the state are there
    step = as_action(encoder, torch.randint(5, VOCAB_SIZE, (1, n_tokens)), True)
    found = extra_memory(step)
    return {"activations": found, "process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def measure_growth(n_rounds: int) -> dict:
    """Processor seconds over length, the least of the rounds."""
    encoder, found = make_ours(2, n_rounds=2, chunks_after=1), {}
    for name, is_training in (("forward", False), ("training step", True)):
        seconds = []
        for n_tokens in LENGTHS:
            action = as_action(encoder, torch.randint(5, VOCAB_SIZE, (1, n_tokens)), is_training)
            seconds.append(min(one[0] for one in in_turn({"ours": action}, n_rounds)["ours"]))
        found[name] = {
            "seconds": [round(value, 3) for value in seconds], "exponent": exponent(list(LENGTHS), seconds)
        }  # fmt: skip
    return {"tokens": list(LENGTHS), **found}


def child(args, job: str, *flags: str) -> dict:
    settings = (f"--{name}={getattr(args, name)}" for name in ("threads", "rounds", "tokens"))
    # Threads that wait in a loop would count as work where others use the processor, too.
    return in_child(__file__, [job, *settings, *flags], OMP_WAIT_POLICY="PASSIVE")


def run_speed(args) -> list[dict]:
    rows, peers = [], ["hashing", "reformer_pytorch", "default"]
    if importlib.util.find_spec("reformer_pytorch") is None:
        print("reformer-pytorch is not installed here, and is left out")
        peers.remove("reformer_pytorch")
    for peer in peers:
        for flags in ([], ["--training"]):
            rows.append(child(args, "speed", f"--peer={peer}", *flags))
            print(peer, flags, json.dumps(rows[-1]["faster"]), flush=True)
    return rows


def run_memory(args) -> dict:
    found = {n: child(args, "memory", f"--layers={n}") for n in DEPTHS}
    print(json.dumps(found), flush=True)
    few, many = (found[n] for n in DEPTHS)
    return {
        "tokens": args.tokens, "layers": list(DEPTHS),
        **{f"{name}_gigabytes": [round(of[name] / 1e9, 3) for of in (few, many)] for name in few},
        **{f"{name}_ratio": round(many[name] / few[name], 3) for name in few},
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", nargs="?", choices=("all", *PARTS), default="all", help="others: for children")
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=16_384)
    parser.add_argument("--peer", default="default", help=argparse.SUPPRESS)
    parser.add_argument("--layers", type=int, default=2, help=argparse.SUPPRESS)
    parser.add_argument("--training", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.job != "all":
        tune_allocator()
        jobs = {
            "speed": lambda: compare(args.tokens, args.rounds, args.training, args.peer),
            "memory": lambda: measure_memory(args.layers, args.tokens),
            "growth": lambda: measure_growth(args.rounds),
        }
        print(json.dumps(jobs[args.job]()))
        return
    result = json.loads(args.out.read_text()) if args.out.is_file() else {}
    result["machine"] = machine("cpu", args.threads)
    for part in args.parts:
        runs = {"speed": run_speed, "memory": run_memory, "growth": lambda args: child(args, "growth")}
        result[part] = runs[part](args)
        args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
