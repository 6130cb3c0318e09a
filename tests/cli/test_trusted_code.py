"""Configurations name classes of the libraries that train, and nothing else unless the command line says so.

The planted module leaves a file when it is imported: where a configuration is refused there must be none.
"""

import json
from pathlib import Path

import pytest
import yaml

from genoformer.cli.fit import GenoformerCLI
from genoformer.cli.main import main
from genoformer.training.signals import StopRequest
from genoformer.training.trusted_code import CLASS_KEYS, KINDS, class_paths, only_trusted_imports

MODULE = """
from pathlib import Path
from pytorch_lightning import Callback
Path("imported").touch()
class Counting(Callback):
    def __init__(self, n: int = 0) -> None:
        Path("made").touch()
def called(*given) -> None:
    Path("called").touch()
"""
FIT = ["fit", "--config", "gene_structure_tiny", "--trainer.max_steps", "1", "--trainer.accelerator", "cpu"]
DDP = "pytorch_lightning.strategies.DDPStrategy"
STARTED = {"class_path": "subprocess.Popen", "init_args": {"args": ["touch", "called"]}}


def of_trainer(key, value):
    return {"trainer": {key: value}}


def spec(path, **init_args):
    return {"class_path": path, **({"init_args": init_args} if init_args else {})}


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A folder with a module that Python finds, and a configuration for each way to name it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "planted_code.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path / "modules")
    Path("callback.yaml").write_text(yaml.safe_dump(spec("planted_code.Counting")))
    return tmp_path


@pytest.fixture
def error_line(capsys):
    """``error_line()``: the one error on standard error, where Lightning may say things, too."""

    def read():
        (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("genoformer: error["))
        return line

    return read


@pytest.fixture
def refused(planted, error_line):
    def check(words, name, key):
        assert main([*FIT, *words]) == 77
        message = error_line()
        assert (
            "error[CONFIG-033]" in message
            and f"{name} is " in message
            and f"key {key}:" in message
            and "--allow-code" in message
        )
        assert not {"imported", "made", "called", "runs"} & {path.name for path in planted.iterdir()}

    return check


@pytest.mark.parametrize("key", [key.removeprefix("trainer.") for key in CLASS_KEYS])
@pytest.mark.parametrize("as_list", [False, True])
def test_class_of_another_package_in_a_file(key, as_list, refused):
    value = spec("planted_code.Counting")
    Path("mine.yaml").write_text(yaml.safe_dump(of_trainer(key, [value] if as_list else value)))
    refused(["--config", "mine.yaml"], "mine.yaml, key trainer." + key + ": planted_code.Counting", f"trainer.{key}")


@pytest.mark.parametrize("key", CLASS_KEYS)
@pytest.mark.parametrize("form", ["{}", "{}+", "{}.class_path", "{}.help"])
def test_class_of_another_package_on_the_command_line(key, form, refused):
    option = "--" + form.format(key)
    refused([f"{option}=planted_code.Counting"], "planted_code.Counting", key)
    refused([option, "planted_code.Counting"], "planted_code.Counting", key)


@pytest.mark.parametrize(
    ("settings", "name", "key"),
    [
        (of_trainer("callbacks", ["callback.yaml"]), "planted_code.Counting", "trainer.callbacks"),
        (of_trainer("callbacks", "planted_code.Counting"), "planted_code.Counting", "trainer.callbacks"),
        (
            of_trainer("strategy", spec(DDP, ddp_comm_state=STARTED)),
            "subprocess.Popen",
            "trainer.strategy.init_args.ddp_comm_state",
        ),
        (
            of_trainer("strategy", spec(DDP, ddp_comm_hook="planted_code.called")),
            "planted_code.called",
            "trainer.strategy.ddp_comm_hook",
        ),
        (
            of_trainer("strategy", spec(DDP, ddp_comm_hook="torch.hub.load")),
            "torch.hub.load",
            "trainer.strategy.init_args.ddp_comm_hook",
        ),
        (
            of_trainer("callbacks", [spec("LambdaCallback", on_fit_start="planted_code.called")]),
            "planted_code.called",
            "trainer.callbacks.on_fit_start",
        ),
        (
            of_trainer("callbacks", [spec("LambdaCallback", on_fit_start="torch.hub.load")]),
            "torch.hub.load",
            "trainer.callbacks.init_args.on_fit_start",
        ),
        (of_trainer("callbacks", [spec("torch.nn.Linear")]), "torch.nn.Linear", "trainer.callbacks"),
        (of_trainer("plugins", "torch.hub.load"), "torch.hub.load", "trainer.plugins"),
        (of_trainer("logger", "genoformer.__main__.main"), "genoformer.__main__.main", "trainer.logger"),
        (of_trainer("logger", "torch.os.system"), "posix.system", "trainer.logger"),
    ],
)
def test_what_is_written_in_a_file_is_refused_wherever_it_stands(settings, name, key, refused):
    Path("mine.yaml").write_text(yaml.safe_dump(settings))
    refused(["--config", "mine.yaml"], name, key)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PL_TRAINER__CALLBACKS", "planted_code.Counting"),
        ("PL_TRAINER__PROFILER", "planted_code.Counting"),
        ("PL_TRAINER__PLUGINS", json.dumps(spec("planted_code.Counting"))),
        ("PL_CONFIG", "mine.yaml"),
    ],
)
def test_environment_that_the_parser_reads_is_no_way_around(variable, value, refused, monkeypatch):
    key = "callbacks" if variable == "PL_CONFIG" else variable.removeprefix("PL_TRAINER__").lower()
    Path("mine.yaml").write_text(yaml.safe_dump(of_trainer("callbacks", [spec("planted_code.Counting")])))
    monkeypatch.setenv("JSONARGPARSE_DEFAULT_ENV", "true")
    monkeypatch.setenv(variable, value)
    refused([], "planted_code.Counting", f"trainer.{key}")


