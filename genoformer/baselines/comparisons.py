"""Which comparison belongs to which task."""

from pathlib import Path

from genoformer.baselines.compare import compare_run
from genoformer.baselines.compare_codons import compare_codons_run
from genoformer.baselines.compare_pairs import compare_pairs_run
from genoformer.baselines.run_data import read_task

COMPARISONS = {"function": compare_run, "rna_pairs": compare_pairs_run, "codon_structure": compare_codons_run}


def compare(run: Path, seed: int) -> dict:
    """Scores of the model of a run and of its baselines on the test part; JSON types only.

    Args:
        run: Folder of a finished run of ``fit`` of one of the tasks of ``COMPARISONS``.
        seed: Of baselines and bootstrap.
    """
    return COMPARISONS[read_task(run)](run, seed)
