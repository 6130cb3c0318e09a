"""The GPU's column of the benchmarks, in ten minutes: first whether it computes what is right, then how fast.

    python benchmarks/gpu.py [-o docs/results]
    python benchmarks/gpu.py --dry-run -o /tmp/results

Attention of every way that runs there, forwards and backwards, against the definition in float64, and the outputs of
the shipped model against those of the processor; where one is off nothing is measured. Then ``attention.py`` and
``encoder.py`` on the device, with FlexAttention, Hugging Face and dense attention (by flash attention in bfloat16)
beside, to attention-gpu.json, attention-gpu-bf16.json and encoder-gpu.json, until the time is over. A dry run does the
same on the processor, one round each.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from paired import machine

from genoformer.bundle.folder import load_bundle
from genoformer.bundle.header import read_header
from genoformer.files import write_json_atomic
from genoformer.nn.attention.backends import windowed_attention
from genoformer.nn.attention.flex import flex_can_run
from genoformer.nn.layers.positions import rotary_angles
from genoformer.sequence.kmers import encode_kmers

SHAPES = (
    {"T": 300, "radius": 32},
    {"T": 1000, "radius": 128, "n_globals": 1},
    {"T": 700, "radius": 64, "turned": True},
)
D_HEAD, N_HEADS = 64, 2
MOST = {torch.float32: 2e-3, torch.bfloat16: 2e-2}
"""Relative error of output and gradients; of float32 as well as tensor cores multiply it (TF32)."""
MODEL, MODEL_BP, MODEL_MOST = "prokaryotes", 6_000, 5e-2
BF16 = ("--dtype", "bfloat16")
PARTS = (
    ("attention", "-bf16", "speed", BF16), ("encoder", "", "speed", ()), ("attention", "", "speed", ()),
    ("attention", "", "lengths", ()), ("attention", "", "growth", ()),
)  # fmt: skip
"""Script, what its result file is called behind its device, part and more options."""


def ways(device: torch.device, dtype: torch.dtype) -> list[str]:
    """Backends that this device has."""
    has_flex = device.type == "cuda" and flex_can_run(device, dtype, D_HEAD)
    return ["auto", "blocked", "sdpa", *(["flex"] if has_flex else [])]


def error_of(backend: str, device: torch.device, dtype: torch.dtype, shape: dict) -> float:
    """The largest relative error of output and gradients."""
    T, generator = shape["T"], torch.Generator().manual_seed(0)
    states = [torch.randn(1, N_HEADS, T, D_HEAD, generator=generator).to(dtype) for _ in range(3)]
    is_global = (torch.arange(T) < shape.get("n_globals", 0))[None]
    weights = torch.randn(1, N_HEADS, T, D_HEAD, generator=generator).to(dtype) * ~is_global[:, None, :, None]
    angles = rotary_angles(T, D_HEAD, dtype=dtype) if shape.get("turned") else None
    results = []
    for way, place, kind in ((backend, device, dtype), ("reference", torch.device("cpu"), torch.float64)):
        inputs = [state.to(place, kind).requires_grad_() for state in states]
        rotary = None if angles is None else (angles[0].to(place, kind), angles[1].to(place, kind))
        output = windowed_attention(
            *inputs, window_radius=shape["radius"], global_mask=is_global.to(place), rotary=rotary, backend=way
        )
        gradients = torch.autograd.grad(output, inputs, weights.to(place, kind))
        kept = output * ~is_global[:, None, :, None].to(place)
        results.append([tensor.detach().cpu().double() for tensor in (kept, *gradients)])
    return max(((one - other).norm() / other.norm()).item() for one, other in zip(*results, strict=True))


def model_error(device: torch.device) -> float:
    """Relative error of the shipped model's outputs, in float32."""
    bundle = load_bundle(read_header(MODEL))
    model, tokenizer = bundle.model.eval(), bundle.tokenizer
    codes = torch.randint(0, 4, (MODEL_BP,), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    token_ids = torch.from_numpy(encode_kmers(codes.numpy(), k=tokenizer.k, stride=tokenizer.stride)).long()[None]
    inputs = {"token_ids": token_ids}
    if model.encoder.config.base_embedding:
        inputs["base_codes"] = codes[: token_ids.shape[1] * tokenizer.stride].view(1, -1, tokenizer.stride)
    with torch.inference_mode():
        expected = model(**inputs)
        found = model.to(device)(**{name: tensor.to(device) for name, tensor in inputs.items()}).cpu()
    return ((found - expected).norm() / expected.norm()).item()


def checks(device: torch.device) -> Iterator[dict]:
    """What is compared, and whether it is near enough."""
    for dtype, most in MOST.items():
        for shape in SHAPES:
            for backend in ways(device, dtype):
                error = error_of(backend, device, dtype, shape)
                yield {"what": backend, "dtype": str(dtype), **shape, "error": error, "is_right": error < most}
    error = model_error(device)
    yield {"what": MODEL, "dtype": "torch.float32", "error": error, "is_right": error < MODEL_MOST}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results"), help="folder")
    parser.add_argument("--most-seconds", type=float, default=540, help="no part begins after these")
    parser.add_argument("--dry-run", action="store_true", help="on the processor")
    args = parser.parse_args()
    begin, device = time.monotonic(), torch.device("cpu" if args.dry_run else "cuda")
    args.out.mkdir(parents=True, exist_ok=True)
    found = []
    for check in checks(device):
        found.append(check)
        print(check, flush=True)
    write_json_atomic(args.out / "gpu-checks.json", {"machine": machine(device.type, 1), "checks": found})
    if not all(check["is_right"] for check in found):
        raise SystemExit("the device computes something else: nothing was measured")
    for script, kind, part, options in PARTS:
        if time.monotonic() - begin > args.most_seconds:
            print(f"no time left for {script}{kind} {part}")
            continue
        path = args.out / f"{script}-{'dry' if args.dry_run else 'gpu'}{kind}.json"
        command = [sys.executable, str(Path(__file__).with_name(f"{script}.py")), "-o", str(path), "--parts", part]
        command += ["--device", device.type, *options, *(["--rounds", "1"] if args.dry_run else [])]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
