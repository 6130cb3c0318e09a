"""A training run from its parts: what every command that trains has in common.

Callbacks, checkpoints and signals are the same whoever puts model, data and trainer together, and so is what follows
from them: SIGTERM ends a run at a checkpoint, and the same command continues it.
"""

import contextlib
import logging
import math
import signal
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytorch_lightning as pl
from lightning_fabric.plugins.environments import SLURMEnvironment
from pytorch_lightning.utilities.exceptions import MisconfigurationException
from pytorch_lightning.utilities.warnings import PossibleUserWarning
from torch import Tensor

from genoformer.bundle.folder import load_bundle
from genoformer.errors import BusyError, DataError, UsageError
from genoformer.training.callbacks import BEST, ResumableCheckpoints, WriteBundle
from genoformer.training.checkpoint_io import AtomicCheckpointIO
from genoformer.training.interrupts import ENDING
from genoformer.training.module import GenomeModule
from genoformer.training.run_folder import MODEL, STAGED, RunFolder
from genoformer.training.signals import SIGNALS, StopRequest

AnyCallback = TypeVar("AnyCallback", bound=pl.Callback)
TRAINER_DEFAULTS: dict[str, Any] = {
    "deterministic": True,
    "enable_checkpointing": False,
    "enable_model_summary": False,
    "gradient_clip_val": 1.0,
    "num_sanity_val_steps": 0,
    "use_distributed_sampler": False,
}


def run_callbacks(
    folder: Path, stop: StopRequest, *, config_digest: str, every_n_steps: int = 200, monitor: str = "val/loss",
    is_staged: bool = False,
) -> list[pl.Callback]:  # fmt: skip
    """Checkpoints and the model folder of a run.

    Args:
        folder: Folder of the run; it need not be there yet.
        stop: Signals.
        config_digest: Stored with each checkpoint; one of another configuration is not continued.
        every_n_steps: Optimiser steps between two checkpoints.
        monitor: Metric that chooses the model.
        is_staged: The model is not finished when its training has ended: its folder gets it from ``finish_bundle``.
    """
    checkpoints = ResumableCheckpoints(
        folder / "checkpoints", stop, every_n_steps=every_n_steps, config_digest=config_digest
    )
    model = folder / (STAGED if is_staged else MODEL)
    return [checkpoints, WriteBundle(model, folder / "checkpoints" / BEST, monitor=monitor)]


def run_plugins() -> list:
    """Our checkpoint files; who submitted a Slurm job repeats it, Lightning would requeue it a second time."""
    slurm = [SLURMEnvironment(auto_requeue=False)] if SLURMEnvironment.detect() else []
    return [AtomicCheckpointIO(), *slurm]


def train(
    trainer: pl.Trainer,
    module: GenomeModule,
    data: pl.LightningDataModule,
    folder: RunFolder,
    stop: StopRequest,
    ckpt_path: str | None = None,
) -> None:
    """Train, or continue at the run's last checkpoint.

    Args:
        trainer: With the callbacks of ``run_callbacks``.
        module: The model with the weights that a new run starts from.
        data: Prepared.
        folder: The run.
        stop: Signals.
        ckpt_path: Checkpoint to continue instead of the run's own.

    Raises:
        SystemExit: With 128 + signal number, after a checkpoint was written.
        DivergedError: If the loss is not finite.
        UsageError: If the checkpoint comes from another configuration, or another number of processes.
        DataError: If its weights are others than the model has.
    """
    resume_from = ckpt_path or (str(folder.last) if folder.last.is_file() else None)
    if resume_from:
        _check_checkpoint(trainer, module, resume_from)
    try:
        trainer.fit(module, datamodule=data, ckpt_path=resume_from)
    except (MisconfigurationException, ValueError) as error:
        if isinstance(error, ValueError) and "val_check_interval" not in str(error):
            raise
        raise UsageError("CONFIG-030", " ".join(str(error).split()), where="trainer") from error
    # From here a signal ends the process at once: the same command begins again at the last step.
    stop.can_wait = False


def check_rates(settings: Any) -> None:
    """Refuse rates that no optimiser takes.

    Args:
        settings: What stands below ``model``.

    Raises:
        UsageError: With the first that is impossible.
    """
    for name in ("lr", "weight_decay"):
        value = getattr(settings, name, None)
        if value is not None and not 0 <= value < math.inf:
            raise UsageError("CONFIG-003", f"expected a number of 0 or more, found {value}.", where=f"model.{name}")


