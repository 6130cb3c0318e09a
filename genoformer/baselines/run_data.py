"""The data of a finished run, divided as in training."""

from pathlib import Path
from typing import TypeVar

import yaml

from genoformer.training.structure_data import StructureData

Data = TypeVar("Data", bound=StructureData)


def read_run_data(run: Path, kind: type[Data]) -> Data:
    """The data module of a run of ``fit``, set up.

    Args:
        run: Folder of the run.
        kind: Class of the data module.
    """
    stored = yaml.safe_load((run / "config.yaml").read_text())
    linked = {name: stored["model"].get(name) for name in kind.linked}
    data = kind(**{**stored["data"], **linked, "work_dir": str(run)})
    data.setup()
    return data


def read_task(run: Path) -> str:
    """Name of the task of a run."""
    return yaml.safe_load((run / "config.yaml").read_text())["model"]["task"]