def test_class_of_lightning_by_its_other_name_says_what_to_write(planted, error_line):
    assert main([*FIT, "--trainer.callbacks+=lightning.pytorch.callbacks.ModelSummary"]) == 77
    assert "Write pytorch_lightning.callbacks.ModelSummary" in error_line()


def test_configuration_cannot_allow_itself_code(planted, error_line):
    for key in ("allow_code", "allow-code"):
        Path("mine.yaml").write_text(yaml.safe_dump({key: True}))
        assert main([*FIT, "--config", "mine.yaml"]) == 2
        assert key in error_line()


def test_code_runs_where_the_command_line_allows_it(planted, error_line):
    assert main([*FIT, "--trainer.callbacks+=planted_code.Counting", "--allow-code"]) == 2
    assert "DATA-001" in error_line()  # the next thing that is missing
    assert {"imported", "made"} <= {path.name for path in planted.iterdir()}


@pytest.mark.parametrize(
    "words",
    [
        ["--trainer.callbacks+=ModelSummary"],
        [
            "--trainer.callbacks+=pytorch_lightning.callbacks.DeviceStatsMonitor",
            "--trainer.callbacks.cpu_stats",
            "true",
        ],
        ["--trainer.logger", "CSVLogger", "--trainer.logger.save_dir", "logs"],
        ["--trainer.profiler", "pytorch_lightning.profilers.SimpleProfiler"],
        ["--trainer.profiler", "simple"],
        ["--trainer.plugins+=lightning_fabric.plugins.environments.LightningEnvironment"],
        ["--config", "ddp", "--trainer.devices", "1"],
        ["--config", "fsdp", "--trainer.accelerator", "cpu", "--trainer.devices", "1"],
        ["--trainer.max_time", "00:01:00:00"],
    ],
)
def test_classes_that_a_trainer_takes_are_taken(words, planted, error_line):
    assert main([*FIT, *words]) == 2
    assert "DATA-001" in error_line()


@pytest.mark.parametrize("path", ["pytorch_lightning.callbacks.EarlyStoping", "torch.nowhere.Thing"])
def test_misspelt_class_is_an_error_of_the_configuration(path, planted, error_line):
    assert main([*FIT, f"--trainer.callbacks+={path}"]) == 2
    assert "error[CONFIG-001]" in error_line()


def test_settings_of_the_parser_are_as_before():
    import jsonargparse._common as common

    before = dict(common.parsing_settings)
    with only_trusted_imports():
        assert common.parsing_settings["import_path_verdicts"]["*"] is False
    assert common.parsing_settings == before and "*" not in before["import_path_verdicts"]


def test_every_key_of_the_trainer_that_takes_a_class_is_known():
    words = ["--model.encoder", str({"d_model": 16, "n_heads": 2, "n_layers": 1, "d_ff": 16})]
    parser = GenoformerCLI("fit", [*words, "--trainer.max_steps", "1"], StopRequest()).parser
    taken = {
        action.dest
        for action in parser._actions
        if any(kind.__name__ in str(getattr(action, "_typehint", "")) for kind in KINDS)
    }
    assert {name.removesuffix(".help") for name in taken} == set(CLASS_KEYS)


def test_containers_that_hold_themselves_are_read_once():
    inner: dict = {"class_path": "a.B"}
    inner["callbacks"] = [inner, inner]
    assert list(class_paths({"trainer": inner})) == [("trainer", "a.B")]
