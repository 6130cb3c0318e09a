"""Weights, gradients and the optimiser's state divided among processes (FSDP2): for networks too large for one device.

Each layer is put together when it is its turn, and only then. Muon works on divided matrices as on whole ones: torch
puts them together for its products. Validation, checkpoints and model folders have the whole network.

Reference: Zhao et al. 2023, arXiv:2304.11277; per-parameter sharding as in torch's ``fully_shard``.
"""

import warnings
from pathlib import Path
from typing import Any, TypeVar

from pytorch_lightning.strategies import ModelParallelStrategy
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.optim import Optimizer

from genoformer.nn.networks import Network

Plain = TypeVar("Plain", bound=nn.Module)

_WHOLE = StateDictOptions(full_state_dict=True)
_WHOLE_ON_CPU = StateDictOptions(full_state_dict=True, cpu_offload=True)


class ShardedStrategy(ModelParallelStrategy):
    """Every process has a part of everything; a checkpoint is one file, the same as without sharding but for names.

    Lightning's own reads and writes such files around the checkpoint plugin; this one goes through it, so that they are
    atomic and have a checksum.
    """

    def __init__(self) -> None:
        super().__init__(tensor_parallel_size=1, save_distributed_checkpoint=False)

    def setup_environment(self) -> None:
        self._data_parallel_size = self.num_nodes * self.num_processes
        super().setup_environment()

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """The whole state, by the names of the parameters; empty on all processes but the first."""
        return get_optimizer_state_dict(self._divided, _plain(optimizer), options=_WHOLE_ON_CPU)

    def load_checkpoint(self, checkpoint_path: str | Path, weights_only: bool | None = None) -> dict[str, Any]:
        """Read a checkpoint, and give each process its part of it."""
        checkpoint = self.checkpoint_io.load_checkpoint(self.broadcast(checkpoint_path))
        set_model_state_dict(self._divided, checkpoint["state_dict"], options=_WHOLE)
        for optimizer, state in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            set_optimizer_state_dict(self._divided, _plain(optimizer), state, options=_WHOLE)
        return checkpoint

    @property
    def _divided(self) -> nn.Module:
        """The module that the trainer has given, before it asks for any state."""
        if self.model is None:
            raise ValueError("the trainer has given no module yet.")
        return self.model


def _plain(optimizer: Optimizer) -> Optimizer:
    return getattr(optimizer, "_optimizer", optimizer)


def shard(model: Network, mesh: DeviceMesh) -> None:
    """Divide a network among the processes of a mesh, in place: each layer of its encoder, and the rest."""
    # Nothing changes the outputs in place.
    warnings.filterwarnings("ignore", message=".*returned a view tensor.*")
    for layer in model.encoder.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    if hasattr(model, "read_stretch"):
        register_fsdp_forward_method(model, "read_stretch")


def is_sharded(model: nn.Module) -> bool:
    """Whether this process has only a part of the network."""
    return isinstance(model, FSDPModule)


def gather(model: nn.Module, plain: Plain) -> Plain:
    """Fill a network with the weights of a sharded one; every process must call it.

    Args:
        model: Sharded.
        plain: Built in the same way, and not sharded; changed in place and returned.
    """
    plain.load_state_dict(get_model_state_dict(model, options=_WHOLE))
    return plain
