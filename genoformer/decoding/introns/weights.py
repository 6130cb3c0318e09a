"""What the decoder of genes with introns knows: weights of outputs, costs, and how long exons and introns are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from genoformer.decoding.introns.motifs import GeneCounts, Motifs
from genoformer.files.numbers import read_number, read_numbers

MOTIF_WEIGHTS = ("motif", "start_motif", "codon", "rate")
"""Decoders of before have none of these."""
EXON_KINDS = ("initial", "internal", "terminal", "single")
SITE_KINDS = ("GT-AG", "GC-AG", "AT-AC")


@dataclass(frozen=True)
class IntronWeights:
    """Every number is fitted (see ``fit``); scores are log-odds against intergenic sequence.

    Attributes:
        state: Weight of the states' log-odds, summed over bases.
        utr: Weight of the untranslated state's log-odds, summed over bases.
        signal: Weight of the start and stop outputs.
        splice: Weight of the donor and acceptor outputs.
        gene: Added for each gene.
        intron: Added for each intron.
        untranslated: Added for each untranslated region.
        edge: Added for each end of a gene that the record cuts off.
        length: Weight of the log-probabilities of lengths.
        rare_site: Weight of the log-frequencies of kinds of splice sites.
        motif: Weight of the log-odds of splice sites, see ``motifs``.
        start_motif: Weight of those of starts.
        codon: Weight of those of codons, at the last base of each.
        rate: Weight of the log-odds of introns: how many there are here, against the training genes.
    """

    state: float = 0.025
    utr: float = 0.056
    signal: float = 3.7
    splice: float = 5.6
    gene: float = -1.5
    intron: float = 5.0
    untranslated: float = 5.0
    edge: float = -3.0
    length: float = 0.35
    rare_site: float = 3.5
    motif: float = 4.0
    start_motif: float = 1.0
    codon: float = 2.0
    rate: float = 8.0

    @property
    def follows(self) -> bool:
        """Whether genes of the genome at hand can change anything."""
        return any((self.motif, self.start_motif, self.codon, self.rate))


@dataclass(frozen=True)
class LengthTable:
    """Log-probability of a length in bp: a value for each up to the last, then a straight line.

    Attributes:
        logs: By length, from 0; −inf for lengths that do not occur. Finite at the end.
        slope: Added for each further base; not positive.
    """

    logs: tuple[float, ...]
    slope: float

    def array(self, n: int) -> np.ndarray:
        """The first ``n`` values, float64 [n]."""
        logs = np.array(self.logs[:n])
        return np.concatenate([logs, logs[-1] + self.slope * np.arange(1, n - len(logs) + 1)])


def fit_lengths(lengths: Sequence[int], *, shortest_bp: int, n_bp: int) -> LengthTable:
    """A smooth distribution of observed lengths, with the tail of a geometric one.

    The density of log-lengths is a sum of bumps of width 0.15 around the observed ones (a tenth of all weight lies
    evenly over all log-lengths); behind ``n_bp`` lengths fall off by the mean excess of the longer half.

    Args:
        lengths: Observed, in bp.
        shortest_bp: Shorter lengths are impossible.
        n_bp: Length of the table; at least twice ``shortest_bp``.
    """
    place = np.log(np.arange(1, n_bp + 1))
    observed = np.log(np.array(lengths, dtype=np.float64)) if len(lengths) else np.log([n_bp / 10])
    density = np.full(n_bp, 0.1 / place[-1])
    for value, count in zip(*np.unique(observed, return_counts=True), strict=True):
        bump = np.exp(-0.5 * ((place - value) / 0.15) ** 2) / (0.15 * np.sqrt(2 * np.pi))
        density += 0.9 * count / len(observed) * bump
    logs = np.log(density) - place  # density of the length itself
    logs[: shortest_bp - 1] = -np.inf
    long_half = np.sort(np.exp(observed))[len(observed) // 2 :]
    slope = -1.0 / max(float(long_half.mean() - long_half.min()), 50.0)
    return LengthTable((-np.inf, *logs.tolist()), slope)


@dataclass(frozen=True)
class IntronDecoder:
    """Weights and distributions of lengths.

    Attributes:
        weights: See ``IntronWeights``.
        exons: Length of coding parts, by kind of ``EXON_KINDS``.
        introns: Length of introns.
        sites: Log-frequency of each of ``SITE_KINDS`` among introns.
        motifs: What sites and codons look like in the genome at hand, or in the training genes; None in decoders of
            before, which do not look at them.
    """

    weights: IntronWeights
    exons: dict[str, LengthTable]
    introns: LengthTable
    sites: dict[str, float] = field(default_factory=lambda: dict(zip(SITE_KINDS, (0.0, -4.5, -8.0), strict=True)))
    motifs: Motifs | None = None

    def following(self, own: GeneCounts) -> "IntronDecoder":
        """The decoder for a genome whose genes were counted; the same one where it does not look at motifs."""
        return self if self.motifs is None else replace(self, motifs=replace(self.motifs, own=own))

    def with_weights(self, **changed: float) -> "IntronDecoder":
        """The same decoder with other weights."""
        return replace(self, weights=replace(self.weights, **changed))

    def to_dict(self) -> dict:
        """JSON types; −inf, which JSON lacks, is None."""
        return {
            "weights": asdict(self.weights),
            "exons": {kind: _table_dict(table) for kind, table in self.exons.items()},
            "introns": _table_dict(self.introns),
            "sites": self.sites,
            "motifs": None if self.motifs is None else self.motifs.training.to_dict(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping) -> "IntronDecoder":
        """Read what ``to_dict`` wrote.

        Raises:
            KeyError, TypeError, ValueError: If it is something else.
        """
        unknown = dict.fromkeys(MOTIF_WEIGHTS, 0.0)
        counts = stored.get("motifs")
        return cls(
            IntronWeights(**(unknown | {name: read_number(value) for name, value in stored["weights"].items()})),
            {kind: _read_table(stored["exons"][kind]) for kind in EXON_KINDS},
            _read_table(stored["introns"]),
            read_numbers(stored["sites"], SITE_KINDS),
            None if counts is None else Motifs(None, GeneCounts.from_dict(counts)),
        )


def _table_dict(table: LengthTable) -> dict:
    logs = [None if value == -np.inf else round(value, 5) for value in table.logs]
    return {"logs": logs, "slope": table.slope}


def _read_table(stored: Mapping) -> LengthTable:
    logs = tuple(-np.inf if value is None else read_number(value) for value in stored["logs"])
    slope = read_number(stored["slope"])
    if not logs or logs[-1] == -np.inf or slope > 0:
        raise ValueError("a table of lengths must end in a number and fall")
    return LengthTable(logs, slope)
