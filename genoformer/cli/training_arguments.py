"""What the arguments of ``fit``, ``validate`` and ``test`` say before they are parsed, without Lightning."""

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from genoformer.applications import DEFAULT_TASK, configured_application
from genoformer.cli.attention_options import CONFIG_OPTIONS, join_attention_options
from genoformer.cli.help_pages.page import training_page
from genoformer.training.config_files import config_folder, find_config
from genoformer.training.old_keys import CONFIG_SUFFIXES
from genoformer.training.yaml_text import check_yaml_file, check_yaml_size, load_yaml

GROUPS = ("--data.augment", "--data.columns", "--data.folds", "--data.loader", "--data.split")
"""Options that take a file with a group of settings."""


def prepare_arguments(argv: Sequence[str]) -> list[str]:
    """Replace names of shipped configurations by their files; a run without name is called after its first one.

    Options of single settings of attention become options of all of them. Files of groups get a folder to their name:
    the parser takes ``split.yaml`` for ``yaml`` in the module ``split``.

    Raises:
        MissingFileError: If there is no such configuration.
        UsageError: If a configuration or a value is no YAML that can be meant.
    """
    words, found, previous = [], [], ""
    for word in argv:
        option, equals, value = word.partition("=")
        if previous in CONFIG_OPTIONS:
            found.append(word)
            word = str(_checked_config(word))
        elif option in CONFIG_OPTIONS and equals:
            found.append(value)
            word = f"{option}={_checked_config(value)}"
        elif previous in GROUPS:
            word = _with_folder(word)
        elif option in GROUPS and equals:
            word = f"{option}={_with_folder(value)}"
        if previous not in CONFIG_OPTIONS and option not in CONFIG_OPTIONS:
            _check_value(value if option.startswith("--") else word)
        words.append(word)
        previous = words[-1] if words[-1] in (*CONFIG_OPTIONS, *GROUPS) else ""
    words = join_attention_options(words)
    return ["--name", Path(found[0]).stem, *words] if found else words


def _checked_config(name: str) -> Path:
    path = find_config(name)
    check_yaml_file(path)
    return path


def _check_value(value: str) -> None:
    """UsageError if an argument, or the file of settings that it names, is no YAML that can be meant."""
    if value.endswith(CONFIG_SUFFIXES):
        check_yaml_file(Path(value))
    else:
        check_yaml_size(value, "command line")


def _with_folder(text: str) -> str:
    # Settings themselves can be too long for a name: they are no file, too.
    return f"./{text}" if Path(text).parent == Path() and os.path.isfile(text) else text


def find_task(argv: Sequence[str]) -> str:
    """The task that arguments ask for, before they are parsed: it decides which options there are for data.

    Args:
        argv: Arguments with configurations as files.
    """
    task = DEFAULT_TASK
    for word, following in pairwise([*argv, ""]):
        option, equals, value = word.partition("=")
        value = value if equals else following
        if option in CONFIG_OPTIONS:
            task = _task_of_file(Path(value)) or task
        elif option == "--model.task":
            task = value
    return task


def _task_of_file(path: Path) -> str | None:
    try:
        stored = load_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # the parser says what is wrong with it
    model = stored.get("model") if isinstance(stored, dict) else None
    return model.get("task") if isinstance(model, dict) and isinstance(model.get("task"), str) else None


def help_page(command: str, description: str, argv: Sequence[str]) -> str:
    """The page of a command, with the data of the task that the arguments ask for.

    Args:
        command: "fit", "validate" or "test".
        description: What it does, in a line.
        argv: Its arguments.

    Raises:
        MissingFileError: If there is no such configuration.
        UsageError: If there is no such task.
    """
    task = find_task(prepare_arguments(argv))
    configured_application(task)
    return training_page(command, description, task, config_folder()).rstrip("\n")
