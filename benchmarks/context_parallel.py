"""One long sequence on one process and on two: time, memory and bytes exchanged, and what a model of them predicts.

The encoder has the size of the shipped bacteria model, and one global token; weights are random. The model is a line
through the runs of one process, and fitted to nothing else: seconds and memory are a constant and a fixed amount per
token. A process of two has half of the tokens, and in attention the halo besides. Seconds are the better of two rounds.

    python benchmarks/context_parallel.py --name bacteria --tokens 16384 65536 262144
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from genoformer.nn import context_parallel
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder

CONFIG = EncoderConfig(
    vocab_size=4101, d_model=128, n_heads=4, n_layers=4, d_ff=512, attention=LongformerConfig(window_radius=64),
    conv_width=5, stride=3, n_global_tokens=1,
)  # fmt: skip
FLOAT_BYTES = 4


def expected_bytes(config: EncoderConfig, n_neighbours: int) -> int:
    """What a process sends in a forward pass, whatever the length: halos, and the partial sums of global tokens."""
    halos = sum(config.attention.radii(config.n_layers)) + config.conv_width // 2
    sums = config.n_layers * config.n_global_tokens * config.n_heads * (config.d_model + 2)
    return FLOAT_BYTES * (n_neighbours * halos * config.d_model + sums)


def count_sent(counter: list[int]) -> None:
    """Add the bytes of every tensor that this process sends, or gives to a sum, to ``counter[0]``."""
    exchange, reduce = dist.batch_isend_irecv, dist.all_reduce

    def exchanging(transfers):
        counter[0] += sum(op.tensor.nbytes for op in transfers if op.op is dist.isend)
        return exchange(transfers)

    def reducing(tensor, *arguments, **options):
        counter[0] += tensor.nbytes
        return reduce(tensor, *arguments, **options)

    context_parallel.dist.batch_isend_irecv, context_parallel.dist.all_reduce = exchanging, reducing


def work(rank: int, world_size: int, n_tokens: int, folder: str) -> None:
    """A process: two forward passes of its share."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=world_size)
    torch.manual_seed(0)
    encoder = Encoder(CONFIG).eval()
    ids = torch.randint(5, CONFIG.vocab_size, (1, n_tokens)).tensor_split(world_size, dim=1)[rank].clone()
    sent = [0]
    count_sent(sent)
    parallel = context_parallel.ContextParallelEncoder(encoder)
    parallel(ids[:, :1], ids[:, :1024])  # warm up
    before_mb, sent[0], seconds = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 0, []
    for _ in range(2):
        dist.barrier()
        began = time.process_time()
        parallel(torch.full((1, 1), 2), ids)
        seconds.append(time.process_time() - began)
    result = {
        "cpu_s": round(min(seconds), 2),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before_mb, 1),
        "sent_bytes": sent[0] // 2,
    }
    Path(folder, f"{rank}.json").write_text(json.dumps(result))
    dist.destroy_process_group()


def run(world_size: int, n_tokens: int) -> dict:
    """The slowest, largest and most talkative of the processes."""
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(work, (world_size, n_tokens, folder), nprocs=world_size)
        results = [json.loads(Path(folder, f"{rank}.json").read_text()) for rank in range(world_size)]
    return {name: max(result[name] for result in results) for name in results[0]}


def fit(rows: list[dict]) -> dict:
    """Lines through the runs of one process; adds to each row what they predict for a process of two."""
    tokens, lines = [row["tokens"] for row in rows], {}
    for name in ("cpu_s", "memory_mb"):
        slope, constant = np.polyfit(tokens, [row["one"][name] for row in rows], 1)
        lines[name] = {"per_million_tokens": round(1e6 * slope, 1), "constant": round(constant, 2)}
        for row in rows:
            share = row["tokens"] / 2 + CONFIG.attention.radii(CONFIG.n_layers)[0]
            row.setdefault("predicted", {})[name] = round(constant + slope * share, 2)
    for row in rows:
        row["predicted"]["sent_bytes"] = expected_bytes(CONFIG, 1)
    return {"one_process": lines}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="docs/results/context-NAME.json")
    parser.add_argument("--tokens", type=int, nargs="+", required=True)
    args = parser.parse_args()
    rows = [{"tokens": n, "one": run(1, n), "two": run(2, n)} for n in args.tokens]
    result = {"rows": rows, **fit(rows)}
    path = Path(__file__).parents[1] / "docs" / "results" / f"context-{args.name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(path.read_text())


if __name__ == "__main__":
    main()
