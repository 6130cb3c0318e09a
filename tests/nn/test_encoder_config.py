"""The architecture is checked when it is made, and survives JSON."""

import json

import pytest

from genoformer.nn.attention import ATTENTIONS
from genoformer.nn.attention.full import FullConfig
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig


def windows(n_layers=4, n_heads=4, **settings) -> EncoderConfig:
    return EncoderConfig(vocab_size=69, n_layers=n_layers, n_heads=n_heads, attention=LongformerConfig(**settings))


def through_json(values: dict) -> dict:
    return json.loads(json.dumps(values))


@pytest.mark.parametrize(
    "config",
    [
        EncoderConfig(vocab_size=69),
        EncoderConfig(vocab_size=69, attention=FullConfig(dropout=0.1, backend="sdpa"), n_global_tokens=1),
        windows(n_layers=2, window_radius=(4, 8), dilation=[1, 2]),
        windows(n_layers=2, n_heads=2, window_radius=3, dilation=[[1, 4], 2]),
    ],
    ids=str,
)
def test_config_survives_json(config):
    assert EncoderConfig.from_dict(through_json(config.to_dict())) == config


def test_written_attention_begins_with_its_name():
    assert EncoderConfig(vocab_size=69, attention=FullConfig()).to_dict()["attention"] == {
        "name": "full", "dropout": 0.0, "backend": "auto", "causal": False,
    }  # fmt: skip
    assert all(architecture.config.name == name for name, architecture in ATTENTIONS.items())


def test_dilation_of_heads_reaches_as_far_as_its_largest():
    attention = LongformerConfig(window_radius=3, dilation=[[1, 4], 2])
    config = EncoderConfig(vocab_size=69, n_layers=2, n_heads=2, attention=attention, conv_width=0)
    assert attention.dilations(2) == ((1, 4), 2) and attention.reaches(2) == (12, 6)
    assert config.receptive_field_tokens == 3 * 4 + 3 * 2


def test_config_without_the_fields_of_later_versions_has_their_defaults():
    old = EncoderConfig(vocab_size=69).to_dict()
    del old["attention"]["dropout"], old["norm_eps"]
    assert EncoderConfig.from_dict(old) == EncoderConfig(vocab_size=69)
    assert EncoderConfig.from_dict({"vocab_size": 69}) == EncoderConfig(vocab_size=69)


def test_name_of_an_attention_stands_for_its_defaults_and_without_a_name_it_has_windows():
    assert EncoderConfig.from_dict({"vocab_size": 69, "attention": "full"}).attention == FullConfig()
    found = EncoderConfig.from_dict({"vocab_size": 69, "attention": {"window_radius": 5}}).attention
    assert found == LongformerConfig(window_radius=5)


def test_per_layer_values_are_spread_over_the_layers():
    attention = LongformerConfig(window_radius=7, dilation=(1, 2, 4))
    assert (attention.radii(3), attention.dilations(3)) == ((7, 7, 7), (1, 2, 4))


def test_receptive_field_adds_windows_and_half_the_convolution():
    assert windows(n_layers=2, window_radius=(3, 5), dilation=(1, 4)).receptive_field_tokens == 3 + 20 + 2


def test_full_attention_has_no_receptive_field():
    assert EncoderConfig(vocab_size=69, attention=FullConfig()).receptive_field_tokens is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"window_radius": 0}, "window_radius .* not 0"),
        ({"window_radius": (4, 4)}, "window_radius names 2 layers, but n_layers is 4"),
        ({"window_radius": 2.5}, "window_radius .* not 2.5"),
        ({"window_radius": True}, "window_radius .* not True"),
        ({"dilation": 0}, "dilation .* not 0"),
        ({"dilation": (1, 2)}, "dilation names 2 layers, but n_layers is 4"),
        ({"dilation": ((1, 2), 1, 1, 1)}, "dilation .1, 2. names 2 heads, but n_heads is 4"),
        ({"dilation": ((1, 2, 0, 1), 1, 1, 1)}, "dilation .* not 0"),
        ({"window_radius": ((1, 2, 3, 4), 1, 1, 1)}, "window_radius .* not"),
        ({"dropout": 1.0}, "dropout of attention .* not 1.0"),
        ({"dropout": "0.1"}, "dropout of attention .* not '0.1'"),
        ({"backend": "flex", "dropout": 0.1}, "flex cannot drop attention weights"),
        ({"backend": "fused", "dropout": 0.1}, "fused cannot drop attention weights"),
        ({"backend": "flash"}, "backend .* not 'flash'"),
    ],
)
def test_value_of_windows_out_of_range_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        windows(**wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"dropout": 1.0}, "dropout of attention .* not 1.0"),
        ({"backend": "fused", "dropout": 0.1}, "fused cannot drop attention weights"),
        ({"backend": "flash"}, "backend .* not 'flash'"),
    ],
)
def test_value_of_full_attention_out_of_range_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        FullConfig(**wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"d_model": 130}, "d_model 130 is not a multiple of n_heads 4"),
        ({"d_model": 12}, "even head width, but d_model / n_heads is 3"),
        ({"attention": "full"}, "attention .* not 'full'"),
        ({"positions": "alibi"}, "positions .* not 'alibi'"),
        ({"norm": "middle"}, "norm .* not 'middle'"),
        ({"conv_width": 4}, "conv_width .* not 4"),
        ({"dropout": 1.0}, "dropout .* not 1.0"),
        ({"dropout": "0.1"}, "dropout .* not '0.1'"),
        ({"n_layers": 0}, "n_layers .* not 0"),
        ({"n_heads": True}, "n_heads .* not True"),
        ({"n_global_tokens": -1}, "n_global_tokens .* not -1"),
    ],
)
def test_value_out_of_range_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        EncoderConfig(vocab_size=69, **wrong)


@pytest.mark.parametrize(
    ("attention", "said"),
    [
        ("sparse", "attention must be one of longformer, full, .*not 'sparse'"),
        (7, "attention must be one of longformer, full, .*not 7"),
        ({"name": ["full"]}, "attention must be one of longformer, full"),
        ({"name": "full", "window_radius": 8}, "full has no setting window_radius; it is a setting of longformer"),
        ({"name": "longformer", "n_hashes": 8}, r"attention longformer has no setting n_hashes\.$"),
        ({"dropout": 1.0}, "dropout of attention .* not 1.0"),
    ],
)
def test_wrong_attention_is_named(attention, said):
    with pytest.raises(ValueError, match=said):
        EncoderConfig.from_dict({"vocab_size": 69, "attention": attention})


@pytest.mark.parametrize("key", ["window_size", "window_radius", "backend"])
def test_unknown_key_is_named(key):
    with pytest.raises(ValueError, match=key):
        EncoderConfig.from_dict({"vocab_size": 69, key: 4})


def test_missing_vocab_size_is_named():
    with pytest.raises(ValueError, match="vocab_size"):
        EncoderConfig.from_dict({"d_model": 32})
