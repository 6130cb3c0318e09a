"""An encoder of reversible layers: invariances, edges, every head, and that it learns."""

import dataclasses

import pytest
import torch

from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.context_parallel import ContextParallelEncoder
from genoformer.nn.encoder import Encoder
from genoformer.nn.heads import POOLINGS
from genoformer.nn.layers.positions import AxialPositions
from genoformer.nn.layers.refusals import TooManyTokensError
from genoformer.nn.networks import build_network

SMALL = EncoderConfig(
    vocab_size=69, d_model=16, n_heads=2, n_layers=2, d_ff=32, attention=ReformerConfig(chunk_tokens=8), conv_width=3
)
AXIAL = {"axial_shape": (16, 8), "axial_widths": (4, 12)}
VARIANTS = [
    {},
    {"positions": "learned"},
    {"positions": "none", "attention": ReformerConfig(chunk_tokens=8, causal=True)},
    {"attention": ReformerConfig(chunk_tokens=(8, 4), layers=("local", "lsh"), n_rounds=3)},
    {"attention": ReformerConfig(chunk_tokens=8, streams="both", n_buckets=(2, 4))},
    {"positions": "learned", "max_tokens": 128, "attention": ReformerConfig(chunk_tokens=8, d_head=5, **AXIAL)},
]


def make_encoder(**settings) -> Encoder:
    torch.manual_seed(0)
    return Encoder(dataclasses.replace(SMALL, **settings)).double().eval()


def make_tokens(B: int, T: int) -> torch.Tensor:
    return torch.randint(1, 69, (B, T), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_batch_and_padding_change_nothing(settings):
    encoder, tokens, lengths = make_encoder(**settings), make_tokens(3, 100), [100, 61, 7]
    valid = torch.arange(100)[None] < torch.tensor(lengths)[:, None]
    together = encoder(tokens.masked_fill(~valid, 0), valid_mask=valid)
    assert together.shape == (3, 100, encoder.config.d_hidden)
    for row, n in enumerate(lengths):
        alone = encoder(tokens[row : row + 1, :n])[0]
        torch.testing.assert_close(together[row, :n], alone, atol=1e-12, rtol=0)
        assert (together[row, n:] == 0).all()


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_settings_are_written_and_read_and_no_layer_has_a_reach(settings):
    encoder = make_encoder(**settings)
    assert EncoderConfig.from_dict(encoder.config.to_dict()) == encoder.config
    assert [one.reach_tokens for one in encoder.attentions()] == [None, None] == [*encoder.config.attention.reaches(2)]
    assert encoder.config.receptive_field_tokens is None
    for one in encoder.attentions():
        linear = [part for part in one.modules() if isinstance(part, torch.nn.Linear)]
        assert list(map(id, one.projections().values())) == list(map(id, linear))


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_stretches_keep_nothing_and_every_weight_has_a_gradient(settings):
    encoder, tokens = make_encoder(**settings), make_tokens(2, 50)
    hidden, kept = encoder.read_stretch(tokens)
    assert kept == ((), ()) and torch.equal(hidden, encoder(tokens))
    hidden.square().sum().backward()
    assert all(weight.grad is not None for weight in encoder.parameters())


@pytest.mark.parametrize("T", [0, 1, 2, 8, 9])
def test_tiny_inputs_are_legal_and_a_padded_row_is_zero(T):
    encoder = make_encoder()
    assert encoder(make_tokens(2, T)).shape == (2, T, 16)
    hidden = encoder(make_tokens(2, 9), valid_mask=torch.tensor([[True] * 9, [False] * 9]))
    assert (hidden[1] == 0).all() and torch.isfinite(hidden).all()


def test_no_gradient_comes_from_later_tokens_when_causal():
    encoder = make_encoder(attention=ReformerConfig(chunk_tokens=8, causal=True), conv_width=0)
    kept = {}
    encoder.token_embedding.register_forward_hook(
        lambda module, inputs, output: kept.setdefault("embedded", output.detach().requires_grad_())
    )
    encoder(make_tokens(1, 70))[0, 40].sin().sum().backward()
    reached = kept["embedded"].grad[0].abs().amax(dim=-1) > 0
    assert reached[40] and not reached[41:].any()


def test_axial_positions_by_hand():
    table = AxialPositions((2, 3), (1, 2))
    with torch.no_grad():
        table.rows.copy_(torch.tensor([[1.0], [2.0]]))
        table.columns.copy_(torch.arange(6.0).view(3, 2))
    assert table.first(4).tolist() == [[1, 0, 1], [1, 2, 3], [1, 4, 5], [2, 0, 1]]
    encoder = make_encoder(**VARIANTS[-1])
    with pytest.raises(TooManyTokensError, match="129 tokens, but learned positions end at max_tokens 128"):
        encoder(make_tokens(1, 129))


def test_dropout_acts_in_training_only():
    encoder, tokens = make_encoder(dropout=0.5), make_tokens(1, 30)
    assert torch.equal(encoder(tokens), encoder(tokens))
    encoder.train()
    assert not torch.equal(encoder(tokens), encoder(tokens))


@pytest.mark.parametrize("pooling", [one for one in POOLINGS if one != "cls"])
def test_sequence_heads_pool_over_tokens(pooling):
    for streams in ("mean", "both"):
        config = dataclasses.replace(SMALL, attention=ReformerConfig(chunk_tokens=8, streams=streams))
        head = {"name": "sequence", "pooling": pooling}
        assert build_network(config, head, 3)(make_tokens(2, 30)).shape == (2, 3)
        with pytest.raises(ValueError, match="pooling cls needs n_global_tokens"):
            build_network(config, {"name": "sequence", "pooling": "cls"}, 3)


def test_a_sequence_is_not_shared_between_processes():
    with pytest.raises(ValueError, match="known reach, with output, found reformer"):
        ContextParallelEncoder(make_encoder())


def test_bfloat16_autocast_is_near_float32():
    encoder = make_encoder(d_model=64, attention=ReformerConfig(layers="local", chunk_tokens=16)).float()
    tokens = make_tokens(2, 90)
    with torch.no_grad():
        exact = encoder(tokens)
        with torch.autocast("cpu", torch.bfloat16):
            found = encoder(tokens)
    # Hidden states are normalised to 1; two layers of eight roundings of 2^-8 each.
    torch.testing.assert_close(found, exact, atol=0.06, rtol=0)


def motif_batch(n: int, T: int, generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Random tokens; the first is one of two, and the label of the last, a mark, is which."""
    tokens = torch.randint(10, 69, (n, T), generator=generator)
    labels = torch.randint(0, 2, (n,), generator=generator)
    tokens[:, 0], tokens[:, -1] = 5 + labels, 7
    return tokens, labels


def test_loss_on_fixed_sequences_falls():
    torch.manual_seed(0)
    config = dataclasses.replace(SMALL, d_model=32, attention=ReformerConfig(chunk_tokens=16))
    network = build_network(config, {"name": "token"}, 2)
    tokens, labels = motif_batch(8, 100, torch.Generator().manual_seed(2))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(network(tokens)[:, -1], labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1


def test_windows_are_not_settings_of_it():
    with pytest.raises(ValueError, match="reformer has no setting window_radius; it is a setting of longformer"):
        EncoderConfig.from_dict({"vocab_size": 69, "attention": {"name": "reformer", "window_radius": 4}})
    assert dataclasses.replace(SMALL, attention=LongformerConfig()).reversible is None
