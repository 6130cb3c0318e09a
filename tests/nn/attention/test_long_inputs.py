"""Long inputs: pieces without gradients and checkpoints with them give the same numbers in less memory."""

import dataclasses

import pytest
import torch

from genoformer.nn import encoder as encoder_module
from genoformer.nn.attention import longformer, pieces
from genoformer.nn.attention.full import FullConfig
from genoformer.nn.attention.fused import projected_attention
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder

SMALL = EncoderConfig(
    vocab_size=69, d_model=16, n_heads=2, n_layers=2, d_ff=32, attention=LongformerConfig(window_radius=3), conv_width=3
)
VARIANTS = [
    {},
    {"n_global_tokens": 2},
    {"norm": "post", "positions": "learned"},
    {"attention": LongformerConfig(window_radius=3, dilation=((1, 2), 3)), "n_global_tokens": 1},
    {"attention": FullConfig()},
]
T = 301


def make_encoder(attention=SMALL.attention, attention_dropout=0.0, **settings) -> Encoder:
    torch.manual_seed(0)
    attention = dataclasses.replace(attention, dropout=attention_dropout)
    return Encoder(dataclasses.replace(SMALL, attention=attention, **settings)).double()


def make_input(n_global_tokens: int):
    tokens = torch.randint(1, 69, (2, T), generator=torch.Generator().manual_seed(1))
    is_global = torch.zeros(2, T, dtype=torch.bool)
    if n_global_tokens:
        is_global[0, 0] = is_global[0, 99] = is_global[0, 100] = is_global[1, 250] = True
    return tokens, {"valid_mask": torch.arange(T)[None] < torch.tensor([[T], [270]]), "global_mask": is_global}


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_pieces_give_what_the_whole_gives(settings, monkeypatch):
    encoder = make_encoder(**settings).eval()
    tokens, masks = make_input(settings.get("n_global_tokens", 0))
    whole = encoder(tokens, **masks)
    monkeypatch.setattr(pieces, "PIECE_TOKENS", 100)
    monkeypatch.setattr(encoder_module, "TOKENS_AT_A_TIME", 37)
    with torch.no_grad():
        torch.testing.assert_close(encoder(tokens, **masks), whole, atol=1e-10, rtol=0)


def test_long_input_without_gradients_goes_in_pieces(monkeypatch):
    encoder, lengths = make_encoder(n_layers=1).eval(), []
    monkeypatch.setattr(pieces, "PIECE_TOKENS", 100)

    def attend(hidden, *settings, **more):
        lengths.append(hidden.shape[1])
        return projected_attention(hidden, *settings, **more)

    monkeypatch.setattr(longformer, "projected_attention", attend)
    tokens, masks = make_input(0)
    with torch.no_grad():
        encoder(tokens, **masks)
    # 100 tokens each, and three neighbours on each side are read, too.
    assert lengths == [103, 106, 104, 4]
    one_sample, lengths[:] = lengths.copy(), []
    with torch.no_grad():
        encoder(tokens[:1], **{name: mask[:1] for name, mask in masks.items() if mask is not None})
    assert lengths == one_sample


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_checkpoints_change_no_gradient(settings):
    tokens, masks = make_input(settings.get("n_global_tokens", 0))
    results = []
    for checkpoint_tokens in (10**6, 1):
        encoder = make_encoder(dropout=0.2, attention_dropout=0.2, checkpoint_tokens=checkpoint_tokens, **settings)
        torch.manual_seed(5)
        hidden = encoder(tokens, **masks)
        trained = [weight for weight in encoder.parameters() if weight.requires_grad]
        results.append((hidden, *torch.autograd.grad(hidden.square().sum(), trained)))
    for plain, again in zip(*results, strict=True):
        torch.testing.assert_close(again, plain, atol=1e-12, rtol=1e-12)
