"""What genes of one genome look like, base by base: splice sites, starts, codons, and how many introns there are.

Counts come from genes, annotated or predicted; log-odds against the genome's own bases follow from them. A network that
has seen many genomes knows what a splice site is, the counts say what it is here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.files.numbers import read_number, read_table
from genoformer.sequence.alphabet import N_CODE, reverse_complement

WINDOWS = {"donor": (-3, 8), "acceptor": (-25, 3), "start": (-12, 6)}
"""Bases around a boundary that count, in reading direction: the last three of an exon and the first eight of an intron;
the end of an intron with its pyrimidines and, where it lies near, its branch point; the surroundings of a start codon.
"""
N_TRIPLETS = 64
UNKNOWN_TRIPLET = N_TRIPLETS
PRIOR_SITES, PRIOR_CODONS, PRIOR_KB = 20.0, 1000.0, 5.0
"""How many sites, codons, and thousands of coding bases of the training genes count beside those of the genome."""
PAIR_SITES, BACKGROUND_SITES = 8.0, 4.0
"""How many sites like the average count beside those behind one base; like the genome's bases beside all."""
CLIP_LOW, CLIP_HIGH, CLIP_CODON = -12.0, 6.0, 2.0
"""Log-odds are cut to this: no site is worth a whole gene."""


