"""Settings of ``fit`` that a recipe chooses from the data: those that neither configurations nor options set."""

from collections.abc import Mapping, Sequence
from typing import Any

from genoformer.applications import Application
from genoformer.cli.attention_options import CONFIG_OPTIONS
from genoformer.errors import UsageError
from genoformer.training.old_keys import leaves, written_values
from genoformer.training.recipes import Choice, fill_in

PRINT = "--print_config"


def choose_from_data(config: Any, argv: Sequence[str], application: Application) -> list[Choice]:
    """Fill in what nobody has set, if the configuration asks for it.

    What is filled in counts as set from then on: the configuration no longer asks for it.

    Args:
        config: As the parser read it; changed in place.
        argv: What it read, with configurations as files.
        application: Of the task.

    Returns:
        What was chosen.

    Raises:
        UsageError: If the task has no recipe, or there is no input.
    """
    if not config.recipe:
        return []
    if application.recipe is None:
        message = f"there is no recipe for {application.title}."
        raise UsageError("CONFIG-034", message, where="recipe", fix="Leave it out, and set what it would choose.")
    choices = application.recipe.load()(config.as_dict(), given_settings(config.as_dict(), argv))
    fill_in(config, choices)
    config.recipe = False
    config.model.max_steps = config.trainer.max_steps
    return choices


def given_settings(config: Mapping[str, Any], argv: Sequence[str]) -> dict[str, Any]:
    """What configurations and options set, by full name, with the values that count.

    Args:
        config: What came of them.
        argv: Options, with configurations as files.
    """
    names = {key for _, name, value in written_values(argv, CONFIG_OPTIONS) for key in leaves(value, name)}
    found = {name: _at(config, name) for name in sorted(names)}
    return {name: value for name, value in found.items() if value is not _NOWHERE}


def choice_lines(choices: Sequence[Choice]) -> list[str]:
    """What was chosen and why, for a terminal; nothing where nothing was."""
    return ["genoformer: chosen from the data", *(f"  {choice.line()}" for choice in choices)] if choices else []


_NOWHERE = object()


def _at(config: Any, name: str) -> Any:
    for key in name.split("."):
        if not isinstance(config, Mapping) or key not in config:
            return _NOWHERE
        config = config[key]
    return config
