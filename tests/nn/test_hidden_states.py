"""States behind any layer are those that the next layer reads; the whole encoder stays as it is."""

import pytest
import torch

from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder
from genoformer.nn.hidden_states import OwnedBases, first_layers, states_network

TOKENS = torch.randint(5, 69, (2, 24), generator=torch.Generator().manual_seed(1))


def encoder_of(**settings):
    torch.manual_seed(0)
    given = {"attention": LongformerConfig(window_radius=3, backend="blocked"), **settings}
    return Encoder(EncoderConfig(vocab_size=69, d_model=16, n_heads=2, n_layers=3, d_ff=16, **given)).double().eval()


def test_states_are_what_the_next_layer_is_given():
    encoder, given = encoder_of(), []
    for layer in encoder.layers:
        layer.register_forward_pre_hook(lambda module, args: given.append(args[0].clone()))
    with torch.no_grad():
        encoder(TOKENS)
        expected = [*given]
        found = [first_layers(encoder, n)(TOKENS) for n in range(3)]
    for states, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(states, wanted, rtol=0, atol=0)


def test_all_layers_are_the_encoder_itself_and_it_is_not_changed():
    encoder = encoder_of()
    with torch.no_grad():
        before = encoder(TOKENS)
        first_layers(encoder, 1)(TOKENS)
        assert first_layers(encoder, 3) is encoder and len(encoder.layers) == 3
        torch.testing.assert_close(encoder(TOKENS), before, rtol=0, atol=0)


@pytest.mark.parametrize("n", [-1, 4])
def test_there_are_no_more_layers(n):
    with pytest.raises(ValueError, match=f"0 to 3 layers, found {n}"):
        first_layers(encoder_of(), n)


def test_a_reformer_gives_states_of_every_layer():
    attention = ReformerConfig(layers="local", chunk_tokens=8)
    encoder = encoder_of(attention=attention, positions="none")
    with torch.no_grad():
        states = [first_layers(encoder, n)(TOKENS) for n in range(4)]
    assert {part.shape for part in states} == {(2, 24, encoder.config.d_hidden)}
    assert all(torch.isfinite(part).all() for part in states)
    assert not torch.equal(states[0], states[1])


def test_every_base_has_the_state_of_the_token_that_owns_it():
    hidden = torch.arange(4.0).view(1, 2, 2)
    assert OwnedBases(3)(hidden)[0].tolist() == [[0, 1]] * 3 + [[2, 3]] * 3


def test_global_tokens_have_no_row():
    encoder = encoder_of(n_global_tokens=2, stride=3)
    with torch.no_grad():
        assert states_network(encoder, 1)(TOKENS).shape == (2, 66, 16)
