"""The LightningModule: calls model, loss, optimiser and metrics; computes nothing itself."""

import math

import pytorch_lightning as pl
import torch
from torch import Tensor

from genoformer.batches.collate import Batch
from genoformer.bundle import BundleConfig
from genoformer.errors import DivergedError, UsageError
from genoformer.metrics import BaseScores
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import build_model
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.tasks import TASKS
from genoformer.training.optimizer import build_optimizer

LOGGED_SCORES = ("f1", "mcc", "auprc")


class GenomeModule(pl.LightningModule):
    """A model, its task and how it is optimised. Every hyperparameter is a plain number, word or dict.

    Args:
        encoder: Fields of ``EncoderConfig`` except ``vocab_size`` and ``stride``, which follow from ``k`` and
            ``stride``.
        k: Bases per token, 1 to 8.
        stride: Bases that each token owns, 1 to ``k``.
        task: Name of the task.
        lr: Highest learning rate.
        weight_decay: Of the weight matrices of the layers; nothing else is decayed.
        warmup_steps: Steps from zero to the highest learning rate.
        max_steps: Steps of the whole run; the learning rate falls as a cosine to zero there.
        tile_bp: Bases kept of each tile in prediction; a multiple of ``stride``.
        context_bp: Bases read on each side of a tile and thrown away.
        genetic_code: NCBI number that the model assumes in prediction unless told otherwise.

    Raises:
        UsageError: If a value is out of range or unknown.
    """

    def __init__(
        self,
        encoder: dict[str, bool | int | float | str | list[int]],
        k: int = 6,
        stride: int = 3,
        task: str = "gene_structure",
        lr: float = 1e-3,
        weight_decay: float = 0.01,
        warmup_steps: int = 100,
        max_steps: int = 1000,
        tile_bp: int = 24_576,
        context_bp: int = 1_536,
        genetic_code: int = 11,
    ) -> None:
        super().__init__()
        if task not in TASKS:
            raise UsageError("CONFIG-004", f'expected one of {", ".join(TASKS)}, found "{task}".', where="model.task")
        if tile_bp % stride or tile_bp < 1 or context_bp < 0:
            raise UsageError(
                "CONFIG-005", f"tile_bp must be a positive multiple of stride = {stride}, found {tile_bp}.",
                where="model.tile_bp",
            )  # fmt: skip
        self.task = TASKS[task]
        self.tokenizer, self.encoder_config = _build_config(encoder, k, stride)
        self.bundle_config = BundleConfig(
            task=task, encoder=self.encoder_config.to_dict(), k=k, stride=stride, tile_bp=tile_bp,
            context_bp=context_bp, genetic_code=genetic_code, channels=list(self.task.channels),
        )  # fmt: skip
        self.lr, self.weight_decay, self.warmup_steps, self.max_steps = lr, weight_decay, warmup_steps, max_steps
        self.model = build_model(self.encoder_config, len(self.task.channels), self.task.initial_logits)
        self.scores = BaseScores(self.task.channels)

    def forward(self, batch: Batch) -> Tensor:
        """Logits [B, L, C] of a batch of ``collate_crops``."""
        return self.model(batch["token_ids"], valid_mask=batch["valid_mask"], global_mask=batch.get("global_mask"))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Loss of one batch; a loss that is not finite ends training before it reaches the weights."""
        loss = self.task.loss(self(batch), batch["labels"])
        if not torch.isfinite(loss):
            raise diverged(self.trainer.global_step)
        self.log("train/loss", loss, prog_bar=True)
        self.log("lr", self.trainer.optimizers[0].param_groups[0]["lr"])
        return loss

    def on_validation_epoch_start(self) -> None:
        self.scores = BaseScores(self.task.channels)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "val")

    def on_validation_epoch_end(self) -> None:
        self._log_scores("val")

    def on_test_epoch_start(self) -> None:
        self.scores = BaseScores(self.task.channels)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "test")

    def on_test_epoch_end(self) -> None:
        self._log_scores("test")

    def _evaluate(self, batch: Batch, part: str) -> None:
        logits = self(batch)
        loss = self.task.loss(logits, batch["labels"])
        self.log(f"{part}/loss", loss, batch_size=len(logits), prog_bar=True)
        targets, weights = self.task.unpack_labels(batch["labels"])
        arrays = (tensor.float().cpu().numpy() for tensor in (self.task.log_odds(logits), targets, weights.ne(0)))
        scores, targets, counted = arrays
        self.scores.update(scores, targets, counted, from_logits=True)

    def _log_scores(self, part: str) -> None:
        for name, scores in self.scores.compute().items():
            for score in LOGGED_SCORES:
                self.log(f"{part}/{name}_{score}", scores[score])

    def configure_optimizers(self) -> dict:
        """Muon and AdamW with linear warm-up and cosine decay, counted in steps of the configuration."""
        optimizer = build_optimizer(self.model, lr=self.lr, weight_decay=self.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.lr_factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def lr_factor(self, step: int) -> float:
        """Share of ``lr`` at ``step``, counted from 0."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        progress = (step - self.warmup_steps) / max(1, self.max_steps - self.warmup_steps)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


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
