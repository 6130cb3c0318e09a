"""Networks that leave a group of genomes out, each trained as the run's own network is, on all the other groups.

What follows a network is fitted to what these say of genomes that they have not seen (``finish.FitAcross``). A fold is
a run in a folder of its own, on the store of the run: it continues where it was, and is not repeated.
"""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytorch_lightning as pl

from genoformer.errors import UsageError
from genoformer.genomes.splits import uncovered
from genoformer.training.finish import Finish, Fold
from genoformer.training.interface import TrainingData
from genoformer.training.module import GenomeModule
from genoformer.training.run_folder import FOLDS, MODEL, PASSES, RunFolder
from genoformer.training.settings import Folds
from genoformer.training.signals import StopRequest
from genoformer.training.store_data import StoreData
from genoformer.training.train import kept_said, loading_ended, train

LEAST_GROUPS = 3
"""With two, each network would know a single group, and with one nothing."""
LEAST_STEPS, DEFAULT_SHARE = 100, 3
"""Of a network that leaves a group out: so many, and one in so many of the run's."""
PLAIN_NAME = re.compile(r"\w[\w.+ -]{0,63}", re.ASCII)


@dataclass(frozen=True)
class InnerRun:
    """What trains a network that leaves a group out.

    Attributes:
        trainer: With the callbacks of a run.
        module: With the weights that it starts from.
        data: Without the group, set up.
    """

    trainer: pl.Trainer
    module: GenomeModule
    data: pl.LightningDataModule


def check_folds(data: TrainingData, finish: Finish | None) -> None:
    """Refuse folds that were asked for where there can be none, before a folder is made.

    Args:
        data: Has looked at its input, see ``TrainingData.input_digest``.
        finish: How the models of the task are finished.

    Raises:
        UsageError: If the task does not fit across genomes, the table has too few groups, or not those that are named.
    """
    if not isinstance(data, StoreData) or not _are_asked_for(data):
        return
    if finish is None or finish.across is None:
        message = "this task has nothing that is fitted across genomes."
        raise UsageError("CONFIG-016", message, where="data.folds", fix="Leave it out.")
    groups = _genomes_by_group(data)
    if len(groups) < LEAST_GROUPS:
        raise UsageError(
            "GENOMES-009", f"leaving groups out needs a table of {LEAST_GROUPS} groups or more, found {len(groups)}.",
            where="data.folds", fix="Give --data.genomes a table with more in column group, or leave folds out.",
        )  # fmt: skip
    if unknown := [name for name in data.folds.groups or () if name not in groups]:
        raise UsageError(
            "GENOMES-010", f'there is no group "{unknown[0]}"; there are {", ".join(groups)}.',
            where="data.folds.groups",
        )  # fmt: skip


def plan_folds(data: TrainingData, finish: Finish | None, run: Path, max_steps: int, *, is_fresh: bool) -> list[Fold]:
    """The groups that networks leave out in turn, in the order of the table.

    Args:
        data: Set up; ``check_folds`` has nothing against it.
        finish: How the models of the task are finished.
        run: Folder of the run.
        max_steps: Of the run's own network.
        is_fresh: Training starts from random weights; else nobody knows which genomes they have seen, and there are
            folds only if they are asked for.

    Raises:
        UsageError: If nothing is left to train on without a group that is named, or nothing of it can be fitted to;
            such a group that is not named is no fold.
    """
    if not isinstance(data, StoreData) or data.folds.steps == 0 or finish is None or finish.across is None:
        return []
    groups = _genomes_by_group(data)
    trained = {name for name, genomes in groups.items() if _has_regions(data, "train", genomes)}
    if not _are_asked_for(data) and not (is_fresh and len(trained) >= LEAST_GROUPS):
        return []
    steps = data.folds.steps or max(LEAST_STEPS, max_steps // DEFAULT_SHARE)
    folds = []
    for name in (name for name in groups if name in (data.folds.groups or groups)):
        fitted, folder = _fitted_genomes(data, groups[name]), run / FOLDS / _folder_name(name)
        if fitted and trained - {name}:
            paths = (folder, folder / MODEL, folder / PASSES)
            folds.append(Fold(name, groups[name], fitted, steps, *paths))
        elif data.folds.groups:
            raise UsageError(
                "GENOMES-011", f'the group "{name}" has no genome to fit to, or all that is trained on.',
                where="data.folds.groups", fix="Name other groups.",
            )  # fmt: skip
    return folds


def train_folds(
    folds: Sequence[Fold], build: Callable[[Fold], InnerRun], digests: Mapping[str, str], stop: StopRequest, *,
    is_first: bool,
) -> None:  # fmt: skip
    """Train the network of each fold that is not trained yet, or continue it.

    Args:
        folds: From ``plan_folds``.
        build: Makes what trains the network of one of them.
        digests: Of configuration and input of the run.
        stop: Signals.
        is_first: This process owns the folder of the run.

    Raises:
        SystemExit: With 128 + signal number, after a checkpoint was written.
        DivergedError: If a loss is not finite.
    """
    kept_step = stop.kept_step
    for fold in folds:
        if stop.is_made:
            stop.leave()
        run, own = RunFolder(fold.folder), {**digests, "left_out": fold.group, "steps": f"{fold.steps}"}
        if not (run.is_finished(own, overwrite=True) if is_first else run.is_finished_as(own)):
            stop.kept_step = None
            if is_first:
                run.write_state(own, finished=False)
            inner = build(fold)
            with loading_ended(inner.trainer), kept_said(run, stop):
                train(inner.trainer, inner.module, inner.data, run, stop)
            if is_first:
                run.write_state(own, finished=True)
        if is_first:
            _keep_the_model(run)
    stop.kept_step = kept_step


def _keep_the_model(run: RunFolder) -> None:
    """Remove what a finished fold needs no more."""
    shutil.rmtree(run.checkpoints, ignore_errors=True)
    run.metrics.unlink(missing_ok=True)


def _are_asked_for(data: StoreData) -> bool:
    return data.folds.steps != 0 and data.folds != Folds()


def _genomes_by_group(data: StoreData) -> dict[str, tuple[str, ...]]:
    """Names of genomes by what they are left out with, in the order of the table; nothing where it has no groups."""
    groups: dict[str, tuple[str, ...]] = {}
    for genome in data.table:
        if genome.left_out_with is not None:
            groups[genome.left_out_with] = (*groups.get(genome.left_out_with, ()), genome.files.name)
    return groups


def _has_regions(data: StoreData, part: str, genomes: Sequence[str]) -> bool:
    return any(data.store.records[region.record].genome in genomes for region in data.parts[part])


def _fitted_genomes(data: StoreData, genomes: Sequence[str]) -> tuple[str, ...]:
    """Genomes that count and are not all test."""
    weightless = {genome.files.name for genome in data.table if genome.weight == 0}
    open_ = {r.genome for r in data.store.records if uncovered(r.index, r.length, data.parts["test"])}
    return tuple(name for name in genomes if name in open_ - weightless)


def _folder_name(group: str) -> str:
    """The name of a group where it can be that of a folder anywhere, else a digest of it."""
    return group if PLAIN_NAME.fullmatch(group) else sha256(group.encode()).hexdigest()[:16]
