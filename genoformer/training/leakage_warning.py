"""A warning when what validates a model, or tests it, shares sequence with what trains it."""

from genoformer.genomes.leakage import find_leakage
from genoformer.training.interface import TrainingData

HELD_OUT = ("validation", "test")


def leakage_lines(data: TrainingData) -> list[str]:
    """One line for each held-out part that shares sequence with the training part.

    Args:
        data: Set up.
    """
    lines = []
    for part in HELD_OUT:
        found = find_leakage(lambda: data.records("train"), data.records(part))
        if found.pieces:
            piece = found.pieces[0]
            lines.append(
                f"warning[LEAKAGE-002] the {part} part shares {found.shared_bp:,} of {found.n_bases:,} bp with the "
                f"training part, first: {piece.record_id} {piece.start + 1}-{piece.end} with {piece.partner_id}. "
                "Scores there say little about new sequence; genoformer check-leakage shows more."
            )
    return lines
