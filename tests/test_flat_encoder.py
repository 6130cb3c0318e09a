"""Encoders of bundles of layout 1, whose settings of attention stood beside those of the encoder."""

import json

import pytest
from tiny_function_bundle import write_function_bundle

from genoformer.bundle.flat_encoder import FLAT_SETTINGS, nested_encoder
from genoformer.bundle.folder import load_bundle
from genoformer.bundle.header import CALIBRATION, CARD, CONFIG, WEIGHTS, read_header
from genoformer.files import write_json_atomic, write_manifest
from genoformer.nn.attention.full import FullConfig
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.training.old_keys import OLD_KEYS

FLAT = {
    "vocab_size": 69, "d_model": 32, "attention": "longformer", "window_radius": [4, 8], "dilation": [[1, 2], 3],
    "n_heads": 2, "n_layers": 2, "attention_dropout": 0.1, "backend": "blocked", "positions": "none",
}  # fmt: skip


def read(**settings) -> EncoderConfig:
    return EncoderConfig.from_dict(nested_encoder({**FLAT, **settings}))


def test_a_bundle_with_flat_settings_is_read_with_its_attention(tmp_path):
    """As bundles were written before settings of attention had a place of their own."""
    folder = write_function_bundle(tmp_path / "old")
    stored = json.loads((folder / CONFIG).read_text())
    attention = stored["encoder"].pop("attention")
    flat = {"window_radius": attention["window_radius"], "dilation": 1, "attention_dropout": 0.0, "backend": "auto"}
    stored["encoder"] |= {"attention": "longformer", **flat}
    stored["channels"] = stored.pop("labels")
    del stored["head"]
    write_json_atomic(folder / CONFIG, {**stored, "format_version": 1})
    write_manifest(folder, [WEIGHTS, CONFIG, CALIBRATION, CARD])
    header, bundle = read_header(folder), load_bundle(folder)
    window = {"window_radius": attention["window_radius"], "dilation": 1}
    assert header.config.encoder["attention"] == {"name": "longformer", **window, "dropout": 0.0, "backend": "auto"}
    younger = {"attention": {**header.config.encoder["attention"], "causal": False}}
    assert bundle.model.encoder.config.to_dict() == bundle.config.encoder == header.config.encoder | younger
    assert {name for name, _ in bundle.model.encoder.layers[0].attention.named_parameters()} >= {
        "query_key_value.weight", "query_key_value.bias", "output.weight", "output.bias",
    }  # fmt: skip


def test_flat_settings_move_to_their_attention():
    config = read()
    assert config.attention == LongformerConfig((4, 8), ((1, 2), 3), dropout=0.1, backend="blocked")
    assert (config.d_model, config.n_layers, config.positions) == (32, 2, "none")


def test_full_attention_loses_the_windows_that_it_never_looked_at():
    assert read(attention="full").attention == FullConfig(dropout=0.1, backend="blocked")


def test_settings_without_any_of_attention_have_the_defaults():
    assert EncoderConfig.from_dict(nested_encoder({"vocab_size": 69})) == EncoderConfig(vocab_size=69)


def test_an_unknown_attention_is_refused():
    with pytest.raises(ValueError, match=r"attention .* not 'sparse'"):
        read(attention="sparse")


def test_settings_that_are_no_mapping_are_refused():
    with pytest.raises(TypeError, match="'abc'"):
        nested_encoder("abc")


def test_settings_that_are_not_flat_stay_as_they_are():
    values = EncoderConfig(vocab_size=69, attention=FullConfig(0.2)).to_dict()
    assert nested_encoder(values) == values


def test_every_flat_setting_has_a_place_and_is_an_old_key_of_configurations():
    known = {"name"} | set(LongformerConfig().__dict__) | set(FullConfig().__dict__)
    assert set(FLAT_SETTINGS.values()) == known - {"causal"}  # which is younger
    new = {f"model.encoder.{old}": f"model.encoder.attention.{key}" for old, key in FLAT_SETTINGS.items()}
    del new["model.encoder.attention"]
    assert new.items() <= OLD_KEYS.items()
