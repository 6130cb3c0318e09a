"""The help of fit, validate and test is made beforehand, and says what the parser says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from genoformer.applications import APPLICATIONS
from genoformer.cli.help_pages.page import COLUMN, WIDTH, configurations, described, option_row
from genoformer.cli.main import LIGHTNING_COMMANDS, main
from genoformer.training.config_files import config_folder

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(config_folder().glob("*/*.yaml"))


def page(capsys, *words: str) -> str:
    assert main([*words, "--help"]) == 0
    return capsys.readouterr().out


@pytest.mark.slow
def test_every_page_is_what_the_parser_says():
    done = subprocess.run([sys.executable, "scripts/help_pages.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "run python scripts/help_pages.py"


@pytest.mark.parametrize("command", LIGHTNING_COMMANDS)
def test_page_begins_with_what_users_set_and_ends_with_the_trainer_of_lightning(capsys, command):
    text = page(capsys, command)
    assert text.startswith(f"usage: genoformer {command} ")
    first = {part: text.index(f"  --{part}") for part in ("data.", "model.", "name ", "trainer.max_steps", "trainer.")}
    assert sorted(first.values())[:3] == [first["data."], first["model."], first["name "]]
    assert first["trainer.max_steps"] < text.index("  --trainer.callbacks")
    assert not re.search(r"^  --(?!trainer)", text[first["trainer."] :], re.M)


@pytest.mark.parametrize(
    ("task", "option"), [("function", "columns.label"), ("mlm", "hidden"), ("rna_pairs", "labels")]
)
def test_a_configuration_decides_whose_data_options_are_shown(capsys, task, option):
    config = next(path.stem for path in CONFIGS if f"task: {task}\n" in path.read_text())
    assert f"  --data.{option} " in page(capsys, "fit", "--config", config)
    assert f"  --data.{option} " in page(capsys, "fit", "--model.task", task)
    assert f"  --data.{option} " not in page(capsys, "fit")


def test_every_task_has_a_page(capsys):
    for task in APPLICATIONS:
        assert f"Data of {task};" in page(capsys, "fit", "--model.task", task)


def test_what_is_not_there_is_said_as_without_help(capsys):
    assert main(["fit", "--config", "no_such_thing", "-h"]) == 66
    assert main(["fit", "--model.task", "no_such_task", "-h"]) == 2
    err = capsys.readouterr().err.splitlines()
    assert "no_such_thing" in err[0] and "no_such_task" in err[1] and len(err) == 2


def test_every_shipped_configuration_has_one_line():
    lines = configurations(config_folder()).splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ")] == [path.stem for path in CONFIGS]
    assert all(line[COLUMN - 1] == " " != line[COLUMN] for line in lines if line.startswith("  "))


def test_a_configuration_is_described_by_its_first_sentence_up_to_a_colon(tmp_path):
    path = tmp_path / "a.yaml"
    for comment, expected in {
        "# Genes of\n# phages. More.\n": "Genes of phages",
        "# Overlay: one GPU: fast. More.": "One GPU",
        "model:\n# no": "",
    }.items():
        path.write_text(comment)
        assert described(path) == expected


def test_text_stands_beside_a_name_or_below_a_long_one():
    assert option_row("--a", "what it is", column=8) == "  --a   what it is\n"
    assert option_row("--abcd", "what", column=8) == "  --abcd\n        what\n"
    wide = option_row("--a", "word " * 60)
    assert all(len(line) <= WIDTH and line == line.rstrip() for line in wide.splitlines())
