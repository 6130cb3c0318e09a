"""Short records read together say what they say alone, whatever is read beside them."""

import numpy as np
import pytest
import torch

from genoformer.inference import packing
from genoformer.inference.packing import divide_into_calls, in_groups, read_together
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import build_model
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.stream import TilePlan, record_logits

SETTINGS = ({}, {"base_embedding": True}, {"positions": "learned"})
LENGTHS = (400, 1, 650, 0, 90, 5_000, 401, 192, 9_000, 100, 400, 577)
PLAN = TilePlan(9_216, 0)


def network_with(k=4, stride=3, radius=64, **settings):
    config = EncoderConfig(
        vocab_size=5 + 4**k, d_model=32, n_heads=2, n_layers=2, d_ff=48, conv_width=3, stride=stride,
        attention=LongformerConfig(window_radius=radius, **settings.pop("attention", {})),
        **{"positions": "rotary"} | settings,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_model(config, n_channels=5).eval(), KmerTokenizer(k, stride)


def sequences(lengths=LENGTHS):
    rng = np.random.default_rng(3)
    made = [rng.integers(0, 4, length, dtype=np.uint8) for length in lengths]
    for codes in made:
        codes[rng.random(len(codes)) < 0.02] = 4
    return [*made, np.full(300, 4, np.uint8)]


def alone(network, tokenizer, codes, plan=PLAN):
    return np.concatenate([piece for *_, piece in record_logits(network, tokenizer, codes, plan)], axis=1)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_record_says_the_same_among_others_as_alone(settings, precision):
    network, tokenizer = network_with(**settings)
    plan, read = TilePlan(9_216, 0, precision=precision), sequences()
    found = read_together(network, tokenizer, read, plan, [True] * len(read))
    # too long for a call, empty, without a known base
    assert [i for i, outputs in enumerate(found) if outputs is None] == [3, 8, len(read) - 1]
    for codes, outputs in zip(read, found, strict=True):
        if outputs is not None:
            assert outputs.dtype == np.float32
            expected = alone(network, tokenizer, codes, plan)
            if len(codes) > 1:  # a product of a single row is another function
                np.testing.assert_array_equal(outputs, expected)
            np.testing.assert_allclose(outputs, expected, atol=1e-5 if precision == "float32" else 0.02)


def test_only_calls_of_wanted_records_are_made_and_give_the_same(monkeypatch):
    network, tokenizer = network_with()
    monkeypatch.setattr(packing, "CALL_TOKENS", 600)
    read = sequences((300,) * 9)
    whole = read_together(network, tokenizer, read, PLAN, [True] * 10)
    calls, forward = [], network.forward
    monkeypatch.setattr(network, "forward", lambda ids, **more: calls.append(len(ids)) or forward(ids, **more))
    part = read_together(network, tokenizer, read, PLAN, [i == 4 for i in range(10)])
    assert len(calls) == 1
    assert [i for i, outputs in enumerate(part) if outputs is not None] == [4]
    np.testing.assert_array_equal(part[4], whole[4])


@pytest.mark.parametrize("settings", [{"attention": {"dilation": 2}}, {"n_global_tokens": 1}], ids=str)
def test_networks_whose_numbers_would_depend_on_the_others_are_left_alone(settings):
    network, tokenizer = network_with(**settings)
    assert read_together(network, tokenizer, sequences((300, 310)), PLAN, [True] * 3) == [None] * 3


def test_calls_are_full_and_hold_each_sequence_once():
    n_tokens = list(np.random.default_rng(0).integers(1, 1_000, 500))
    calls = list(divide_into_calls(n_tokens))
    assert sorted(i for call in calls for i in call) == list(range(500))
    assert len(calls) < 2 * 2 * sum(n_tokens) / packing.CALL_TOKENS + 64
    for call in calls:
        longest = max(n_tokens[i] for i in call)
        assert len(call) == 1 or 2 * len(call) * longest <= packing.CALL_TOKENS
        assert len({-(-n_tokens[i] // 64) for i in call}) == 1


def test_groups_end_where_they_are_long_or_many(monkeypatch):
    monkeypatch.setattr(packing, "GROUP_BP", 100)
    monkeypatch.setattr(packing, "GROUP_RECORDS", 3)
    lengths = (10, 95, 200, 1, 1, 1, 1)
    assert list(in_groups(zip("abcdefg", lengths, strict=True))) == [["a", "b"], ["c"], ["d", "e", "f"], ["g"]]
