"""What a user decides about gene calling."""

from dataclasses import dataclass, field

import numpy as np

BUFFER_BP = 262_144
"""Bases of outputs gathered before frames are looked for; only speed depends on it."""


@dataclass(frozen=True)
class CallOptions:
    """What the user decides about gene calling.

    Attributes:
        genetic_code: NCBI number.
        other_code: NCBI number of a second code under which genes are looked for, too: what the model says of each
            record decides which of the two it has, see ``code_choice``. None where the code is known.
        min_gene_bp: Shortest gene, stop codon included.
        max_gap_bp: Genes do not run across longer runs of N.
        circular: The record is circular: genes may run over its origin.
        buffer_bp: Bases of outputs gathered before frames are looked for.
        isoforms: Transcripts of a gene, at most; genes with introns only.
        hints: What is known of genes of the record, rows of ``read_hints.HINT_DTYPE``; genes with introns only.
    """

    genetic_code: int = 11
    other_code: int | None = None
    min_gene_bp: int = 90
    max_gap_bp: int = 9
    circular: bool = False
    buffer_bp: int = BUFFER_BP
    isoforms: int = 1
    hints: np.ndarray | None = field(default=None, compare=False)
