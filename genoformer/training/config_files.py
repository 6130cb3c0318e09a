"""Configurations by name: those that come with the package, or files of the user."""

import difflib
from importlib import resources
from pathlib import Path

from genoformer.errors import MissingFileError


def config_folder() -> Path:
    """Folder of the shipped configurations: inside an installed package, beside it in a source tree."""
    return _shipped_folder("configs")


def workflow_folder() -> Path:
    """Folder of the Snakemake workflow, ``Snakefile`` and what it needs."""
    return _shipped_folder("workflows")


def _shipped_folder(name: str) -> Path:
    package = Path(str(resources.files("genoformer")))
    installed = package / "shipped" / name
    return installed if installed.is_dir() else package.parent / name


def shipped_configs() -> dict[str, Path]:
    """Files by name; each is known as ``cpu`` and as ``trainer/cpu``."""
    folder = config_folder()
    files = sorted(folder.glob("*/*.yaml"))
    return {path.stem: path for path in files} | {f"{path.parent.name}/{path.stem}": path for path in files}


def find_config(name: str) -> Path:
    """The file of a configuration.

    Args:
        name: Path of a file, or the bare name of a shipped configuration.

    Raises:
        MissingFileError: If it is neither.
    """
    if Path(name).is_file():
        return Path(name)
    shipped = shipped_configs()
    if name in shipped:
        return shipped[name]
    near = difflib.get_close_matches(name, shipped, n=1)
    names = ", ".join(key for key in shipped if "/" not in key)
    fix = f"Did you mean {near[0]}?" if near else f"Give a file, or one of {names}."
    raise MissingFileError("CONFIG-002", f'there is no configuration "{name}".', where="--config", fix=fix)
