"""Gene-structure models in training: scores of whole genes in validation, and the decoder at the end."""

from functools import partial

import pytorch_lightning as pl

from genoformer.applications.genes.calibrate import evidence_at_home, fit_decoder, read_held
from genoformer.applications.genes.data import GenomeData
from genoformer.applications.genes.region_scores import score_regions
from genoformer.applications.introns.calibrate import fit_intron_decoder
from genoformer.bundle import Bundle
from genoformer.stream import TilePlan
from genoformer.training.processes import sum_over_processes

TASK = "gene_structure"


class GeneScores(pl.Callback):
    """Logs gene-level F1 of the validation regions."""

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if pl_module.task.name != TASK or trainer.sanity_checking:
            return
        config, data = pl_module.bundle_config, trainer.datamodule
        plan = TilePlan(config.tile_bp, config.context_bp, precision=model_precision(trainer))
        regions = data.regions["validation"][trainer.global_rank :: trainer.world_size]
        add_up = partial(sum_over_processes, trainer)
        scores = score_regions(pl_module.evaluated[0], data.tokenizer, plan, data.store, regions, add_up)
        for name, value in scores.items():
            pl_module.log(f"val/{name}", value, prog_bar=True)


def fit_genes(bundle: Bundle, data: GenomeData, precision: str) -> dict:
    """The gene decoder, fitted on the validation regions; see ``finish.Fit``. DataError if there is too little."""
    plan = TilePlan(bundle.config.tile_bp, bundle.config.context_bp, precision=precision)
    held_out = data.regions["validation"]
    if bundle.config.task == TASK:
        held = read_held(bundle.model, bundle.tokenizer, plan, data.store, held_out)
        decoder = fit_decoder(held)
        return {"decoder": decoder.to_dict(), "codon_evidence": evidence_at_home(held, decoder)}
    training = data.regions["train"]
    decoder = fit_intron_decoder(bundle.model, bundle.tokenizer, plan, data.store, training, held_out)
    return {"decoder": decoder.to_dict()}


def model_precision(trainer: pl.Trainer) -> str:
    """Number format of the model pass that fits how the model was trained."""
    return "bfloat16" if str(trainer.precision).startswith("bf16") else "float32"
