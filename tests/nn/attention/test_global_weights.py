"""The weights are those that the layer itself uses for its global tokens."""

import pytest
import torch

from genoformer.nn.attention.global_weights import global_weights
from genoformer.nn.attention.longformer import LongformerSelfAttention
from genoformer.nn.attention.masks import token_roles


def made(n_tokens=9, n_globals=2, padding=0):
    torch.manual_seed(2)
    attention = LongformerSelfAttention(8, 2, window_radius=2, has_global=True, backend="blocked").double().eval()
    is_global = (torch.arange(n_tokens) < n_globals).expand(2, -1)
    valid = (torch.arange(n_tokens) < n_tokens - padding).expand(2, -1)
    return attention, torch.randn(2, n_tokens, 8, dtype=torch.float64), token_roles(valid, is_global)


@pytest.mark.parametrize("padding", [0, 3])
def test_weights_give_what_the_layer_gives_for_its_global_tokens(padding):
    attention, hidden, roles = made(padding=padding)
    with torch.no_grad():
        weights = global_weights(attention, hidden, roles)
        values = attention.global_projections["value_global"](hidden).unflatten(-1, (2, -1)).transpose(1, 2)
        rows = attention.output((weights @ values).transpose(1, 2).flatten(2))
        torch.testing.assert_close(rows, attention(hidden, roles=roles)[:, :2])
    assert weights.shape == (2, 2, 2, 9)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 2, dtype=torch.float64))
    assert not padding or not weights[..., -padding:].any()


def test_without_global_tokens_there_are_no_weights():
    attention, hidden, _ = made()
    with pytest.raises(ValueError, match="no token is global"):
        global_weights(attention, hidden, token_roles(None, None))
