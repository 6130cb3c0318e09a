"""Run the notebooks of the documentation, each in an empty folder, and keep what they show.

    python scripts/notebooks.py                  all of docs/notebooks
    python scripts/notebooks.py promoters        these

What the cells print and draw is stored in the notebooks, without how long they took and without machine paths; a test
runs them, too. ``genoformer`` must be the command of this checkout.
"""

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "notebooks"
TIMEOUT_S = 600


def find_notebooks() -> list[Path]:
    """Notebooks of the documentation."""
    return sorted(FOLDER.glob("*.ipynb"))


def executed(path: Path, folder: Path) -> nbformat.NotebookNode:
    """A notebook with the outputs of a run.

    Args:
        path: Of the notebook.
        folder: It runs there: what its cells write stays there.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    resources = {"metadata": {"path": str(folder)}}
    with TemporaryDirectory() as sockets:  # no ports: nobody else can connect
        config = Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}})
        client = NotebookClient(notebook, timeout=TIMEOUT_S, record_timing=False, resources=resources, config=config)
        client.execute()
    notebook.metadata = nbformat.from_dict({"kernelspec": notebook.metadata["kernelspec"]})
    return notebook


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="notebooks, without their suffix; all by default")
    names = parser.parse_args().names
    for path in find_notebooks():
        if names and path.stem not in names:
            continue
        with TemporaryDirectory() as folder:
            nbformat.write(executed(path, Path(folder)), path)
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
