"""Networks that leave a group of genomes out, from the configuration of the run that they belong to."""

import sys
from typing import Any

from genoformer.applications import Application
from genoformer.training.finish import Finish, Fold
from genoformer.training.folds import InnerRun, plan_folds, train_folds
from genoformer.training.run_folder import RunFolder
from genoformer.training.start import build_for, freeze, start_from


def folds_of(cli: Any, folder: RunFolder) -> list[Fold]:
    """The folds of a run whose data is set up; UsageError if there cannot be those that are asked for."""
    is_fresh = not cli.config.init_from
    return plan_folds(cli.datamodule, finish_of(cli.application), folder.path, cli.model.max_steps, is_fresh=is_fresh)


def finish_of(application: Application) -> Finish | None:
    """How the models of a task are finished."""
    return application.finish.load() if application.finish else None


def train_networks(cli: Any, folder: RunFolder, digests: dict[str, str]) -> list[Fold]:
    """Train what leaves groups out, as far as it is not there yet.

    Args:
        cli: The run, trained.
        folder: Its folder.
        digests: Of its configuration and input.

    Returns:
        The folds, their networks trained.
    """
    folds = folds_of(cli, folder)

    def build(fold: Fold) -> InnerRun:
        if cli.trainer.is_global_zero:
            print(f"genoformer: {described(fold, folds)}", file=sys.stderr, flush=True)
        data = cli.datamodule.without(fold.left_out)
        inner = cli.inner(fold, validates=bool(data.parts["validation"]))
        build_for(inner.model, data)
        if cli.config.init_from:
            start_from(inner.model, cli.config.init_from)
        freeze(inner.model)
        return InnerRun(inner.trainer, inner.model, data)

    train_folds(folds, build, digests, cli.stop, is_first=cli.trainer.is_global_zero)
    return folds


def described(fold: Fold, folds: list[Fold]) -> str:
    """What a fold is, in a line."""
    return (
        f"fold {folds.index(fold) + 1} of {len(folds)}: {fold.steps:,} steps without {fold.group} "
        f"({', '.join(fold.left_out)})"
    )
