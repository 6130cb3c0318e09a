"""Time and memory of one call, each in a process of its own: ``python -m genoformer.architectures.cost JSON``."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from genoformer.architectures.contenders import make_config, n_parameters
from genoformer.nn.allocator import tune_allocator
from genoformer.nn.encoder import Encoder

SIZES: dict[str, Any] = {"d_model": 128, "n_heads": 4, "d_ff": 512, "conv_width": 0}
VOCAB_SIZE, SHORT, N_REPEATS, LONG_SECONDS = 69, 256, 3, 0.3
RESET_PEAK = "5"
"""What proc(5) says to write to ``clear_refs`` for a new peak of resident memory."""


def measure_call(name: str, *, n_tokens: int, training: bool, n_layers: int = 4) -> dict[str, Any]:
    """Processor seconds of one forward pass, or of one training step, and the memory that it takes for itself.

    Memory is the peak of the process above what it held before: weights, gradients and the state of the optimiser are
    there by then.
    """
    torch.manual_seed(0)
    config = make_config(name, vocab_size=VOCAB_SIZE, n_layers=n_layers, **SIZES)
    encoder = Encoder(config)
    run = _action(encoder, training)
    run(torch.randint(5, VOCAB_SIZE, (1, SHORT)))
    tokens = torch.randint(5, VOCAB_SIZE, (1, n_tokens))
    before, seconds = _begin_peak(), []
    for _ in range(N_REPEATS):
        begin = time.process_time()
        run(tokens)
        seconds.append(time.process_time() - begin)
        if seconds[-1] > LONG_SECONDS:
            break
    return {
        "parameters": n_parameters(encoder), "seconds": round(min(seconds), 5),
        "bytes": max(0, _status("VmHWM") - before),
    }  # fmt: skip


def _action(encoder: Encoder, training: bool) -> Callable[[torch.Tensor], None]:
    if not training:
        encoder.eval()

        @torch.inference_mode()
        def forward(tokens: torch.Tensor) -> None:
            encoder(tokens)

        return forward
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=1e-4)

    def step(tokens: torch.Tensor) -> None:
        # Set to zero and not freed, so that they count as held before.
        optimizer.zero_grad(set_to_none=False)
        encoder(tokens).square().mean().backward()
        optimizer.step()

    return step


def _status(field: str) -> int:
    """A line of /proc/self/status in bytes; elsewhere than on Linux the peak of the process."""
    path = Path("/proc/self/status")
    if not path.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lines = (line.split() for line in path.read_text().splitlines())
    return next(int(words[1]) * 1024 for words in lines if words[0] == f"{field}:")


def _begin_peak() -> int:
    """Resident bytes, from which the peak begins anew."""
    path = Path("/proc/self/clear_refs")
    if path.is_file():
        path.write_text(RESET_PEAK)
    return _status("VmRSS")


def in_child(settings: dict[str, Any], *, max_seconds: float, max_bytes: float) -> dict[str, Any]:
    """``measure_call`` in a process of its own; ``blank`` says why there is no figure."""
    done = subprocess.run(
        [sys.executable, "-m", __name__, json.dumps({**settings, "max_seconds": max_seconds})],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    if done.returncode:
        return {"blank": f"ended with {done.returncode}"}
    found = json.loads(done.stdout.splitlines()[-1])
    if found["seconds"] > max_seconds:
        return {"blank": f"one call takes {found['seconds']:.0f} s"}
    if found["bytes"] > max_bytes:
        return {"blank": f"one call takes {found['bytes'] / 1e9:.1f} GB"}
    return found


def foreseen(before: list[dict[str, Any]], lengths: list[int], n_tokens: int) -> tuple[float, float]:
    """Seconds and bytes of a call, from those of shorter ones: what would be too much is not begun.

    Args:
        before: Results of the lengths below, none of them blank.
        lengths: Those lengths.
        n_tokens: The next one.
    """
    found = []
    for field in ("seconds", "bytes"):
        values = [max(one[field], 1e-9) for one in before]
        growth = n_tokens / lengths[-1] if lengths else 1.0
        if len(values) > 1:
            growth = max(growth, values[-1] / values[-2])
        found.append(values[-1] * growth if values else 0.0)
    return found[0], found[1]


def main(words: list[str]) -> None:
    """One measurement; JSON on standard output."""
    tune_allocator()
    torch.set_num_threads(1)
    settings = json.loads(words[0])
    # Far behind the limit that is asked for: three calls, a warm-up, and the imports.
    limit = int(4 * settings.pop("max_seconds")) + 60
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    print(json.dumps(measure_call(**settings)))


if __name__ == "__main__":
    main(sys.argv[1:])
