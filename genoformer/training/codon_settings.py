"""What the data modules of codons share: which settings make sense, and how training rewrites codons."""

from genoformer.errors import UsageError

CODON_BP = 3


def check_codon_settings(
    task: str, *, k: int, stride: int, n_global_tokens: int, crop_codons: int, shares: tuple[float, ...]
) -> None:
    """UsageError if tokens are no codons, or a number is out of range.

    Args:
        task: Its name.
        k: Bases per token.
        stride: Bases that each token owns.
        n_global_tokens: None are possible.
        crop_codons: Longest stretch in training.
        shares: Of codons that training changes.
    """
    if k != CODON_BP or stride != CODON_BP:
        raise UsageError("CONFIG-005", f"a token must be a codon, found k {k}, stride {stride}.", where="model.k")
    if n_global_tokens:
        raise UsageError("CONFIG-016", f"the task {task} has none.", where="model.encoder.n_global_tokens")
    if crop_codons < 1 or not all(0 <= share < 1 for share in shares):
        raise UsageError("CONFIG-009", "crop_codons or a share is out of range.", where="data")


def codon_rewriting(synonymous: float, substituted: float, genetic_code: int) -> dict | None:
    """Settings of ``rewrite_coding``; None where it would change nothing."""
    if not synonymous and not substituted:
        return None
    return {"synonymous": synonymous, "substituted": substituted, "genetic_code": genetic_code}
