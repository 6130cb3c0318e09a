"""Scores of whole genes in held-out regions, while a model is being trained."""

from collections.abc import Callable

import numpy as np
from torch import nn

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.decoding.caller import record_stop_rate
from genoformer.decoding.candidates import find_candidates
from genoformer.decoding.fit import truth_of
from genoformer.decoding.options import CallOptions
from genoformer.decoding.scoring import DEFAULT_WEIGHTS, candidate_scores
from genoformer.decoding.selection import OverlapRules, select_genes
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.metrics.bases import precision_recall_f1
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.stream import TilePlan, record_logits


def score_regions(
    network: nn.Module,
    tokenizer: KmerTokenizer,
    plan: TilePlan,
    store: Store,
    regions: list[Region],
    add_up: Callable[[np.ndarray], np.ndarray] = lambda counts: counts,
) -> dict[str, float]:
    """F1 of genes by their 3′ end and exact, with the same decoder weights for every model.

    Genes that are not whole inside a region, and predictions in masked genes, are not judged.

    Args:
        network: Gene-structure model in evaluation mode.
        tokenizer: Its tokenizer.
        plan: How sequence is cut into tiles.
        store: Sequences and genes.
        regions: Where to score.
        add_up: Called with the counts; adds those of other processes, which score other regions.

    Returns:
        "gene_f1" and "gene_exact_f1".
    """
    total = np.zeros(4)
    for region in regions:
        total += _count(network, tokenizer, plan, store, region)
    hits, exact, predicted, reference = add_up(total)
    return {
        "gene_f1": precision_recall_f1(hits, predicted, reference)["f1"],
        "gene_exact_f1": precision_recall_f1(exact, predicted, reference)["f1"],
    }


def _count(network, tokenizer, plan: TilePlan, store: Store, region: Region) -> np.ndarray:
    codes, logits = read_region(network, tokenizer, plan, store, region)

    def choose(rows: np.ndarray, stop_rate: float) -> np.ndarray:
        score, _, _ = candidate_scores(rows, None, DEFAULT_WEIGHTS, stop_rate=stop_rate)
        return select_genes(rows["start"], rows["end"], rows["orf"], score, OverlapRules())

    return count_region(codes, logits, store, region, choose)


def read_region(
    network: nn.Module, tokenizer: KmerTokenizer, plan: TilePlan, store: Store, region: Region
) -> tuple[np.ndarray, np.ndarray]:
    """Bases of a region, uint8 [L], and what the model says of them alone, [2, L, C] in forward coordinates."""
    codes = store.bases(region.record, region.start, region.end)
    return codes, np.concatenate([piece for _, _, piece in record_logits(network, tokenizer, codes, plan)], axis=1)


def count_region(
    codes: np.ndarray,
    logits: np.ndarray,
    store: Store,
    region: Region,
    choose: Callable[[np.ndarray, float], np.ndarray],
) -> np.ndarray:
    """Right 3′ ends, right genes, judged predictions and genes of one region, [4].

    Args:
        codes: uint8 base codes of the region, [L].
        logits: Outputs of the model, both strands in forward coordinates, [2, L, C].
        store: Genes.
        region: The region.
        choose: Called with the candidates (coordinates of the region) and the chance of a stop codon; gives the rows
            that are predicted.
    """
    record = store.records[region.record]
    options = CallOptions(genetic_code=record.genetic_code)
    rows = find_candidates(
        codes, logits, code=get_genetic_code(record.genetic_code), min_gene_bp=options.min_gene_bp,
        offset=0, edge_left=False, edge_right=False,
    )  # fmt: skip
    genes = store.genes(record.index)
    genes = genes[(genes["start"] >= region.start) & (genes["end"] <= region.end)]
    genes["start"] -= region.start
    genes["end"] -= region.start
    n_genes = np.count_nonzero(~genes["masked"])
    if len(rows) == 0:
        return np.array([0, 0, 0, n_genes])
    chosen = choose(rows, record_stop_rate(codes, options))
    frame_right, start_right, judged = (column[chosen] for column in truth_of(rows, genes))
    return np.array([np.sum(frame_right & judged), np.sum(start_right & judged), np.sum(judged), n_genes])
