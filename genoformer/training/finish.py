"""What a bundle gets when its training has ended: a decoder or confidence maps, by task."""

from collections.abc import Callable
from pathlib import Path

import pytorch_lightning as pl

from genoformer.applications.codon_structure.calibrate import fit_coding
from genoformer.applications.functions.calibrate import fit_function
from genoformer.applications.genes.callbacks import fit_genes
from genoformer.applications.rna_pairs.calibrate import fit_pairs
from genoformer.bundle import Bundle, add_calibration, load_bundle
from genoformer.errors import DataError

Fit = Callable[[Bundle, pl.LightningDataModule, str], dict]
"""From a bundle, its data, set up, and the precision of the model pass to entries of ``calibration.json``."""

FITS: dict[str, Fit] = {
    "gene_structure": fit_genes,
    "gene_structure_eukaryote": fit_genes,
    "function": fit_function,
    "rna_pairs": fit_pairs,
    "codon_structure": fit_coding,
    "contacts": fit_coding,
}


def finish_bundle(folder: Path, data: pl.LightningDataModule, *, precision: str) -> list[str]:
    """Fit on the validation part what follows the network, and write it into the bundle.

    Args:
        folder: The bundle.
        data: Set up.
        precision: Of the model pass, "bfloat16" or "float32".

    Returns:
        Lines for the user: nothing, or why there is no gene decoder.
    """
    bundle = load_bundle(folder)
    fit = FITS.get(bundle.config.task)
    if fit is None:
        return []
    try:
        fitted = fit(bundle, data, precision)
    except DataError as error:
        if fit is not fit_genes:
            raise
        return [f"warning[{error.code}] {error.message} The model cannot call genes. {error.fix}"]
    add_calibration(folder, bundle, fitted)
    return []
