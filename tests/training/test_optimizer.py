"""Muon and AdamW as one optimiser: the same steps as torch's own, saved and loaded without a difference."""

import copy

import pytest
import torch

from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import build_model
from genoformer.training.optimizer import ADAM_BETAS, EMBEDDING_FACTOR, build_optimizer


def network():
    torch.manual_seed(0)
    config = EncoderConfig(
        vocab_size=70, d_model=16, n_heads=2, n_layers=2, d_ff=32, attention=LongformerConfig(window_radius=4), stride=3
    )
    return build_model(config, n_channels=5)


def take_steps(model, optimizers, first, last):
    for step in range(first, last):
        ids = torch.randint(5, 69, (2, 12), generator=torch.Generator().manual_seed(step))
        loss = model(ids).square().mean()
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_steps_are_those_of_the_two_optimisers_of_torch():
    model, other = network(), network()
    matrices = [p for p in other.encoder.layers.parameters() if p.ndim == 2]
    table = other.encoder.token_embedding.weight
    taken = {id(p) for p in (*matrices, table)}
    rest = [p for p in other.parameters() if id(p) not in taken]
    assert len(matrices) == 8 and any(p.ndim == 2 for p in rest)
    oracles = [
        torch.optim.Muon(matrices, lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW([table], lr=0.01 * EMBEDDING_FACTOR, betas=ADAM_BETAS, weight_decay=0.0),
        torch.optim.AdamW(rest, lr=0.01, betas=ADAM_BETAS, weight_decay=0.0),
    ]
    take_steps(model, [build_optimizer(model, lr=0.01, weight_decay=0.1)], 0, 5)
    take_steps(other, oracles, 0, 5)
    assert same(model, other) and not same(model, network())


def test_resumed_run_equals_the_uninterrupted_one():
    whole, first = network(), network()
    take_steps(whole, [build_optimizer(whole, lr=0.01, weight_decay=0.1)], 0, 6)
    optimizer = build_optimizer(first, lr=0.01, weight_decay=0.1)
    take_steps(first, [optimizer], 0, 3)
    saved = copy.deepcopy((first.state_dict(), optimizer.state_dict()))
    second = network()
    optimizer = build_optimizer(second, lr=0.5, weight_decay=0.0)
    second.load_state_dict(saved[0])
    optimizer.load_state_dict(saved[1])
    take_steps(second, [optimizer], 3, 6)
    assert same(whole, second)


def test_schedule_reaches_both_parts():
    model = network()
    optimizer = build_optimizer(model, lr=0.01, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.0)
    before = copy.deepcopy(model)
    take_steps(model, [optimizer], 0, 2)
    schedule.step()
    assert same(model, before)


def test_frozen_parameters_stay():
    model = network()
    frozen = model.encoder.layers[0]
    for parameter in frozen.parameters():
        parameter.requires_grad_(False)
    before = copy.deepcopy(frozen)
    take_steps(model, [build_optimizer(model, lr=0.01, weight_decay=0.1)], 0, 2)
    assert same(frozen, before) and not same(model, network())


def test_closure_is_called_and_its_loss_returned():
    model = network()
    optimizer = build_optimizer(model, lr=0.01, weight_decay=0.1)

    def closure():
        optimizer.zero_grad()
        loss = model(torch.full((1, 6), 7)).square().mean()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == pytest.approx(network()(torch.full((1, 6), 7)).square().mean().item())
