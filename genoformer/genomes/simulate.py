"""Make up bacterial genomes with known genes, for demonstrations and tests.

Genes stand in operon-like runs on both strands, begin with a start codon behind a ribosome binding site, use codons in
a way of their own and end with a stop codon; neighbours overlap or nearly touch. What lies between is an order-2 Markov
chain. A model that does well here has learned these rules; it says nothing about real genomes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numba
import numpy as np

from genoformer.annotation.genetic_code import CODONS, GeneticCode, get_genetic_code
from genoformer.annotation.models import Gene, sort_genes
from genoformer.errors import UsageError
from genoformer.sequence.alphabet import encode_bases, reverse_complement
from genoformer.sequence.records import Record

LONGEST_BP = 10**12
"""No genome is as long."""
GC_RANGE = (0.2, 0.8)
CODING_RANGE = (0.1, 0.94)
MIN_GENE_CODONS = 30

AMINO_ACID_PERCENT = {
    "A": 8.94, "C": 1.11, "D": 5.09, "E": 6.17, "F": 4.18, "G": 7.04, "H": 2.17, "I": 6.57, "K": 5.36, "L": 10.65,
    "M": 2.31, "N": 4.39, "P": 4.10, "Q": 4.56, "R": 5.02, "S": 5.82, "T": 5.31, "V": 6.92, "W": 1.33, "Y": 2.98,
}  # fmt: skip
"""Share of each amino acid: mean of the annotated proteins, without their first residue, of Escherichia coli K-12
(NC_000913.3) and of Haemophilus influenzae Rd (NC_000907.1)."""

START_PERCENT = {"ATG": 83.0, "GTG": 14.0, "TTG": 3.0}
"""Start codons of Escherichia coli. Reference: Blattner et al., Science 277, 1997."""

STOP_PERCENT = {"TAA": 64.0, "TGA": 29.0, "TAG": 7.0}
"""Stop codons of the annotated proteins of NC_000913.3; a stop codon that is not listed counts as the rarest."""

RIBOSOME_SITE = "AGGAGG"
"""Reference: Shine and Dalgarno, Proceedings of the National Academy of Sciences 71, 1974."""

_POSITION_WEIGHTS = (0.35, 0.2, 1.0)  # how strongly codon positions follow genomic GC: third most, second least;
# Muto and Osawa, Proceedings of the National Academy of Sciences 84, 1987, figure 2
_GAMMA_SHAPE, _GAMMA_CODONS = 2.0, 179.0  # median 300 codons
_OPERON_GENES = 3.0
_LEAD_BP = 20  # bases before an operon that turn around with it: they hold its first ribosome binding site
_MIN_GAP_BP, _SHORT_GAP_BP = 50, 30
_DESERT_SHARE, _DESERT_BP = 0.02, (1_500, 6_000)
_OVERLAP_SHARES = (0.22, 0.08)  # of neighbours in an operon: four shared bases (ATGA), one shared base (TAATG)
_MEAN_INNER_BP = (1 - sum(_OVERLAP_SHARES)) * _SHORT_GAP_BP / 2 - 4 * _OVERLAP_SHARES[0] - _OVERLAP_SHARES[1]
_SITE_SHARE, _SITE_MUTATION, _SITE_SPACING_BP = 0.92, 0.12, (5, 10)
_BATCH_GENES = 2_000
_CHUNK_BP = 1 << 20

_IS_GC = np.array([0.0, 1.0, 1.0, 0.0])
_CODON_BASES = np.stack([encode_bases(codon) for codon in CODONS])  # [64, 3]
_ATG, _TGA = CODONS.index("ATG"), CODONS.index("TGA")
_BEGINS_WITH_A, _ENDS_WITH_A = _CODON_BASES[:, 0] == 0, _CODON_BASES[:, 2] == 0


@dataclass(frozen=True, eq=False)
class Composition:
    """What all contigs of one genome share.

    Attributes:
        code: Genetic code of the genes.
        sense: Probability of each codon inside a gene, float64 [64].
        start: The same for start codons.
        stop: The same for stop codons.
        background: Cumulative probability of the next base after each pair of bases, float64 [16, 4].
        mean_gap_bp: Mean distance between operons.
    """

    code: GeneticCode
    sense: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    background: np.ndarray
    mean_gap_bp: float


@dataclass(frozen=True, eq=False)
class Layout:
    """Genes along a contig as if all operons were on the forward strand; arrays of shape [n].

    Attributes:
        start: First base.
        end: One behind the last base.
        opens: First gene of its operon.
        shared_bp: Bases shared with the gene before: 4, 1 or 0.
        minus: The operon is turned around.
    """

    start: np.ndarray
    end: np.ndarray
    opens: np.ndarray
    shared_bp: np.ndarray
    minus: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    def first(self, n: int) -> "Layout":
        """The first ``n`` genes."""
        return Layout(self.start[:n], self.end[:n], self.opens[:n], self.shared_bp[:n], self.minus[:n])


def simulate_genome(
    *,
    length_bp: int,
    gc: float,
    seed: int,
    genetic_code: int = 11,
    coding_fraction: float = 0.87,
    n_contigs: int = 1,
) -> Iterator[tuple[Record, list[Gene]]]:
    """Make up a genome, contig by contig; the same arguments give the same genome with the same numpy version.

    Memory follows the longest contig, not the genome. Contigs are as equal in length as possible; one that is too short
    for a gene has none.

    Args:
        length_bp: Length of all contigs together.
        gc: Share of G and C, 0.2 to 0.8.
        seed: Any number from 0 on; another seed gives other codon usage and other genes.
        genetic_code: NCBI number of the genes' code.
        coding_fraction: Share of the bases that lie in genes, 0.1 to 0.94.
        n_contigs: Number of contigs.

    Returns:
        For each contig its record and its genes by position.

    Raises:
        UsageError: If an argument is out of range.
    """
    code = get_genetic_code(genetic_code)
    _check_range("gc", gc, GC_RANGE)
    _check_range("coding_fraction", coding_fraction, CODING_RANGE)
    if seed < 0 or n_contigs < 1 or not n_contigs <= length_bp <= LONGEST_BP:
        found = f"seed {seed}, {n_contigs} contigs, {length_bp} bp"
        raise UsageError("SIM-001", f"expected seed >= 0 and 1 <= contigs <= length <= {LONGEST_BP:,}, found {found}.")
    composition = draw_composition(np.random.default_rng([seed, 0]), code, gc, coding_fraction)
    return _contigs(composition, seed, length_bp, n_contigs)


def _check_range(name: str, value: float, limits: tuple[float, float]) -> None:
    if not limits[0] <= value <= limits[1]:
        raise UsageError("SIM-002", f"{name} must be {limits[0]} to {limits[1]}, found {value}.")


def _contigs(
    composition: Composition, seed: int, length_bp: int, n_contigs: int
) -> Iterator[tuple[Record, list[Gene]]]:
    for i in range(n_contigs):
        contig_bp = length_bp // n_contigs + (i < length_bp % n_contigs)
        yield _contig(np.random.default_rng([seed, i + 1]), composition, f"sim{seed}_{i + 1}", contig_bp)


def draw_composition(rng: np.random.Generator, code: GeneticCode, gc: float, coding_fraction: float) -> Composition:
    """Codon usage and background of one genome, both with the GC asked for."""
    mean_gene_bp = 3 * _GAMMA_SHAPE * _GAMMA_CODONS
    return Composition(
        code=code,
        sense=_codon_usage(rng, code, gc),
        start=_listed(START_PERCENT, code.start_mask, 0.0),
        stop=_listed(STOP_PERCENT, code.stop_mask, min(STOP_PERCENT.values())),
        background=np.cumsum(_background(rng, gc), axis=1),
        mean_gap_bp=_OPERON_GENES * mean_gene_bp * (1 / coding_fraction - 1) - (_OPERON_GENES - 1) * _MEAN_INNER_BP,
    )


def _listed(percent: dict[str, float], allowed: np.ndarray, otherwise: float) -> np.ndarray:
    weights = np.array([percent.get(codon, otherwise) for codon in CODONS]) * allowed
    return weights / weights.sum()


def _codon_usage(rng: np.random.Generator, code: GeneticCode, gc: float) -> np.ndarray:
    """Amino acids as in real proteins times a synonymous usage drawn at random, then tilted to the GC."""
    weights = np.zeros(64)
    for amino_acid, percent in AMINO_ACID_PERCENT.items():
        codons = [i for i in range(64) if code.aa[i] == amino_acid and not code.stop_mask[i]]
        if codons:
            weights[codons] = percent * rng.dirichlet(np.full(len(codons), 4.0))
    exponent = _IS_GC[_CODON_BASES] @ np.array(_POSITION_WEIGHTS)  # [64]
    gc_share = _IS_GC[_CODON_BASES].mean(axis=1)  # [64]

    def tilted(tilt: float) -> np.ndarray:
        usage = weights * np.exp(tilt * exponent)
        return usage / usage.sum()

    return tilted(_solve(lambda tilt: tilted(tilt) @ gc_share, gc))


def _background(rng: np.random.Generator, gc: float) -> np.ndarray:
    """Probability of the next base after each pair, [16, 4]; near enough the same on both strands."""
    noise = rng.gamma(40.0, size=64) / 40.0
    turned = (3 - _CODON_BASES[:, ::-1]) @ np.array([16, 4, 1])  # reverse complement of each triplet
    weights = (noise + noise[turned]).reshape(16, 4)

    def tilted(tilt: float) -> np.ndarray:
        rows = weights * np.exp(tilt * _IS_GC)
        return rows / rows.sum(axis=1, keepdims=True)

    return tilted(_solve(lambda tilt: float(_stationary(tilted(tilt)) @ _IS_GC), gc))


def _stationary(transition: np.ndarray) -> np.ndarray:
    """Base frequencies that an order-2 chain settles to, [4]."""
    pairs = np.full((4, 4), 1 / 16)
    for _ in range(40):  # the second eigenvalue is near 0.1: far below float64 precision after 40 steps
        pairs = np.einsum("ab,abc->bc", pairs, transition.reshape(4, 4, 4))
    return pairs.sum(axis=0)


def _solve(rising, target: float) -> float:
    """The argument at which a rising function reaches ``target``, by bisection."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < target else (low, middle)
    return (low + high) / 2


