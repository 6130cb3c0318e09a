"""What the speed benchmarks share: rounds in turn, matrix-product rate, memory of child processes, fitted growth."""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from genoformer.nn.layers.linear import Linear

RATE_SIZE = {"cpu": 1024, "cuda": 8192}


def settle(device: str) -> None:
    """Wait for what a GPU still does."""
    if device == "cuda":
        torch.cuda.synchronize()


def seconds_of(action: Callable[[], object], device: str = "cpu") -> float:
    """Seconds of one call: processor time of one thread, so that a shared machine can be used; else wall-clock time."""
    clock = time.thread_time if device == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
    settle(device)
    begin = clock()
    action()
    settle(device)
    return clock() - begin


def product_rate(device: str = "cpu", dtype: torch.dtype = torch.float32, n_calls: int = 5) -> float:
    """FLOP/s of a square matrix product, the best of a few calls of torch's and of the layers' own product."""
    size = RATE_SIZE[device]
    matrix, layer = torch.randn(size, size, device=device).to(dtype), Linear(size, size, bias=False).to(device, dtype)
    with torch.no_grad():
        products = (lambda: matrix @ matrix, lambda: layer(matrix))
        return 2 * size**3 / min(seconds_of(product, device) for product in products for _ in range(n_calls))


def rounds_in_turn(
    contestants: dict[str, Callable[[], object]], n_rounds: int, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> dict[str, list[float]]:
    """Seconds of every contestant in every round, and under "rate" the FLOP/s measured in each; one warm-up before."""
    for action in contestants.values():
        action()
    times: dict[str, list[float]] = {name: [] for name in (*contestants, "rate")}
    for _ in range(n_rounds):
        times["rate"].append(product_rate(device, dtype))
        for name, action in contestants.items():
            times[name].append(seconds_of(action, device))
    return times


def spread(values: list[float]) -> dict[str, float | list[float]]:
    """Median and range, two decimals."""
    return {"median": round(statistics.median(values), 2), "range": [round(min(values), 2), round(max(values), 2)]}


def ratios(times: dict[str, list[float]], to: str) -> dict[str, dict]:
    """How many times as fast as ``to`` the others are, round by round."""
    names = [name for name in times if name not in (to, "rate")]
    return {name: spread([a / b for a, b in zip(times[to], times[name], strict=True)]) for name in names}


def share_of_rate(times: dict[str, list[float]], name: str, flop: float) -> dict:
    """Useful FLOP/s as a share of the matrix-product rate, round by round."""
    return spread([flop / seconds / rate for seconds, rate in zip(times[name], times["rate"], strict=True)])


def exponent(sizes: list[int], values: list[float]) -> float:
    """Slope of the logarithms: 1 is linear growth, 2 quadratic."""
    return round(float(np.polyfit(np.log(sizes), np.log(values), 1)[0]), 2)


def in_child(script: str, arguments: list[str], **environment: str) -> dict:
    """Run a script in a process of its own and read the JSON of its last line."""
    done = subprocess.run(
        [sys.executable, script, *arguments], check=True, stdout=subprocess.PIPE, text=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def extra_memory(action: Callable[[], object], device: str = "cpu") -> int:
    """Bytes by which the peak of this process rises above what it holds before the call; once per process."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        action()
        return torch.cuda.max_memory_allocated() - before
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    action()
    return max(0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before)


def machine(device: str, threads: int) -> dict:
    """What was measured on, without names of machines."""
    model = "GPU"
    if device == "cpu":
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "CPU")
    else:
        model = torch.cuda.get_device_name()
    return {"device": device, "model": model, "threads": threads, "torch": torch.__version__.partition("+")[0]}
