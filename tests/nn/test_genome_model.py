"""The whole network: shapes, global tokens, learning, allocator."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from genoformer.nn.allocator import give_back, tune_allocator
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.heads import BaseHead
from genoformer.nn.model import build_model

CONFIG = EncoderConfig(
    vocab_size=69, d_model=32, n_heads=2, n_layers=2, d_ff=64, attention=LongformerConfig(window_radius=4), stride=3
)


def test_outputs_of_a_token_are_those_of_its_bases():
    head = BaseHead(4, n_channels=2, stride=3)
    hidden = torch.randn(1, 5, 4)
    logits = head(hidden)
    assert logits.shape == (1, 15, 2)
    for token in range(5):
        own = head.projection(hidden[0, token]).view(3, 2)
        torch.testing.assert_close(logits[0, 3 * token : 3 * token + 3], own, atol=1e-6, rtol=0)


def test_head_drops_the_global_tokens():
    config = replace(CONFIG, n_global_tokens=2)
    model, tokens = build_model(config, n_channels=5), torch.randint(1, 69, (2, 12))
    mask = (torch.arange(12) < 2).expand(2, 12)
    assert model(tokens, None, mask).shape == (2, 30, 5)
    assert torch.equal(model(tokens), model(tokens, None, mask))


def test_same_seed_gives_the_same_model():
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(build_model(CONFIG, n_channels=2).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("backend", ["fused", "blocked", "sdpa"])
def test_model_learns_eight_fixed_sequences(backend):
    torch.manual_seed(0)
    model = build_model(replace(CONFIG, attention=LongformerConfig(window_radius=4, backend=backend)), n_channels=2)
    tokens, labels = torch.randint(5, 69, (8, 40)), torch.randint(0, 2, (8, 120, 2)).float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(120):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(tokens), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05  # a coin has 0.69


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is the C library of Linux")
def test_allocator_takes_the_settings():
    assert tune_allocator()


KEEP_AND_GIVE_BACK = """
import numpy as np
from genoformer.nn.allocator import give_back, tune_allocator
def held_mb():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
tune_allocator()
arrays = [np.ones(2**17) for _ in range(200)]  # 1 MB each, less than what lies apart in any version
last = np.ones(2**17)
before = held_mb()
del arrays
kept = held_mb()
give_back()
print(before - kept, kept - held_mb())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is the C library of Linux")
def test_what_is_kept_is_given_back():
    done = subprocess.run([sys.executable, "-c", KEEP_AND_GIVE_BACK], capture_output=True, text=True, check=True)
    at_once, later = map(float, done.stdout.split())
    assert at_once < 20 and later > 150


def test_allocator_leaves_other_systems_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not tune_allocator() and not give_back()


def test_outputs_begin_at_the_given_logits():
    config = EncoderConfig(
        vocab_size=70, d_model=16, n_heads=2, n_layers=1, d_ff=16, attention=LongformerConfig(window_radius=4), stride=3
    )
    model = build_model(config, 2, (-6.0, 1.5))
    with torch.no_grad():
        model.head.projection.weight.zero_()
    assert model(torch.full((1, 4), 7)).tolist() == [[[-6.0, 1.5]] * 12]
