"""Reversible layers: the gradients of plain autograd, without what plain autograd keeps."""

import dataclasses
import subprocess
import sys

import pytest
import torch

from genoformer.nn.attention.masks import token_roles
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder
from genoformer.nn.reversible import TOKENS_AT_A_TIME, read_reversibly

SMALL = EncoderConfig(
    vocab_size=69, d_model=16, n_heads=2, n_layers=3, d_ff=32, attention=ReformerConfig(chunk_tokens=4), conv_width=3
)


def make_encoder(dtype=torch.float64, attention=SMALL.attention, **settings) -> Encoder:
    torch.manual_seed(0)
    return Encoder(dataclasses.replace(SMALL, attention=attention, **settings)).to(dtype)


def make_hidden(T=40, dtype=torch.float64) -> torch.Tensor:
    return torch.randn(2, T, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


def plainly(layers, hidden, *, roles, rotary):
    """What ``read_reversibly`` computes, in plain autograd."""
    first = second = hidden
    for layer in layers:
        first, second = layer(first, second, roles, rotary)
    return first, second


def streams_and_gradients(read, encoder, hidden, roles, seed=3):
    torch.manual_seed(seed)
    hidden = hidden.clone().requires_grad_()
    rotary = encoder.rotary(hidden.shape[1], dtype=hidden.dtype, device=hidden.device)
    streams = read(list(encoder.layers), hidden, roles=roles, rotary=rotary)
    weights = [torch.linspace(-1, 1, s.numel(), dtype=s.dtype).view(s.shape) for s in streams]
    loss = sum((stream * weight).sum() for stream, weight in zip(streams, weights, strict=True))
    trained = [weight for weight in encoder.layers.parameters() if weight.requires_grad]
    return [*streams, *torch.autograd.grad(loss, (hidden, *trained)), torch.rand(3)]


@pytest.mark.parametrize("T", [1, 9, 40, TOKENS_AT_A_TIME + 3])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"dropout": 0.3},
        {"attention": ReformerConfig(chunk_tokens=4, layers=("local", "lsh", "local"), activation="relu", d_head=6)},
    ],
    ids=str,
)
def test_streams_gradients_and_what_is_drawn_later_are_those_of_plain_autograd(settings, T):
    encoder, hidden = make_encoder(**settings), make_hidden(T)
    roles = token_roles(torch.arange(T)[None] < torch.tensor([[T], [(T + 1) // 2]]), None)
    plain = streams_and_gradients(plainly, encoder, hidden, roles)
    found = streams_and_gradients(read_reversibly, encoder, hidden, roles)
    for mine, exact in zip(found, plain, strict=True):
        # Sums over more than a thousand tokens are of size 1e3.
        torch.testing.assert_close(mine, exact, atol=1e-10, rtol=1e-10)


def test_float32_gradients_are_near_those_of_plain_autograd():
    encoder, hidden = make_encoder(torch.float32), make_hidden(150, torch.float32)
    roles = token_roles(None, None)
    plain = streams_and_gradients(plainly, encoder, hidden, roles)
    found = streams_and_gradients(read_reversibly, encoder, hidden, roles)
    for mine, exact in zip(found, plain, strict=True):
        assert (mine - exact).norm() <= 1e-5 * exact.norm()


def test_frozen_layers_have_no_gradients_and_the_others_the_same_ones():
    encoder, roles = make_encoder(), token_roles(None, None)
    encoder.layers[0].requires_grad_(False)
    encoder.layers[2].widen.requires_grad_(False)
    plain = streams_and_gradients(plainly, encoder, make_hidden(), roles)
    found = streams_and_gradients(read_reversibly, encoder, make_hidden(), roles)
    for mine, exact in zip(found, plain, strict=True):
        torch.testing.assert_close(mine, exact, atol=1e-10, rtol=1e-10)


def test_a_graph_may_be_used_twice_and_the_caller_keeps_its_tensors():
    encoder, hidden = make_encoder(), make_hidden().requires_grad_()
    before = hidden.detach().clone()
    first, second = read_reversibly(list(encoder.layers), hidden, roles=token_roles(None, None), rotary=None)
    gradient = torch.ones_like(first)
    once = torch.autograd.grad((first, second), hidden, (gradient, gradient), retain_graph=True)[0]
    again = torch.autograd.grad((first, second), hidden, (gradient, gradient))[0]
    assert torch.equal(once, again) and (gradient == 1).all() and torch.equal(hidden, before)


def test_the_backward_pass_sorts_nothing_again(monkeypatch):
    encoder, hidden = make_encoder(), make_hidden().requires_grad_()
    first, _ = read_reversibly(list(encoder.layers), hidden, roles=token_roles(None, None), rotary=None)
    for layer in encoder.layers:
        monkeypatch.setattr(layer.attention, "_sort", None)
    first.sum().backward()
    assert torch.isfinite(hidden.grad).all()


def test_autocast_holds_in_the_backward_pass():
    encoder, hidden = make_encoder(torch.float32), make_hidden(60, torch.float32)
    seen = []
    layer = encoder.layers[1].widen
    layer.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    hidden.requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        first, _ = read_reversibly(list(encoder.layers), hidden, roles=token_roles(None, None), rotary=None)
    assert first.dtype == torch.float32
    first.sum().backward()
    assert seen[-1] == torch.bfloat16 and torch.isfinite(hidden.grad).all()


PEAK = """
import resource, sys
import torch
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder

torch.set_num_threads(1)
config = EncoderConfig(vocab_size=69, d_model=64, n_heads=2, n_layers=int(sys.argv[1]), d_ff=128,
                       attention=ReformerConfig(), conv_width=0)
encoder = Encoder(config)
encoder(torch.randint(5, 69, (1, 64))).sum().backward()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
encoder(torch.randint(5, 69, (1, int(sys.argv[2])))).sum().backward()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
def test_memory_for_activations_does_not_grow_with_depth():
    def peak(n_layers):
        command = [sys.executable, "-c", PEAK, str(n_layers), "16384"]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert peak(12) <= 1.15 * peak(2)
