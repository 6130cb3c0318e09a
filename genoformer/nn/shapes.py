"""Networks as shapes alone: built without memory, to compare with weights before those are read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

MAKERS = (torch.empty, torch.zeros, torch.ones, torch.full)


class _ShapesAlone(TorchFunctionMode):
    """Tensors are made on the device "meta", and what would fill them does nothing.

    ``with torch.device("meta")`` fills them, too, for which PyTorch loads 800 modules in a second.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        settings, name = dict(kwargs or {}), getattr(func, "__name__", "")
        if func in MAKERS:
            return func(*args, **{**settings, "device": "meta"})
        filled = args[0] if args else settings.get("tensor")  # so torch.nn.init calls it
        if name.endswith("_") and not name.startswith("_") and isinstance(filled, Tensor) and filled.is_meta:
            return filled
        return func(*args, **settings)


def weight_shapes(build: Callable[[], nn.Module]) -> dict[str, tuple[int, ...]]:
    """Shape of each tensor that the weights of a network have, by name; no random number is drawn.

    Args:
        build: Makes the network.
    """
    with _ShapesAlone():
        return {name: tuple(tensor.shape) for name, tensor in build().state_dict().items()}
