"""Linear layers through oneDNN mean what ``nn.Linear`` means."""

import pytest
import torch
import torch.nn.functional as F

from genoformer.nn.layers import linear
from genoformer.nn.layers.linear import FixedLinear, Linear


def outputs_and_gradients(forward, layer: Linear, states: torch.Tensor):
    states = states.detach().requires_grad_()
    output = forward(states)
    weight = torch.linspace(-1, 1, output.numel()).view(output.shape)
    return output.detach(), *torch.autograd.grad((output * weight).sum(), (states, *layer.parameters()))


@pytest.mark.skipif(not linear.HAS_ONEDNN, reason="no oneDNN for this processor")
@pytest.mark.parametrize("shape", [(1, 5), (7, 5), (2, 33, 5)])
@pytest.mark.parametrize("has_bias", [True, False])
def test_values_and_gradients_are_those_of_float64(shape, has_bias):
    torch.manual_seed(0)
    layer, states = Linear(5, 12, bias=has_bias), torch.randn(shape)
    assert linear.takes_onednn(states, layer.weight)
    exact = Linear(5, 12, bias=has_bias).double()
    exact.load_state_dict(layer.state_dict())
    found = outputs_and_gradients(layer, layer, states)
    expected = outputs_and_gradients(lambda x: F.linear(x, exact.weight, exact.bias), exact, states.double())
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other.float(), atol=1e-5, rtol=1e-5)


def test_states_with_strides_are_read_in_their_order():
    torch.manual_seed(0)
    layer, states = Linear(6, 4), torch.randn(9, 3, 6).transpose(0, 1)[:, 1:8]
    torch.testing.assert_close(layer(states), F.linear(states, layer.weight, layer.bias))


def test_a_fixed_layer_means_the_same_and_its_gelu_is_the_exact_one():
    torch.manual_seed(0)
    layer, states = Linear(6, 64), 3 * torch.randn(50, 6)
    exact = F.linear(states.double(), layer.weight.double(), layer.bias.double())
    with torch.no_grad():
        fixed = FixedLinear(layer)
        torch.testing.assert_close(fixed(states), exact.float(), atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(fixed.gelu(states), F.gelu(exact).float(), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("is_slow", [True, False])
def test_long_weight_gradients_are_summed_up_over_all_tokens(monkeypatch, is_slow):
    monkeypatch.setattr(linear, "ROWS_AT_A_TIME", 10)
    monkeypatch.setattr(linear, "_torch_is_slow", lambda: is_slow)
    torch.manual_seed(0)
    for shape in ((5, 12), (12, 5)):  # either factor may be the narrower
        layer, states = Linear(*shape), torch.randn(2, 33, shape[0])
        _, _, found, _ = outputs_and_gradients(layer, layer, states)
        exact = Linear(*shape).double()
        exact.load_state_dict(layer.state_dict())
        _, _, expected, _ = outputs_and_gradients(
            lambda x, e=exact: F.linear(x, e.weight, e.bias), exact, states.double()
        )
        torch.testing.assert_close(found, expected.float(), atol=1e-5, rtol=1e-5)


def test_bfloat16_under_autocast_is_near_float64():
    torch.manual_seed(0)
    layer, states = Linear(64, 32), torch.randn(2, 50, 64)
    exact = Linear(64, 32).double()
    exact.load_state_dict(layer.state_dict())
    expected = outputs_and_gradients(lambda x: F.linear(x, exact.weight, exact.bias), exact, states.double())
    with torch.autocast("cpu", torch.bfloat16):
        found = outputs_and_gradients(layer, layer, states)
        with torch.no_grad():
            fixed = FixedLinear(layer).gelu(states)
    assert found[0].dtype == fixed.dtype == torch.bfloat16
    for one, other in zip((*found, fixed), (*expected, F.gelu(expected[0])), strict=True):
        # Factors and results are rounded by 2^-9; sums of up to 100 terms of size 1.
        assert (one - other).norm() < 0.01 * other.norm()


def test_frozen_weights_get_no_gradient_and_inputs_do():
    layer, states = Linear(4, 3).requires_grad_(False), torch.ones(2, 4, requires_grad=True)
    layer(states).sum().backward()
    torch.testing.assert_close(states.grad, layer.weight.sum(0).expand(2, 4))
    assert layer.weight.grad is None


def test_no_tokens_and_autocast_are_served():
    layer = Linear(4, 3)
    assert layer(torch.ones(2, 0, 4)).shape == (2, 0, 3)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(torch.ones(2, 4)).dtype == torch.bfloat16
