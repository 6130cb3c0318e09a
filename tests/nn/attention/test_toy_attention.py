"""A new architecture is one file and one row: the mean of all tokens so far, used by all that knows attention."""

import sys
from pathlib import Path

import pytest
import torch

from genoformer.applications import APPLICATIONS
from genoformer.bundle.folder import load_bundle, save_bundle
from genoformer.errors import UsageError
from genoformer.nn.attention import ATTENTIONS
from genoformer.nn.config import EncoderConfig
from genoformer.nn.context_parallel import ContextParallelEncoder
from genoformer.nn.encoder import Encoder
from genoformer.training.module import GenomeModule
from genoformer.training.start import freeze, start_from

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "toys"))

from mean_attention import ROW, MeanAttention, MeanConfig  # lies with the other toys

SMALL = {"d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 32, "conv_width": 0, "positions": "none"}
TOKENS = torch.randint(5, 69, (2, 12), generator=torch.Generator().manual_seed(1))


@pytest.fixture(autouse=True)
def row(monkeypatch):
    monkeypatch.setitem(ATTENTIONS, "mean", ROW)


def make_config(**attention) -> EncoderConfig:
    return EncoderConfig.from_dict({**SMALL, "vocab_size": 69, "attention": {"name": "mean", **attention}})


def make_module(task="function", attention="mean", **options) -> GenomeModule:
    torch.manual_seed(0)
    settings = {"k": 3, "stride": 3, "tile_bp": 30, "task": task, **options}
    made = GenomeModule(encoder={**SMALL, "attention": attention}, **settings)
    made.begin(APPLICATIONS[task].task.load())
    if task == "function":
        made.build(["a", "b"])
    return made


def changed_by_a_step(made: GenomeModule) -> set[str]:
    before = {name: tensor.clone() for name, tensor in made.model.state_dict().items()}
    optimizer = made.configure_optimizers()["optimizer"]
    for _ in range(2):  # what begins at zero gives its factor a gradient in the second step
        optimizer.zero_grad()
        made.model(TOKENS).square().mean().backward()
        optimizer.step()
    return {name for name, tensor in made.model.state_dict().items() if not torch.equal(tensor, before[name])}


def test_its_settings_are_read_checked_and_written():
    config = make_config(scale=2.0)
    assert config.attention == MeanConfig(scale=2.0) and config.receptive_field_tokens is None
    assert EncoderConfig.from_dict(config.to_dict()) == config
    with pytest.raises(ValueError, match="mean has no setting window_radius; it is a setting of longformer"):
        make_config(window_radius=3)
    with pytest.raises(ValueError, match="rotary mean nothing"):
        EncoderConfig(vocab_size=69, attention=MeanConfig())


def test_encoder_is_built_with_it_and_padding_changes_nothing():
    torch.manual_seed(0)
    encoder = Encoder(make_config()).double().eval()
    assert all(isinstance(layer.attention, MeanAttention) for layer in encoder.layers)
    padded = torch.cat((TOKENS, torch.zeros(2, 5, dtype=torch.int64)), dim=1)
    found = encoder(padded, valid_mask=(torch.arange(17) < 12).expand(2, 17))[:, :12]
    torch.testing.assert_close(found, encoder(TOKENS), atol=1e-12, rtol=0)


def test_what_it_keeps_of_one_stretch_comes_in_with_the_next():
    torch.manual_seed(0)
    encoder = Encoder(EncoderConfig.from_dict({**make_config().to_dict(), "n_layers": 1})).double().eval()
    _, kept = encoder.read_stretch(TOKENS[:, :7])
    found, kept = encoder.read_stretch(TOKENS[:, 7:], kept=kept)
    torch.testing.assert_close(found, encoder(TOKENS)[:, 7:], atol=1e-12, rtol=0)
    assert [[part.shape for part in of_layer] for of_layer in kept] == [[(2, 1, 16), (2, 1, 1)]]
    assert (kept[0][1] == 12).all()
    assert not torch.allclose(found, encoder(TOKENS[:, 7:]))


@pytest.mark.parametrize("checkpoint_tokens", [1, 10**6])
def test_gradients_reach_every_weight(checkpoint_tokens):
    encoder = Encoder(EncoderConfig.from_dict({**make_config().to_dict(), "checkpoint_tokens": checkpoint_tokens}))
    encoder(TOKENS).square().sum().backward()
    assert all(weight.grad is not None for weight in encoder.parameters())


def test_a_training_step_changes_its_weights():
    changed = changed_by_a_step(make_module())
    assert {"encoder.layers.0.attention.value.weight", "encoder.layers.1.attention.output.bias"} <= changed


def test_adapters_change_its_projections_and_nothing_else_of_the_encoder():
    made = make_module(adapter_rank=2)
    freeze(made)
    of_encoder = {name for name in changed_by_a_step(made) if name.startswith("encoder.")}
    assert len(of_encoder) == 2 * 2 * 2
    assert all(".parametrizations.weight.0." in name for name in of_encoder)


def test_adapters_that_would_train_nothing_are_refused():
    made = make_module(attention={"name": "mean", "has_projections": False}, adapter_rank=2)
    with pytest.raises(UsageError, match=r"model\.adapter_rank: attention mean has no projections"):
        freeze(made)


def test_a_bundle_with_it_is_written_and_read(tmp_path):
    made = make_module("mlm", attention={"name": "mean", "scale": 2.0})
    save_bundle(tmp_path / "mean", model=made.model, config=made.bundle_config, card="#\n")
    bundle = load_bundle(tmp_path / "mean")
    assert bundle.config.encoder["attention"] == {"name": "mean", "scale": 2.0, "has_projections": True}
    assert torch.equal(bundle.model(TOKENS), made.model.eval()(TOKENS))


def test_another_run_may_start_from_it_with_other_free_settings_only(tmp_path):
    made = make_module("mlm")
    save_bundle(tmp_path / "mean", model=made.model, config=made.bundle_config, card="#\n")
    start_from(make_module(attention={"name": "mean", "scale": 3.0}), str(tmp_path / "mean"))
    with pytest.raises(UsageError, match=r"attention\.has_projections"):
        start_from(make_module(attention={"name": "mean", "has_projections": False}), str(tmp_path / "mean"))
    with pytest.raises(UsageError, match=r"attention\.name"):
        start_from(make_module(attention="full"), str(tmp_path / "mean"))


def test_processes_do_not_share_a_sequence_where_everything_counts():
    with pytest.raises(ValueError, match="known reach, with output, found mean"):
        ContextParallelEncoder(Encoder(make_config()))
