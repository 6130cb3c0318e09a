"""Write the parts of ``genoformer fit --help`` from the parser of the command, into genoformer/cli/help_pages/.

With --check nothing is written and the exit code says whether the parts are up to date.

    python scripts/help_pages.py [--check]
"""

import argparse
import re
from typing import Any

import yaml

from genoformer.applications import APPLICATIONS
from genoformer.cli.fit import GenoformerCLI
from genoformer.cli.help_pages.page import FOLDER, option_row
from genoformer.training.config_files import config_folder
from genoformer.training.signals import StopRequest
from genoformer.training.trusted_code import ALLOW_CODE

ALLOW_CODE_HELP = "let configurations name classes of any package, which is to let them run code (default: False)"
FILE_HELP = "Path to a configuration file."
SUBCLASSES = re.compile(r", known subclasses: [^()]*(?=\)$)")
"""What the parser says of classes: a long list that depends on what else is installed."""
ROLE = re.compile(r":\w+:`~?(?:\w+\.)*(\w+)`")
UNION = re.compile(r"\b(Optional|Union)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]")
COMMA = re.compile(r", (?![^\[]*\])")
OFTEN, RARELY = "The trainer, as configurations set it", "The trainer, everything else that Lightning takes"


class ParserBuilt(Exception):
    """Carries the parser out of the command, before anything is parsed."""


class OnlyParser(GenoformerCLI):
    """The command up to its parser."""

    def parse_arguments(self, parser: Any, args: Any) -> None:
        raise ParserBuilt(parser)


def parser_of(task: str) -> Any:
    """The parser of ``genoformer fit`` for the data of a task."""
    try:
        OnlyParser("fit", ["--model.task", task], StopRequest())
    except ParserBuilt as built:
        return built.args[0]
    raise AssertionError("the command made no parser")


def is_shown(action: argparse.Action) -> bool:
    """Whether the page has an option: not those that read a part of a configuration, or show the help of a class."""
    names = action.option_strings
    is_of_class = any(name.endswith(".help") for name in names)
    is_option = bool(names) and names[0].startswith("-")  # and no link from one option to another
    return is_option and action.help not in (FILE_HELP, argparse.SUPPRESS) and not is_of_class


def rows(parser: Any, actions: list[argparse.Action]) -> str:
    """Options with type, default and help, as the parser tells them."""
    formatter = parser._get_formatter()
    names = (", ".join(name for name in action.option_strings if name[-1] != "+") for action in actions)
    return "".join(map(option_row, names, (plain(formatter._expand_help(action)) for action in actions)))


def plain(text: str) -> str:
    """Help without markup: types in the words of this package, classes by their last name."""
    text = ROLE.sub(r"`\1`", SUBCLASSES.sub("", text)).replace("``", "`")
    while found := UNION.search(text):
        types = " | ".join(COMMA.split(found[2])) + (" | null" if found[1] == "Optional" else "")
        text = text[: found.start()] + types + text[found.end() :]
    return text


def trainer_keys_of_configurations() -> set[str]:
    """Options of the trainer that shipped configurations set; callbacks are for those who write Python."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in config_folder().glob("*/*.yaml")]
    return {f"trainer.{key}" for stored in files for key in stored.get("trainer", {}) if key != "callbacks"}


def groups(parser: Any, prefix: str) -> str:
    """Groups of options whose names begin alike, each under its title."""
    found = ((group.title, actions_of(group, prefix)) for group in parser._action_groups)
    return "\n".join(f"{title}:\n{rows(parser, actions)}" for title, actions in found if actions)


def actions_of(group: Any, prefix: str) -> list[argparse.Action]:
    """The shown options of a group whose names begin with a prefix."""
    return [action for action in group._group_actions if is_shown(action) and action.dest.startswith(prefix)]


def run_actions(parser: Any) -> list[argparse.Action]:
    """Options that belong to no part of a configuration."""
    return [action for action in parser._actions if is_shown(action) and "." not in action.dest]


def parts() -> dict[str, str]:
    """Texts by name."""
    parsers = {task: parser_of(task) for task in APPLICATIONS}
    parser = next(iter(parsers.values()))
    often = trainer_keys_of_configurations()
    trainer = [action for action in parser._actions if is_shown(action) and action.dest.startswith("trainer.")]
    common = [action for action in trainer if action.dest in often]
    rare = [action for action in trainer if action.dest not in often]
    texts = {f"data_{task}": groups(parser, "data.") for task, parser in parsers.items()}
    return texts | {
        "model": groups(parser, "model."),
        "run": f"The run:\n{rows(parser, run_actions(parser))}{option_row(ALLOW_CODE, ALLOW_CODE_HELP)}",
        "trainer": f"{OFTEN}:\n{rows(parser, common)}\n{RARELY}:\n{rows(parser, rare)}",
    }


def main() -> int:
    """Write or check the parts; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    made = {FOLDER / f"{name}.txt": text for name, text in parts().items()}
    present = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")}
    if args.check:
        return int(made != present)
    for path in present.keys() - made.keys():
        path.unlink()
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
