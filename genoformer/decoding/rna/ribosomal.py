"""Genes of rRNA by profiles: words of the profile that lie on one diagonal, an alignment around them, and its ends.

Nothing else in a genome is as much alike in all organisms as these genes, so that profiles of other groups find them.
RNAmmer (Lagesen et al., Nucleic Acids Research 35 (2007) 3100) looks for a conserved stretch first, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from genoformer.decoding.rna.alignment import Local, Profile, align_locally
from genoformer.decoding.rna.seeds import best_word, find_words, pair_words, word_bits, word_table
from genoformer.sequence.alphabet import N_CODE


@dataclass(frozen=True)
class RrnaKind:
    """One of the RNAs of a ribosome.

    Attributes:
        product: What it is called.
        lengths: Least and greatest length of its genes in bp, as annotations have them.
        word_score: Natural logarithm of the odds of words that hint at it: some in a thousand bases at random.
        band_bp: How far the alignment may leave the diagonal of its seed.
    """

    product: str
    lengths: tuple[int, int]
    word_score: float
    band_bp: int


RRNA = {
    "5S": RrnaKind("5S ribosomal RNA", (105, 150), 7.5, 40),
    "16S": RrnaKind("16S ribosomal RNA", (1300, 1800), 11.5, 300),
    "23S": RrnaKind("23S ribosomal RNA", (2500, 3500), 11.5, 300),
}
WORD_SHARE = 0.9
"""Of the odds of the best word of a profile: one that was learned from few genes has no words with better ones."""
SEED_BP, SEED_BAND_BP, SEED_SCORE = (150, 350), 30, 18.0
"""Bases before and behind the seed of a long profile that are aligned first, how far from its diagonal, and the score
that they must have."""
AGAIN_BP, AGAIN_COLUMNS = 500, 50
"""Bases after which a seed of the same column, in long profiles of as many neighbours, is tried again: a repeat may
have thousands that lead to nothing."""
LEAST_PIECE_SCORE = 20.0
"""Of an alignment that is looked at."""
JOIN_BP, JOIN_COLUMNS = 2_500, 40
"""Pieces of one gene lie no further apart, with an intron between them, and share no more columns."""
MOST_EXTENDED = 150
"""Columns at the ends of a profile that no alignment reaches, and are part of the gene all the same."""


@dataclass(frozen=True)
class RrnaHit:
    """Where a profile fits, on the strand that was read.

    Attributes:
        kind: Key of ``RRNA``.
        start: First base.
        end: One past the last.
        score: Natural logarithm of the odds, sum of its pieces.
        covered: Share of the profile's columns from the first to the last that is aligned.
        is_cut: It reaches an end of the sequence, or a base that is not known.
    """

    kind: str
    start: int
    end: int
    score: float
    covered: float
    is_cut: bool


@dataclass(frozen=True)
class RrnaProfiles:
    """Profiles of kinds of rRNA.

    Attributes:
        profiles: By the kind's name; kinds that nothing was learned of are missing.
    """

    profiles: dict[str, Profile]

    @cached_property
    def _words(self) -> tuple[list[str], tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
        """Names, table and bits of words, number of the profile of each column, and number of its first column."""
        names = [name for name in RRNA if name in self.profiles]
        profiles = [self.profiles[name] for name in names]
        sizes = [len(profile) for profile in profiles]
        least = [min(RRNA[name].word_score, WORD_SHARE * best_word(self.profiles[name])) for name in names]
        table = word_table(profiles, least)
        return names, (table, word_bits(table)), np.repeat(np.arange(len(names)), sizes), np.cumsum([0, *sizes])[:-1]

    def hits(self, codes: np.ndarray) -> list[RrnaHit]:
        """Where profiles fit one strand, by start.

        Args:
            codes: uint8 base codes, [L].
        """
        names, words, owners, firsts = self._words
        if not names:
            return []
        places, columns = find_words(codes, *words)
        found: list[RrnaHit] = []
        seeds = pair_words(places, columns, owners)
        for number, name in enumerate(names):
            own = seeds[owners[columns[seeds]] == number]
            pieces = list(_pieces(codes, self.profiles[name], RRNA[name], places[own], columns[own] - firsts[number]))
            found += [_hit(name, group, self.profiles[name], codes) for group in _joined(pieces)]
        return sorted(found, key=lambda hit: (hit.start, hit.end, hit.kind))


def _pieces(
    codes: np.ndarray, profile: Profile, kind: RrnaKind, places: np.ndarray, columns: np.ndarray
) -> Iterator[Local]:
    """Alignments around seeds, by start; none over another."""
    is_long, reached, again = len(profile) > SEED_BP[1], -1, dict[int, int]()
    for place, column in zip(places.tolist(), columns.tolist(), strict=True):
        group = column // AGAIN_COLUMNS if is_long else column
        if place < max(reached, again.get(group, 0)):
            continue
        again[group] = place + AGAIN_BP
        if is_long:
            near = _around(codes, profile, place - column, SEED_BAND_BP, (place - SEED_BP[0], place + SEED_BP[1]))
            if near.score < SEED_SCORE:
                continue
        begin = place - column
        whole = _around(
            codes, profile, begin, kind.band_bp, (begin - kind.band_bp, begin + len(profile) + kind.band_bp)
        )
        if whole.score >= LEAST_PIECE_SCORE and whole.start >= reached:
            reached = whole.end
            yield whole


def _around(codes: np.ndarray, profile: Profile, diagonal: int, band_bp: int, span: tuple[int, int]) -> Local:
    """The alignment of a stretch near a diagonal; ``diagonal`` is where column 0 would lie."""
    low, high = max(span[0], 0), min(span[1], len(codes))
    shift = diagonal - low
    found = align_locally(codes[low:high], profile, shift - band_bp, shift + band_bp)
    return replace(found, start=found.start + low, end=found.end + low)


def _joined(pieces: Sequence[Local]) -> list[list[Local]]:
    """Pieces by gene: those whose columns go on behind the columns of the one before."""
    groups: list[list[Local]] = []
    for piece in pieces:
        last = groups[-1][-1] if groups else None
        if last and piece.start - last.end <= JOIN_BP and piece.first >= last.last - JOIN_COLUMNS:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups


def _hit(name: str, pieces: Sequence[Local], profile: Profile, codes: np.ndarray) -> RrnaHit:
    """A gene of its pieces, with the ends of the profile that no alignment reaches; it is cut where sequence ends."""
    first, last, score = pieces[0].first, pieces[-1].last, sum(piece.score for piece in pieces)
    before, behind = min(first, MOST_EXTENDED), min(len(profile) - last, MOST_EXTENDED)
    known_before = _known(codes[: pieces[0].start][::-1][: before + 1])
    known_behind = _known(codes[pieces[-1].end :][: behind + 1])
    is_cut = known_before < before + 1 or known_behind < behind + 1
    start, end = pieces[0].start - min(before, known_before), pieces[-1].end + min(behind, known_behind)
    return RrnaHit(name, start, end, score, (last - first) / len(profile), is_cut)


def _known(codes: np.ndarray) -> int:
    """Bases before the first one that is not known."""
    unknown = np.flatnonzero(codes >= N_CODE)
    return int(unknown[0]) if len(unknown) else len(codes)
