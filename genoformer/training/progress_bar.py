"""How far training is: one bar over the whole run, with the loss and the scores of the task."""

import time
from collections.abc import Callable, Sequence

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ProgressBar

from genoformer.training.module import module_of
from genoformer.training.progress import Display, Silence, Stage
from genoformer.training.shown_scores import PREFIX, said, shown_scores

NOTE_EVERY_S = 0.2
"""Reading the loss waits for the device."""
MAX_SHOWN = 2


class RunProgress(ProgressBar):
    """Shows the steps of a run, with those before an interruption, and each validation.

    Args:
        display: Where.
        scores: Validation scores of the task, best first, without prefix; the first ones stand beside the loss.
        clock: Seconds that never go back.
        what: What the training is called.
    """

    def __init__(
        self, display: Display, scores: Sequence[str] = (), clock: Callable[[], float] = time.monotonic,
        what: str = "training",
    ) -> None:  # fmt: skip
        super().__init__()
        self.display, self.scores, self.clock, self.what = display, tuple(scores), clock, what
        self._training: Stage | None = None
        self._evaluation: Stage | None = None
        self._n, self._begin, self._noted, self._val = 0, 0, 0.0, ""

    def disable(self) -> None:
        """Show nothing, as the processes do that are not the first one."""
        self.display = Silence()

    def enable(self) -> None:
        """Nothing: what is shown was decided when this was made."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._n = self._begin = trainer.global_step
        self._training = self.display.open(self.what, total_steps(trainer), "step", self._n)

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch, batch_idx: int) -> None:
        # Here, not before: loading processes are forked by then, and the clock that ticks is a thread.
        if self._training is not None and self._n == self._begin:
            self._training.wait()

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module, outputs, batch, batch_idx: int) -> None:
        if self._training is None or trainer.global_step == self._n:
            return
        is_first = self._n == self._begin
        if is_first or self.clock() - self._noted >= NOTE_EVERY_S:
            self._note(trainer)
        self._training.advance(trainer.global_step - self._n)
        self._n = trainer.global_step
        if is_first:
            self._training.show()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._open(trainer.num_val_batches)

    def on_validation_batch_end(self, trainer: pl.Trainer, *ignored) -> None:
        self._advance()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._close_evaluation()
        if self._training is not None:
            metrics = {name: float(value) for name, value in trainer.callback_metrics.items() if PREFIX in name}
            shown = shown_scores(metrics, ["loss", *self.scores], module_of(pl_module).task.channels)
            shown["loss"] = metrics.get(f"{PREFIX}loss")  # says something from the begin
            self._val = ", ".join(f"val/{name} {said(shown[name])}" for name in list(shown)[: 1 + MAX_SHOWN])
            self._note(trainer)

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._open(trainer.num_test_batches)

    def on_test_batch_end(self, trainer: pl.Trainer, *ignored) -> None:
        self._advance()

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._close_evaluation()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._close(is_done=True)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._close(is_done=False)

    def _note(self, trainer: pl.Trainer) -> None:
        self._noted = self.clock()
        loss = trainer.callback_metrics.get("train/loss")
        parts = [f"loss {said(float(loss))}"] if loss is not None else []
        if self._training is not None:
            self._training.note(", ".join([*parts, *filter(None, [self._val])]))

    def _open(self, n_batches: Sequence[int | float]) -> None:
        n = sum(n_batches)
        self._evaluation = self.display.open("scoring", int(n) if n < float("inf") else None, "batch")

    def _advance(self) -> None:
        if self._evaluation is not None:
            self._evaluation.advance()

    def _close_evaluation(self) -> None:
        if self._evaluation is not None:
            self._evaluation.close()
            self._evaluation = None

    def _close(self, *, is_done: bool) -> None:
        self._close_evaluation()
        if self._training is not None:
            if is_done:
                self._training.show()
            self._training.close()
            self._training = None


def total_steps(trainer: pl.Trainer) -> int:
    """Steps of the whole run, as far as the trainer's limits say."""
    limits = [trainer.max_steps] if trainer.max_steps > 0 else []
    if trainer.max_epochs is not None and trainer.max_epochs > 0 and trainer.num_training_batches < float("inf"):
        limits.append(trainer.max_epochs * -(-int(trainer.num_training_batches) // trainer.accumulate_grad_batches))
    return min(limits)
