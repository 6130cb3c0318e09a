"""Gene-structure models in training: scores of whole genes in validation."""

from functools import partial

import pytorch_lightning as pl

from genoformer.applications.genes.region_scores import score_regions
from genoformer.stream import TilePlan
from genoformer.training.processes import model_precision, sum_over_processes


class GeneScores(pl.Callback):
    """Logs gene-level F1 of the validation regions."""

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        config, data = pl_module.bundle_config, trainer.datamodule
        plan = TilePlan(config.tile_bp, config.context_bp, precision=model_precision(trainer))
        regions = data.regions["validation"][trainer.global_rank :: trainer.world_size]
        add_up = partial(sum_over_processes, trainer)
        scores = score_regions(pl_module.evaluated[0], data.tokenizer, plan, data.store, regions, add_up)
        for name, value in scores.items():
            pl_module.log(f"val/{name}", value, prog_bar=True)


def build_callbacks() -> list[pl.Callback]:
    """What happens in the training of gene models besides."""
    return [GeneScores()]
