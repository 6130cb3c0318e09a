"""Settings that Lightning refuses are mistakes of the configuration; other errors on the way are bugs, and stay so."""

import pytest
from pytorch_lightning import Callback, Trainer

from genoformer.training.refusals import is_refusal

QUIET = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
OURS = """
class Odd(Callback):
    @property
    def state_key(self):
        raise kind("a fault of ours")
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


@pytest.mark.parametrize("kind", [TypeError, ValueError, RuntimeError, KeyError])
def test_an_error_of_code_of_ours_that_lightning_calls_is_a_bug(kind):
    names = {"__name__": "genoformer.made_up", "Callback": Callback, "kind": kind}
    exec(OURS, names)
    error = error_of(callbacks=[names["Odd"](), names["Odd"]()])
    assert "a fault of ours" in str(error) and not is_refusal(error)


@pytest.mark.parametrize("kind", [KeyError, AttributeError, AssertionError, NameError, MemoryError])
def test_other_errors_in_lightning_are_bugs(kind, monkeypatch):
    def fail(*args, **more):
        raise kind("inside")

    monkeypatch.setattr("pytorch_lightning.trainer.trainer._AcceleratorConnector", fail)
    assert not is_refusal(error_of())
