"""Heads for whole sequences: pooling by hand, padding, global tokens."""

import pytest
import torch

from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.heads import N_QUERIES, SequenceHead
from genoformer.nn.model import build_model

CONFIG = {
    "vocab_size": 69,
    "d_model": 16,
    "n_heads": 2,
    "n_layers": 1,
    "d_ff": 16,
    "attention": LongformerConfig(window_radius=4),
}
VALID = torch.tensor([[True, True, False], [False, False, False]])


def test_mean_is_that_of_the_real_tokens_and_zero_without_any():
    head = SequenceHead(2, 3)
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [99.0, 99.0]]] * 2)
    pooled = torch.tensor([[2.0, 4.0], [0.0, 0.0]])
    torch.testing.assert_close(head(hidden, hidden[:, :0], VALID), head.projection(pooled))


def test_attention_is_softmax_over_the_real_tokens():
    head, hidden = SequenceHead(2, 3, "attention"), torch.randn(2, 3, 2)
    weights = torch.softmax(head.queries(hidden[0, :2]), dim=0)  # [2, Q]
    pooled = (weights.T @ hidden[0, :2]).flatten()
    torch.testing.assert_close(head(hidden, hidden[:, :0], VALID)[0], head.projection(pooled), atol=1e-6, rtol=0)
    torch.testing.assert_close(head(hidden, hidden[:, :0], VALID)[1], head.projection(torch.zeros(2 * N_QUERIES)))


def test_mean_max_is_the_mean_beside_the_largest_value_of_each_feature():
    head = SequenceHead(2, 3, "mean_max")
    hidden = torch.tensor([[[-1.0, 2.0], [-3.0, 6.0], [99.0, 99.0]]] * 2)
    pooled = torch.tensor([[-2.0, 4.0, -1.0, 6.0], [0.0, 0.0, 0.0, 0.0]])
    torch.testing.assert_close(head(hidden, hidden[:, :0], VALID), head.projection(pooled))


@pytest.mark.parametrize("pooling", ["mean", "cls", "attention", "mean_max"])
def test_padding_and_batch_change_nothing(pooling):
    torch.manual_seed(0)
    model = build_model(EncoderConfig(**CONFIG, n_global_tokens=1), 3, pooling=pooling).eval()
    tokens = torch.randint(5, 69, (1, 12))
    padded = torch.cat((tokens, torch.zeros(1, 5, dtype=torch.int64)), dim=1)
    both = torch.cat((padded, torch.randint(5, 69, (1, 17))))
    alone = model(tokens, torch.ones(1, 12, dtype=torch.bool))
    assert alone.shape == (1, 3)
    torch.testing.assert_close(model(padded, padded != 0), alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(model(both, both != 0)[:1], alone, atol=1e-5, rtol=0)


def test_wrong_pooling_is_named():
    with pytest.raises(ValueError, match="'max'"):
        build_model(EncoderConfig(**CONFIG), 3, pooling="max")
    with pytest.raises(ValueError, match="n_global_tokens"):
        build_model(EncoderConfig(**CONFIG), 3, pooling="cls")
