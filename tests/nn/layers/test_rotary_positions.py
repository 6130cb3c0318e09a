"""Rotary positions: lengths stay, scores depend on the offset alone, the gradient is the turn back."""

import math

import torch

from genoformer.nn.layers.positions import RotaryPositions, rotary_angles, rotate


def test_first_frequency_turns_one_radian_per_token():
    states = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    turned = rotate(states, *rotary_angles(3, 2, dtype=torch.float64))
    by_hand = [[1.0, 0.0], [math.cos(1), math.sin(1)], [-math.sin(2), math.cos(2)]]
    torch.testing.assert_close(turned, torch.tensor(by_hand, dtype=torch.float64), atol=1e-14, rtol=0)


def test_scores_depend_on_the_offset_alone():
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 8, dtype=torch.float64, generator=generator)
    angles = rotary_angles(50, 8, dtype=torch.float64)
    turned_query, turned_key = rotate(query.expand(50, 8), *angles), rotate(key.expand(50, 8), *angles)
    scores = turned_query @ turned_key.T
    torch.testing.assert_close(scores[3, 10], scores[40, 47], atol=1e-12, rtol=0)


def test_gradient_equals_numerical_gradient():
    states = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: rotate(s, *rotary_angles(3, 4, dtype=torch.float64)), states)


def test_states_are_not_changed():
    states = torch.ones(3, 4)
    rotate(states, *rotary_angles(3, 4, dtype=torch.float32))
    assert (states == 1).all()


def test_table_grows_and_keeps_its_beginning():
    positions = RotaryPositions(8)
    short = [table.clone() for table in positions(5, dtype=torch.float32, device=torch.device("cpu"))]
    long = positions(50, dtype=torch.float32, device=torch.device("cpu"))
    assert long[0].shape == (50, 4)
    assert all(torch.equal(part, whole[:5]) for part, whole in zip(short, long, strict=True))


def test_table_made_in_inference_mode_serves_training():
    positions = RotaryPositions(4)
    with torch.inference_mode():
        positions(6, dtype=torch.float32, device=torch.device("cpu"))
    states = torch.randn(6, 4, requires_grad=True)
    rotate(states, *positions(6, dtype=torch.float32, device=torch.device("cpu"))).sum().backward()
    assert torch.isfinite(states.grad).all()


def test_bfloat16_states_turn_in_float32():
    states = torch.randn(4000, 8, generator=torch.Generator().manual_seed(0)).bfloat16()
    angles = rotary_angles(4000, 8, dtype=torch.float32)
    exact = rotate(states.double(), *rotary_angles(4000, 8, dtype=torch.float64))
    turned = rotate(states, *angles)
    assert turned.dtype == torch.bfloat16
    torch.testing.assert_close(turned.double(), exact, atol=1e-3, rtol=2**-8)  # one rounding to 8 bits
