"""``genoformer models``: what comes with the package."""

import argparse
import json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("name", nargs="?", help="print the model card of this model: a shipped one, or a folder")


def run(args: argparse.Namespace) -> int:
    """List the shipped models, or print one model card; returns the exit code."""
    if args.name is not None:
        print(_card(args.name))
        return 0
    print("name\ttask\tgenetic_code\tk\tstride")
    for row in _rows():
        print("\t".join(row))
    return 0


def _rows() -> list[list[str]]:
    from genoformer.bundle.header import CONFIG, find_bundle, shipped_models

    rows = []
    for name in shipped_models():
        config = json.loads((find_bundle(name) / CONFIG).read_text(encoding="utf-8"))
        rows.append([name, *(str(config[key]) for key in ("task", "genetic_code", "k", "stride"))])
    return rows


def _card(name: str) -> str:
    from genoformer.bundle.header import CARD, find_bundle
    from genoformer.errors import DataError

    path = find_bundle(name) / CARD
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        fix = "Copy the bundle again, or name another one."
        raise DataError("MODEL-009", f"the model card cannot be read: {error}.", where=str(path), fix=fix) from error
