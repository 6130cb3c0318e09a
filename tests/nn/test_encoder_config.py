"""The architecture is checked when it is made, and survives JSON."""

import json

import pytest

from genoformer.nn.config import EncoderConfig


def test_config_survives_json():
    config = EncoderConfig(vocab_size=69, n_layers=2, window_radius=(4, 8), dilation=[1, 2], n_global_tokens=1)
    assert EncoderConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_dilation_of_heads_survives_json_and_reaches_as_far_as_its_largest():
    config = EncoderConfig(vocab_size=69, n_layers=2, n_heads=2, window_radius=3, dilation=[[1, 4], 2], conv_width=0)
    assert EncoderConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert config.dilations == ((1, 4), 2) and config.receptive_field_tokens == 3 * 4 + 3 * 2


def test_config_without_the_fields_of_later_versions_has_their_defaults():
    old = {name: value for name, value in EncoderConfig(vocab_size=69).to_dict().items() if name != "attention_dropout"}
    assert EncoderConfig.from_dict(old).attention_dropout == 0.0


def test_per_layer_values_are_spread_over_the_layers():
    config = EncoderConfig(vocab_size=69, n_layers=3, window_radius=7, dilation=(1, 2, 4))
    assert (config.radii, config.dilations) == ((7, 7, 7), (1, 2, 4))


def test_receptive_field_adds_windows_and_half_the_convolution():
    config = EncoderConfig(vocab_size=69, n_layers=2, window_radius=(3, 5), dilation=(1, 4), conv_width=5)
    assert config.receptive_field_tokens == 3 + 20 + 2


def test_full_attention_has_no_receptive_field():
    assert EncoderConfig(vocab_size=69, attention="full").receptive_field_tokens is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"window_radius": 0}, "window_radius .* not 0"),
        ({"window_radius": (4, 4)}, "window_radius names 2 layers, but n_layers is 4"),
        ({"window_radius": 2.5}, "window_radius .* not 2.5"),
        ({"dilation": 0}, "dilation .* not 0"),
        ({"dilation": ((1, 2), 1, 1, 1)}, "dilation .1, 2. names 2 heads, but n_heads is 4"),
        ({"dilation": ((1, 2, 0, 1), 1, 1, 1)}, "dilation .* not 0"),
        ({"window_radius": ((1, 2, 3, 4), 1, 1, 1)}, "window_radius .* not"),
        ({"attention_dropout": 1.0}, "attention_dropout .* not 1.0"),
        ({"backend": "flex", "attention_dropout": 0.1}, "flex cannot drop attention weights"),
        ({"backend": "fused", "attention_dropout": 0.1}, "fused cannot drop attention weights"),
        ({"d_model": 130}, "d_model 130 is not a multiple of n_heads 4"),
        ({"d_model": 12}, "even head width, but d_model / n_heads is 3"),
        ({"backend": "flash"}, "backend .* not 'flash'"),
        ({"attention": "sparse"}, "attention .* not 'sparse'"),
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


def test_unknown_key_is_named():
    with pytest.raises(ValueError, match="window_size"):
        EncoderConfig.from_dict({"vocab_size": 69, "window_size": 4})


def test_missing_vocab_size_is_named():
    with pytest.raises(ValueError, match="vocab_size"):
        EncoderConfig.from_dict({"d_model": 32})