def _contig(rng: np.random.Generator, composition: Composition, name: str, length_bp: int) -> tuple[Record, list[Gene]]:
    codes = np.empty(length_bp, np.uint8)
    previous = 0
    for i in range(0, length_bp, _CHUNK_BP):
        draws = rng.random(min(_CHUNK_BP, length_bp - i))
        previous = _fill_background(codes[i : i + len(draws)], draws, composition.background, previous)
    genes: list[Gene] = []
    position, is_full = 0, False
    while not is_full:
        planned = _draw_layout(rng, composition, position)
        layout = planned.first(int(np.searchsorted(planned.end, length_bp, side="right")))
        is_full = len(layout) < len(planned)
        if len(layout):
            position = int(layout.end[-1])
            _write_genes(rng, composition, codes, layout)
            genes += _turn_operons(codes, layout, name, composition.code.number)
    genes = sort_genes(genes)
    for number, gene in enumerate(genes, start=1):
        gene.locus_tag = f"{name}_{number:05d}"
    return Record(name, codes, "simulated"), genes


@numba.njit(cache=True, nogil=True)
def _fill_background(codes, draws, cumulative, previous):
    """Fill ``codes`` with an order-2 chain that goes on from the pair ``previous``; the last pair."""
    for i in range(len(codes)):
        base = 0
        while base < 3 and draws[i] >= cumulative[previous, base]:
            base += 1
        codes[i] = base
        previous = (previous % 4) * 4 + base
    return previous


