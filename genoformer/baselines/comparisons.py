"""Which comparison belongs to which task."""

from collections.abc import Collection
from pathlib import Path

from genoformer.applications.codon_structure.baseline import compare_codons_run
from genoformer.applications.functions.baseline import compare_run
from genoformer.applications.rna_pairs.baseline import compare_pairs_run
from genoformer.baselines.run_data import read_task

STRUCTURE_COMPARISONS = {"rna_pairs": compare_pairs_run, "codon_structure": compare_codons_run}


def compare(run: Path, seed: int, *, baselines: Collection[str] | None = None) -> dict:
    """Scores of the model of a run and of its baselines on the test part; JSON types only.

    Args:
        run: Folder of a finished run of ``fit`` of a task of functions or structures.
        seed: Of baselines and bootstrap.
        baselines: Only these simple models of functions, None for all; those of structures take seconds and always are
            fitted.
    """
    task = read_task(run)
    if task == "function":
        return compare_run(run, seed, baselines=baselines)
    return STRUCTURE_COMPARISONS[task](run, seed)
