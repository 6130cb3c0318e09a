"""What is particular to the fused kernels: long lines, threads, strides, and numbers that are none."""

import ctypes

import numpy as np
import pytest
import torch

from genoformer.nn.attention.backends import windowed_attention
from genoformer.nn.attention.fused import projected_attention
from genoformer.nn.attention.kernels import threads
from genoformer.nn.attention.kernels.panels import CHUNK_TOKENS
from genoformer.nn.attention.kernels.softmax_rows import exponentials
from genoformer.nn.attention.longformer import LongformerSelfAttention
from genoformer.nn.attention.masks import TokenRoles, Window, token_roles
from genoformer.nn.layers.positions import rotary_angles
from genoformer.nn.layers.refusals import BackendError


def values_and_gradients(states, backend: str, **settings):
    states = [state.detach().requires_grad_() for state in states]
    output = windowed_attention(*states, backend=backend, **settings)
    weight = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view(output.shape)
    return output.detach(), *torch.autograd.grad((output * weight).sum(), states)


def make_states(*shape: int, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator, dtype=dtype) for _ in range(3)]


@pytest.mark.parametrize("d_head", [4, 16, 40, 64])
def test_several_chunks_of_a_line_equal_the_blocked_way(d_head):
    T = 2 * CHUNK_TOKENS + 70  # gradients of keys move from chunk to chunk
    states = make_states(1, 2, T, d_head)
    is_global = torch.zeros(1, T, dtype=torch.bool)
    is_global[0, [0, 2100, T - 1]] = True
    valid = torch.ones(1, T, dtype=torch.bool)
    valid[0, 1000:1200] = False
    settings = {"window_radius": 70, "global_mask": is_global, "valid_mask": valid}
    settings["rotary"] = rotary_angles(T, d_head, dtype=torch.float64)
    expected = values_and_gradients(states, "blocked", **settings)
    for found, exact in zip(values_and_gradients(states, "fused", **settings), expected, strict=True):
        torch.testing.assert_close(found, exact, atol=1e-10, rtol=1e-10)


@pytest.mark.slow
def test_number_of_threads_changes_no_bit():
    states, before = make_states(2, 3, 200, 8, dtype=torch.float32), torch.get_num_threads()
    results = []
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            results.append(values_and_gradients(states, "fused", window_radius=20))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


def test_without_an_openmp_library_one_thread_does_all(monkeypatch):
    states = make_states(1, 2, 100, 8)
    expected = windowed_attention(*states, window_radius=9, backend="fused")

    def none_of_that_name(name):
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", none_of_that_name)
    threads._openmp_parallel.cache_clear()
    found = windowed_attention(*states, window_radius=9, backend="fused")
    threads._openmp_parallel.cache_clear()
    assert torch.equal(found, expected)


def test_states_with_holes_between_their_numbers_are_read_right():
    states = [state.transpose(2, 3).contiguous().transpose(2, 3) for state in make_states(1, 2, 90, 6)]
    expected = values_and_gradients([state.contiguous() for state in states], "fused", window_radius=9)
    for found, exact in zip(values_and_gradients(states, "fused", window_radius=9), expected, strict=True):
        assert torch.equal(found, exact)


@pytest.mark.slow
def test_a_number_that_is_none_spreads_to_those_who_see_it_and_to_no_other():
    states = make_states(1, 1, 300, 8, dtype=torch.float32)
    states[1][0, 0, 100] = torch.nan
    is_nan = windowed_attention(*states, window_radius=10, backend="fused").isnan().all(-1)[0, 0]
    assert is_nan.nonzero()[:, 0].tolist() == list(range(90, 111))


def test_exponentials_are_right_to_the_last_digits():
    scores = np.concatenate([-np.geomspace(1e-8, 86, 500), [0.0, -1e30, -200.0]]).astype(np.float32)
    found, exact = scores.copy(), np.exp(scores.astype(np.float64))
    total = exponentials(found, np.float32(0))
    np.testing.assert_allclose(found[:-2], exact[:-2], rtol=2.5e-7)
    assert found[-2:].tolist() == [0, 0]
    np.testing.assert_allclose(total, exact.sum(), rtol=1e-6)


def test_dropped_weights_are_refused():
    with pytest.raises(BackendError, match=r"and dropout 0\.5"):
        windowed_attention(*make_states(1, 1, 8, 4), window_radius=2, dropout=0.5, backend="fused")


def make_layer(**settings):
    torch.manual_seed(0)
    layer = LongformerSelfAttention(24, 3, has_global=True, **settings).double()
    is_global, valid = torch.zeros(2, 150, dtype=torch.bool), torch.ones(2, 150, dtype=torch.bool)
    is_global[0, [0, 70]], valid[1, 130:] = True, False
    rotary = rotary_angles(150, 8, dtype=torch.float64)
    hidden = torch.randn(2, 150, 24, dtype=torch.float64, requires_grad=True)
    trained = [weight for weight in layer.parameters() if weight.requires_grad]
    return layer(hidden, roles=token_roles(valid, is_global), rotary=rotary), [hidden, *trained]


@pytest.mark.parametrize("settings", [{"window_radius": 9}, {"window_radius": 9, "dilation": (1, 2, 5)}], ids=str)
def test_a_layer_whose_gradients_take_the_place_of_its_states_equals_the_reference(settings):
    results = []
    for backend in ("fused", "reference"):
        output, leaves = make_layer(backend=backend, **settings)
        results.append([output, *torch.autograd.grad(output.square().sum(), leaves)])
    for found, exact in zip(*results, strict=True):
        torch.testing.assert_close(found, exact, atol=1e-10, rtol=1e-10)


def test_a_retained_graph_gives_the_same_gradients_again():
    output, leaves = make_layer(window_radius=9)
    first = torch.autograd.grad(output.square().sum(), leaves, retain_graph=True)
    again = torch.autograd.grad(output.square().sum(), leaves)
    for one, other in zip(first, again, strict=True):
        torch.testing.assert_close(other, one, atol=1e-12, rtol=1e-12)


@pytest.mark.slow
def test_backward_under_autocast_is_that_without():
    torch.manual_seed(0)
    leaves = [torch.randn(shape, requires_grad=True) for shape in ((1, 90, 8), (24, 8), (24,))]
    output = projected_attention(*leaves, 2, TokenRoles(), Window(9))
    expected = torch.autograd.grad(output.square().sum(), leaves, retain_graph=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = torch.autograd.grad(output.square().sum(), leaves)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
