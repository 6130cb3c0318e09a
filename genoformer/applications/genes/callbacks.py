"""Gene-structure models in training: scores of whole genes in validation."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytorch_lightning as pl

from genoformer.applications.genes.region_scores import score_regions
from genoformer.training.interface import data_of
from genoformer.training.module import GenomeModule
from genoformer.training.processes import model_precision, sum_over_processes


class GeneScores(pl.Callback):
    """Logs gene-level F1 of the validation regions."""

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking or not isinstance(pl_module, GenomeModule):
            return
        data: Any = data_of(trainer)
        plan = replace(pl_module.tile_plan, precision=model_precision(trainer))
        regions = data.regions["validation"][trainer.global_rank :: trainer.world_size]
        add_up = partial(sum_over_processes, trainer)
        scores = score_regions(pl_module.evaluated[0], data.tokenizer, plan, data.store, regions, add_up)
        for name, value in scores.items():
            pl_module.log(f"val/{name}", value, prog_bar=True)


def build_callbacks() -> list[pl.Callback]:
    """What happens in the training of gene models besides."""
    return [GeneScores()]
