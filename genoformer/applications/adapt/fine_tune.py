"""Some more steps for the weights of a bundle: the wiring of ``fit``, with settings that follow from the model.

The learning rate is low and the steps are few, so that the model keeps what it knows. A tenth of every contig is held
out and never trained on.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytorch_lightning as pl
import torch

from genoformer.applications.genes.data import GenomeData
from genoformer.bundle.folder import Bundle, load_bundle, model_device
from genoformer.errors import DataError, UsageError
from genoformer.files import MANIFEST_NAME, verify_manifest
from genoformer.files.sealed import unseal
from genoformer.tasks.interface import BuildTask
from genoformer.training.metrics_log import MetricsLog
from genoformer.training.module import GenomeModule
from genoformer.training.random_state import get_random_state, set_random_state
from genoformer.training.run_folder import RunFolder
from genoformer.training.settings import Loader, ModelReading, RegionSplit
from genoformer.training.train import (
    TRAINER_DEFAULTS,
    loading_ended,
    quieten_lightning,
    received_signals,
    run_callbacks,
    run_plugins,
    train,
)

CROP_BP = 6144
BATCH_SIZE = 4
HELD_OUT = 0.1
GUARD_BP = 2_000
"""Between what is trained on and what is held out: longer than nine of ten bacterial genes, and short enough for the
contigs of a draft assembly."""
WARMUP_STEPS = 20
CHECKPOINT_STEPS = 100


@dataclass(frozen=True)
class FineTuning:
    """How a bundle is trained further; everything here changes the result.

    Attributes:
        steps: Optimiser steps of ``BATCH_SIZE`` crops; one validation at the end.
        lr: Highest learning rate.
        seed: Decides held-out regions and crops.
        precision: "bfloat16" or "float32".
        genetic_code: NCBI number that the new bundle assumes in prediction.
    """

    steps: int
    lr: float
    seed: int
    precision: str
    genetic_code: int


def fine_tuning_data(bundle: Bundle, store: Path, settings: FineTuning) -> GenomeData:
    """Crops and held-out tiles of a store, divided; nothing is read that cannot be trained on.

    Raises:
        DataError: If the store is too short to hold anything out.
    """
    config = bundle.config
    data = GenomeData(
        store=str(store),
        # No longer than what the model reads in prediction, which learned positions may limit.
        crop_bp=min(CROP_BP, config.tile_bp + 2 * config.context_bp),
        split=RegionSplit(by="region", validation=HELD_OUT, guard_bp=GUARD_BP),
        loader=Loader(batch_size=BATCH_SIZE, samples_per_epoch=settings.steps * BATCH_SIZE),
    )
    reading = ModelReading.of(task=config.task, k=config.k, stride=config.stride, encoder=config.encoder)
    data.bind(reading, seed=settings.seed)
    try:
        data.setup()
    except UsageError as error:
        n_bases = sum(record.length for record in data.store.records)
        raise DataError(
            "ADAPT-002", f"{n_bases:,} bp are too little: a tenth cannot be held out with {GUARD_BP} bp around it.",
            fix="Adapt to a larger input, or use the model as it is.",
        ) from error  # fmt: skip
    return data


def fine_tune(
    bundle: Bundle,
    build_task: BuildTask,
    data: GenomeData,
    folder: Path,
    settings: FineTuning,
    *,
    digest: str,
    on_step: Callable[[int], None] = lambda n: None,
) -> Bundle:
    """Train a bundle further; the same call continues an interrupted one.

    Args:
        bundle: Whose weights to begin with; it is left as it is.
        build_task: Of its task.
        data: From ``fine_tuning_data``.
        folder: Of the run; what another run left there is replaced.
        settings: How.
        digest: Of everything that the result depends on.
        on_step: Called with the number of steps that were done since the last call.

    Returns:
        The trained bundle, without decoder.

    Raises:
        DivergedError: If the loss is not finite.
        SystemExit: With 128 + signal number, after a checkpoint was written.
    """
    run, digests = RunFolder(folder), {"key": digest}
    _keep_intact(run)
    if run.is_finished(digests, overwrite=True):
        on_step(settings.steps)
        return load_bundle(run.model)
    run.write_state(digests, finished=False)
    quieten_lightning()
    with _own_random_state(settings.seed), received_signals() as stop:
        module = _build_module(bundle, build_task, settings)
        callbacks = [
            *run_callbacks(run.path, stop, config_digest=digest, every_n_steps=CHECKPOINT_STEPS),
            Steps(on_step),
        ]
        trainer = _build_trainer(bundle, run, settings, callbacks)
        with loading_ended(trainer):
            train(trainer, module, data, run, stop)
        run.write_state(digests, finished=True)
        if stop.is_made:
            stop.leave()
        return load_bundle(run.model)


def _keep_intact(run: RunFolder) -> None:
    """Begin again where an interrupted run has left a checkpoint or a model that was damaged."""
    if (run.model / MANIFEST_NAME).exists():
        try:
            verify_manifest(run.model)
        except DataError:
            (run.model / MANIFEST_NAME).unlink()
    for path in (run.last, run.best):
        try:
            if path.exists():
                unseal(path.read_bytes())
        except ValueError:
            for each in (run.last, run.best):
                each.unlink(missing_ok=True)
            return


class Steps(pl.Callback):
    """Tells how many steps were done, those of an interrupted run at once.

    Args:
        on_step: Called with the number of steps since the last call.
    """

    def __init__(self, on_step: Callable[[int], None]) -> None:
        self.on_step = on_step

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.on_step(trainer.global_step)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module, outputs, batch, batch_idx: int) -> None:
        self.on_step(1)


def _build_module(bundle: Bundle, build_task: BuildTask, settings: FineTuning) -> GenomeModule:
    """A module with a copy of the bundle's weights."""
    config = bundle.config
    module = GenomeModule(
        encoder={name: value for name, value in config.encoder.items() if name not in ("vocab_size", "stride")},
        k=config.k,
        stride=config.stride,
        task=config.task,
        lr=settings.lr,
        warmup_steps=min(WARMUP_STEPS, settings.steps),
        max_steps=settings.steps,
        tile_bp=config.tile_bp,
        context_bp=config.context_bp,
        genetic_code=settings.genetic_code,
        options=config.options,
    )
    module.begin(build_task)
    if module.bundle_config.labels != config.labels:
        raise DataError(
            "ADAPT-003", f"the model has the outputs {', '.join(config.labels)}, not those that are trained "
            f"({', '.join(module.bundle_config.labels)}).", where=bundle.name, fix="Train a model with this version."
        )  # fmt: skip
    module.model.load_state_dict({name: tensor.cpu() for name, tensor in bundle.model.state_dict().items()})
    return module


def _build_trainer(bundle: Bundle, run: RunFolder, settings: FineTuning, callbacks: list) -> pl.Trainer:
    is_cpu = model_device(bundle.model).type == "cpu"
    return pl.Trainer(
        accelerator="cpu" if is_cpu else "gpu",
        devices=1,
        precision="bf16-mixed" if settings.precision == "bfloat16" else "32-true",
        max_steps=settings.steps,
        log_every_n_steps=10,
        enable_progress_bar=False,
        callbacks=callbacks,
        plugins=run_plugins(),
        logger=MetricsLog(run.metrics),
        default_root_dir=str(run.path),
        **TRAINER_DEFAULTS,
    )


@contextlib.contextmanager
def _own_random_state(seed: int) -> Iterator[None]:
    """Training draws from the global generators, and makes torch deterministic: neither is left changed."""
    state, is_deterministic = get_random_state(), torch.are_deterministic_algorithms_enabled()
    torch.manual_seed(seed)
    try:
        yield
    finally:
        set_random_state(state)
        torch.use_deterministic_algorithms(is_deterministic)
