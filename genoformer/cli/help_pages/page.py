"""The help of ``fit``, ``validate`` and ``test``: configurations, data, model, run, and last Lightning's trainer."""

import textwrap
from pathlib import Path

WIDTH, COLUMN = 110, 34
"""Letters of a line, and where the text beside an option begins."""
FOLDER = Path(__file__).parent
HEAD = """usage: genoformer {command} --config NAME [--config NAME ...] [OPTIONS]

{description}.

An option is a key of a configuration. Options and configurations are read in order, and the later ones count; an
option whose value is a list also stands with a + behind its name, and then adds to the list. --data FILE,
--model FILE and --trainer FILE read one part of a configuration. Where an option of the trainer takes a class,
--trainer.NAME.help CLASS shows what is set in it.
"""
DATA = "Data of {task}; that of another task: genoformer {command} --config NAME --help"


def option_row(name: str, text: str, column: int = COLUMN) -> str:
    """A name with its text beside it, or below it if the name is long; lines end with a newline."""
    lines = textwrap.wrap(text, WIDTH - column, break_long_words=False, break_on_hyphens=False) or [""]
    first = f"  {name}".ljust(column)
    if len(first) > column or not first.endswith(" "):
        lines, first = ["", *lines], f"  {name}"
    return "".join(f"{line.rstrip()}\n" for line in (first + lines[0], *(" " * column + line for line in lines[1:])))


def described(path: Path) -> str:
    """What a configuration is for: its first comment, up to a colon or the end of the sentence."""
    comment = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        comment += line.removeprefix("#")
    comment = comment.strip().removeprefix("Overlay: ")
    text = min((comment.partition(mark)[0] for mark in (": ", ". ")), key=len).rstrip(".")
    return text[:1].upper() + text[1:]


def configurations(folder: Path) -> str:
    """The shipped configurations with a line each.

    Args:
        folder: Of all of them, with a folder for each kind.
    """
    titles = {"experiment": "Configurations that come with the package", "trainer": "Overlays, to add to one of them"}
    found = {kind: sorted(folder.glob(f"{kind}/*.yaml")) for kind in titles}
    rows = {kind: "".join(option_row(path.stem, described(path)) for path in found[kind]) for kind in titles}
    return "\n".join(f"{title}:\n{rows[kind]}" for kind, title in titles.items())


def part(name: str) -> str:
    """A part of the page that was made beforehand."""
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def training_page(command: str, description: str, task: str, configs: Path) -> str:
    """The page of a command.

    Args:
        command: "fit", "validate" or "test".
        description: What it does, in a line.
        task: Whose data options are shown.
        configs: Folder of the shipped configurations.
    """
    head = HEAD.format(command=command, description=description[:1].upper() + description[1:])
    data = DATA.format(task=task, command=command) + "\n" + part(f"data_{task}")
    return "\n".join([head, configurations(configs), data, part("model"), part("run"), part("trainer")])
