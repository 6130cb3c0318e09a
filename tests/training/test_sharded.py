"""Processes that divide a network: each has a part, and together they have the gradients of one."""

import pytest
import torch
import torch.distributed as dist
from children import run_together
from torch.distributed.device_mesh import init_device_mesh

from genoformer.applications import build_task
from genoformer.bundle.folder import network_of
from genoformer.bundle.header import BundleConfig
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.training.adapters import add_adapters
from genoformer.training.optimizer import build_optimizer
from genoformer.training.sharded import gather, is_sharded, shard

ADAPTER_RANKS = (0, 2)
TOKENS = torch.arange(40).reshape(2, 20) + 8


def network(adapter_rank: int = 0):
    encoder = EncoderConfig(
        vocab_size=70, d_model=32, n_heads=2, n_layers=2, d_ff=64, attention=LongformerConfig(window_radius=4)
    )
    config = BundleConfig(
        task="gene_structure", encoder=encoder.to_dict(), k=3, stride=1, tile_bp=100, context_bp=10, genetic_code=11,
        labels=list(build_task("gene_structure").channels),
        head={"name": "base"},
    )  # fmt: skip
    torch.manual_seed(0)
    model = network_of(config)
    if adapter_rank:
        model.encoder.requires_grad_(False)
        add_adapters(model.encoder, adapter_rank)
    return model


def divide_and_train(rank, folder):
    """On a process of two: its parts, gradients and networks put together, without and with adapters."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    mesh = init_device_mesh("cpu", (2,))
    torch.save([divided(mesh, rank, adapter_rank) for adapter_rank in ADAPTER_RANKS], folder / f"{rank}.pt")
    dist.destroy_process_group()


def divided(mesh, rank: int, adapter_rank: int) -> dict:
    model = network(adapter_rank)
    shard(model, mesh)
    model(TOKENS[rank : rank + 1]).square().mean().backward()
    found = {
        "is_sharded": is_sharded(model),
        "numbers": local_numbers(model.parameters()),
        "network": gather(model, network(adapter_rank)).state_dict(),
        "gradients": {name: tensor.grad.full_tensor() for name, tensor in learning(model)},
    }
    optimizer = build_optimizer(model, lr=1e-2, weight_decay=0.0)
    optimizer.step()
    return found | {"state": local_numbers(tensors(optimizer))}


def local_numbers(parts) -> int:
    return sum(part.to_local().numel() for part in parts)


def learning(model):
    return [(name, tensor) for name, tensor in model.named_parameters() if tensor.requires_grad]


def tensors(optimizer):
    return [value for state in optimizer.state.values() for value in state.values() if value.ndim]


@pytest.mark.slow
def test_each_process_has_half_and_together_they_have_the_gradients_of_one(tmp_path):
    run_together(divide_and_train, tmp_path)
    found = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    for i, adapter_rank in enumerate(ADAPTER_RANKS):
        model = network(adapter_rank)
        model(TOKENS).square().mean().backward()
        gradients = {name: tensor.grad.clone() for name, tensor in learning(model)}
        optimizer = build_optimizer(model, lr=1e-2, weight_decay=0.0)
        optimizer.step()
        n_numbers, n_state = (sum(part.numel() for part in parts) for parts in (model.parameters(), tensors(optimizer)))
        assert not is_sharded(model)
        for half in (found[0][i], found[1][i]):
            assert half["is_sharded"]
            # Not every width is even.
            assert half["numbers"] == pytest.approx(n_numbers / 2, rel=0.05)
            assert half["state"] == pytest.approx(n_state / 2, rel=0.05)
            assert half["gradients"].keys() == gradients.keys()
            for name, tensor in gradients.items():
                torch.testing.assert_close(half["gradients"][name], tensor, rtol=1e-5, atol=1e-7, msg=name)
            for name, tensor in network(adapter_rank).state_dict().items():
                assert torch.equal(half["network"][name], tensor), name
