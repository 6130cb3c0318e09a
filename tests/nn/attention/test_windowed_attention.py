"""The fast ways give the values and gradients of the dense definition."""

import ast
import math
from pathlib import Path

import pytest
import torch

import genoformer.nn.attention
from genoformer.nn.attention import blocked
from genoformer.nn.attention.backends import windowed_attention
from genoformer.nn.layers.positions import rotary_angles

FAST = ("fused", "blocked", "sdpa")


def make_states(B=2, H=2, T=40, d_head=4, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(B, H, T, d_head, generator=generator, dtype=torch.float64).to(dtype) for _ in range(3)]


def make_masks(T: int, globals_: str, padding: bool):
    """Two samples; "some" global tokens lie at different places in each."""
    valid = torch.ones(2, T, dtype=torch.bool)
    if padding:
        valid[1, (T + 1) // 2 :] = False
    is_global = torch.zeros(2, T, dtype=torch.bool)
    if globals_ == "all":
        is_global[:] = True
    elif globals_ == "some":
        is_global[0, 0] = is_global[0, T // 3] = is_global[1, -1] = is_global[1, T // 4] = True
    return {"valid_mask": valid if padding else None, "global_mask": None if globals_ == "none" else is_global}


def values_and_gradients(states, backend: str, **settings):
    states = [state.detach().requires_grad_() for state in states]
    output = windowed_attention(*states, backend=backend, **settings)
    weight = torch.linspace(-1, 1, output.numel(), dtype=torch.float64).view(output.shape)
    return output.detach(), *torch.autograd.grad((output * weight).sum(), states)


def assert_fast_is_reference(states, tolerance: float, **settings):
    exact = values_and_gradients(states, "reference", **settings)
    for backend in FAST:
        for found, expected in zip(values_and_gradients(states, backend, **settings), exact, strict=True):
            torch.testing.assert_close(found, expected, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("backend", ("reference", *FAST))
def test_three_tokens_by_hand(backend):
    query = torch.zeros(1, 1, 3, 1, dtype=torch.float64)
    query[0, 0, 2] = 1.0
    key = torch.tensor([0.0, math.log(3), 0.0], dtype=torch.float64).view(1, 1, 3, 1)
    value = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64).view(1, 1, 3, 1)
    output = windowed_attention(query, key, value, window_radius=1, backend=backend)
    # Means of two and three values; the last token weighs its neighbour three times itself.
    by_hand = torch.tensor([3 / 2, 7 / 3, (3 * 2 + 4) / 4], dtype=torch.float64).view(1, 1, 3, 1)
    torch.testing.assert_close(output, by_hand, atol=1e-14, rtol=0)


@pytest.mark.parametrize("backend", ("reference", *FAST))
def test_global_key_is_seen_once_by_hand(backend):
    zero = torch.zeros(1, 1, 4, 1, dtype=torch.float64)
    value = torch.tensor([8.0, 1.0, 2.0, 4.0], dtype=torch.float64).view(1, 1, 4, 1)
    is_global = torch.tensor([[True, False, False, False]])
    output = windowed_attention(zero, zero, value, window_radius=1, global_mask=is_global, backend=backend)
    by_hand = torch.tensor([0.0, 11 / 3, 15 / 4, 14 / 3], dtype=torch.float64).view(1, 1, 4, 1)
    torch.testing.assert_close(output, by_hand, atol=1e-14, rtol=0)


@pytest.mark.parametrize("padding", [False, True])
@pytest.mark.parametrize("globals_", ["none", "some", "all"])
@pytest.mark.parametrize("T", [1, 5, 11, 31, 32, 33, 70])
def test_fast_equals_reference_at_awkward_lengths(T, globals_, padding):
    # Radius 5: lengths 1, R, 2R + 1, and the block of 32 queries with one less and one more.
    settings = {
        "window_radius": 5,
        "rotary": rotary_angles(T, 4, dtype=torch.float64),
        **make_masks(T, globals_, padding),
    }
    assert_fast_is_reference(make_states(T=T), 1e-10, **settings)


@pytest.mark.parametrize("radius", [1, 32, 33, 128, 129, 300])
def test_fast_equals_reference_at_awkward_radii(radius):
    settings = {"window_radius": radius, "rotary": rotary_angles(290, 4, dtype=torch.float64)}
    assert_fast_is_reference(make_states(T=290), 1e-10, **settings)
    assert_fast_is_reference(make_states(T=290), 1e-10, **settings, **make_masks(290, "some", True))


@pytest.mark.parametrize("globals_", ["none", "some", "all"])
@pytest.mark.parametrize(("T", "dilation"), [(100, 2), (97, 3), (4, 7), (90, (1, 4)), (65, (3, 1)), (1, (2, 3))])
def test_fast_equals_reference_with_dilation_of_layers_and_heads(T, dilation, globals_):
    settings = {"window_radius": 6, "dilation": dilation, "rotary": rotary_angles(T, 4, dtype=torch.float64)}
    assert_fast_is_reference(make_states(T=T), 1e-10, **settings, **make_masks(T, globals_, globals_ == "some"))


def test_each_head_has_its_own_dilation():
    states = make_states(H=3, T=40)
    together = windowed_attention(*states, window_radius=3, dilation=(1, 2, 1), backend="blocked")
    for head, dilation in enumerate((1, 2, 1)):
        alone = windowed_attention(*(s[:, head : head + 1] for s in states), window_radius=3, dilation=dilation)
        torch.testing.assert_close(together[:, head : head + 1], alone, atol=1e-12, rtol=0)


@pytest.mark.parametrize("globals_", ["none", "some"])
def test_fast_equals_reference_in_float32(globals_):
    states = make_states(T=150, dtype=torch.float32)
    settings = {"window_radius": 20, "rotary": rotary_angles(150, 4, dtype=torch.float32)}
    assert_fast_is_reference(states, 1e-5, **settings, **make_masks(150, globals_, True))


@pytest.mark.parametrize("backend", ["fused", "blocked"])
@pytest.mark.parametrize("globals_", ["none", "some"])
def test_bfloat16_is_near_float64(globals_, backend):
    states = make_states(T=200, d_head=32, dtype=torch.bfloat16)
    masks = make_masks(200, globals_, True)
    angles = {dtype: rotary_angles(200, 32, dtype=dtype) for dtype in (torch.float32, torch.float64)}
    exact = windowed_attention(
        *(state.double() for state in states),
        window_radius=40,
        rotary=angles[torch.float64],
        backend="reference",
        **masks,
    )
    found = windowed_attention(*states, window_radius=40, rotary=angles[torch.float32], backend=backend, **masks)
    assert found.dtype == torch.bfloat16
    # Scores of size 4 carry an error of 2^-7, weights and values one of 2^-9 each.
    torch.testing.assert_close(found.double(), exact, atol=0.03, rtol=0)


@pytest.mark.parametrize("globals_", ["none", "some"])
def test_bfloat16_gradients_of_the_fused_way_are_near_float64(globals_):
    states = make_states(T=200, d_head=32, dtype=torch.bfloat16)
    settings = {"window_radius": 40, **make_masks(200, globals_, True)}
    rotary = rotary_angles(200, 32, dtype=torch.float64)
    exact = values_and_gradients([state.double() for state in states], "reference", rotary=rotary, **settings)
    rotary = rotary_angles(200, 32, dtype=torch.float32)
    for found, expected in zip(values_and_gradients(states, "fused", rotary=rotary, **settings), exact, strict=True):
        assert found.dtype == torch.bfloat16
        # States, gradients and results are rounded by 2^-9, scores of size 4 are computed in float32.
        assert (found.double() - expected).norm() < 0.01 * expected.norm()


def test_weights_computed_again_give_the_same_gradients(monkeypatch):
    states, settings = make_states(T=150), {"window_radius": 9, **make_masks(150, "some", True)}
    kept = values_and_gradients(states, "blocked", **settings)
    monkeypatch.setattr(blocked, "KEPT_WEIGHTS_BYTES", 0)
    for found, expected in zip(values_and_gradients(states, "blocked", **settings), kept, strict=True):
        assert torch.equal(found, expected)


def test_number_of_blocks_at_a_time_changes_nothing(monkeypatch):
    states, settings = make_states(T=300), {"window_radius": 40}
    exact = values_and_gradients(states, "reference", **settings)
    for n_bytes in (1, 400_000, 2**30):
        monkeypatch.setitem(blocked.SCORES_BYTES, "cpu", n_bytes)
        for found, expected in zip(values_and_gradients(states, "blocked", **settings), exact, strict=True):
            torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize("backend", ("reference", *FAST))
def test_fully_padded_row_is_zero_and_has_zero_gradient(backend):
    valid = torch.tensor([[True] * 40, [False] * 40])
    output, *gradients = values_and_gradients(make_states(), backend, window_radius=3, valid_mask=valid)
    assert (output[1] == 0).all() and (output[0] != 0).any()
    assert all((gradient[1] == 0).all() for gradient in gradients)


@pytest.mark.parametrize("backend", ("reference", *FAST))
def test_caller_keeps_its_tensors(backend):
    states, masks = make_states(), make_masks(40, "some", True)
    before = [tensor.clone() for tensor in (*states, *masks.values())]
    windowed_attention(
        *states, window_radius=3, rotary=rotary_angles(40, 4, dtype=torch.float64), backend=backend, **masks
    )
    assert all(torch.equal(old, now) for old, now in zip(before, (*states, *masks.values()), strict=True))


@pytest.mark.parametrize("backend", FAST)
def test_large_scores_stay_finite(backend):
    states = make_states(T=100, dtype=torch.float32)
    output = windowed_attention(states[0] * 1e4, states[1] * 1e4, states[2], window_radius=3, backend=backend)
    assert torch.isfinite(output).all()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"window_radius": 0}, "not 0"),
        ({"dilation": 0}, "not 0"),
        ({"dilation": (1, 0)}, r"not \(1, 0\)"),
        ({"dilation": (1, 2, 3)}, "each of 2 heads"),
        ({"dropout": 1.0}, "not 1.0"),
        ({"backend": "flash"}, "flash"),
    ],
)
def test_illegal_setting_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        windowed_attention(*make_states(), **{"window_radius": 3, **wrong})


def test_fast_modules_do_not_import_the_reference():
    folder = Path(genoformer.nn.attention.__file__).parent
    fast = [path for path in folder.rglob("*.py") if path.stem != "backends"]
    for path in [*fast, folder.parent / "layers" / "positions.py"]:
        tree = ast.parse(path.read_text())
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert "genoformer.nn.attention.reference" not in imported