def check_steps(settings: Any) -> None:
    """Refuse settings of the trainer that Lightning divides by, or compares when training has begun.

    Args:
        settings: What stands below ``trainer``.

    Raises:
        UsageError: With the first that is impossible.
    """
    lowest = {"accumulate_grad_batches": 1, "check_val_every_n_epoch": 1, "log_every_n_steps": 0}
    for name, low in lowest.items():
        value = getattr(settings, name, None)
        if value is not None and value < low:
            raise UsageError("CONFIG-003", f"must be at least {low}, found {value}.", where=f"trainer.{name}")
    interval = getattr(settings, "val_check_interval", None)
    if isinstance(interval, int | float) and not interval > 0:
        raise UsageError("CONFIG-003", f"must be more than 0, found {interval}.", where="trainer.val_check_interval")


def callbacks_of(trainer: pl.Trainer, kind: type[AnyCallback]) -> list[AnyCallback]:
    """Callbacks of a trainer that are of a kind; Lightning's hints do not know that it has any."""
    return [callback for callback in getattr(trainer, "callbacks", ()) if isinstance(callback, kind)]


def _check_checkpoint(trainer: pl.Trainer, module: GenomeModule, path: str) -> None:
    """What Lightning says of a checkpoint that does not fit is a traceback; so it is looked at before."""
    checkpoint = AtomicCheckpointIO().load_checkpoint(path, map_location="cpu")
    for callback in callbacks_of(trainer, ResumableCheckpoints):
        callback.check(checkpoint["genoformer"], trainer.world_size)
    check_weights(module, checkpoint["state_dict"], path)


def check_weights(module: GenomeModule, state: Mapping[str, Tensor], path: str) -> None:
    """Compare weights of a checkpoint with those of a model.

    Raises:
        DataError: With the first that differ, if names or shapes do.
    """
    mine, its = ({name: tuple(value.shape) for name, value in each.items()} for each in (module.state_dict(), state))
    if differing := [name for name in {**mine, **its} if mine.get(name) != its.get(name)]:
        message = (
            f"the weights do not fit the configuration: {', '.join(differing[:3])} have other sizes, or are not there."
        )
        raise DataError("CKPT-005", message, where=path, fix="Give the checkpoint of a run with this configuration.")


def load_weights(module: GenomeModule, path: str) -> None:
    """Give the model of a run the weights of a bundle.

    Raises:
        UsageError: If the two are built in different ways.
    """
    bundle = load_bundle(path)
    # The channels of a task without channels of its own are those of its bundle.
    if not module.is_built:
        module.build(bundle.config.labels, bundle.config.ontology)
    if bundle.config.encoder != module.bundle_config.encoder or bundle.config.labels != module.bundle_config.labels:
        raise UsageError(
            "CONFIG-012", f"the model in {path} is built otherwise than the configuration says.", where="--init_from",
            fix="Use the configuration that it was trained with.",
        )  # fmt: skip
    module.model.load_state_dict(bundle.model.state_dict())


@contextlib.contextmanager
def received_signals() -> Iterator[StopRequest]:
    """Receive SIGTERM and SIGINT as requests to stop training; the handlers of before come back afterwards.

    Raises:
        BusyError: If a loading process died.
        SystemExit: With 128 + signal number, if it died after a signal.
    """
    stop = StopRequest()
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    stop.install()
    try:
        with ENDING.armed():
            yield stop
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        if stop.is_made:
            stop.leave()
        raise BusyError(
            "TRAIN-002", "a loading process died.",
            fix="Run the same command again, or use --data.loader.num_workers 0.",
        ) from error  # fmt: skip
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def kept_said(folder: RunFolder, stop: StopRequest) -> Iterator[None]:
    """Whatever ends the run, say which of its steps are kept, unless a run inside has said so of its own."""
    try:
        yield
    except BaseException as error:
        if folder.last.is_file() and not getattr(error, "__notes__", None):
            step = "" if stop.kept_step is None else f" of step {stop.kept_step:,}"
            error.add_note(f"the checkpoint{step} is kept in {folder.path}, and the same command continues")
        raise


@contextlib.contextmanager
def loading_ended(trainer: pl.Trainer) -> Iterator[None]:
    """End the loading processes on every way out: those left over would keep Python from exiting."""
    try:
        yield
    finally:
        for loop in (trainer.fit_loop, trainer.validate_loop, trainer.test_loop):
            loop.teardown()


def quieten_lightning() -> None:
    """Keep warnings, drop tips and adverts."""
    for name in ("pytorch_lightning", "lightning_fabric", "pytorch_lightning.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=PossibleUserWarning)
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    # Its successor is younger than the oldest torch that is supported.
    warnings.filterwarnings("ignore", message=".*broadcast_buffers.*")
    warnings.filterwarnings("ignore", message=".*isinstance.treespec.*")
