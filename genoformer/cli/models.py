"""``genoformer models``: what comes with the package."""

import argparse
import json
import math
import textwrap
from itertools import zip_longest
from pathlib import Path

COLUMNS = {"name": 16, "for": 28, "organisms": 24, "size": 12, "scores": 40}
"""Width of each column in letters."""
FROM_CARD = ("for", "organisms", "scores")
"""Rows of the table "at a glance" of a model card."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("name", nargs="?", help="print the model card of this model: a shipped one, or a folder")
    parser.add_argument("--tsv", action="store_true", help="one line for each model, separated by tabs")


def run(args: argparse.Namespace) -> int:
    """List the shipped models, or print one model card; returns the exit code."""
    from genoformer.bundle.header import find_bundle, shipped_models

    if args.name is not None:
        print(_card(find_bundle(args.name)))
        return 0
    rows = [about(name, find_bundle(name)) for name in shipped_models()]
    if args.tsv:
        print("\n".join("\t".join(row) for row in ([*COLUMNS], *([row[name] for name in COLUMNS] for row in rows))))
        return 0
    print(in_columns(list(COLUMNS)) + "\n")
    print("\n\n".join(in_columns([row[name] for name in COLUMNS]) for row in rows))
    print("\ngenoformer models NAME prints what a model was trained on, how it was measured, and its limits.")
    return 0


def about(name: str, folder: Path) -> dict[str, str]:
    """A model in words, by column; "-" for what its card does not say.

    Args:
        name: Of the model.
        folder: Of its bundle.
    """
    rows = (line.strip("| ").partition("|") for line in _card(folder).splitlines() if line.startswith("|"))
    said = {key.strip(): value.strip() for key, _, value in rows}
    return {"name": name, "size": size_of(folder), **{key: said.get(key) or "-" for key in FROM_CARD}}


def size_of(folder: Path) -> str:
    """Parameters and bytes of a bundle; the header of its weights says their shapes.

    Reference: https://github.com/huggingface/safetensors, "Format".
    """
    from genoformer.bundle.header import WEIGHTS

    with open(folder / WEIGHTS, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    n = sum(math.prod(tensor["shape"]) for key, tensor in header.items() if key != "__metadata__")
    n_bytes = sum(path.stat().st_size for path in folder.iterdir())
    return f"{n / 1e6:.1f} million, {n_bytes / 1e6:.0f} MB"


def in_columns(cells: list[str]) -> str:
    """Cells beside each other, wrapped, without blanks at the ends of lines."""
    columns = [textwrap.wrap(cell, width) for cell, width in zip(cells, COLUMNS.values(), strict=True)]
    rows = zip_longest(*columns, fillvalue="")
    padded = ("  ".join(f"{cell:{width}}" for cell, width in zip(row, COLUMNS.values(), strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in padded)


def _card(folder: Path) -> str:
    from genoformer.bundle.header import CARD
    from genoformer.errors import DataError

    try:
        return (folder / CARD).read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        fix = "Copy the bundle again, or name another one."
        message = f"the model card cannot be read: {error}."
        raise DataError("MODEL-009", message, where=str(folder / CARD), fix=fix) from error
