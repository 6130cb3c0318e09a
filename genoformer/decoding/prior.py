"""What genes of other genomes look like, for a genome too short to tell itself: a plasmid, a phage, a contig.

Codon usage follows the composition of a genome more than anything else, so hexamers are kept by GC content. What
stands around starts is kept once, from sequence as it was found, of genomes most of whose genes have a binding site:
pooled with others the site is blurred, and says little of either kind. The counts of the genome at hand are added to
this (``statistics.estimate_statistics``): the longer it is, the less the prior says.

Reference: ready-made models by GC content are the idea of Prodigal's metagenomic mode (Hyatt et al., Bioinformatics 28
(2012) 2223).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from genoformer.decoding.binding_site import MOTIF_BP, SITE_FIRST, SITE_LAST, BindingSite
from genoformer.decoding.genome_counts import CONTEXT, GenomeCounts, add_up
from genoformer.decoding.statistics import GenomeStatistics, estimate_statistics
from genoformer.files.numbers import read_number, read_table

GC_STEP = 0.04
"""Genomes whose GC content differs by less share a table."""
SITE_SHARE = 0.75
"""Genomes with a binding site in so many of their genes tell what stands around starts.

Contigs of 5 kb of eight genomes of Bacillota, Actinomycetota and Bacteroidota, tables from other groups, mean share of
right starts: .901 from these genomes, .882 from all; .892 and .891 with .65 and .85.
"""
DECIMALS = 3


@dataclass(frozen=True)
class StatisticsPrior:
    """Statistics of other genomes.

    Attributes:
        gc: GC content that each table of hexamers is of, ascending, float64 [P].
        hexamers: Log-odds as in ``GenomeStatistics.hexamer``, float64 [P, 4096].
        starts: Everything else; its own hexamers are not used.
    """

    gc: np.ndarray
    hexamers: np.ndarray
    starts: GenomeStatistics

    def at(self, gc: float) -> GenomeStatistics:
        """Statistics for a genome of this GC content."""
        return self._tables[int(np.argmin(np.abs(self.gc - gc)))]

    @cached_property
    def _tables(self) -> list[GenomeStatistics]:
        values = {field.name: getattr(self.starts, field.name) for field in fields(self.starts)}
        return [GenomeStatistics(**{**values, "hexamer": table}) for table in self.hexamers]

    def to_dict(self) -> dict:
        """Plain JSON types, rounded; the inverse of ``from_dict``."""
        site = self.starts.site
        tables = {
            "gc": self.gc, "hexamers": self.hexamers, "usage": self.starts.usage, "context": self.starts.context,
            "motif": self.starts.motif, "site_motif": site.motif, "site_place": site.place,
        }  # fmt: skip
        stored = {name: np.round(table, DECIMALS).tolist() for name, table in tables.items()}
        return {**stored, "site_share": round(site.share, DECIMALS)}

    @classmethod
    def from_dict(cls, stored: dict) -> "StatisticsPrior":
        """Read what ``to_dict`` wrote.

        Raises:
            KeyError, TypeError, ValueError: If a table is missing or of another kind.
        """
        gc = read_table(stored["gc"], None)
        place = read_table(stored["site_place"], SITE_LAST - SITE_FIRST + 1)
        site = BindingSite(read_table(stored["site_motif"], MOTIF_BP, 4), place, read_number(stored["site_share"]))
        starts = GenomeStatistics(
            hexamer=np.zeros(4**6), usage=read_table(stored["usage"], 4**3 + 1),
            context=read_table(stored["context"], CONTEXT[1] - CONTEXT[0], 4),
            motif=read_table(stored["motif"], 4**5), site=site,
        )  # fmt: skip
        return cls(gc, read_table(stored["hexamers"], len(gc), 4**6), starts)


def learn_prior(counts: Sequence[tuple[GenomeCounts, bool]]) -> StatisticsPrior | None:
    """A prior from the genes of any number of genomes.

    Args:
        counts: Of each genome as a whole, and whether its sequence is as it was found; recoded genomes tell of hexamers
            only.

    Returns:
        None where there are too few genes.
    """
    steps = [round(one.gc / GC_STEP) for one, _ in counts]
    totals = [
        add_up(one for (one, _), at in zip(counts, steps, strict=True) if at == step) for step in sorted({*steps})
    ]
    starts = _starts([one for one, is_natural in counts if is_natural])
    tables = [(total.gc, estimate_statistics(total)) for total in totals]
    known = [(gc, statistics.hexamer) for gc, statistics in tables if statistics is not None]
    if starts is None or not known:
        return None
    return StatisticsPrior(np.array([gc for gc, _ in known]), np.stack([table for _, table in known]), starts)


def _starts(genomes: Sequence[GenomeCounts]) -> GenomeStatistics | None:
    """Statistics of the genomes with a binding site in most of their genes; of all where there is no such genome."""
    known = [(one, estimate_statistics(one)) for one in genomes]
    typical = [one for one, own in known if own is not None and own.site.share >= SITE_SHARE]
    return estimate_statistics(add_up(typical or genomes))
