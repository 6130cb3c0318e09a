"""What a new run starts from: refusals of what does not go together."""

from types import SimpleNamespace

import pytest
import pytorch_lightning as pl

from genoformer.training.module import module_of
from genoformer.training.run_batches import RunBatches
from genoformer.training.settings import Loader
from genoformer.training.start import build_for


def test_an_epoch_cannot_begin_before_there_are_training_batches():
    with pytest.raises(ValueError, match="epoch 3"):
        RunBatches(Loader()).begin_epoch(3)


def test_a_module_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="found a LightningModule"):
        module_of(pl.LightningModule())


def test_data_that_name_no_outputs_make_no_network():
    module = SimpleNamespace(is_built=False, bundle_config=SimpleNamespace(task="function"))
    with pytest.raises(TypeError, match="outputs of function"):
        build_for(module, SimpleNamespace(setup=lambda: None))


def test_data_that_name_outputs_make_the_network():
    built = []
    module = SimpleNamespace(is_built=False, build=lambda *arguments: built.append(arguments))
    build_for(module, SimpleNamespace(setup=lambda: None, channels=["a", "b"]))
    assert built == [(["a", "b"], None)]
