"""The head for pairs: symmetric, blind to padding, and with the distance in mind."""

import pytest
import torch

from genoformer.nn import pair_head
from genoformer.nn.config import EncoderConfig
from genoformer.nn.pair_head import PairHead, build_pair_model


def started(head: PairHead) -> PairHead:
    """The head with random outputs, as after some training."""
    torch.nn.init.normal_(head.output.weight)
    torch.nn.init.normal_(head.alone.weight)
    return head.eval()


@pytest.fixture
def head():
    torch.manual_seed(0)
    return started(PairHead(8, channels=4, rank=2, n_convolutions=2, width=3, n_pair_features=2))


def test_map_is_symmetric_with_an_own_diagonal(head):
    logits = head(torch.randn(2, 9, 8), torch.rand(2, 2, 9, 9))
    assert logits.shape == (2, 9, 9)
    torch.testing.assert_close(logits, logits.transpose(1, 2), rtol=0, atol=0)
    assert logits.diagonal(dim1=1, dim2=2).std() > 0.1


def test_padding_changes_nothing(head):
    hidden, features = torch.randn(1, 7, 8), torch.rand(1, 2, 7, 7)
    padded = torch.cat([hidden, torch.randn(1, 4, 8)], dim=1)
    valid = torch.arange(11)[None] < 7
    wide = torch.randn(1, 2, 11, 11)
    wide[:, :, :7, :7] = features
    expected = head(hidden, features, torch.ones(1, 7, dtype=torch.bool))
    torch.testing.assert_close(head(padded, wide, valid)[:, :7, :7], expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(head(hidden, features), expected, rtol=0, atol=1e-6)


def test_bilinear_form_is_that_of_its_two_matrices():
    torch.manual_seed(1)
    head = PairHead(3, channels=1, rank=2, n_convolutions=0)
    torch.nn.init.ones_(head.output.weight)
    torch.nn.init.zeros_(head.features.weight)
    torch.nn.init.zeros_(head.features.bias)
    hidden = torch.randn(1, 4, 3)
    first, second = head.first(hidden)[0], head.second(hidden)[0]
    wanted = torch.nn.functional.gelu(first[0] @ second[3] / 2**0.5)
    found = head(hidden)
    torch.testing.assert_close(found[0, 0, 3], wanted)
    torch.testing.assert_close(found[0, 3, 0], wanted)


def test_distance_alone_decides_before_training():
    torch.manual_seed(2)
    head = PairHead(8, n_distance_bins=6, initial_logit=-2.0)
    torch.nn.init.normal_(head.by_distance)
    logits = head(torch.randn(1, 12, 8))[0]
    bins = {1: 0, 2: 3, 3: 4, 4: 5, 11: 5}  # three for each doubling
    for distance, number in bins.items():
        torch.testing.assert_close(logits[0, distance], head.by_distance[number])


def test_every_weight_learns_after_the_first_step():
    torch.manual_seed(3)
    model = build_pair_model(EncoderConfig(vocab_size=9, d_model=8, n_heads=2, n_layers=1, d_ff=8), n_pair_features=1)
    started(model.head)
    model(torch.randint(5, 9, (2, 12)), pair_features=torch.rand(2, 1, 12, 12)).square().mean().backward()
    assert [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()] == []


@pytest.mark.parametrize("tile", [1, 4, 7, 30])
@pytest.mark.parametrize("n_real", [23, 17])
def test_map_in_tiles_is_the_whole_map_with_its_gradients(monkeypatch, tile, n_real):
    torch.manual_seed(4)
    head = started(
        PairHead(8, channels=3, rank=2, n_convolutions=2, width=5, n_pair_features=2, n_distance_bins=6)
    ).double()
    hidden = torch.randn(2, 23, 8, dtype=torch.float64, requires_grad=True)
    features, valid = torch.rand(2, 2, 23, 23).double(), torch.arange(23)[None].expand(2, -1) < n_real
    weights = torch.randn(2, 23, 23)
    found = []
    for longest in (23, 22):
        monkeypatch.setattr(pair_head, "WHOLE_TOKENS", longest)
        monkeypatch.setattr(pair_head, "TILE_TOKENS", tile)
        hidden.grad = None
        head.zero_grad()
        logits = head(hidden, features, valid)
        (logits * weights).sum().backward()
        gradients = [parameter.grad for parameter in head.parameters() if parameter.grad is not None]
        found.append([logits.detach(), hidden.grad, *(gradient.clone() for gradient in gradients)])
    assert len(found[0]) > 8
    for whole, tiled in zip(*found, strict=True):
        torch.testing.assert_close(tiled, whole, rtol=1e-5, atol=1e-5)  # logits are float32


def test_strips_without_features_are_rows_of_the_map(monkeypatch):
    monkeypatch.setattr(pair_head, "TILE_TOKENS", 4)
    plain, hidden = PairHead(8, channels=4, rank=2, n_convolutions=1), torch.randn(1, 10, 8)
    whole = started(plain)(hidden)
    with torch.no_grad():
        for start, strip in plain.strips(hidden):
            wanted = torch.triu(whole[:, start : start + strip.shape[1], start:], 1)
            torch.testing.assert_close(torch.triu(strip, 1), wanted)
        assert start == 8 and strip.shape == (1, 2, 2)