@dataclass(frozen=True, eq=False)
class GeneCounts:
    """Counts of genes; those of several genes and records add.

    Attributes:
        sites: By name of ``WINDOWS``: how often base b follows base a at each place, float64 [W, 5, 5]; 4 is unknown,
            and what stands before the first place.
        codons: Of coding sequence, float64 [64].
        triplets: Of both strands of the whole sequence, float64 [64].
        introns: Their number.
        coding_bp: Coding bases.
        genes: Number of genes; it is told, and neither counts nor is stored.
        bases: Of the whole sequence; likewise.
    """

    sites: dict[str, np.ndarray]
    codons: np.ndarray
    triplets: np.ndarray
    introns: float = 0.0
    coding_bp: float = 0.0
    genes: int = 0
    bases: int = 0

    @classmethod
    def nothing(cls) -> "GeneCounts":
        """Before the first gene."""
        sites = {name: np.zeros((high - low, 5, 5)) for name, (low, high) in WINDOWS.items()}
        return cls(sites, np.zeros(N_TRIPLETS), np.zeros(N_TRIPLETS))

    def __add__(self, other: "GeneCounts") -> "GeneCounts":
        return GeneCounts(
            {name: self.sites[name] + other.sites[name] for name in WINDOWS},
            self.codons + other.codons,
            self.triplets + other.triplets,
            self.introns + other.introns,
            self.coding_bp + other.coding_bp,
            self.genes + other.genes,
            self.bases + other.bases,
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        sites = {name: np.round(counts, 1).tolist() for name, counts in self.sites.items()}
        tables = {"codons": self.codons.tolist(), "triplets": self.triplets.tolist()}
        return {"sites": sites, **tables, "introns": self.introns, "coding_bp": self.coding_bp}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "GeneCounts":
        """Read what ``to_dict`` wrote.

        Raises:
            KeyError, TypeError, ValueError: If it is something else.
        """
        sites = {name: read_table(stored["sites"][name], high - low, 5, 5) for name, (low, high) in WINDOWS.items()}
        codons, triplets = (read_table(stored[name], N_TRIPLETS) for name in ("codons", "triplets"))
        counts = [*sites.values(), codons, triplets]
        introns, coding_bp = (read_number(stored[name]) for name in ("introns", "coding_bp"))
        if min(float(table.min()) for table in counts) < 0 or min(introns, coding_bp) < 0:
            raise ValueError("counts cannot be negative")
        return cls(sites, codons, triplets, introns, coding_bp)


def count_sequence(codes: np.ndarray) -> GeneCounts:
    """The triplets of a record, on both strands.

    Args:
        codes: uint8 base codes, [L].
    """
    found = np.zeros(N_TRIPLETS)
    for strand in (codes, reverse_complement(codes)):
        found += np.bincount(triplets_of(strand), minlength=N_TRIPLETS + 1)[:N_TRIPLETS]
    nothing = GeneCounts.nothing()
    return GeneCounts(nothing.sites, nothing.codons, found, bases=len(codes))


def count_genes(codes: np.ndarray, genes: Iterable[Gene]) -> GeneCounts:
    """Splice sites, starts, codons and introns of genes.

    Args:
        codes: uint8 base codes of the record, [L].
        genes: Genes on it; ends that the record cuts off are no starts.
    """
    strands = {"+": codes, "-": reverse_complement(codes)}
    places: dict[tuple[str, str], list[int]] = {(strand, name): [] for strand in strands for name in WINDOWS}
    codons, introns, coding_bp, n_genes = np.zeros(N_TRIPLETS + 1), 0, 0, 0
    for gene in genes:
        n_genes += 1
        parts = _in_reading_direction(gene, len(codes))
        if not gene.partial_5:
            places[gene.strand, "start"].append(parts[0][0])
        for (_, donor), (acceptor, _) in pairwise(parts):
            places[gene.strand, "donor"].append(donor)
            places[gene.strand, "acceptor"].append(acceptor)
        coding = np.concatenate([strands[gene.strand][start:end] for start, end in parts])[gene.phase_offset :]
        codons += np.bincount(triplets_of(coding)[::3], minlength=N_TRIPLETS + 1)
        introns, coding_bp = introns + len(parts) - 1, coding_bp + len(coding)
    sites = GeneCounts.nothing().sites
    for (strand, name), found in places.items():
        _count_sites(sites[name], _windows(strands[strand], np.array(found, dtype=np.int64), name))
    return GeneCounts(sites, codons[:N_TRIPLETS], np.zeros(N_TRIPLETS), introns, coding_bp, n_genes)


def triplets_of(codes: np.ndarray) -> np.ndarray:
    """Number of the triplet that begins at each base but the last two, 64 where a base is unknown, int64 [L - 2]."""
    known = np.minimum(codes, N_CODE).astype(np.int64)
    first, second, third = known[:-2], known[1:-1], known[2:]
    is_known = (first < N_CODE) & (second < N_CODE) & (third < N_CODE)
    return np.where(is_known, 16 * first + 4 * second + third, UNKNOWN_TRIPLET)


def _in_reading_direction(gene: Gene, length: int) -> list[tuple[int, int]]:
    """Coding parts from the 5′ end on, in coordinates of the strand that is read."""
    parts = gene.parts or ((gene.start, gene.end),)
    if gene.strand == "+":
        return list(parts)
    return [(length - end, length - start) for start, end in reversed(parts)]


def _windows(codes: np.ndarray, boundaries: np.ndarray, name: str) -> np.ndarray:
    """Bases around boundaries, 4 for what is unknown or outside, int64 [n, W]."""
    places = boundaries[:, None] + np.arange(*WINDOWS[name])
    inside = (places >= 0) & (places < len(codes))
    return np.where(inside, np.minimum(codes[np.where(inside, places, 0)], N_CODE), N_CODE).astype(np.int64)


def _count_sites(counts: np.ndarray, windows: np.ndarray) -> None:
    before = np.full(len(windows), N_CODE)
    for place in range(windows.shape[1]):
        np.add.at(counts[place], (before, windows[:, place]), 1.0)
        before = windows[:, place]


@dataclass(frozen=True, eq=False)
class Motifs:
    """Log-odds of sites and codons, from the counts of a genome beside those of the training genes.

    Attributes:
        own: Counts of the genome at hand; None where only the training genes are known.
        training: Counts of the training genes.
    """

    own: GeneCounts | None
    training: GeneCounts

    @cached_property
    def sites(self) -> dict[str, np.ndarray]:
        """By name of ``WINDOWS``: log-odds of base b behind base a at each place, [W, 5, 5]; 0 for unknown bases."""
        return {name: self._log_odds(self._counts(name)) for name in WINDOWS}

    @cached_property
    def usual(self) -> dict[str, float]:
        """Mean log-odds of the sites that were counted: where the scores of a genome have their zero."""
        found = {}
        for name, odds in self.sites.items():
            counts = self._counts(name)
            found[name] = float((odds * counts).sum() / max(counts[0].sum(), 1.0))
        return found

    @cached_property
    def codons(self) -> np.ndarray:
        """Log-odds of each codon against the triplet anywhere, [65]; 0 for the unknown one."""
        background = self._background_triplets
        counts = self.training.codons * _scale(PRIOR_CODONS, self.training.codons.sum())
        if self.own is not None:
            counts = self.own.codons + counts
        share = (counts + PRIOR_CODONS / 5 * background) / (counts.sum() + PRIOR_CODONS / 5)
        return np.append(np.clip(np.log(share / background), -CLIP_CODON, CLIP_CODON), 0.0)

    @cached_property
    def log_rate(self) -> float:
        """Logarithm of the introns per coding base, against that of the training genes."""
        if self.own is None:
            return 0.0
        usual = (self.training.introns + 0.1) / (self.training.coding_bp + 100.0)
        prior_bp = 1000.0 * PRIOR_KB
        return float(np.log((self.own.introns + usual * prior_bp) / (self.own.coding_bp + prior_bp) / usual))

    def _counts(self, name: str) -> np.ndarray:
        counts = self.training.sites[name]
        counts = counts * _scale(PRIOR_SITES, counts[0].sum())
        return counts if self.own is None else self.own.sites[name] + counts

    @cached_property
    def _background_triplets(self) -> np.ndarray:
        counts = self.training.triplets if self.own is None else self.own.triplets
        return (counts + 1.0) / (counts.sum() + N_TRIPLETS)

    def _log_odds(self, counts: np.ndarray) -> np.ndarray:
        background = self._background_triplets.reshape(4, 16).sum(axis=1)
        single = counts[:, :, :4].sum(axis=1)  # [W, 4]
        single = single + BACKGROUND_SITES * background
        single /= single.sum(axis=1, keepdims=True)
        pairs = counts[:, :, :4] + PAIR_SITES * single[:, None]
        pairs /= pairs.sum(axis=2, keepdims=True)
        odds = np.zeros_like(counts)
        odds[:, :, :4] = np.log(pairs / background)
        return odds

    def score(self, codes: np.ndarray, boundaries: np.ndarray, name: str, *, is_minus: bool) -> np.ndarray:
        """Log-odds of a kind of site at boundaries, 0 for what is usual, float64 [n].

        Args:
            codes: uint8 base codes of the record, forward strand, [L].
            boundaries: Base behind each, forward coordinates, int64 [n].
            name: One of ``WINDOWS``.
            is_minus: Read the other strand.
        """
        odds = self.sites[name]
        total = np.full(len(boundaries), -self.usual[name])
        before: np.ndarray | int = N_CODE
        for place, offset in enumerate(range(*WINDOWS[name])):
            places = boundaries - 1 - offset if is_minus else boundaries + offset
            inside = (places >= 0) & (places < len(codes))
            bases = np.minimum(codes[np.where(inside, places, 0)], N_CODE).astype(np.int64)
            bases = np.where(inside & (bases < N_CODE), 3 - bases if is_minus else bases, N_CODE)
            total += odds[place, before, bases]
            before = bases
        return np.clip(total, CLIP_LOW, CLIP_HIGH)


def _scale(wanted: float, found: float) -> float:
    """Factor that leaves at most so many."""
    return min(1.0, wanted / found) if found > 0 else 0.0
