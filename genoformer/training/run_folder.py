"""The folder of one training run: what was trained there, and whether the same command may continue it."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from genoformer.errors import OutputExistsError, UsageError
from genoformer.files import MANIFEST_NAME, read_json, write_json_atomic
from genoformer.training.callbacks import BEST, FINAL, LAST, OUTCOMES

STATE = "run.json"
MODEL = "model"
STAGED = "checkpoints/model"
"""The best model so far, of a task whose models are finished after training."""
FOLDS = "folds"
"""Networks that leave a group of genomes out, a folder for each."""
PASSES = "passes"
"""What such a network has read, until the run is finished."""
WITHOUT_EFFECT = {
    "": ("config", "name", "overwrite", "ckpt_path", "checkpoint_every_n_steps", "recipe"),
    "data": ("fasta", "annotation", "genomes", "labels", "ontology", "store", "seqid_map"),
    "data.loader": ("num_workers",),
    "data.split": ("file",),
    "trainer": (
        "accelerator", "barebones", "callbacks", "default_root_dir", "enable_autolog_hparams", "enable_model_summary",
        "enable_progress_bar", "log_every_n_steps", "logger", "plugins", "profiler",
    ),
}  # fmt: skip
"""Settings that do not change what is learned. Input files count by their content, not by their name."""
WITHOUT_EFFECT_UNLESS_SET = ("data.folds", "data.balance", "data.split.relatives")
"""Settings that are like none at all where they are null, groups where each of theirs is."""


def run_folder(name: str) -> str:
    """Folder of the run called ``name``.

    Raises:
        UsageError: If the name would leave ``runs/``.
    """
    if not name or not name.isprintable() or name.startswith((".", "/")) or ".." in Path(name).parts:
        raise UsageError("CONFIG-011", f'"{name}" cannot be the name of a run.', where="--name")
    return str(Path("runs") / name)


def config_digest(config: dict[str, Any]) -> str:
    """SHA-256 over the settings that change what is learned."""
    return hashlib.sha256(json.dumps(_with_effect(config), sort_keys=True).encode()).hexdigest()


def _with_effect(config: dict[str, Any], name: str = "") -> dict[str, Any]:
    """What is left of a section of this name, without what has no effect."""
    return {
        key: _with_effect(value, f"{name}.{key}".lstrip(".")) if isinstance(value, dict) else value
        for key, value in config.items()
        if key not in WITHOUT_EFFECT.get(name, ()) and not _is_unset(f"{name}.{key}", value)
    }


def _is_unset(name: str, value: Any) -> bool:
    values = value.values() if isinstance(value, dict) else [value]
    return name in WITHOUT_EFFECT_UNLESS_SET and all(setting is None for setting in values)


class RunFolder:
    """Files of a run and its state.

    Args:
        path: ``runs/NAME``; created if it is not there.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputExistsError(
                "TRAIN-004", f"the folder cannot be created: {error.strerror}.", where=str(path)
            ) from error
        self.checkpoints, self.model, self.staged = self.path / "checkpoints", self.path / MODEL, self.path / STAGED
        self.last, self.best = self.checkpoints / LAST, self.checkpoints / BEST
        self.metrics, self.outcomes = self.path / "metrics.csv", self.checkpoints / OUTCOMES
        self.report, self.curves = self.path / "report.html", self.path / "curves.png"
        self.folds, self.passes = self.path / FOLDS, self.path / PASSES

    def is_finished(self, digests: dict[str, str], *, overwrite: bool) -> bool:
        """Whether this very run has ended; makes room for another one only when told so.

        Args:
            digests: Digests of configuration and input.
            overwrite: Remove what another configuration or other data left here.

        Raises:
            OutputExistsError: If the folder holds another run.
        """
        state = self._read_state()
        if state is None:
            return False
        if {name: state.get(name) for name in digests} == digests:
            return self.is_finished_as(digests)
        if not overwrite:
            raise OutputExistsError(
                "TRAIN-005", "this run was made with other settings or data.", where=str(self.path),
                fix="Choose another --name, or replace it with --overwrite.",
            )  # fmt: skip
        self._clear()
        return False

    def is_finished_as(self, digests: dict[str, str]) -> bool:
        """Whether this very run has ended, for processes that do not own the folder."""
        state = self._read_state() or {}
        is_same = {name: state.get(name) for name in digests} == digests
        return is_same and bool(state.get("finished")) and (self.model / "manifest.json").is_file()

    @property
    def best_model(self) -> Path:
        """The finished model, else the best one so far."""
        return self.model if (self.model / MANIFEST_NAME).is_file() else self.staged

    def write_state(self, digests: dict[str, str], *, finished: bool) -> None:
        """Note what is trained here, and whether it has ended."""
        write_json_atomic(self.path / STATE, {**digests, "finished": finished})

    def _read_state(self) -> dict[str, Any] | None:
        try:
            state = read_json(self.path / STATE)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def _clear(self) -> None:
        # The state goes last: after a kill in between, the folder still counts as that of another run.
        shown = (self.metrics, self.outcomes, self.report, self.curves)
        for path in (self.last, self.best, self.checkpoints / FINAL, *shown, self.model / "manifest.json"):
            path.unlink(missing_ok=True)
        for folder in (self.model, self.staged, self.folds, self.passes):
            shutil.rmtree(folder, ignore_errors=True)
        (self.path / STATE).unlink(missing_ok=True)
