"""Options of single settings of attention keep the others, whether a configuration or an option gave them."""

import json

import pytest

from genoformer.cli.attention_options import join_attention_options
from genoformer.cli.main import main

ATTENTION = "--model.encoder.attention"


def joined(*argv: str) -> list:
    """The settings of attention at the end, and all other words."""
    words = join_attention_options(argv)
    places = [i for i, word in enumerate(words) if word == ATTENTION]
    others = [word for i, word in enumerate(words) if not {i, i - 1} & set(places)]
    return [json.loads(words[places[-1] + 1]) if places else None, others]


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("model:\n  encoder:\n    attention: {name: longformer, window_radius: 64}\n")
    return str(path)


@pytest.mark.parametrize("form", [[f"{ATTENTION}.dilation", "[1, 2]"], [f"{ATTENTION}.dilation=[1, 2]"]])
def test_one_setting_keeps_those_of_the_configuration(config, form):
    found = {"name": "longformer", "window_radius": 64, "dilation": [1, 2]}
    assert joined("--config", config, *form, "--name", "x") == [found, ["--config", config, "--name", "x"]]


def test_several_settings_add_up(config):
    more = [f"{ATTENTION}.dropout", "1e-1", f"{ATTENTION}.backend", "blocked", f"{ATTENTION}.window_radius=8"]
    found = {"name": "longformer", "window_radius": 8, "dropout": 0.1, "backend": "blocked"}
    assert joined(f"--config={config}", *more) == [found, [f"--config={config}"]]


def test_a_name_alone_begins_anew(config):
    found, _ = joined("--config", config, ATTENTION, "full", f"{ATTENTION}.dropout", "0.2")
    assert found == {"name": "full", "dropout": 0.2}


def test_an_encoder_without_attention_begins_anew_and_a_configuration_without_encoder_does_not(config, tmp_path):
    (tmp_path / "trainer.yaml").write_text("trainer: {max_steps: 3}\n")
    argv = ["--config", config, "-c", str(tmp_path / "trainer.yaml"), f"{ATTENTION}.dropout", "0.2"]
    assert joined(*argv)[0] == {"name": "longformer", "window_radius": 64, "dropout": 0.2}
    argv[4:4] = ["--model.encoder", "{d_model: 8}"]
    assert joined(*argv)[0] == {"dropout": 0.2}


@pytest.mark.parametrize("argv", [["--config", "missing"], [f"{ATTENTION}.dropout"], ["--model.lr", "3"], []])
def test_other_arguments_stay_as_they_are(argv):
    assert join_attention_options(argv) == argv


def test_the_configuration_is_parsed_with_both(capsys):
    assert main(["fit", "--config", "mlm", f"{ATTENTION}.backend", "blocked", "--print_config"]) == 0
    assert "window_radius: 64\n      backend: blocked\n" in capsys.readouterr().out
