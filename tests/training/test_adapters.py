"""Starting from a pretrained encoder: freezing, adapters, layer-wise learning rates."""

import pytest
import torch

from genoformer.applications import configured_application
from genoformer.bundle.folder import save_bundle
from genoformer.errors import UsageError
from genoformer.training.adapters import merged
from genoformer.training.module import GenomeModule
from genoformer.training.start import freeze, start_from

SMALL = {"d_model": 16, "n_heads": 2, "n_layers": 3, "d_ff": 32, "attention": {"window_radius": 4}, "conv_width": 3}
TOKENS = torch.randint(5, 69, (2, 12), generator=torch.Generator().manual_seed(1))


def module(task="mlm", **options):
    torch.manual_seed(0)
    made = GenomeModule(**{"encoder": SMALL, "k": 3, "stride": 3, "tile_bp": 30, "task": task, **options})
    made.begin(configured_application(task).task.load())
    if task == "function":
        made.build(["a", "b"])
    return made


def take_steps(made, n=3):
    before = {name: tensor.clone() for name, tensor in made.model.state_dict().items()}
    optimizer = made.configure_optimizers()["optimizer"]
    for _ in range(n):
        optimizer.zero_grad()
        made.model(TOKENS).square().mean().backward()
        optimizer.step()
    after = made.model.state_dict()
    return {name for name in before if not torch.equal(before[name], after[name])}


@pytest.fixture
def pretrained(tmp_path):
    made = module()
    take_steps(made)
    save_bundle(tmp_path / "mlm", model=made.model, config=made.bundle_config, card="#\n")
    return tmp_path / "mlm", made.model.encoder.state_dict()


@pytest.mark.parametrize("task", ["function", "gene_structure", "mlm"])
def test_any_task_starts_from_a_pretrained_encoder(pretrained, task):
    made = module(task, encoder={**SMALL, "dropout": 0.2})
    start_from(made, str(pretrained[0])) if task != "mlm" else start_from(module(), str(pretrained[0]))
    if task != "mlm":
        state = made.model.encoder.state_dict()
        assert all(torch.equal(state[name], tensor) for name, tensor in pretrained[1].items())


def test_another_encoder_is_refused_by_name(pretrained):
    with pytest.raises(UsageError, match="d_ff"):
        start_from(module("function", encoder={**SMALL, "d_ff": 64}), str(pretrained[0]))
    with pytest.raises(UsageError, match="stride"):
        start_from(module("function", stride=1), str(pretrained[0]))


def test_frozen_layers_stay_and_the_others_learn():
    made = module("function", freeze_layers=2)
    freeze(made)
    changed = take_steps(made)
    assert {name.rpartition("layers.")[2][0] for name in changed if "layers" in name} == {"2"}
    assert "encoder.token_embedding.weight" not in changed and "head.projection.weight" in changed
    made = module("function", freeze_layers=-1)
    freeze(made)
    assert take_steps(made) == {"head.projection.weight", "head.projection.bias"}
    with pytest.raises(UsageError, match="4 cannot"):
        freeze(module("function", freeze_layers=4))


def test_adapters_change_nothing_at_first_and_are_all_that_learns():
    plain, made = module("function"), module("function", adapter_rank=2)
    freeze(made)
    torch.testing.assert_close(made.model(TOKENS), plain.model(TOKENS))
    changed = take_steps(made)
    assert all("parametrizations.weight.0" in name or name.startswith("head") for name in changed)
    assert sum("parametrizations" in name for name in changed) == 2 * 2 * 3


def test_merged_network_is_an_ordinary_one_with_the_same_outputs():
    made = module("function", adapter_rank=2)
    freeze(made)
    take_steps(made)
    plain = merged(made.model, made.bundle_config)
    torch.testing.assert_close(plain(TOKENS), made.model(TOKENS), atol=1e-6, rtol=0)
    other = module("function").model
    other.load_state_dict(plain.state_dict())
    after, before = (m.encoder.layers[0].attention.output.weight for m in (plain, module("function").model))
    change = after - before
    assert torch.linalg.matrix_rank(change, atol=1e-6) == 2
    assert set(dict(made.model.named_parameters())) != set(dict(plain.named_parameters()))


def test_learning_rates_fall_by_layer():
    made = module("function", layer_decay=0.5, lr=0.01)
    groups = made.configure_optimizers()["optimizer"].param_groups
    names = {id(tensor): name for name, tensor in made.model.named_parameters()}
    rates = {names[id(tensor)]: group["initial_lr"] for group in groups for tensor in group["params"]}
    assert len(rates) == len(names)
    assert rates["encoder.layers.2.widen.weight"] == rates["head.projection.weight"] == 0.01
    assert rates["encoder.layers.0.widen.weight"] == pytest.approx(0.0025)
    assert rates["encoder.token_embedding.weight"] == pytest.approx(3 * 0.00125)
