"""Loggers beside ``metrics.csv``: TensorBoard, W&B and others of Lightning, if a configuration names them."""

import contextlib
from collections.abc import Iterator
from typing import Any

from pytorch_lightning.loggers import Logger

from genoformer.errors import UsageError
from genoformer.training.metrics_log import MetricsLog

WHERE = "trainer.logger"
PACKAGES = ("wandb", "tensorboard", "mlflow", "comet")
"""What loggers need."""


def run_loggers(own: MetricsLog, wanted: Any) -> list[Logger]:
    """Our own log first, then what was asked for.

    Args:
        own: Writes ``metrics.csv``.
        wanted: Setting ``trainer.logger``: a logger, several, or a word that means none of them.
    """
    others = wanted if isinstance(wanted, list | tuple) else [wanted]
    return [own, *(other for other in others if isinstance(other, Logger))]


@contextlib.contextmanager
def missing_package_named() -> Iterator[None]:
    """A logger whose package is not there is an error that names it.

    Raises:
        UsageError: If there is such a logger.
    """
    try:
        yield
    except (ModuleNotFoundError, ValueError) as error:
        package = missing_package(error)
        if package is None:
            raise
        raise UsageError(
            "CURVES-003", f"this logger needs the package {package}, which is not installed.", where=WHERE,
            fix=f"Install it: pip install {package}. Curves are in metrics.csv and report.html, too.",
        ) from error  # fmt: skip


def missing_package(error: BaseException | None) -> str | None:
    """The package of a logger that an error, or one before it, is about; None where there is none."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError):
            return next((package for package in PACKAGES if package in str(error).lower()), None)
        error = error.__cause__ or error.__context__
    return None
