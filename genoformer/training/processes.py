"""Several processes that train as one: which strategies can, and sums and means over all of them."""

from typing import Any, TypeVar

import numpy as np
import pytorch_lightning as pl
import torch
import torch.distributed as dist
from torch import Tensor

from genoformer.errors import UsageError
from genoformer.files.numbers import whole_number
from genoformer.tasks.interface import Scores

AnyScores = TypeVar("AnyScores", bound=Scores)
Anything = TypeVar("Anything")

MOST_PROCESSES = 1_024
"""On one machine, and machines."""
DIVIDING_STRATEGIES = ("fsdp", "deepspeed", "modelparallel")
"""Parts of the names of Lightning's strategies that divide weights, and write checkpoints and scores that we do not."""


def check_strategy(strategy) -> None:
    """Refuse strategies that divide the weights among processes in other ways than ``training.sharded``.

    Args:
        strategy: Setting ``trainer.strategy``: a word, or what has the name of a class as ``class_path``.

    Raises:
        UsageError: If it does.
    """
    name = str(getattr(strategy, "class_path", strategy))
    if any(part in name.replace("_", "").lower() for part in DIVIDING_STRATEGIES):
        raise UsageError(
            "CONFIG-017", f"{name.rpartition('.')[2]} divides weights among devices in a way of its own, with which "
            "checkpoints and scores would not be those of one process.", where="trainer.strategy",
            fix="Use --config fsdp or --config ddp.",
        )  # fmt: skip


def check_processes(devices: Any, num_nodes: int) -> None:
    """Refuse numbers of processes that no machine has, before they are started.

    Args:
        devices: Setting ``trainer.devices``; words and lists are for Lightning to judge.
        num_nodes: Setting ``trainer.num_nodes``.

    Raises:
        UsageError: If there are too many.
    """
    n = devices if isinstance(devices, int) else whole_number(devices) if isinstance(devices, str) else None
    for value, name in ((n, "devices"), (num_nodes, "num_nodes")):
        if value is not None and value > MOST_PROCESSES:
            message = f"expected at most {MOST_PROCESSES:,}, found {str(value)[:40]}."
            raise UsageError("CONFIG-003", message, where=f"trainer.{name}")


def own_share(trainer: pl.Trainer | None, n_samples: int) -> range:
    """Samples of an evaluation that this process scores: each goes to one process, none is repeated to even out.

    Args:
        trainer: Knows the processes; None where there is one.
        n_samples: Samples of the whole evaluation.
    """
    rank, world_size = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
    return range(rank, n_samples, world_size)


def gather_objects(trainer: pl.Trainer, mine: Anything) -> list[Anything]:
    """What every process has, in the order of their ranks; every process must call it.

    Args:
        trainer: Knows the processes.
        mine: Can be sent.
    """
    if trainer.world_size == 1:
        return [mine]
    parts: list[Any] = [None] * trainer.world_size
    dist.all_gather_object(parts, mine)
    return parts


def gather_scores(trainer: pl.Trainer, scores: AnyScores) -> AnyScores:
    """Scores of all processes together; every process must call it.

    Args:
        trainer: Knows the processes.
        scores: Of ``task.build_scores()``, with what this process has added up.
    """
    first, *others = gather_objects(trainer, scores)
    for other in others:
        first.merge(other)
    return first


def sum_over_processes(trainer: pl.Trainer, values: np.ndarray) -> np.ndarray:
    """Sums over all processes, float64, the same shape; every process must call it.

    Args:
        trainer: Knows the processes.
        values: Numbers of this process.
    """
    if trainer.world_size == 1:
        return values
    tensor = torch.as_tensor(values, dtype=torch.float64, device=trainer.strategy.root_device)
    return trainer.strategy.reduce(tensor, reduce_op="sum").cpu().numpy()


def mean_over_processes(trainer: pl.Trainer, mean: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """A loss over the batches of all processes; every process must call it.

    Args:
        trainer: Knows the processes.
        mean: Mean loss of this process's batch, scalar.
        weight: What the mean was divided by, scalar: batches differ in it.

    Returns:
        The mean over all batches together, without gradient; and what this process derives its gradient from: the
        average of these gradients, which Lightning takes, is the gradient of the first.
    """
    if trainer.world_size == 1:
        return mean.detach(), mean
    total = trainer.strategy.reduce(torch.stack((mean.detach() * weight, weight)).double(), reduce_op="sum")
    n = total[1].clamp_min(1.0)
    return (total[0] / n).float(), mean * (weight * trainer.world_size / n).float()


def model_precision(trainer: pl.Trainer) -> str:
    """Number format of the model pass that fits how the model was trained."""
    return "bfloat16" if str(trainer.precision).startswith("bf16") else "float32"