def _draw_layout(rng: np.random.Generator, composition: Composition, position: int) -> Layout:
    """The next ``_BATCH_GENES`` genes behind ``position``."""
    n = _BATCH_GENES
    n_codons = np.maximum(rng.gamma(_GAMMA_SHAPE, _GAMMA_CODONS, n).astype(np.int64), MIN_GENE_CODONS)
    opens = rng.random(n) < 1 / _OPERON_GENES
    opens[0] = True
    shared_bp = _draw_shared(rng, composition.code, opens)
    inner_bp = np.where(shared_bp > 0, -shared_bp, rng.integers(1, _SHORT_GAP_BP, n))
    gap_bp = np.where(opens, _draw_gaps(rng, composition.mean_gap_bp, n), inner_bp)
    end = position + np.cumsum(gap_bp + 3 * n_codons)
    minus = (rng.random(n) < 0.5)[np.cumsum(opens) - 1]
    return Layout(end - 3 * n_codons, end, opens, shared_bp, minus)


def _draw_shared(rng: np.random.Generator, code: GeneticCode, opens: np.ndarray) -> np.ndarray:
    """Four shared bases need the stop codon TGA, one shared base needs a stop codon that ends with A."""
    four, one = _OVERLAP_SHARES
    draw = rng.random(len(opens))
    shared_bp = np.select([draw < four, draw < four + one], [4, 1], 0)
    shared_bp[opens] = 0
    if not code.stop_mask[_TGA]:
        shared_bp[shared_bp == 4] = 1
    if not (code.stop_mask & _ENDS_WITH_A).any():
        shared_bp[:] = 0
    return shared_bp


