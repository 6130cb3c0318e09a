"""A warning when what validates a model, or tests it, shares sequence with what trains it."""

from collections.abc import Iterable, Iterator

from genoformer.genomes.leakage import Leakage, find_leakage
from genoformer.sequence.records import Record
from genoformer.training.interface import TrainingData
from genoformer.training.progress import Stage, stage

HELD_OUT = ("validation", "test")


def leakage_lines(data: TrainingData) -> list[str]:
    """One line for each held-out part that shares sequence with the training part.

    Args:
        data: Set up.
    """
    lines = []
    for part in HELD_OUT:
        found = _compare(data, part)
        if found.pieces:
            piece = found.pieces[0]
            lines.append(
                f"warning[LEAKAGE-002] the {part} part shares {found.shared_bp:,} of {found.n_bases:,} bp with the "
                f"training part, first: {piece.record_id} {piece.start + 1}-{piece.end} with {piece.partner_id}. "
                "Scores there say little about new sequence; genoformer check-leakage shows more."
            )
    return lines


def _compare(data: TrainingData, part: str) -> Leakage:
    with stage(f"comparing the {part} part with the training part", unit="bp") as shown:
        return find_leakage(lambda: _counted(data.records("train"), shown), data.records(part))


def _counted(records: Iterable[Record], shown: Stage) -> Iterator[Record]:
    for record in records:
        yield record
        shown.advance(len(record))
