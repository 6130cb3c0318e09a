"""Pieces of genomes as short as contigs can be, each read by the network by itself, as a contig is.

Cut out of a longer pass they would be seen better than they are: half of such a piece lies so near to an end that the
network lacks what it reads around a base.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.applications.genes.held import Held, Stretch, cut_genes
from genoformer.bundle.folder import Bundle
from genoformer.decoding.candidates import CANDIDATE_DTYPE, find_candidates
from genoformer.genomes.splits import Region
from genoformer.inference.packing import read_together
from genoformer.stream import TilePlan, mostly_unknown, record_logits

PIECE_BP = 1_000
MOST_BP = 180_000
"""Of the pieces of one genome."""


def read_pieces(
    bundle: Bundle, plan: TilePlan, held: Sequence[Held], regions: Sequence[Sequence[Region]]
) -> list[Held]:
    """The same records of one genome with pieces of them, evenly spread.

    Args:
        bundle: The network.
        plan: Precision of its calls.
        held: Passes over the records.
        regions: Of each record, where pieces may lie.
    """
    places = [(number, begin) for number, own in enumerate(regions) for begin in _begins(own)]
    every = max(1, -(-len(places) * PIECE_BP // MOST_BP))
    begins: list[list[int]] = [[] for _ in held]
    for number, begin in places[::every]:
        begins[number].append(begin)
    return [replace(h, pieces=_read(bundle, plan, h, own)) for h, own in zip(held, begins, strict=True)]


def _begins(regions: Sequence[Region]) -> Iterator[int]:
    for region in regions:
        yield from range(region.start, region.end - PIECE_BP + 1, PIECE_BP)


def _read(bundle: Bundle, plan: TilePlan, h: Held, begins: Sequence[int]) -> list[Held]:
    sequences = [h.codes[begin : begin + PIECE_BP] for begin in begins]
    together = read_together(bundle.model, bundle.tokenizer, sequences, plan, [True] * len(sequences))
    pieces = []
    for begin, codes, logits in zip(begins, sequences, together, strict=True):
        if mostly_unknown(codes):
            continue
        if logits is None:
            found = record_logits(bundle.model, bundle.tokenizer, codes, plan)
            logits = np.concatenate([part for _, _, part in found], axis=1)
        code = get_genetic_code(h.options.genetic_code)
        rows = find_candidates(codes, logits, code=code, min_gene_bp=h.options.min_gene_bp)
        pieces.append(piece_at(h, begin, rows))
    return [piece for piece in pieces if len(piece.candidates)]


def piece_at(h: Held, begin: int, rows: np.ndarray) -> Held:
    """A piece of a record as one of its own, with the genes of the record cut to it.

    Args:
        h: The record.
        begin: First base of the piece.
        rows: Candidates in coordinates of the piece.
    """
    end = begin + PIECE_BP
    genes = cut_genes(h.inside[0].genes, begin, end)
    for name in ("start", "end"):
        genes[name] -= begin
    inside = [Stretch(rows, genes, (0, PIECE_BP))]
    return replace(h, codes=h.codes[begin:end], candidates=rows, inside=inside, begin=begin, pieces=[])


def pieces_as_arrays(h: Held) -> tuple[np.ndarray, np.ndarray]:
    """First base and number of candidates of each piece, int64 [P, 2], and all candidates."""
    sizes = [(piece.begin, len(piece.candidates)) for piece in h.pieces]
    rows = [np.zeros(0, CANDIDATE_DTYPE), *(piece.candidates for piece in h.pieces)]
    return np.array(sizes, np.int64).reshape(-1, 2), np.concatenate(rows)


def pieces_from_arrays(h: Held, sizes: np.ndarray, rows: np.ndarray) -> Held:
    """The record with the pieces that ``pieces_as_arrays`` told of.

    Raises:
        ValueError: If the candidates are of another kind.
    """
    if rows.dtype != CANDIDATE_DTYPE:
        raise ValueError(f"expected candidates, found {rows.dtype}")
    edges, begins = pairwise([0, *np.cumsum(sizes[:, 1]).tolist()]), sizes[:, 0].tolist()
    return replace(
        h, pieces=[piece_at(h, begin, rows[low:high]) for begin, (low, high) in zip(begins, edges, strict=True)]
    )
