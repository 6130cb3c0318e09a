"""Sums and norms in one pass are torch's."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder
from genoformer.nn.layers import residuals
from genoformer.nn.layers.residuals import add, add_and_norm, can_add

HALF = {torch.float32: 1e-6, torch.bfloat16: 2**-8}


@pytest.fixture(params=[16, 128])
def norm(request):
    torch.manual_seed(0)
    found = nn.LayerNorm(request.param, eps=1e-5)
    nn.init.normal_(found.weight)
    nn.init.normal_(found.bias)
    return found


@pytest.mark.parametrize("of_added", list(HALF))
@pytest.mark.parametrize("of_normed", list(HALF))
def test_sum_and_norm_are_those_of_float64(norm, of_added, of_normed):
    width = len(norm.weight)
    hidden, added = torch.randn(7, width) + 3, torch.randn(7, width).to(of_added)
    total, normed = add_and_norm(hidden, added, norm, of_normed)
    expected = hidden.double() + added.double()
    torch.testing.assert_close(total, expected.float(), rtol=0, atol=0)
    expected = F.layer_norm(expected, (width,), norm.weight.double(), norm.bias.double(), norm.eps)
    assert normed.dtype == of_normed
    torch.testing.assert_close(normed.double(), expected, rtol=HALF[of_normed], atol=1e-5)


@pytest.mark.parametrize("of_added", list(HALF))
def test_a_sum_is_written_where_it_is_wanted(of_added):
    hidden, added, out = torch.randn(5, 32), torch.randn(5, 32).to(of_added), torch.zeros(9, 32)
    add(hidden, added, out[2:7])
    torch.testing.assert_close(out[2:7], hidden + added.float(), rtol=0, atol=0)
    assert not out[:2].any() and not out[7:].any()


def test_compiled_functions_have_one_signature_whatever_the_types():
    norm, rows = nn.LayerNorm(16), torch.randn(2, 16)
    for dtype in HALF:
        add_and_norm(rows, rows.to(dtype), norm, dtype)
        add(rows, rows.to(dtype), torch.empty(2, 16))
    assert len(residuals._add_and_norm.signatures) == len(residuals._add.signatures) == 1


def test_a_number_that_is_none_stays_in_its_row(norm):
    hidden = torch.randn(3, len(norm.weight))
    hidden[1, 4] = torch.nan
    _, normed = add_and_norm(hidden, torch.zeros_like(hidden), norm, torch.bfloat16)
    assert normed.isnan().all(dim=1).tolist() == [False, True, False]
    assert normed.isnan().any(dim=1).tolist() == [False, True, False]


def test_other_states_are_left_to_torch():
    rows = torch.zeros(2, 32)
    assert can_add(rows, torch.float32) and can_add(rows, torch.bfloat16, torch.float32)
    assert not can_add(rows.double(), torch.float64) and not can_add(rows, torch.float16)
    assert not can_add(rows, torch.float32, torch.float16)
    assert not can_add(rows[:, :24], torch.float32)


def test_a_layer_takes_states_that_share_memory():
    layer = Encoder(EncoderConfig(vocab_size=20, d_model=32, n_heads=2, n_layers=1, d_ff=48)).eval().layers[0]
    hidden, attended = torch.randn(2, 9, 32), torch.randn(2, 1, 32).expand(-1, 9, -1)
    expected = layer._residuals(hidden, attended.clone())
    with torch.inference_mode():
        torch.testing.assert_close(layer._residuals(hidden, attended), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("width", [32, 24])
@pytest.mark.parametrize("order", ["pre", "post"])
def test_an_encoder_without_gradients_is_the_one_with_them(width, order):
    torch.manual_seed(1)
    attention = LongformerConfig(window_radius=4)
    config = EncoderConfig(
        vocab_size=20, d_model=width, n_heads=2, n_layers=2, d_ff=48, norm=order, attention=attention, dropout=0.1
    )
    encoder, tokens = Encoder(config).eval(), torch.randint(0, 20, (2, 1100))
    expected = encoder(tokens)
    with torch.inference_mode():
        found = encoder(tokens)
    first = [one if isinstance(one, torch.Tensor) else one[0] for one in (found, expected)]
    torch.testing.assert_close(*first, rtol=1e-5, atol=1e-5)
