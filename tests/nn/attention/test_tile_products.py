"""Attention by tiles of bfloat16 is that by single numbers, within what bfloat16 holds."""

import pytest
import torch

from genoformer.nn.attention.backends import windowed_attention
from genoformer.nn.attention.kernels import threads
from genoformer.nn.attention.kernels.tiles import tile_settings
from genoformer.nn.layers.positions import rotary_angles

ROUNDED = 2**-8
"""Two roundings of bfloat16."""

needs_tiles = pytest.mark.skipif(tile_settings() is None, reason="this processor has no tiles (Intel's AMX)")
CASES = {
    "rotary": {"T": 300, "d_head": 32, "radius": 32, "is_turned": True},
    "global tokens": {"T": 700, "d_head": 64, "radius": 128, "globals": (0, 7)},
    "padding": {"T": 400, "d_head": 96, "radius": 70, "n_padding": 100},
    "several chunks": {"T": 2300, "d_head": 32, "radius": 90, "is_turned": True},
    "one token": {"T": 1, "d_head": 32, "radius": 3},
    "causal": {"T": 200, "d_head": 32, "radius": 40, "is_causal": True},
    "dilated": {"T": 300, "d_head": 32, "radius": 20, "dilation": 3},
}


def relative_errors(T, d_head, radius, globals=(), n_padding=0, is_turned=False, **settings):
    """Of output and gradients of bfloat16 states, against the definition in float64 of the same states."""
    generator = torch.Generator().manual_seed(0)
    states = [torch.randn(2, 2, T, d_head, generator=generator).bfloat16() for _ in range(3)]
    valid, is_global = torch.ones(2, T, dtype=torch.bool), torch.zeros(2, T, dtype=torch.bool)
    valid[1, T - n_padding :] = False
    is_global[:, list(globals)] = True
    settings |= {"window_radius": radius, "valid_mask": valid, "global_mask": is_global}
    angles = rotary_angles(T, d_head, dtype=torch.bfloat16) if is_turned else None
    kept = (valid & ~is_global)[:, None, :, None]
    weights = torch.randn(2, 2, T, d_head, generator=generator).bfloat16() * kept
    results = []
    for dtype, backend in ((torch.bfloat16, "fused"), (torch.float64, "reference")):
        inputs = [state.to(dtype).requires_grad_() for state in states]
        rotary = None if angles is None else tuple(angle.to(dtype) for angle in angles)
        output = windowed_attention(*inputs, rotary=rotary, backend=backend, **settings)
        results.append([(output * kept).detach(), *torch.autograd.grad(output, inputs, weights.to(dtype))])
    return [((one.double() - other).norm() / other.norm()).item() for one, other in zip(*results, strict=True)]


@needs_tiles
@pytest.mark.parametrize("case", CASES)
def test_output_and_gradients_are_near_those_of_float64(case):
    output, *gradients = relative_errors(**CASES[case])
    assert output < 2 * ROUNDED
    if case != "one token":  # a query that sees one key has no gradient
        assert max(gradients) < 2 * ROUNDED
    else:
        assert gradients[2] < ROUNDED


@pytest.mark.parametrize("case", CASES)
def test_without_tiles_products_are_those_of_float32(monkeypatch, case):
    monkeypatch.setattr(threads, "tile_settings", lambda: None)
    output, _, _, of_values = relative_errors(**CASES[case])
    assert max(output, of_values) < ROUNDED


@needs_tiles
def test_tiles_are_used_and_leave_those_of_other_libraries_as_they_were(monkeypatch):
    torch.manual_seed(0)
    one, other = (torch.randn(96, 96).bfloat16() for _ in range(2))
    before = one @ other
    states = [torch.randn(1, 1, 200, 32).bfloat16() for _ in range(3)]
    by_tiles = windowed_attention(*states, window_radius=20, backend="fused")
    assert torch.equal(one @ other, before)
    monkeypatch.setattr(threads, "tile_settings", lambda: None)
    assert not torch.equal(windowed_attention(*states, window_radius=20, backend="fused"), by_tiles)


@needs_tiles
def test_a_row_is_the_same_whatever_stands_beside_it():
    torch.manual_seed(0)
    states = [torch.randn(3, 2, 150, 32).bfloat16() for _ in range(3)]
    together = windowed_attention(*states, window_radius=20, backend="fused")
    alone = windowed_attention(*(state[1:2] for state in states), window_radius=20, backend="fused")
    assert torch.equal(together[1:2], alone)


@needs_tiles
def test_a_number_that_is_none_stays_with_the_queries_that_are_read_with_its_key():
    states = [torch.randn(1, 1, 300, 32).bfloat16() for _ in range(3)]
    states[2][0, 0, 100] = torch.nan
    is_nan = windowed_attention(*states, window_radius=10, backend="fused").isnan().all(-1)[0, 0].nonzero()[:, 0]
    assert set(range(90, 111)) <= set(is_nan.tolist()) <= set(range(64, 160))  # keys come by 32, queries as well
