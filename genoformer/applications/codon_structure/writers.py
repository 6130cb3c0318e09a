"""The writer of predicted states."""

from collections.abc import Iterator
from pathlib import Path

from genoformer.applications.codon_structure.outputs import HEAD
from genoformer.inference.chunks import Outputs
from genoformer.inference.text_files import TextWriter
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.records import Record


class StateWriter(TextWriter):
    """One row per codon.

    Args:
        path: The final name.
        channels: Letters of the states.
    """

    def __init__(self, path: Path, channels: tuple[str, ...]) -> None:
        super().__init__(path)
        self.channels = channels
        self.header = "\t".join([*HEAD, *channels]) + "\n"

    def lines(self, record: Record, found: Outputs) -> Iterator[str]:
        bases, best = decode_bases(record.codes), found["probabilities"].argmax(axis=1)
        for i, (row, number) in enumerate(zip(found["probabilities"].tolist(), best.tolist(), strict=True)):
            values = "\t".join(f"{value:.4f}" for value in row)
            codon = bases[3 * i : 3 * i + 3]
            yield f"{record.id}\t{i + 1}\t{codon}\t{self.channels[number]}\t{row[number]:.4f}\t{values}\n"
