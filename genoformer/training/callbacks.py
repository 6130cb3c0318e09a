"""What happens between the steps of a training run: checkpoints, signals, bundles, gene scores."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from genoformer.bundle.folder import network_of, save_bundle
from genoformer.errors import UsageError
from genoformer.files import write_json_atomic
from genoformer.tasks.interface import ShowsOutcomes
from genoformer.training.adapters import merged
from genoformer.training.checkpoint_io import AtomicCheckpointIO
from genoformer.training.interface import TrainingData, data_of
from genoformer.training.metrics_log import MetricsLog
from genoformer.training.module import GenomeModule, diverged, module_of
from genoformer.training.random_state import get_random_state, set_random_state
from genoformer.training.run_history import is_better
from genoformer.training.signals import StopRequest

LAST = "last.ckpt"
FINAL = "final.ckpt"
BEST = "best.ckpt"
OUTCOMES = "best.json"
"""What the validation found that chose the model."""


class ResumableCheckpoints(pl.Callback):
    """Checkpoints between two training batches, from which a run continues bit by bit.

    There is one kind of state: "before batch b of epoch e". It is written every ``every_n_steps`` optimiser steps, when
    a signal asks to stop, and before the last batch of an epoch, so that a run stopped in validation repeats one batch
    and the validation. What Lightning's counters hold besides is derived from it.

    Args:
        folder: Folder of the checkpoints.
        stop: Signals.
        every_n_steps: Optimiser steps between two checkpoints.
        config_digest: Stored with the state.
    """

    def __init__(self, folder: Path, stop: StopRequest, *, every_n_steps: int = 200, config_digest: str = "") -> None:
        self.folder, self.stop = Path(folder), stop
        self.every_n_steps, self.config_digest = every_n_steps, config_digest
        self._loaded: dict[str, Any] | None = None

    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict) -> None:
        progress = trainer.fit_loop.epoch_loop.batch_progress
        checkpoint["genoformer"] = {
            "config_digest": self.config_digest,
            "position": {"epoch": trainer.current_epoch, "batch": progress.current.completed},
            "world_size": trainer.world_size,
            "random_state": get_random_state(),
        }
        # The batch to come has set it; a resumed run that starts with it set would end before that batch.
        checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]["is_last_batch"] = False

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict) -> None:
        self._loaded = loaded = checkpoint["genoformer"]
        self.check(loaded, trainer.world_size)
        data_of(trainer).batches.position = loaded["position"]
        self.stop.kept_step = checkpoint["global_step"]
        for logger in trainer.loggers:
            if isinstance(logger, MetricsLog):
                logger.continue_from(checkpoint["global_step"])

    def check(self, loaded: Mapping[str, Any], world_size: int) -> None:
        """Whether a checkpoint is one of this run.

        Args:
            loaded: What it says of its run.
            world_size: Processes that train.

        Raises:
            UsageError: If it comes from another configuration, or another number of processes.
        """
        if loaded["config_digest"] != self.config_digest:
            raise UsageError(
                "TRAIN-003", "the checkpoint comes from a run with another configuration: it cannot be continued.",
                where="ckpt_path", fix="To start from its weights, give the run's model folder with --init_from.",
            )  # fmt: skip
        if loaded["world_size"] != world_size:
            raise UsageError(
                "TRAIN-006", f"it was begun with {loaded['world_size']} processes, not {world_size}.",
                where="trainer.devices", fix="Continue it with as many.",
            )  # fmt: skip

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # Lightning has put its own handler in front, which ends the run with exit code 0.
        self.stop.install()
        # A second trainer finds its processes started, and has no launcher.
        self.stop.forward = getattr(trainer.strategy.launcher, "kill", self.stop.forward)
        self.stop.can_wait = True

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        data_of(trainer).batches.begin_epoch(trainer.current_epoch)

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch, batch_idx: int) -> None:
        must_stop = self._must_stop(trainer)
        is_due = self._loaded is None and self._is_due(trainer, batch_idx)
        can_continue_here = batch_idx % trainer.accumulate_grad_batches == 0
        if self._loaded is not None:
            self._continue(trainer, self._loaded)
        elif can_continue_here and (is_due or must_stop):
            self._save(trainer, LAST)
        if must_stop and can_continue_here:
            self.stop.leave()

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module, outputs, batch, batch_idx: int) -> None:
        if trainer.global_step >= trainer.max_steps:
            # Lightning validates after the last step of an epoch, or when asked to stop; not at max_steps by itself.
            trainer.should_stop = True
        if trainer.should_stop or batch_idx + 1 == trainer.num_training_batches:
            if self._must_stop(trainer):
                self.stop.leave()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._before_validation = get_random_state()
        self.stop.can_wait = False
        if self.stop.is_made:
            self.stop.leave()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        set_random_state(self._before_validation)
        self.stop.can_wait = trainer.state.fn == "fit"

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._save(trainer, FINAL)

    def _must_stop(self, trainer: pl.Trainer) -> bool:
        if trainer.world_size == 1:
            return self.stop.is_made
        # Every process must stop at the same batch, or the others wait for it forever.
        return trainer.strategy.reduce_boolean_decision(self.stop.is_made, all=False)

    def _is_due(self, trainer: pl.Trainer, batch_idx: int) -> bool:
        step = trainer.global_step
        return _is_before_validation(trainer, batch_idx) or (step > 0 and step % self.every_n_steps == 0)

    def _continue(self, trainer: pl.Trainer, loaded: dict[str, Any]) -> None:
        """Put back what Lightning does not restore, just before the first batch."""
        epoch_loop = trainer.fit_loop.epoch_loop
        total = epoch_loop.batch_progress.total
        total.ready = total.started + 1  # type: ignore[attr-defined]  # declared as the base class of what it is
        epoch_loop._batches_that_stepped = trainer.global_step
        set_random_state(loaded["random_state"])
        self._loaded = None

    def _save(self, trainer: pl.Trainer, name: str) -> None:
        if not all(torch.isfinite(tensor).all() for tensor in trainer.lightning_module.parameters()):
            raise diverged(trainer.global_step)
        trainer.save_checkpoint(self.folder / name)
        self.stop.kept_step = trainer.global_step


def _is_before_validation(trainer: pl.Trainer, batch_idx: int) -> bool:
    """Whether this is the last batch at which the run can be continued, before a validation comes."""
    accumulated = trainer.accumulate_grad_batches
    last = (trainer.num_training_batches - 1) // accumulated * accumulated
    return batch_idx == last or trainer.global_step == trainer.max_steps - 1


class WriteBundle(pl.Callback):
    """The model folder: written whenever validation is better than before.

    The best weights are also kept as a checkpoint, which unlike a folder is replaced in one step: when a kill cut the
    folder short, it is written again at the end of training.

    Args:
        folder: Folder of the bundle.
        kept: File of the best weights.
        monitor: Metric that decides. One whose name ends in "loss" is better when lower, any other when higher.
    """

    def __init__(self, folder: Path, kept: Path, *, monitor: str = "val/loss") -> None:
        self.folder, self.kept, self.monitor = Path(folder), Path(kept), monitor
        self.best: float | None = None

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best = state_dict["best"]

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.state.fn != "fit" or trainer.sanity_checking:
            return
        if self.monitor not in trainer.callback_metrics:
            known = ", ".join(sorted(name for name in trainer.callback_metrics if name.startswith("val/")))
            raise UsageError("CONFIG-013", f'there is no "{self.monitor}"; there are {known}.', where="--monitor")
        value = float(trainer.callback_metrics[self.monitor])
        if is_better(value, self.best, self.monitor):
            self.best = value
            self._write(trainer, module_of(pl_module))

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        module = module_of(pl_module)
        if self.best is None:
            self._write(trainer, module)
        elif trainer.is_global_zero and not (self.folder / "manifest.json").is_file():
            kept = AtomicCheckpointIO().load_checkpoint(self.kept, map_location="cpu")
            model = network_of(module.bundle_config)
            model.load_state_dict(kept["state_dict"])
            save_bundle(self.folder, model=model, config=module.bundle_config, card=kept["card"])

    def _write(self, trainer: pl.Trainer, module: GenomeModule) -> None:
        network = module.whole_network()
        if trainer.is_global_zero:
            metrics = {name: float(value) for name, value in trainer.callback_metrics.items() if "val/" in name}
            card = model_card(module, trainer.global_step, metrics, data_of(trainer))
            model = merged(network, module.bundle_config)
            AtomicCheckpointIO().save_checkpoint({"state_dict": model.state_dict(), "card": card}, self.kept)
            save_bundle(self.folder, model=model, config=module.bundle_config, card=card)
            self._keep_outcomes(module)

    def _keep_outcomes(self, module: GenomeModule) -> None:
        path = self.kept.parent / OUTCOMES
        try:
            write_json_atomic(path, outcomes_of(module))
        except Exception as error:  # a picture less must not end a training
            path.unlink(missing_ok=True)
            print(f"genoformer: warning[CURVES-001] {path}: outcomes were not kept: {error!r}.", file=sys.stderr)


def outcomes_of(module: GenomeModule) -> dict[str, Any]:
    """What the last validation found, JSON types; nothing where there was none, or scores have no more to show."""
    scores = module.scores
    was_validated = bool(getattr(module, "losses", None) is not None and module.losses[1])
    return dict(scores.outcomes()) if was_validated and isinstance(scores, ShowsOutcomes) else {}


def model_card(module: GenomeModule, step: int, metrics: dict[str, float], data: TrainingData) -> str:
    """Text of ``model_card.md``: what the model is, what it was trained on, and how it did in validation."""
    config = module.bundle_config
    n_parameters = sum(tensor.numel() for tensor in module.model.parameters())
    lines = [
        f"# {config.task}",
        "",
        f"{n_parameters:,} parameters, k = {config.k}, stride = {config.stride}, trained for {step} steps.",
        f"Genetic code {config.genetic_code} unless told otherwise.",
        "",
        "Trained on:",
        "",
        *data.card_lines(),
        "",
        "| validation | value |",
        "|---|---|",
        *(f"| {name[4:]} | {value:.4f} |" for name, value in sorted(metrics.items()) if name.startswith("val/")),
    ]
    return "\n".join(lines) + "\n"