def _draw_gaps(rng: np.random.Generator, mean_bp: float, n: int) -> np.ndarray:
    """Distances between operons; a few are deserts, in which only chance makes open frames."""
    rest_bp = (mean_bp - _DESERT_SHARE * float(np.mean(_DESERT_BP))) / (1 - _DESERT_SHARE) - _MIN_GAP_BP
    gaps = _MIN_GAP_BP + rng.exponential(max(rest_bp, 1.0), n).astype(np.int64)
    return np.where(rng.random(n) < _DESERT_SHARE, rng.integers(*_DESERT_BP, n), gaps)


def _write_genes(rng: np.random.Generator, composition: Composition, codes: np.ndarray, layout: Layout) -> None:
    n_codons = (layout.end - layout.start) // 3
    behind = np.cumsum(n_codons)
    first = behind - n_codons
    codons = _draw_codons(rng, composition, layout, first, behind)
    in_gene = np.arange(behind[-1]) - np.repeat(first, n_codons)
    position = np.repeat(layout.start, n_codons) + 3 * in_gene
    for i in range(3):
        codes[position + i] = _CODON_BASES[codons, i]
    _write_sites(rng, composition.code, codes, layout)


def _draw_codons(rng, composition: Composition, layout: Layout, first: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Codons of all genes one after the other; where genes overlap, both read the same bases."""

    def draw(weights: np.ndarray, n: int) -> np.ndarray:
        return rng.choice(64, size=n, p=weights / weights.sum())

    codons = draw(composition.sense, behind[-1])
    codons[first] = draw(composition.start, len(first))
    codons[behind - 1] = draw(composition.stop, len(first))
    four, one = np.flatnonzero(layout.shared_bp == 4), np.flatnonzero(layout.shared_bp == 1)
    codons[first[layout.shared_bp > 0]] = _ATG
    codons[behind[four - 1] - 1] = _TGA
    codons[behind[four - 1] - 2] = draw(composition.sense * _ENDS_WITH_A, len(four))
    codons[first[four] + 1] = draw(composition.sense * _BEGINS_WITH_A, len(four))
    if len(one):
        codons[behind[one - 1] - 1] = draw(composition.stop * _ENDS_WITH_A, len(one))
    return codons


def _write_sites(rng: np.random.Generator, code: GeneticCode, codes: np.ndarray, layout: Layout) -> None:
    """A mutated ribosome binding site before most genes; none where it would spoil the end of the gene before."""
    n, width = len(layout), len(RIBOSOME_SITE)
    motif = np.tile(encode_bases(RIBOSOME_SITE), (n, 1))  # [n, 6]
    mutated = rng.random((n, width)) < _SITE_MUTATION
    motif[mutated] = rng.integers(0, 4, int(mutated.sum()), dtype=np.uint8)
    low, high = _SITE_SPACING_BP
    position = layout.start - rng.integers(low, high + 1, n) - width
    wanted = rng.random(n) < _SITE_SHARE
    for i in np.flatnonzero(wanted):
        site = slice(position[i], position[i] + width)
        is_between = layout.opens[i] or position[i] >= layout.end[i - 1]
        if is_between or _fits_in_gene(codes, code, motif[i], int(position[i]), layout.start[i - 1], layout.end[i - 1]):
            codes[site] = motif[i]


def _fits_in_gene(codes: np.ndarray, code: GeneticCode, motif: np.ndarray, position: int, start: int, end: int) -> bool:
    """Whether the motif lies before the gene's stop codon and makes no stop codon inside it."""
    if position + len(motif) > end - 3:
        return False
    phase = int(position - start) % 3
    frame = codes[position - phase : position - phase + 9].copy()
    frame[phase : phase + len(motif)] = motif
    codons = frame.reshape(3, 3) @ np.array([16, 4, 1])
    touched = codons[: (phase + len(motif) + 2) // 3]
    return not code.stop_mask[touched].any()


def _turn_operons(codes: np.ndarray, layout: Layout, name: str, genetic_code: int) -> list[Gene]:
    """Put the minus operons on the other strand, in place; all genes in their final coordinates."""
    first = np.flatnonzero(layout.opens)
    behind = np.append(first[1:], len(layout))
    genes = []
    for i, j in zip(first, behind, strict=True):
        low, high = int(layout.start[i]) - _LEAD_BP, int(layout.end[j - 1])
        is_minus = bool(layout.minus[i])
        if is_minus:
            codes[low:high] = reverse_complement(codes[low:high])
        for start, end in zip(layout.start[i:j].tolist(), layout.end[i:j].tolist(), strict=True):
            place = (low + high - end, low + high - start, "-") if is_minus else (start, end, "+")
            genes.append(Gene(name, *place, genetic_code=genetic_code))
    return genes
