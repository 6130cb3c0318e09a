"""Settings that Lightning refuses are mistakes of the configuration; other errors on the way are bugs, and stay so."""

import functools

import pytest
from pytorch_lightning import Trainer

from genoformer.training.refusals import is_refusal

QUIET = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
STEP = """
def step(then):
    then()
"""


def error_of(**settings):
    with pytest.raises(Exception) as caught:
        Trainer(**{"accelerator": "cpu", **QUIET, **settings})
    return caught.value


@pytest.mark.parametrize(
    ("name", "value"),
    [("accelerator", "warp"), ("devices", "x"), ("devices", 0), ("strategy", "warp"), ("max_time", "x"),
     ("max_time", {"x": 1}), ("precision", "8"), ("max_steps", -2), ("profiler", "x"), ("val_check_interval", -1)],
)  # fmt: skip
def test_a_value_that_lightning_refuses_is_a_setting(name, value):
    assert is_refusal(error_of(**{name: value}))


def raised_through(*modules, kind):
    """An error on the way up from the last of these modules to the first."""

    def then():
        raise kind("a fault")

    for module in reversed(modules):
        names = {"__name__": module}
        exec(STEP, names)
        then = functools.partial(names["step"], then)
    with pytest.raises(kind) as caught:
        then()
    return caught.value


@pytest.mark.parametrize("kind", [TypeError, ValueError, RuntimeError, ImportError, KeyError])
def test_what_lightning_calls_of_ours_has_bugs_and_what_it_calls_of_others_refuses_settings(kind):
    lightning, ours = "pytorch_lightning.trainer", "genoformer.training.callbacks"
    assert not is_refusal(raised_through(lightning, ours, kind=kind))
    assert not is_refusal(raised_through(lightning, ours, "torch.nn", kind=kind))
    assert is_refusal(raised_through(ours, "lightning_fabric.fabric", "torch.nn", kind=kind)) == (kind is not KeyError)
    assert not is_refusal(raised_through("torch.nn", kind=kind))


@pytest.mark.parametrize("kind", [KeyError, AttributeError, AssertionError, NameError, MemoryError])
def test_other_errors_in_lightning_are_bugs(kind, monkeypatch):
    def fail(*args, **more):
        raise kind("inside")

    monkeypatch.setattr("pytorch_lightning.trainer.trainer._AcceleratorConnector", fail)
    assert not is_refusal(error_of())
