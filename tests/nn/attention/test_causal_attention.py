"""Windows and full attention that look back only: by hand, every way like the reference, and nothing leaks."""

import dataclasses
import math

import pytest
import torch
from test_windowed_attention import FAST, make_masks, make_states, values_and_gradients

from genoformer.errors import UsageError
from genoformer.interop.huggingface_export import to_huggingface
from genoformer.nn.attention.backends import windowed_attention
from genoformer.nn.attention.full import FullConfig
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.attention.masks import window_mask
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder
from genoformer.nn.layers.positions import rotary_angles

TOKENS = torch.randint(5, 69, (2, 150), generator=torch.Generator().manual_seed(1))


def make_encoder(attention, **settings) -> Encoder:
    torch.manual_seed(0)
    config = EncoderConfig(
        vocab_size=69, d_model=16, n_heads=2, n_layers=2, d_ff=32, conv_width=0, attention=attention, **settings
    )
    return Encoder(config).double().eval()


def test_the_mask_of_radius_one_is_as_written():
    expected = torch.tensor([[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], dtype=torch.bool)
    assert torch.equal(window_mask(4, window_radius=1, is_causal=True), expected)
    dilated = torch.tensor([[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1]], dtype=torch.bool)
    assert torch.equal(window_mask(4, window_radius=1, dilation=2, is_causal=True), dilated)


@pytest.mark.parametrize("backend", ("reference", *FAST))
def test_three_tokens_by_hand(backend):
    query = torch.tensor([1.0, 1.0, 1.0], dtype=torch.float64).view(1, 1, 3, 1)
    key = torch.tensor([0.0, math.log(3), 0.0], dtype=torch.float64).view(1, 1, 3, 1)
    value = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64).view(1, 1, 3, 1)
    output = windowed_attention(query, key, value, window_radius=1, backend=backend, is_causal=True)
    by_hand = torch.tensor([1.0, (1 + 3 * 2) / 4, (3 * 2 + 4) / 4], dtype=torch.float64).view(1, 1, 3, 1)
    torch.testing.assert_close(output, by_hand, atol=1e-14, rtol=0)


@pytest.mark.parametrize("padding", [False, True])
@pytest.mark.parametrize("dilation", [1, 3, (1, 2)], ids=str)
@pytest.mark.parametrize("radius", [5, 70, 200])
@pytest.mark.parametrize("T", [1, 5, 11, 32, 33, 63, 64, 65, 130])
def test_every_way_equals_the_reference(T, radius, dilation, padding):
    settings = {
        "window_radius": radius, "dilation": dilation, "rotary": rotary_angles(T, 4, dtype=torch.float64),
        "is_causal": True, **make_masks(T, "none", padding),
    }  # fmt: skip
    exact = values_and_gradients(make_states(T=T), "reference", **settings)
    for backend in (*FAST, "auto"):
        for found, expected in zip(values_and_gradients(make_states(T=T), backend, **settings), exact, strict=True):
            torch.testing.assert_close(found, expected, atol=1e-10, rtol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("backend", FAST)
def test_long_inputs_in_float32(backend):
    settings = {"window_radius": 100, "is_causal": True}
    states = make_states(B=1, T=2500, d_head=8, dtype=torch.float32)
    exact = values_and_gradients([state.double() for state in states], "reference", **settings)
    for found, expected in zip(values_and_gradients(states, backend, **settings), exact, strict=True):
        torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("backend", ["auto", "reference", "fused", "blocked", "sdpa"])
@pytest.mark.parametrize(
    "attention", [LongformerConfig(window_radius=40, causal=True), FullConfig(causal=True)], ids=str
)
def test_no_token_sees_what_stands_behind_it(attention, backend):
    encoder = make_encoder(dataclasses.replace(attention, backend=backend))
    changed = TOKENS.clone()
    changed[:, 100:] = 7
    torch.testing.assert_close(encoder(TOKENS)[:, :100], encoder(changed)[:, :100], atol=1e-14, rtol=0)
    assert not torch.allclose(encoder(TOKENS)[:, 100:], encoder(changed)[:, 100:])


def test_a_long_input_in_pieces_equals_the_reference():
    attention = LongformerConfig(window_radius=8, causal=True)
    encoder = make_encoder(attention)
    tokens = torch.randint(5, 69, (1, 17_000))
    with torch.no_grad():
        found = encoder(tokens)
    with torch.enable_grad():
        whole = encoder(tokens).detach()
    torch.testing.assert_close(found, whole, atol=1e-12, rtol=0)


def test_dropped_weights_are_causal_too():
    attention = LongformerConfig(window_radius=20, causal=True, dropout=0.5)
    encoder = make_encoder(attention).train()
    changed = TOKENS.clone()
    changed[:, 100:] = 7
    outputs = []
    for tokens in (TOKENS, changed):
        torch.manual_seed(3)
        outputs.append(encoder(tokens)[:, :100])
    torch.testing.assert_close(*outputs, atol=1e-12, rtol=0)


@pytest.mark.parametrize("kind", [LongformerConfig, FullConfig])
def test_what_cannot_be_causal_is_refused_by_name(kind, tmp_path):
    with pytest.raises(ValueError, match="backend flex cannot be causal"):
        kind(causal=True, backend="flex")
    with pytest.raises(ValueError, match="causal must be true or false, not 'yes'"):
        kind(causal="yes")
    with pytest.raises(ValueError, match=r"n_global_tokens must be 0 with causal attention.*found 2"):
        make_encoder(kind(causal=True), n_global_tokens=2)


def test_a_causal_encoder_is_no_longformer_of_hugging_face(tmp_path):
    encoder = make_encoder(LongformerConfig(causal=True), positions="learned", norm="post").float()
    with pytest.raises(UsageError, match="attention causal true"):
        to_huggingface(encoder, tmp_path / "out", with_tokenizer=False)
