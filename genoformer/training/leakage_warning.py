"""A warning when what validates a model, or tests it, shares sequence with what trains it."""

from collections.abc import Iterator

from genoformer.applications.functions.data import TableData
from genoformer.applications.genes.data import GenomeData
from genoformer.genomes.leakage import find_leakage
from genoformer.sequence.records import Record
from genoformer.training.structure_data import StructureData

HELD_OUT = ("validation", "test")


def leakage_lines(data: GenomeData | TableData | StructureData) -> list[str]:
    """One line for each held-out part that shares sequence with the training part.

    Args:
        data: Set up.
    """
    lines = []
    for part in HELD_OUT:
        found = find_leakage(lambda: _records(data, "train"), _records(data, part))
        if found.pieces:
            piece = found.pieces[0]
            lines.append(
                f"warning[LEAKAGE-002] the {part} part shares {found.shared_bp:,} of {found.n_bases:,} bp with the "
                f"training part, first: {piece.record_id} {piece.start + 1}-{piece.end} with {piece.partner_id}. "
                "Scores there say little about new sequence; genoformer check-leakage shows more."
            )
    return lines


def _records(data: GenomeData | TableData | StructureData, part: str) -> Iterator[Record]:
    if not isinstance(data, GenomeData):
        yield from (Record(sequence.id, sequence.codes) for sequence in data.parts[part])
        return
    for region in data.regions[part]:
        name = f"{data.store.records[region.record].id}:{region.start + 1}-{region.end}"
        yield Record(name, data.store.bases(region.record, region.start, region.end))
