"""The data of a finished run, divided as in training."""

from pathlib import Path
from typing import Any, TypeVar

import yaml

from genoformer.applications.functions.data import TableData
from genoformer.applications.genes.data import GenomeData
from genoformer.training.structure_data import StructureData

Data = TypeVar("Data", bound=GenomeData | StructureData | TableData)


def read_run_data(run: Path, kind: type[Data], **changes: Any) -> Data:
    """The data module of a run of ``fit``, set up.

    Args:
        run: Folder of the run.
        kind: Class of the data module.
        changes: Arguments of the data module that differ from those of the run.
    """
    stored = yaml.safe_load((run / "config.yaml").read_text())
    # What follows other settings is not written down.
    linked = {name: stored["model"].get(name) for name in kind.linked}
    linked |= {"seed": stored["seed_everything"], "work_dir": str(run)}
    data = kind(**{**stored["data"], **linked, **changes})
    data.prepare_data()
    data.setup()
    return data


def read_task(run: Path) -> str:
    """Name of the task of a run."""
    return yaml.safe_load((run / "config.yaml").read_text())["model"]["task"]
