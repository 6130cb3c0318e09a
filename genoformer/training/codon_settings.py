"""What the data modules of codons share: which models can read them, and how training rewrites codons."""

from genoformer.errors import UsageError
from genoformer.training.settings import ModelReading

CODON_BP = 3


def check_codon_reading(reading: ModelReading) -> None:
    """UsageError if tokens are no codons, or some own none."""
    if reading.k != CODON_BP or reading.stride != CODON_BP:
        message = f"a token must be a codon, found k {reading.k}, stride {reading.stride}."
        raise UsageError("CONFIG-005", message, where="model.k")
    if reading.n_global_tokens:
        raise UsageError("CONFIG-016", f"the task {reading.task} has none.", where="model.encoder.n_global_tokens")


def codon_rewriting(synonymous: float, substituted: float, genetic_code: int) -> dict | None:
    """Settings of ``rewrite_coding``; None where it would change nothing."""
    if not synonymous and not substituted:
        return None
    return {"synonymous": synonymous, "substituted": substituted, "genetic_code": genetic_code}
