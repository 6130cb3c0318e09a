"""Keys of configurations: the old ones name the new ones, and what is printed is read back."""

import re
from pathlib import Path

import pytest
import yaml
from labelled_tables import TABLE, data_of_recipe

from genoformer.applications import APPLICATIONS
from genoformer.cli.fit import GenoformerCLI, prepare_arguments
from genoformer.cli.main import main
from genoformer.nn.config import EncoderConfig
from genoformer.training.config_files import config_folder
from genoformer.training.old_keys import OLD_KEYS, leaves
from genoformer.training.signals import StopRequest

REPOSITORY = Path(__file__).resolve().parents[2]
EXPERIMENTS = sorted(path.stem for path in (config_folder() / "experiment").glob("*.yaml"))
OWN = [*REPOSITORY.glob("configs/*/*.yaml"), *REPOSITORY.glob("workflows/.test/config/kinds.yaml")]
PLACES = ("*.md", "docs/*.md", "docs/tasks/*.md", "data/README*", "scripts/*", "workflows/**/*", "benchmarks/*.py")
DOCUMENTS = [path for pattern in PLACES for path in REPOSITORY.glob(pattern) if path.is_file()]
OF_CODONS = ("codon_structure", "contacts")
TINY = {"d_model": 16, "n_heads": 2, "n_layers": 1, "d_ff": 16, "attention": {"window_radius": 8}}


def nested(name: str, value: object) -> dict:
    first, _, rest = name.partition(".")
    return {first: nested(rest, value) if rest else value}


@pytest.mark.parametrize("old", OLD_KEYS)
def test_old_key_on_the_command_line_names_the_new_one(old, tmp_path, monkeypatch, one_line):
    monkeypatch.chdir(tmp_path)
    ((group, inside),) = nested(old, 1).items()
    for words in ([f"--{old}", "1"], [f"--{old}=[a, b]"], [f"--{group}", yaml.safe_dump(inside)]):
        assert main(["fit", "--config", "gene_structure_tiny", *words]) == 2
        one_line(f"error[CONFIG-019] command line: the key {old} is called {OLD_KEYS[old]}.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("old", OLD_KEYS)
def test_old_key_in_a_file_names_file_and_new_one(old, tmp_path, monkeypatch, one_line):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(yaml.safe_dump(nested(old, 1)))
    assert main(["fit", "--config", "gene_structure_tiny", "--config", "mine.yaml"]) == 2
    one_line(f"mine.yaml: the key {old} is called {OLD_KEYS[old]}.")


def test_every_new_key_is_one():
    known = set()
    for task, size in ((task, "3" if task in OF_CODONS else "1") for task, row in APPLICATIONS.items() if row.data):
        words = ["--model.task", task, "--model.k", size, "--model.stride", size, "--trainer.max_steps", "1"]
        encoder = TINY | ({"attention": {"causal": True}, "conv_width": 0} if task == "clm" else {})
        config = GenoformerCLI("fit", [*words, "--model.encoder", str(encoder)], StopRequest()).config
        known |= set(leaves({"data": config.data.as_dict()}))
    known |= set(leaves({"model": {"encoder": EncoderConfig(vocab_size=69).to_dict()}}))
    assert set(OLD_KEYS.values()) <= known and not set(OLD_KEYS) & known


def test_groups_of_this_name_are_no_old_keys(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("split.yaml").write_text("by: group\n")
    cli = GenoformerCLI(
        "fit",
        prepare_arguments(
            ["--config", "function_uci_splice", "--data.split", "split.yaml", "--data.columns={names: [x, y]}"]
        ),
        StopRequest(),
    )
    assert cli.datamodule.split.by == "group" and cli.datamodule.split.test == 0.1
    assert list(cli.datamodule.columns.names) == ["x", "y"] and cli.datamodule.columns.label == "class"


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_printed_configuration_is_printed_again_byte_by_byte(experiment, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    stored = yaml.safe_load((config_folder() / "experiment" / f"{experiment}.yaml").read_text())
    assert main(["fit", "--config", experiment, *data_of_recipe(stored, tmp_path), "--print_config"]) == 0
    printed = capsys.readouterr().out
    Path("printed.yaml").write_text(printed)
    assert main(["fit", "--config", "printed.yaml", "--print_config"]) == 0
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_every_configuration_of_ours_is_instantiated(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = [] if path.parent.name in ("experiment", "config") else ["--config", "gene_structure_tiny"]
    there = data_of_recipe(yaml.safe_load(path.read_text()), tmp_path)
    words = prepare_arguments([*first, "--config", str(path), "--trainer.accelerator", "cpu", *there])
    cli = GenoformerCLI("fit", words, StopRequest())
    stored = yaml.safe_load(path.read_text()).get("data", {})
    parsed = cli.config.data.as_dict()
    for key in leaves(stored):
        value, wanted = parsed, stored
        for name in filter(None, key.split(".")):
            value, wanted = value[name], wanted[name]
        assert value == wanted or list(value) == list(wanted)
    assert [path.name for path in tmp_path.iterdir()] == ([TABLE] if there else [])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_no_old_key(path):
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        pytest.skip("no text")
    names = "|".join(map(re.escape, set(OLD_KEYS) - {"data.split", "data.columns"}))
    is_code = path.suffix in (".py", ".sh", ".smk")
    before = "--" if is_code else r"(?<![\w.])(?:--)?"
    assert re.findall(rf"{before}(?:{names})(?!\w|[(\[]|\.\w)", text) == []


def test_null_is_kept_in_the_configuration_of_a_run(tmp_path, monkeypatch):
    """Where it is not the default: a table of pairs without a column of ids."""
    monkeypatch.chdir(tmp_path)
    words = prepare_arguments(["--config", "rna_pairs", "--data.columns.id", "null"])
    text = GenoformerCLI("fit", words, StopRequest()).config_text
    assert yaml.safe_load(text)["data"]["columns"] == {
        "label": "structure", "sequence": "sequence", "id": None, "group": None, "names": None,
    }  # fmt: skip
