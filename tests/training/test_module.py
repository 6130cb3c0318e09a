"""The LightningModule: schedule, parameter groups, refusals."""

import math
from types import SimpleNamespace

import pytest
import torch

from genoformer.applications import configured_application
from genoformer.batches.collate import collate_crops
from genoformer.errors import DivergedError, UsageError
from genoformer.training.module import GenomeModule

SMALL = {"d_model": 16, "n_heads": 2, "n_layers": 1, "d_ff": 32, "attention": {"window_radius": 4}, "conv_width": 3}


def module(task="gene_structure", **options):
    made = GenomeModule(**{"encoder": SMALL, "task": task, "k": 3, "stride": 3, "tile_bp": 30, **options})
    made.begin(configured_application(task).task.load())
    return made


def test_learning_rate_rises_to_its_highest_and_falls_to_zero():
    factor = module(warmup_steps=4, max_steps=12).lr_factor
    assert [factor(step) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert factor(8) == pytest.approx(0.5)
    assert factor(6) == pytest.approx(0.5 * (1 + math.cos(math.pi / 4)))
    assert factor(12) == factor(99) == pytest.approx(0.0)
    assert module(warmup_steps=0, max_steps=5).lr_factor(0) == 1.0


def test_only_weight_matrices_of_the_layers_decay():
    model = module(weight_decay=0.1, lr=0.01)
    matrices, embeddings, others = model.configure_optimizers()["optimizer"].param_groups
    names = {id(tensor): name for name, tensor in model.named_parameters()}
    groups = [{names[id(tensor)] for tensor in group["params"]} for group in (matrices, embeddings, others)]
    assert sum(map(len, groups)) == len(names) == len(set().union(*groups))
    assert matrices["weight_decay"] == 0.1 and embeddings["weight_decay"] == others["weight_decay"] == 0.0
    assert all(name.startswith("model.encoder.layers") and name.endswith("weight") for name in groups[0])
    assert groups[1] == {"model.encoder.token_embedding.weight"}
    assert embeddings["initial_lr"] == pytest.approx(0.03) and others["initial_lr"] == pytest.approx(0.01)
    assert all(tensor.ndim == 2 for tensor in matrices["params"])


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"task": "poetry"}, "poetry"),
        ({"k": 12}, "12"),
        ({"stride": 5}, "5"),
        ({"tile_bp": 31}, "31"),
        ({"encoder": {**SMALL, "d_modle": 3}}, "d_modle"),
        ({"encoder": {**SMALL, "d_model": 15}}, "15"),
        ({"encoder": {**SMALL, "d_model": "wide"}}, "wide"),
        ({"encoder": {**SMALL, "vocab_size": 69}}, "vocab_size"),
        ({"encoder": {**SMALL, "attention": "sparse"}}, "'sparse'"),
        ({"encoder": {**SMALL, "attention": {"name": "full", "dilation": 2}}}, "full has no setting dilation"),
    ],
)
def test_wrong_settings_are_one_sentence(options, found):
    with pytest.raises(UsageError, match=found):
        module(**options)


def test_name_of_an_attention_alone_is_enough():
    assert module(encoder={**SMALL, "attention": "full"}).bundle_config.encoder["attention"]["name"] == "full"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"positions": "learned", "max_tokens": 16}, r"error\[MODEL-022\] encoder.max_tokens: the input has 30 tokens"),
        (
            {"attention": {"backend": "flex"}},
            r"\[MODEL-021\] encoder.attention.backend: .*found cpu.*Set it to auto",
        ),
    ],
)
def test_what_the_network_cannot_compute_names_the_setting(settings, said):
    made = module(encoder={**SMALL, **settings}, context_bp=0)
    tokens = torch.ones(1, 30, dtype=torch.int64)
    with pytest.raises(UsageError, match=said) as caught:
        made({"token_ids": tokens, "valid_mask": tokens.bool()})
    assert caught.value.exit_code == 2


def test_loss_that_is_not_finite_ends_training(monkeypatch):
    model = module()
    model._trainer = SimpleNamespace(global_step=3, world_size=1)
    batch = collate_crops([{"token_ids": torch.tensor([7, 8]), "labels": torch.ones(6, dtype=torch.uint8)}], stride=3)
    with torch.no_grad():
        next(model.model.parameters()).fill_(math.nan)
    with pytest.raises(DivergedError, match="step 3") as caught:
        model.training_step(batch, 0)
    assert caught.value.exit_code == 76
