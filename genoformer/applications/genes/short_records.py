"""Fitting the scorer of sequence too short to tell of itself: to pieces of genomes, each as if it were all there is.

A piece gets statistics as a contig would: what its own sure genes say, added to the prior of genomes of other groups,
for one that knows its relatives is better than any that a stranger will find.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from genoformer.applications.genes.held import FRAGMENT_BP, Held, Stretch, cut_genes
from genoformer.decoding.candidates import touching_ends

FRAGMENTS = (1, 4, 14)
"""Fragments in the pieces of each kind: 3, 12 and 42 kb; the pieces of 1 kb are read by themselves."""
MOST_BP = 60_000, 120_000, 168_000
"""Of the pieces of each kind, of one genome."""
LONGEST_BP = 350_000
"""Records up to here are short themselves: phages and plasmids, which do not tell enough of themselves."""
LEAST_GROUPS = 3
"""With two, a prior would know a single group, and with one nothing."""


def pieces_of(held: Sequence[Held]) -> list[Held]:
    """Pieces of one genome, and its records that are short themselves, as records from base 0 on.

    Args:
        held: Passes over the genome.
    """
    found = [_alone(h) for h in held if h.inside and len(h.codes) <= LONGEST_BP]
    for n_fragments, most_bp in zip(FRAGMENTS, MOST_BP, strict=True):
        cut = [(h, part) for h in held for part in _runs(h, n_fragments)]
        every = max(1, -(-len(cut) * n_fragments * FRAGMENT_BP // most_bp))
        found += [_piece(*one) for one in cut[::every]]
    found += [replace(piece, weight=h.weight, family=h.family) for h in held for piece in h.pieces]
    share = sum(len(h.codes) for h in held) / max(1, sum(len(piece.codes) for piece in found))
    return [
        piece if piece.weight is None else replace(piece, weight=piece.weight * share)
        for piece in found
        if len(piece.candidates)
    ]


def _alone(h: Held) -> Held:
    """A short record without the fragments that it is cut into."""
    return replace(h, inside=[part for part in h.inside if part.bounds == (0, len(h.codes))])


def _runs(h: Held, n_fragments: int) -> Iterator[list[Stretch]]:
    """Neighbouring fragments of a record, so many at a time."""
    whole = (0, len(h.codes))
    fragments = [part for part in h.inside if part.bounds != whole and part.bounds[1] - part.bounds[0] == FRAGMENT_BP]
    for at in range(0, len(fragments) - n_fragments + 1, n_fragments):
        run = fragments[at : at + n_fragments]
        if run[-1].bounds[1] - run[0].bounds[0] == n_fragments * FRAGMENT_BP:
            yield run


def _piece(h: Held, run: list[Stretch]) -> Held:
    """A piece as a record.

    Frames over one of its ends are those of its first and last fragment; one that is longer than such a fragment is
    left out, as is its gene.
    """
    begin, end = run[0].bounds[0], run[-1].bounds[1]
    at_ends = run[0].candidates if len(run) == 1 else np.concatenate((_at_end(run[0], 0), _at_end(run[-1], 1)))
    inside = (h.candidates["start"] >= begin) & (h.candidates["end"] <= end)
    inside &= ~np.isin(h.candidates["orf"], at_ends["orf"])
    rows = np.concatenate((h.candidates[inside], at_ends))
    rows = rows[np.argsort(rows["orf"], kind="stable")]
    genes = cut_genes(h.inside[0].genes, begin, end)
    for name, shift in (("start", begin), ("end", begin), ("orf", 2 * begin)):
        rows[name] -= shift
    for name in ("start", "end"):
        genes[name] -= begin
    return replace(h, codes=h.codes[begin:end], candidates=rows, inside=[Stretch(rows, genes, (0, end - begin))])


def _at_end(part: Stretch, side: int) -> np.ndarray:
    """Candidates of the frames that go over one end of a fragment and not over the other."""
    over = touching_ends(part.candidates)
    return part.candidates[over[side] & ~over[1 - side]]
