"""Offsets and rotary positions are those of the sequence: global tokens, leading or marked, shift nothing."""

import pytest
import torch

from genoformer.nn.attention.backends import windowed_attention
from genoformer.nn.layers.positions import rotary_angles

T, D_HEAD, RADIUS = 50, 4, 6
BACKENDS = ("reference", "fused", "blocked", "sdpa")


def make_states(n_tokens: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(1, 2, n_tokens, D_HEAD, dtype=torch.float64, generator=generator) for _ in range(3)]


def attend(states, backend: str, dilation=1, **masks) -> torch.Tensor:
    rotary = rotary_angles(states[0].shape[2], D_HEAD, dtype=torch.float64)
    return windowed_attention(*states, window_radius=RADIUS, dilation=dilation, rotary=rotary, backend=backend, **masks)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dilation", [1, 3, (1, 2)])
@pytest.mark.parametrize("n_leading", [1, 2, 5])
def test_leading_global_token_that_weighs_nothing_changes_nothing(backend, dilation, n_leading):
    query, key, value = make_states(T)
    query[..., 0] = 1.0
    # A global key far against the only component it has is scored, unrotated, as next to nothing.
    leading = torch.zeros(1, 2, n_leading, D_HEAD, dtype=torch.float64)
    far = leading.clone()
    far[..., 0] = -1e4
    longer = (torch.cat((front, states), dim=2) for front, states in ((leading, query), (far, key), (leading, value)))
    is_global = (torch.arange(n_leading + T) < n_leading)[None]
    found = attend(list(longer), backend, dilation, global_mask=is_global)[:, :, n_leading:]
    torch.testing.assert_close(found, attend([query, key, value], backend, dilation), atol=1e-12, rtol=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_marking_a_token_far_away_leaves_the_offsets_of_the_others(backend):
    states = make_states(T)
    states[0][..., 0] = 1.0
    states[1][:, :, 20] = torch.tensor([-1e4, 0.0, 0.0, 0.0])
    is_global = (torch.arange(T) == 20)[None]
    plain, marked = attend(states, backend), attend(states, backend, global_mask=is_global)
    is_near = (torch.arange(T) - 20).abs() <= RADIUS
    torch.testing.assert_close(marked[:, :, ~is_near], plain[:, :, ~is_near], atol=1e-12, rtol=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_marked_token_keeps_its_place_between_its_neighbours(backend):
    states = make_states(T)
    states[1][:], states[0][:] = 0.0, 0.0  # equal weights: an output is the mean of what is seen
    states[2][:] = 0.0
    states[2][:, :, 27] = 1.0
    is_global = (torch.arange(T) == 24)[None]
    output = attend(states, backend, global_mask=is_global)[0, 0, :, 0]
    assert output.nonzero().flatten().tolist() == [i for i in range(27 - RADIUS, 27 + RADIUS + 1) if i != 24]
