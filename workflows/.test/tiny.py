"""The working directory of the tiny run: configuration, made-up genomes, and a model of functions."""

import contextlib
import shutil
from pathlib import Path

from genoformer.cli.main import main

WORKFLOWS = Path(__file__).resolve().parents[1]
GENOMES = {"first": 24_000, "second": 12_000, "third": 12_000}
OPTIONS = "--data.split.validation 0.2"


def make_folder(folder: Path, *, training: str = OPTIONS) -> None:
    """Configuration and genomes.

    Args:
        folder: It need not be there.
        training: Options of ``fit`` in place of those of the tiny run.
    """
    shutil.copytree(WORKFLOWS / ".test" / "config", folder / "config", dirs_exist_ok=True)
    path = folder / "config" / "config.yaml"
    path.write_text(path.read_text().replace(OPTIONS, training))
    for seed, (name, length_bp) in enumerate(GENOMES.items()):
        options = ["--length-bp", str(length_bp), "--seed", str(seed), "--contigs", "2"]
        _run("simulate", "-o", str(folder / "genomes" / name), *options)


def make_function_model(folder: Path) -> None:
    """Train ``runs/kinds/model``, seconds."""
    with contextlib.chdir(folder):
        _run("fit", "--config", "config/kinds.yaml", "--name", "kinds")


def _run(*arguments: str) -> None:
    if code := main(list(arguments)):
        raise RuntimeError(f"genoformer {' '.join(arguments)}: exit code {code}")
