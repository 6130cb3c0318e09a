"""What pictures of a report show of predicted genes: gathered record by record, drawn at the end."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from genoformer.annotation.gene_sequence import coding_sequence
from genoformer.annotation.models import Gene
from genoformer.decoding.binding_site import MOTIF_BP, SITE_FIRST, SITE_LAST, BindingSite, find_site
from genoformer.report.markup import Markup
from genoformer.report.page import figures
from genoformer.report.svg_charts import bars, histogram, lines
from genoformer.report.svg_logo import information, logo
from genoformer.sequence.alphabet import decode_bases, reverse_complement

N_BASES, WORD_BP = 4, 5
BEFORE_BP, BEHIND_BP = 20, 6
"""Bases around the first base of a start codon that are looked at."""
MIN_STARTS = 100
"""Starts that are enough to look for a motif that stands before them at varying distance."""
DENSITY_WINDOWS, DENSITY_BP = 120, 1_000
"""Most windows, and the shortest, in which coding bases are counted."""
LONGEST_SHOWN = 0.99
"""Share of the lengths that lie within the axis; longer ones count in its last bar."""


class GeneFigures:
    """Gathers what the pictures show.

    Attributes:
        n_genes: Genes that were added.
    """

    def __init__(self) -> None:
        self.n_genes = 0
        self._lengths: list[int] = []
        self._scores: list[float] = []
        self._starts: Counter[str] = Counter()
        self._bases = np.zeros((3, N_BASES), np.int64)
        self._windows: list[np.ndarray] = []
        self._exons: list[int] = []
        self._introns: list[int] = []
        self._background = np.zeros(N_BASES, np.int64)
        self._longest: tuple[str, int, dict[str, np.ndarray]] = ("", 0, {})

    def add(self, record_id: str, codes: np.ndarray, genes: Sequence[Gene]) -> None:
        """Look at the genes of one record, in its coordinates.

        Args:
            record_id: Its name.
            codes: uint8 base codes, forward strand, shape [L].
            genes: Found on it.
        """
        self._background += np.bincount(codes, minlength=N_BASES)[:N_BASES]
        for gene in genes:
            self._add_gene(codes, gene)
        if len(codes) > self._longest[1]:
            self._longest = record_id, len(codes), coding_density(len(codes), genes)

    def _add_gene(self, codes: np.ndarray, gene: Gene) -> None:
        self.n_genes += 1
        self._lengths.append(gene.length_bp)
        if gene.score is not None:
            self._scores.append(gene.score)
        self._introns += [b[0] - a[1] for a, b in pairwise(gene.parts)]
        self._exons += [end - start for start, end in gene.parts] if len(gene.parts) > 1 else []
        if gene.trans_spliced:
            return
        coding = coding_sequence(codes, gene)[gene.phase_offset :]
        whole = coding[: len(coding) // 3 * 3].reshape(-1, 3)
        for place in range(3):
            self._bases[place] += np.bincount(whole[:, place], minlength=N_BASES)[:N_BASES]
        if not gene.partial_5:
            self._starts[decode_bases(coding[:3])] += 1
            window = around_start(codes, gene)
            self._windows += [] if window is None else [window]

    def draw(self) -> Markup:
        """All pictures that there is something for."""
        drawn = [self._draw_lengths(), self._draw_scores(), self._draw_starts(), self._draw_bases()]
        drawn += [self._draw_density(), *self._draw_introns(), *self._draw_sites()]
        return figures(*(picture for picture in drawn if picture is not None))

    def _draw_lengths(self) -> tuple[Markup, str]:
        picture = histogram(
            self._lengths, title="Gene lengths", x="length of the coding sequence (bp)", y="genes",
            limits=(0, shown_limit(self._lengths)),
        )  # fmt: skip
        return picture, f"Coding lengths; the median is {median(self._lengths):,} bp."

    def _draw_scores(self) -> tuple[Markup, str] | None:
        if not self._scores:
            return None
        sure = np.mean(np.array(self._scores) >= 0.9)
        picture = histogram(self._scores, title="Confidence", x="confidence", y="genes", n_bins=20, limits=(0, 1))
        return picture, f"Calibrated confidence of genes: {sure:.0%} have .9 or more."

    def _draw_starts(self) -> tuple[Markup, str] | None:
        if not self._starts:
            return None
        shares = {codon: n / self._starts.total() for codon, n in self._starts.most_common(8)}
        listed = ", ".join(f"{codon} {share:.1%}" for codon, share in list(shares.items())[:3])
        return bars(shares, title="Start codons", x="start codon", y="share of genes"), f"Start codons: {listed}."

    def _draw_bases(self) -> tuple[Markup, str] | None:
        if not self._bases.sum():
            return None
        rows = {"all bases": self._background, **{f"codon {i + 1}": self._bases[i] for i in range(3)}}
        shares = {name: float((row[1] + row[2]) / max(row.sum(), 1)) for name, row in rows.items()}
        caption = "GC content of the sequence and of the three positions of codons."
        return bars(shares, title="GC by codon position", x="where", y="share of G and C"), caption

    def _draw_density(self) -> tuple[Markup, str] | None:
        name, length, shares = self._longest
        if not shares:
            return None
        places = ((np.arange(len(shares["forward"])) + 0.5) * length / len(shares["forward"])).tolist()
        series = {strand: (places, share.tolist()) for strand, share in shares.items()}
        picture = lines(series, title="Coding density", x="position (bp)", y="share of bases", y_limits=(0, 1))
        return picture, f"Share of coding bases along {name}, by strand."

    def _draw_introns(self) -> list[tuple[Markup, str]]:
        found = []
        for name, lengths in (("Introns", self._introns), ("Exons", self._exons)):
            if lengths:
                picture = histogram(
                    lengths, title=f"{name[:-1]} lengths", x="length (bp)", y=name.lower(),
                    limits=(0, shown_limit(lengths)),
                )  # fmt: skip
                caption = (
                    f"{len(lengths):,} {name.lower()} of genes with introns; the median is {median(lengths):,} bp."
                )
                found.append((picture, caption))
        return found

    def _draw_sites(self) -> list[tuple[Markup, str]]:
        if not self._windows:
            return []
        windows, background = np.array(self._windows), self._background + 1.0
        background = background / background.sum()
        places = [str(place) if place < 0 else f"+{place + 1}" for place in range(-BEFORE_BP, BEHIND_BP)]
        picture = logo(
            information(shares_of(windows), background), places, title="Bases around starts",
            x="from the first base of the start codon",
        )  # fmt: skip
        found = [(picture, f"What stands around {len(windows):,} starts, as it is.")]
        if len(windows) < MIN_STARTS or self._introns:
            return found
        site = find_site(windows[:, : SITE_LAST + MOTIF_BP - SITE_FIRST], frequent_word(windows[:, :BEFORE_BP]))
        return [draw_site(site, background), *found]


def draw_site(site: BindingSite, background: np.ndarray) -> tuple[Markup, str]:
    """The motif before starts, and how far before them it stands."""
    shares = background * np.exp(site.motif)
    shares /= shares.sum(axis=1, keepdims=True)
    gap = -(SITE_FIRST + int(site.place.argmax()) + MOTIF_BP)
    picture = logo(
        information(shares, background), [str(i + 1) for i in range(MOTIF_BP)], title="Binding site of the ribosome",
        x="place in the motif",
    )  # fmt: skip
    return (
        picture,
        f"The motif before starts: in {site.share:.0%} of genes, most often {gap} bp before the start codon.",
    )


def around_start(codes: np.ndarray, gene: Gene) -> np.ndarray | None:
    """Bases around a start in reading direction, [26]; None where they are not all there and known."""
    first, strand = gene.five_prime
    first %= len(codes)
    low, high = (
        (first - BEFORE_BP, first + BEHIND_BP) if strand == "+" else (first + 1 - BEHIND_BP, first + 1 + BEFORE_BP)
    )
    if low < 0 or high > len(codes):
        return None
    window = codes[low:high] if strand == "+" else reverse_complement(codes[low:high])
    return window if (window < N_BASES).all() else None


def shares_of(windows: np.ndarray) -> np.ndarray:
    """Share of each base at each place of windows [N, P], float64 [P, 4]."""
    return np.stack([(windows == base).mean(axis=0) for base in range(N_BASES)], axis=1)


def frequent_word(windows: np.ndarray) -> np.ndarray:
    """The word of five bases in most windows against what its bases alone would give, base codes [5]."""
    words = np.lib.stride_tricks.sliding_window_view(windows, WORD_BP, axis=1) @ (N_BASES ** np.arange(WORD_BP))[::-1]
    share = np.bincount(windows.ravel(), minlength=N_BASES) / windows.size
    counts = np.bincount(words.ravel(), minlength=N_BASES**WORD_BP)
    letters = np.arange(N_BASES**WORD_BP)[:, None] // (N_BASES ** np.arange(WORD_BP))[::-1] % N_BASES
    expected = share[letters].prod(axis=1) * words.size
    return letters[int(np.argmax((counts - expected) / np.sqrt(expected + 1)))]


def coding_density(length_bp: int, genes: Sequence[Gene]) -> dict[str, np.ndarray]:
    """Share of coding bases in equal windows along a record, by strand, each float64 [W]."""
    n_windows = max(1, min(DENSITY_WINDOWS, length_bp // DENSITY_BP))
    firsts = np.arange(n_windows) * length_bp // n_windows
    sizes = np.diff(np.append(firsts, length_bp))
    found = {}
    for name, strand in (("forward", "+"), ("reverse", "-")):
        coding = np.zeros(length_bp, bool)
        for start, end in (part for gene in genes if gene.strand == strand for part in gene.parts):
            coding[start:end] = True
            coding[: max(end - length_bp, 0)] = True
        found[name] = np.add.reduceat(coding, firsts, dtype=np.int64) / sizes
    return found


def shown_limit(lengths: Sequence[int]) -> float:
    """Up to where an axis of lengths goes."""
    return float(np.quantile(lengths, LONGEST_SHOWN)) if len(lengths) else 1.0


def median(lengths: Sequence[int]) -> int:
    """Of the lengths; 0 of none."""
    return int(np.median(lengths)) if len(lengths) else 0
