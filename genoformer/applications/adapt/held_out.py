"""What a change of weights is worth on regions that training has not seen: scores before and after, as a table.

Decoder and statistics are the same on both sides, so that the weights alone make the difference.
"""

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from genoformer.applications.genes.region_scores import count_region, read_region
from genoformer.decoding.decoder import GeneDecoder
from genoformer.decoding.statistics import GenomeStatistics
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.metrics.bases import BaseScores, precision_recall_f1
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.stream import TilePlan
from genoformer.tasks import gene_structure

CODON_CHANNELS = ("codon_0", "codon_1", "codon_2")
SCORES = {
    "three_prime_f1": "3′ F1",
    "exact_f1": "exact F1",
    "codon_auprc": "codon AUPRC",
    "chain_f1": "chains of exons F1",
    "exon_f1": "exons F1",
    "base_mcc": "MCC of bases",
}
"""Scores and what they are called; the last three are those of genes with introns, see ``adapt_introns``."""
SCORES_OF_GENES = ("three_prime_f1", "exact_f1", "chain_f1", "exon_f1")


def score_held_out(
    network: nn.Module,
    tokenizer: KmerTokenizer,
    plan: TilePlan,
    store: Store,
    regions: list[Region],
    decoder: GeneDecoder,
    statistics: Mapping[str, GenomeStatistics | None],
) -> dict[str, float | None]:
    """Scores of genes and bases against the labels of a store.

    Genes that are not whole inside a region, predictions in masked genes and masked bases are not judged.

    Args:
        network: Gene-structure model in evaluation mode.
        tokenizer: Its tokenizer.
        plan: How sequence is cut into tiles.
        store: Sequences, labels and genes.
        regions: Where to score.
        decoder: Weights and rules of selection.
        statistics: Of each genome of the store, or None.

    Returns:
        The first three of ``SCORES``, and "n_predicted" and "n_genes". The AUPRC is the mean over the codon positions,
        None where the regions hold no gene.
    """
    total, bases = np.zeros(4), BaseScores(CODON_CHANNELS)
    for region in regions:
        codes, logits = read_region(network, tokenizer, plan, store, region)
        own = statistics[store.records[region.record].genome]

        def choose(rows: np.ndarray, stop_rate: float, codes=codes, own=own) -> np.ndarray:
            return decoder.choose(codes, rows, stop_rate, own)[1]

        total += count_region(codes, logits, store, region, choose)
        _add_bases(bases, logits, store.tracks(region.record, region.start, region.end))
    hits, exact, n_predicted, n_genes = total.tolist()
    auprc = float(np.mean([scores["auprc"] for scores in bases.compute().values()]))
    return {
        "three_prime_f1": precision_recall_f1(hits, n_predicted, n_genes)["f1"],
        "exact_f1": precision_recall_f1(exact, n_predicted, n_genes)["f1"],
        "codon_auprc": None if math.isnan(auprc) else auprc,
        "n_predicted": int(n_predicted),
        "n_genes": int(n_genes),
    }


def _add_bases(bases: BaseScores, logits: np.ndarray, labels: np.ndarray) -> None:
    """Add both strands of a region: logits [2, L, C] and label bits [2, L]."""
    targets, weights = (part.numpy() for part in gene_structure.unpack_labels(torch.from_numpy(labels)))
    codons = [gene_structure.channels.index(name) for name in CODON_CHANNELS]
    counted = weights[..., codons] > 0
    bases.update(logits[..., codons], targets[..., codons], counted, from_logits=True)


def has_helped(before: Mapping, after: Mapping) -> bool:
    """Whether a score rose, and neither of the two scores of genes fell."""
    change = {name: (after[name] or 0.0) - (before[name] or 0.0) for name in SCORES if name in before}
    return max(change.values()) > 0 and all(change.get(name, 0.0) >= 0 for name in SCORES_OF_GENES)


def is_unchanged(before: Mapping, after: Mapping) -> bool:
    """Whether no score changed in the digits that are shown."""
    return all(old == new for _, old, new in _changes(before, after))


def gain_line(before: Mapping, after: Mapping) -> str:
    """Scores before and after, in one line."""
    return ", ".join(f"{label} {old} → {new}" for label, old, new in _changes(before, after))


def gain_table(before: Mapping, after: Mapping) -> list[str]:
    """Lines of a Markdown table."""
    rows = [f"| {label} | {old} | {new} |" for label, old, new in _changes(before, after)]
    counts = f"| predicted genes that are judged | {before['n_predicted']} | {after['n_predicted']} |"
    return ["| held out | before | after |", "|---|---|---|", *rows, counts]


def _changes(before: Mapping, after: Mapping) -> list[tuple[str, str, str]]:
    names = [name for name in SCORES if name in before]
    return [(SCORES[name], _shown(before[name]), _shown(after[name])) for name in names]


def _shown(score: float | None) -> str:
    return "–" if score is None else f"{score:.4f}"
