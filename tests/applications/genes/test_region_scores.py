"""Gene scores of held-out regions, with a network that knows the answer and with one that knows nothing."""

import numpy as np
import pytest
import torch
from oracle import TOKENIZER, Oracle, phage_store

from genoformer.applications.genes.region_scores import score_regions
from genoformer.genomes.splits import Region
from genoformer.sequence.alphabet import decode_bases, reverse_complement
from genoformer.stream import TilePlan

PLAN = TilePlan(4096, 64)
REGION = Region(0, 10_000, 40_000)


@pytest.fixture(scope="module")
def lambda_store(data_dir, tmp_path_factory):
    path = tmp_path_factory.mktemp("lambda") / "data.h5"
    return phage_store(path, data_dir / "genome_phages" / "NC_001416_lambda.gbk.gz")


def expected_hits(store):
    """Genes of the region of at least 90 bp whose frame begins after a stop codon inside the region."""
    codes = store.bases(0, REGION.start, REGION.end)
    texts = {1: decode_bases(codes), -1: decode_bases(reverse_complement(codes))}
    hits = total = 0
    for gene in store.genes(0):
        if gene["masked"] or gene["start"] < REGION.start or gene["end"] > REGION.end:
            continue
        strand = int(gene["strand"])
        first = gene["start"] - REGION.start if strand > 0 else REGION.end - gene["end"]
        before = [texts[strand][i : i + 3] for i in range(first - 3, -1, -3)]
        total += 1
        hits += bool({"TAA", "TAG", "TGA"} & set(before)) and gene["end"] - gene["start"] >= 90
    return hits, total


def test_perfect_outputs_find_every_gene_whose_frame_is_in_the_region(lambda_store):
    store, network = lambda_store
    hits, total = expected_hits(store)
    assert 30 < hits < total
    scores = score_regions(network, TOKENIZER, PLAN, store, [REGION])
    assert scores == pytest.approx({"gene_f1": 2 * hits / (hits + total), "gene_exact_f1": 2 * hits / (hits + total)})


def test_regions_add_up(lambda_store):
    store, network = lambda_store
    once, twice = (score_regions(network, TOKENIZER, PLAN, store, [REGION] * n) for n in (1, 2))
    assert once == pytest.approx(twice)


def test_wrong_starts_lower_the_exact_score_only(lambda_store):
    store, _ = lambda_store
    codes = store.bases(0, 0, store.records[0].length)
    tracks = store.tracks(0, 0, len(codes)).copy()
    tracks &= ~np.uint8(8)
    for gene in store.genes(0):
        if gene["strand"] > 0:
            tracks[0, gene["start"] : gene["start"] + 75] &= 16
        else:
            tracks[1, gene["end"] - 75 : gene["end"]] &= 16
    scores = score_regions(Oracle(codes, tracks), TOKENIZER, PLAN, store, [REGION])
    assert scores["gene_exact_f1"] < scores["gene_f1"] - 0.2
    assert scores["gene_f1"] > 0.8


def test_network_that_sees_no_genes_scores_zero(lambda_store):
    store, _ = lambda_store
    codes = store.bases(0, 0, store.records[0].length)
    network = Oracle(codes, np.zeros((2, len(codes)), np.uint8))
    assert score_regions(network, TOKENIZER, PLAN, store, [REGION]) == {"gene_f1": 0.0, "gene_exact_f1": 0.0}


def test_no_regions_score_zero(lambda_store):
    store, network = lambda_store
    assert score_regions(network, TOKENIZER, PLAN, store, []) == {"gene_f1": 0.0, "gene_exact_f1": 0.0}


def test_region_too_short_for_a_gene_counts_nothing(lambda_store):
    store, network = lambda_store
    short = [REGION, Region(0, 20_000, 20_080)]
    assert score_regions(network, TOKENIZER, PLAN, store, short) == score_regions(
        network, TOKENIZER, PLAN, store, [REGION]
    )
    assert torch.is_grad_enabled()
