"""The LightningModule: calls model, loss, optimiser and metrics; computes nothing itself."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor

from genoformer.batches.collate import Batch
from genoformer.bundle.folder import network_of
from genoformer.bundle.header import BundleConfig
from genoformer.errors import DivergedError, UsageError
from genoformer.nn.attention.interface import Kept
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import GenomeModel
from genoformer.nn.networks import Network
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.stream import TilePlan, refusals_explained
from genoformer.tasks.interface import BuildTask, Task
from genoformer.training.adapters import add_adapters
from genoformer.training.optimizer import build_optimizer
from genoformer.training.processes import gather_objects, gather_scores, mean_over_processes, sum_over_processes
from genoformer.training.sharded import gather, is_sharded, shard

Setting = bool | int | float | str | list[int | list[int]]
"""What a setting of the encoder or of its attention may be."""


class GenomeModule(pl.LightningModule):
    """A model, its task and how it is optimised. Every hyperparameter is a plain number, word or dict.

    Args:
        encoder: Fields of ``EncoderConfig`` except ``vocab_size`` and ``stride``, which follow from ``k`` and
            ``stride``; ``attention`` is a mapping of its name and settings, or the name alone.
        task: Name of the task.
        k: Bases per token, 1 to 8.
        stride: Bases that each token owns, 1 to ``k``.
        lr: Highest learning rate.
        weight_decay: Of the weight matrices of the layers; nothing else is decayed.
        warmup_steps: Steps from zero to the highest learning rate.
        max_steps: Steps of the whole run; the learning rate falls as a cosine to zero there.
        tile_bp: Bases kept of each tile in prediction; a multiple of ``stride``.
        context_bp: Bases read on each side of a tile and thrown away.
        genetic_code: NCBI number that the model assumes in prediction unless told otherwise.
        options: Settings of the task, for tasks that have some.
        freeze_layers: Embeddings and this many layers, counted from below, keep the weights that they start with; -1
            freezes the whole encoder.
        layer_decay: Factor on the learning rate for each layer below the top one.
        adapter_rank: Rank of low-rank adapters on the attention of every layer; with them the encoder itself is frozen.

    There is no task before ``begin``; one whose outputs follow from the labels has no network before ``build`` was
    called with their names.

    Raises:
        UsageError: If a value is out of range or unknown.
    """

    def __init__(
        self,
        encoder: dict[str, Setting | dict[str, Setting]],
        task: str,
        k: int = 6,
        stride: int = 3,
        lr: float = 1e-3,
        weight_decay: float = 0.01,
        warmup_steps: int = 100,
        max_steps: int = 1000,
        tile_bp: int = 24_576,
        context_bp: int = 1_536,
        genetic_code: int = 11,
        options: dict[str, bool | int | float | str] | None = None,
        freeze_layers: int = 0,
        layer_decay: float = 1.0,
        adapter_rank: int = 0,
    ) -> None:
        super().__init__()
        if stride < 1 or tile_bp % stride or tile_bp < 1 or context_bp < 0:
            raise UsageError(
                "CONFIG-022", f"tile_bp must be a positive multiple of stride = {stride}, found {tile_bp}.",
                where="model.tile_bp",
            )  # fmt: skip
        self.tokenizer, self.encoder_config = _build_config(encoder, k, stride)
        self.bundle_config = BundleConfig(
            task=task, head={}, encoder=self.encoder_config.to_dict(), k=k, stride=stride, tile_bp=tile_bp,
            context_bp=context_bp, genetic_code=genetic_code, options=options or {},
        )  # fmt: skip
        if freeze_layers < -1 or adapter_rank < 0 or not 0 < layer_decay <= 1:
            raise UsageError(
                "CONFIG-015", f"freeze_layers {freeze_layers}, layer_decay {layer_decay} or adapter_rank "
                f"{adapter_rank} is out of range.", where="model",
            )  # fmt: skip
        self.freeze_layers, self.layer_decay, self.adapter_rank = freeze_layers, layer_decay, adapter_rank
        self.lr, self.weight_decay, self.warmup_steps, self.max_steps = lr, weight_decay, warmup_steps, max_steps
        self.task: Task
        self.model: Network
        self.evaluated: list[Network]
        self.kept: tuple[Kept, ...] | None = None
        self.kept_in_evaluation: tuple[Kept, ...] | None = None

    @property
    def tile_plan(self) -> TilePlan:
        """How prediction cuts sequence into tiles."""
        return TilePlan(self.bundle_config.tile_bp, self.bundle_config.context_bp)

    @property
    def is_built(self) -> bool:
        """Whether there is a network: not before ``begin``, nor while outputs still have to follow from the labels."""
        return bool(self.bundle_config.labels)

    def begin(self, build_task: BuildTask) -> None:
        """Take up the task, and make the network if its outputs do not follow from the labels; seed torch before.

        Args:
            build_task: Of the task that the configuration names.

        Raises:
            UsageError: If a setting of the task is unknown or out of range.
        """
        self._build_task = build_task
        self.task = self._task_with((), None)
        if self.task.channels:
            self.build(self.task.channels)

    def build(self, channels: Sequence[str], ontology: dict | None = None) -> None:
        """Make the network, with random weights; seed torch before.

        Args:
            channels: Names of the outputs.
            ontology: What they imply.
        """
        self.task = self._task_with(channels, ontology)
        self.bundle_config = replace(
            self.bundle_config, labels=list(channels), ontology=ontology or {}, head=self.task.head
        )
        try:
            self.model = network_of(self.bundle_config, self.task.initial_logits)
        except ValueError as error:
            raise UsageError("CONFIG-007", f"{error}", where="model") from error
        self.scores = self.task.build_scores()

    def _task_with(self, channels: Sequence[str], ontology: dict | None) -> Task:
        try:
            return self._build_task(channels, self.bundle_config.options, ontology)
        except (ValueError, TypeError) as error:
            raise UsageError("CONFIG-014", f"{error}", where="model.options") from error

    def configure_model(self) -> None:
        """Divide the network among processes, where the strategy is one that does.

        Raises:
            UsageError: If its layers are reversible: they need all of their weights in the backward pass.
        """
        if self.device_mesh is not None and not is_sharded(self.model):
            if self.model.encoder.config.reversible is not None:
                name = self.model.encoder.config.attention.name
                raise UsageError(
                    "CONFIG-017", f"the weights of attention {name} cannot be divided among processes.",
                    where="trainer.strategy", fix="Use --config ddp.",
                )  # fmt: skip
            shard(self.model, self.device_mesh["data_parallel"])

    def whole_network(self) -> Network:
        """The network with all of its weights, for evaluation; every process must call it."""
        if not is_sharded(self.model):
            return self.model
        with torch.random.fork_rng(devices=[]):
            plain = network_of(self.bundle_config)
            if self.adapter_rank:
                add_adapters(plain.encoder, self.adapter_rank)
        return gather(self.model, plain.to(self.device)).eval()

    def forward(self, batch: Batch) -> Tensor:
        """Logits of a batch: [B, L, C] per base, [B, C] per sequence, or [B, T, T] per pair of tokens."""
        return self._outputs(self.model, batch)

    @staticmethod
    def _outputs(network: torch.nn.Module, batch: Batch) -> Tensor:
        optional = {name: batch[name] for name in ("global_mask", "base_codes", "pair_features") if name in batch}
        with refusals_explained():
            return network(batch["token_ids"], valid_mask=batch["valid_mask"], **optional)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Loss of one batch; a loss that is not finite ends training before it reaches the weights."""
        logits = self.read_on(batch) if "continues" in batch else self(batch)
        loss, weight = self.task.loss(logits, batch["labels"]), self.task.loss_weight(batch["labels"])
        shown, loss = mean_over_processes(self.trainer, loss, weight)
        if not torch.isfinite(shown):
            raise diverged(self.trainer.global_step)
        self.log("train/loss", shown, prog_bar=True)
        self.log("lr", self.trainer.optimizers[0].param_groups[0]["lr"])
        return loss

    def read_on(self, batch: Batch) -> Tensor:
        """Logits of crops of which some continue those of the step before; what layers keep is for the step behind."""
        logits, self.kept = _read_on(self.model, batch, self.kept)
        return logits

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """What layers keep from step to step, of every process."""
        if self.kept is not None:
            checkpoint["kept"] = gather_objects(self.trainer, self.kept)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Continue with what the layers of this process kept."""
        if "kept" in checkpoint:
            mine = checkpoint["kept"][self.trainer.global_rank]
            self.kept = tuple(tuple(part.to(self.device) for part in of_layer) for of_layer in mine)

    def on_validation_epoch_start(self) -> None:
        self._begin_scores()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch)

    def on_validation_epoch_end(self) -> None:
        self._log_scores("val")

    def on_validation_end(self) -> None:
        self.evaluated, self.kept_in_evaluation = [], None

    def on_test_epoch_start(self) -> None:
        self._begin_scores()

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch)

    def on_test_epoch_end(self) -> None:
        self._log_scores("test")

    def _begin_scores(self) -> None:
        self.scores = self.task.build_scores()
        self.losses = np.zeros(2)  # sum and weight
        self.kept_in_evaluation = None
        # In a list, as it shall not become a part of this module.
        self.evaluated = [self.whole_network()]

    def _evaluate(self, batch: Batch) -> None:
        if "continues" in batch:
            logits, self.kept_in_evaluation = _read_on(self.evaluated[0], batch, self.kept_in_evaluation)
        else:
            logits = self._outputs(self.evaluated[0], batch)
        weight = float(self.task.loss_weight(batch["labels"]))
        self.losses += float(self.task.loss(logits, batch["labels"])) * weight, weight
        self.scores.update(logits, batch["labels"])

    def _log_scores(self, part: str) -> None:
        total, weight = sum_over_processes(self.trainer, self.losses)
        self.log(f"{part}/loss", float(total / max(weight, 1.0)), prog_bar=True)
        self.scores = gather_scores(self.trainer, self.scores)
        for name, value in self.scores.compute().items():
            self.log(f"{part}/{name}", value)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Muon and AdamW with linear warm-up and cosine decay, counted in steps of the configuration."""
        optimizer = build_optimizer(
            self.model, lr=self.lr, weight_decay=self.weight_decay, layer_decay=self.layer_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.lr_factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def lr_factor(self, step: int) -> float:
        """Share of ``lr`` at ``step``, counted from 0."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        progress = (step - self.warmup_steps) / max(1, self.max_steps - self.warmup_steps)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def _read_on(network: Network, batch: Batch, kept: tuple[Kept, ...] | None) -> tuple[Tensor, tuple[Kept, ...]]:
    """Logits of a batch whose rows go on where they ended or begin anew, and what its layers keep."""
    if kept is not None:
        kept = network.encoder.begin_anew(kept, batch["continues"])
    with refusals_explained():
        return cast(GenomeModel, network).read_stretch(
            batch["token_ids"], kept=kept, valid_mask=batch["valid_mask"], base_codes=batch.get("base_codes")
        )


def module_of(pl_module: pl.LightningModule) -> GenomeModule:
    """The module that Lightning calls a callback for.

    Raises:
        TypeError: If it is another kind of module.
    """
    if not isinstance(pl_module, GenomeModule):
        raise TypeError(f"expected a GenomeModule, found a {type(pl_module).__name__}.")
    return pl_module


def diverged(step: int) -> DivergedError:
    """The error that ends a run whose numbers are no longer finite."""
    return DivergedError(
        "TRAIN-001", f"the loss or a weight is not finite at step {step}.",
        fix="Lower model.lr or raise model.warmup_steps; the last good checkpoint was kept.",
    )  # fmt: skip


def _build_config(encoder: dict, k: int, stride: int) -> tuple[KmerTokenizer, EncoderConfig]:
    if taken := {"vocab_size", "stride"} & set(encoder):
        raise UsageError(
            "CONFIG-006", f"{', '.join(sorted(taken))} follows from model.k and model.stride.", where="model.encoder",
            fix="Leave it out.",
        )  # fmt: skip
    try:
        tokenizer = KmerTokenizer(k=k, stride=stride)
        return tokenizer, EncoderConfig.from_dict({**encoder, "vocab_size": tokenizer.vocab_size, "stride": stride})
    except (ValueError, TypeError) as error:
        raise UsageError("CONFIG-007", f"{error}", where="model") from error
