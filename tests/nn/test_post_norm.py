"""Post-norm encoders: where the norms are, and what is added to their variance."""

import dataclasses

import pytest
import torch

from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder

CONFIG = EncoderConfig(vocab_size=9, d_model=2, n_heads=1, n_layers=1, d_ff=2, positions="none", conv_width=0)


def silent_encoder(**settings) -> Encoder:
    """An encoder whose attention and feed-forward add nothing, so that only norms act; token 5 is (3, 1)."""
    encoder = Encoder(dataclasses.replace(CONFIG, **settings)).double()
    with torch.no_grad():
        for layer in (encoder.layers[0].attention.output, encoder.layers[0].narrow):
            layer.weight.zero_()
            layer.bias.zero_()
        encoder.token_embedding.weight[5] = torch.tensor([3.0, 1.0])
    return encoder


def test_post_norm_normalises_the_embeddings_and_each_sum():
    encoder = silent_encoder(norm="post", norm_eps=0.5)
    # Half the difference of the two components is d; a norm makes it d / sqrt(d² + eps).
    expected = 1.0
    for _ in range(3):
        expected /= (expected**2 + 0.5) ** 0.5
    torch.testing.assert_close(encoder(torch.tensor([[5]]))[0, 0].tolist(), [expected, -expected])


def test_pre_norm_normalises_only_at_the_end():
    encoder = silent_encoder(norm="pre", norm_eps=0.5)
    expected = 1.0 / 1.5**0.5
    torch.testing.assert_close(encoder(torch.tensor([[5]]))[0, 0].tolist(), [expected, -expected])


def test_every_norm_has_the_eps_of_the_configuration():
    for norm in ("pre", "post"):
        encoder = Encoder(dataclasses.replace(CONFIG, norm=norm, norm_eps=1e-12))
        found = [module.eps for module in encoder.modules() if isinstance(module, torch.nn.LayerNorm)]
        assert found == [1e-12] * 3


def test_pre_norm_encoder_has_no_norm_of_the_embeddings():
    names = [name for name, _ in Encoder(dataclasses.replace(CONFIG, norm="pre")).named_parameters()]
    assert not any("embedding_norm" in name for name in names)


@pytest.mark.parametrize("wrong", [0.0, -1e-5, 1, "1e-5", float("nan")])
def test_eps_that_is_no_small_number_is_refused(wrong):
    with pytest.raises(ValueError, match="norm_eps"):
        dataclasses.replace(CONFIG, norm_eps=wrong)
