"""Dropped attention weights: the right share, the rest raised, and gradients of exactly what was used.

With one-hot values an output row is the row of weights itself, so that the weights of a seed can be read off.
"""

import pytest
import torch

from genoformer.nn.attention import blocked
from genoformer.nn.attention.backends import windowed_attention

B, H, T, RADIUS, DROPOUT = 2, 2, 60, 7, 0.3
WINDOW = {"window_radius": RADIUS, "dilation": (1, 2)}


def make_states() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(B, H, T, T, dtype=torch.float64, generator=generator) / 4 for _ in range(3)]


def make_masks() -> dict:
    valid = torch.arange(T)[None] < torch.tensor([[T], [41]])
    is_global = torch.zeros(B, T, dtype=torch.bool)
    is_global[0, 0] = is_global[0, 30] = is_global[1, 5] = True
    return {"valid_mask": valid, "global_mask": is_global}


def attend(states, backend: str, dropout: float = DROPOUT, seed: int = 3) -> torch.Tensor:
    torch.manual_seed(seed)
    return windowed_attention(*states, dropout=dropout, backend=backend, **WINDOW, **make_masks())


def read_weights(states, backend: str, dropout: float = DROPOUT) -> torch.Tensor:
    """The weights that a seed uses, [B, H, T, T]."""
    return attend([*states[:2], torch.eye(T, dtype=torch.float64).expand(B, H, T, T)], backend, dropout)


@pytest.mark.parametrize("backend", ["reference", "blocked", "sdpa"])
def test_kept_weights_are_raised_and_the_share_of_dropped_ones_is_right(backend):
    states = make_states()
    whole, dropped = read_weights(states, backend, 0.0), read_weights(states, backend)
    is_pair, is_kept = whole > 0, dropped > 0
    assert not (is_kept & ~is_pair).any()
    torch.testing.assert_close(dropped[is_kept], whole[is_kept] / (1 - DROPOUT), atol=1e-12, rtol=0)
    share = (is_pair & ~is_kept).sum() / is_pair.sum()
    assert abs(share - DROPOUT) < 4 * (DROPOUT * (1 - DROPOUT) / is_pair.sum()) ** 0.5


@pytest.mark.parametrize("kept_bytes", [0, 2**28])
def test_blocked_gradients_are_those_of_the_weights_that_were_used(monkeypatch, kept_bytes):
    monkeypatch.setattr(blocked, "KEPT_WEIGHTS_BYTES", kept_bytes)
    states = make_states()
    factor = read_weights(states, "blocked") / read_weights(states, "blocked", 0.0).clamp_min(1e-300)
    slope = torch.linspace(-1, 1, B * H * T * T, dtype=torch.float64).view(B, H, T, T)
    states = [state.requires_grad_() for state in states]
    found = torch.autograd.grad((attend(states, "blocked") * slope).sum(), states)
    # The definition with the same weights dropped: weights by one-hot values, then dropped, then the values.
    identity = torch.eye(T, dtype=torch.float64).expand(B, H, T, T)
    weights = windowed_attention(*states[:2], identity, backend="reference", **WINDOW, **make_masks())
    expected = torch.autograd.grad(((weights * factor) @ states[2] * slope).sum(), states)
    for mine, exact in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, exact, atol=1e-10, rtol=1e-10)


def test_same_seed_drops_the_same_weights():
    states = make_states()
    assert torch.equal(attend(states, "blocked"), attend(states, "blocked"))
    assert not torch.equal(attend(states, "blocked"), attend(states, "blocked", seed=4))
