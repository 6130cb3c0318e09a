"""The random state of a process: what a resumed run must continue with."""

import random
from typing import Any

import numpy as np
import torch


def get_random_state() -> dict[str, Any]:
    """State of Python's, NumPy's and torch's global generators, as tensors and plain values."""
    numpy = np.random.get_state(legacy=False)
    name, keys, position = numpy["bit_generator"], numpy["state"]["key"], numpy["state"]["pos"]
    has_gauss, gauss = numpy["has_gauss"], numpy["gauss"]
    version, internal, gauss_next = random.getstate()
    return {
        "python": [version, torch.tensor(internal), gauss_next],
        "numpy": [str(name), torch.from_numpy(keys.astype(np.int64)), int(position), int(has_gauss), float(gauss)],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Restore what ``get_random_state`` gave; CUDA only where the number of devices is the same."""
    version, internal, gauss_next = state["python"]
    random.setstate((version, tuple(internal.tolist()), gauss_next))
    name, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), position, has_gauss, gauss))
    torch.set_rng_state(state["torch"].cpu())
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([tensor.cpu() for tensor in state["cuda"]])
