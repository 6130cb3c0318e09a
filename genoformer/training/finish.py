"""What a bundle gets when its training has ended: a decoder or confidence maps, by task."""

from pathlib import Path

import pytorch_lightning as pl

from genoformer.bundle import load_bundle
from genoformer.training.coding_calibration import write_coding_calibration
from genoformer.training.function_calibration import write_calibration
from genoformer.training.gene_callbacks import write_decoder
from genoformer.training.pair_calibration import write_pair_calibration

FINISHERS = {
    "gene_structure": write_decoder,
    "gene_structure_eukaryote": write_decoder,
    "function": write_calibration,
    "rna_pairs": write_pair_calibration,
    "codon_structure": write_coding_calibration,
    "contacts": write_coding_calibration,
}


def finish_bundle(folder: Path, data: pl.LightningDataModule, *, precision: str) -> list[str]:
    """Fit on the validation part what follows the network, and write it into the bundle.

    Args:
        folder: The bundle.
        data: Set up.
        precision: Of the model pass, "bfloat16" or "float32".

    Returns:
        Lines for the user.
    """
    finisher = FINISHERS.get(load_bundle(folder).config.task)
    return finisher(folder, data, precision=precision) if finisher else []
