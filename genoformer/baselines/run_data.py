"""The data of a finished run, divided as in training."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

from genoformer.training.labelled_data import LabelledData
from genoformer.training.settings import ModelReading
from genoformer.training.store_data import StoreData

Data = TypeVar("Data", bound=StoreData | LabelledData)


def read_run_data(run: Path, kind: type[Data], **changes: Any) -> Data:
    """The data module of a run of ``fit``, set up.

    Args:
        run: Folder of the run.
        kind: Class of the data module.
        changes: Arguments of the data module that differ from those of the run.
    """
    stored = yaml.safe_load((run / "config.yaml").read_text())
    model = {name: stored["model"].get(name) for name in ("task", "k", "stride", "encoder", "options")}
    data = build_data(kind, {**stored["data"], **changes})
    data.bind(ModelReading.of(**model), seed=stored["seed_everything"], work_dir=run)
    data.prepare_data()
    data.setup()
    return data


def build_data(kind: type[Data], settings: Mapping[str, Any]) -> Data:
    """A data module from plain settings; groups are mappings, in which all keys of the group are given."""
    types = get_type_hints(kind.__init__)
    groups = {name for name in settings if is_dataclass(types.get(name))}
    return kind(**{name: types[name](**value) if name in groups else value for name, value in settings.items()})


def read_task(run: Path) -> str:
    """Name of the task of a run."""
    return yaml.safe_load((run / "config.yaml").read_text())["model"]["task"]
