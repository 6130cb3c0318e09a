"""The layer gives what the Longformer of Hugging Face gives, with the same weights."""

import pytest
import torch
from transformers import LongformerConfig
from transformers.models.longformer.modeling_longformer import LongformerSelfAttention as TheirAttention

from genoformer.nn.attention.longformer import LongformerSelfAttention
from genoformer.nn.attention.masks import token_roles

D, HEADS, RADIUS, B, T = 32, 4, 8, 3, 96


def make_pair(backend: str):
    torch.manual_seed(0)
    config = LongformerConfig(
        hidden_size=D, num_attention_heads=HEADS, attention_window=[2 * RADIUS], attention_probs_dropout_prob=0.0
    )
    theirs = TheirAttention(config, layer_id=0)
    ours = LongformerSelfAttention(D, HEADS, window_radius=RADIUS, has_global=True, backend=backend)
    state = theirs.state_dict()
    fused = {f"query_key_value.{part}": torch.cat([state[f"{name}.{part}"] for name in ("query", "key", "value")])
             for part in ("weight", "bias")}  # fmt: skip
    of_global = {f"global_projections.{name}": tensor for name, tensor in state.items() if "_global" in name}
    identity = {"output.weight": torch.eye(D), "output.bias": torch.zeros(D)}
    ours.load_state_dict({**fused, **of_global, **identity})
    return ours, theirs


def call_theirs(theirs, hidden, valid, is_global):
    codes = torch.zeros(B, T).masked_fill(~valid, -10000.0).masked_fill(is_global & valid, 10000.0)
    settings = {
        "is_index_masked": codes < 0,
        "is_index_global_attn": codes > 0,
        "is_global_attn": bool((codes > 0).any()),
    }
    return theirs(hidden, attention_mask=codes, **settings)[0]


@pytest.mark.parametrize("backend", ["reference", "fused", "blocked", "sdpa"])
@pytest.mark.parametrize("n_globals", [(0, 0, 0), (1, 1, 1), (3, 1, 0)])
@pytest.mark.parametrize("padding", [False, True])
def test_layer_equals_hugging_face(backend, n_globals, padding):
    ours, theirs = make_pair(backend)
    index = torch.arange(T)
    is_global = index[None] < torch.tensor(n_globals)[:, None]
    valid = index[None] < torch.tensor([T, 61, 16] if padding else [T, T, T])[:, None]
    hidden = torch.randn(B, T, D, requires_grad=True)
    found, expected = ours(hidden, roles=token_roles(valid, is_global)), call_theirs(theirs, hidden, valid, is_global)
    torch.testing.assert_close(found[valid], expected[valid], atol=1e-5, rtol=0)
    weight = torch.linspace(-1, 1, found.numel()).view(found.shape) * valid[..., None]
    gradients = [torch.autograd.grad((output * weight).sum(), hidden)[0] for output in (found, expected)]
    torch.testing.assert_close(*gradients, atol=1e-5, rtol=0)
