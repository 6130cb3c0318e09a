"""Shared sequence of two sets, found by the k-mers that they have in common on either strand.

A stretch is reported when a given share of its distinct 16-mers occurs anywhere in the other set. Two sequences of
identity p share about p^16 of them: a share of .3 is .93 identity. Copies, overlaps and close relatives are found;
remote homologues, such as most paralogues and most orthologues of two species, are not, and need alignments.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numba
import numpy as np

from genoformer.sequence.distinct import distinct
from genoformer.sequence.records import Record

K = 16
"""Two random stretches of a genome of 5 Mb share a given 16-mer with probability .002."""
MIN_SHARE = 0.3
PIECE_BP = 1_000
"""Longer records are judged piece by piece: a gene may be shared where a chromosome is not."""

_Piece = tuple[str, int, int, np.ndarray]
"""Record, first base, one behind the last base, distinct k-mers."""


@dataclass(frozen=True, slots=True)
class SharedPiece:
    """A stretch of the second set that the first one has, too.

    Attributes:
        record_id: Record of the second set.
        start: First base, 0-based.
        end: One behind the last base.
        share: Share of its distinct k-mers that occur in the first set.
        partner_id: The record of the first set that has most of them.
        partner_share: Share that this record has.
    """

    record_id: str
    start: int
    end: int
    share: float
    partner_id: str
    partner_share: float


@dataclass(frozen=True)
class Leakage:
    """What two sets share.

    Attributes:
        n_records: Records of the second set.
        n_bases: Their bases.
        pieces: Shared stretches, in the order of the second set.
    """

    n_records: int
    n_bases: int
    pieces: list[SharedPiece]

    @property
    def n_shared_records(self) -> int:
        """Records with a shared stretch."""
        return len({piece.record_id for piece in self.pieces})

    @property
    def shared_bp(self) -> int:
        """Bases in shared stretches."""
        return sum(piece.end - piece.start for piece in self.pieces)


def find_leakage(
    first: Callable[[], Iterable[Record]], second: Iterable[Record], *, min_share: float = MIN_SHARE
) -> Leakage:
    """Stretches of the second set that the first one shares.

    Memory follows the second set, whose pieces are at most ``PIECE_BP`` long. A piece without a single k-mer of known
    bases shares nothing.

    Args:
        first: Gives the records of the first set; called twice when something is shared, never if the second is empty.
        second: Records of the second set.
        min_share: Smallest share of k-mers that is reported, above 0 and at most 1.

    Raises:
        ValueError: If the share is out of range.
    """
    if not 0 < min_share <= 1:
        raise ValueError(f"expected a share above 0 and at most 1, found {min_share}")
    pieces: list[_Piece] = []
    n_records, n_bases = 0, 0
    for record in second:
        n_records, n_bases = n_records + 1, n_bases + len(record)
        pieces += _cut(record)
    if not pieces:
        return Leakage(n_records, n_bases, [])
    owners, kmers = _index(pieces)
    totals = np.bincount(owners, minlength=len(pieces))
    known = distinct(kmers)
    is_seen = np.zeros(len(known), bool)
    for record in first():
        is_seen[_places(known, distinct_kmers(record.codes))] = True
    seen = np.bincount(owners, is_seen[np.searchsorted(known, kmers)], minlength=len(pieces))
    share = seen / np.maximum(totals, 1)
    shared = np.flatnonzero(share >= min_share)
    partners = _partners(first, owners, kmers, shared) if len(shared) else {}
    found = []
    for i in shared.tolist():
        record_id, start, end, _ = pieces[i]
        partner_id, n_common = partners[i]
        found.append(SharedPiece(record_id, start, end, float(share[i]), partner_id, n_common / int(totals[i])))
    return Leakage(n_records, n_bases, found)


def distinct_kmers(codes: np.ndarray) -> np.ndarray:
    """Canonical k-mers of known bases: of each and its reverse complement the smaller number; uint64, sorted."""
    return distinct(_canonical_kmers(np.ascontiguousarray(codes), K))


def _cut(record: Record) -> Iterator[_Piece]:
    """Pieces of nearly equal length that cover a record; k-mers across the cuts belong to the piece they begin in."""
    n_pieces = max(1, -(-len(record) // PIECE_BP))
    cuts = np.linspace(0, len(record), n_pieces + 1).astype(int)
    for start, end in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        yield record.id, start, end, distinct_kmers(record.codes[start : end + K - 1])


def _index(pieces: list[_Piece]) -> tuple[np.ndarray, np.ndarray]:
    """Number of the piece and k-mer, for all k-mers of all pieces."""
    kmers = [piece[3] for piece in pieces]
    owners = np.repeat(np.arange(len(pieces)), [len(row) for row in kmers])
    return owners, np.concatenate([np.empty(0, np.uint64), *kmers])


def _places(known: np.ndarray, kmers: np.ndarray) -> np.ndarray:
    """Places in ``known`` of those k-mers that are there; both sorted and distinct."""
    if not len(known):
        return np.empty(0, np.int64)
    places = np.searchsorted(known, kmers).clip(max=len(known) - 1)
    return places[known[places] == kmers]


def _partners(
    first: Callable[[], Iterable[Record]], owners: np.ndarray, kmers: np.ndarray, shared: np.ndarray
) -> dict[int, tuple[str, int]]:
    """For each shared piece, the record of the first set with most of its k-mers, and how many these are."""
    wanted = np.isin(owners, shared)
    owners, kmers = owners[wanted], kmers[wanted]
    order = np.argsort(kmers, kind="stable")
    owners, kmers = owners[order], kmers[order]
    known, starts, counts = np.unique(kmers, return_index=True, return_counts=True)
    best: dict[int, tuple[str, int]] = {int(i): ("", 0) for i in shared}
    for record in first():
        places = _places(known, distinct_kmers(record.codes))
        rows = [owners[start : start + n] for start, n in zip(starts[places], counts[places], strict=True)]
        hit, n_hits = np.unique(np.concatenate([np.empty(0, np.int64), *rows]), return_counts=True)
        for i, n in zip(hit.tolist(), n_hits.tolist(), strict=True):
            if n > best[i][1]:
                best[i] = record.id, n
    return best


@numba.njit(cache=True, nogil=True)
def _canonical_kmers(codes, k):
    found = np.empty(max(0, len(codes) - k + 1), np.uint64)
    n, length = 0, 0
    forward, backward = np.uint64(0), np.uint64(0)
    mask = np.uint64((1 << 2 * k) - 1)
    top = np.uint64(2 * (k - 1))
    for code in codes:
        if code > 3:
            length = 0
            continue
        base = np.uint64(code)
        forward = (forward << np.uint64(2) | base) & mask
        backward = backward >> np.uint64(2) | (np.uint64(3) - base) << top
        length += 1
        if length >= k:
            found[n] = min(forward, backward)
            n += 1
    return found[:n]
