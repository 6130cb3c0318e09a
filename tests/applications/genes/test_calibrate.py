"""Fitting a decoder to held-out regions: fragments are cut right, and perfect outputs give a good decoder."""

import json
from dataclasses import replace

import numpy as np
import pytest
from oracle import TOKENIZER, Oracle, phage_store

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.tracks import GENE_TABLE
from genoformer.applications.genes.calibrate import fit_gene_decoder
from genoformer.applications.genes.held import FRAGMENT_BP, MIN_GENE_BP, _fragments, cut_genes
from genoformer.decoding.caller import call_genes, collect_candidates
from genoformer.decoding.candidates import find_candidates
from genoformer.decoding.decoder import GeneDecoder
from genoformer.decoding.options import CallOptions
from genoformer.decoding.orfs import EDGE_START
from genoformer.errors import DataError
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store, write_store
from genoformer.sequence.records import Record
from genoformer.stream import TilePlan, record_logits

PLAN = TilePlan(4096, 64)


def random_genes(seed=0, length=6000):
    """A random sequence, and the longest complete gene of each of its open frames."""
    codes = np.random.default_rng(seed).integers(0, 4, length, dtype=np.uint8)
    rows = find_candidates(
        codes, np.zeros((2, length, 5), np.float32), code=get_genetic_code(11), min_gene_bp=MIN_GENE_BP
    )
    rows = rows[(rows["kind"] != EDGE_START) & (rows["closed"] == 1)]
    rows = rows[np.lexsort((-rows["n_codons"], rows["orf"]))]
    rows = rows[np.unique(rows["orf"], return_index=True)[1]]
    genes = np.zeros(len(rows), GENE_TABLE)
    for name in ("start", "end", "strand"):
        genes[name] = rows[name]
    return codes, genes


def whole_codons(gene, start, end):
    """Start and end of the codons of a gene that lie whole in a fragment."""
    codons = [i for i in range(gene["start"], gene["end"], 3) if start <= i and i + 3 <= end]
    return (codons[0], codons[-1] + 3) if codons else None


@pytest.mark.parametrize("shift", range(6))
def test_cut_genes_keep_their_whole_codons(shift):
    _, genes = random_genes()
    n_cut = 0
    for start in range(shift, 5500, 250):
        end = start + 500 + shift
        expected = set()
        for gene in genes:
            span = whole_codons(gene, start, end)
            if span and span[1] - span[0] >= MIN_GENE_BP:
                expected.add((*span, int(gene["strand"])))
                n_cut += span != (gene["start"], gene["end"])
        assert {(int(g["start"]), int(g["end"]), int(g["strand"])) for g in cut_genes(genes, start, end)} == expected
    assert n_cut > 20


def test_cut_genes_are_candidates_of_the_fragment():
    codes, genes = random_genes(1)
    partial = set()
    for start in range(0, 5400, 101):
        end = start + 600
        rows = find_candidates(
            codes[start:end], np.zeros((2, 600, 5), np.float32), code=get_genetic_code(11), min_gene_bp=MIN_GENE_BP,
            offset=start, emitted_to=start - 1,
        )  # fmt: skip
        found = {(int(r["start"]), int(r["end"]), int(r["strand"])): r for r in rows}
        for gene in cut_genes(genes, start, end):
            key = (int(gene["start"]), int(gene["end"]), int(gene["strand"]))
            assert key in found
            partial.add((key[2], found[key]["kind"] == EDGE_START, bool(found[key]["closed"])))
    assert {(s, True, True) for s in (1, -1)} | {(s, False, False) for s in (1, -1)} <= partial


def test_fragments_give_only_frames_that_touch_their_ends():
    codes, genes = random_genes(2, 3 * FRAGMENT_BP)
    region = Region(0, 100, 3 * FRAGMENT_BP - 50)
    logits = np.zeros((2, region.end - region.start, 5), np.float32)
    fragments = list(_fragments(codes, logits, region, genes, CallOptions()))
    assert len(fragments) == 2
    for i, stretch in enumerate(fragments):
        rows, (low, high) = stretch.candidates, stretch.bounds
        assert (low, high) == (100 + i * FRAGMENT_BP, 100 + (i + 1) * FRAGMENT_BP)
        assert len(rows) > 3
        for orf in set(rows["orf"]):
            own = rows[rows["orf"] == orf]
            assert own["start"].min() < low + 3 or own["end"].max() > high - 3


def test_cutting_leaves_the_table_as_it_is():
    _, genes = random_genes()
    before = genes.copy()
    cut_genes(genes, 1000, 1500)
    np.testing.assert_array_equal(genes, before)
    np.testing.assert_array_equal(cut_genes(genes, 0, 6000), genes)


def genes_of(codes, network, decoder, **options):
    options = CallOptions(**options)
    candidates = collect_candidates(codes, record_logits(network, TOKENIZER, codes, PLAN), options)
    return call_genes("c", codes, candidates, decoder, options)


def test_decoder_fitted_to_perfect_outputs_finds_the_genes(data_dir, tmp_path):
    store, network = phage_store(tmp_path / "data.h5", data_dir / "genome_phages" / "NC_049491.gbk.gz")
    decoder = fit_gene_decoder(network, TOKENIZER, PLAN, store, [Region(0, 30_000, 100_000)])
    assert decoder.adapted is not None and decoder.adapted.weights.second is not None
    assert set(decoder.adapted.weights.gene) > set(decoder.plain.weights.gene)
    again = GeneDecoder.from_dict(json.loads(json.dumps(decoder.to_dict())))
    assert replace(again, prior=None) == replace(decoder, prior=None)
    np.testing.assert_allclose(again.prior.hexamers, decoder.prior.hexamers, atol=1e-3)
    codes, table = store.bases(0, 0, store.records[0].length), store.genes(0)
    truth = {(int(g["start"]), int(g["end"]), "+" if g["strand"] > 0 else "-") for g in table if not g["masked"]}
    found = {(g.start, g.end, g.strand) for g in genes_of(codes, network, decoder)}
    assert len(found & truth) > 0.97 * max(len(truth), len(found))
    fragment = codes[50_000:53_000]
    cut = cut_genes(table, 50_000, 53_000)
    cut = {(int(g["start"]) - 50_000, int(g["end"]) - 50_000, "+" if g["strand"] > 0 else "-") for g in cut}
    genes = genes_of(fragment, network, decoder)
    assert any(gene.partial_5 or gene.partial_3 for gene in genes)
    assert len({(g.start, g.end, g.strand) for g in genes} & cut) >= 0.8 * len(cut) > 0


def test_small_genome_gives_a_decoder_without_statistics(data_dir, tmp_path):
    store, network = phage_store(tmp_path / "data.h5", data_dir / "genome_phages" / "NC_019724.gbk.gz")
    decoder = fit_gene_decoder(network, TOKENIZER, PLAN, store, [Region(0, 5_000, 40_000)])
    assert decoder.adapted is None


def test_regions_without_genes_are_an_error(tmp_path):
    codes = np.random.default_rng(0).integers(0, 4, 5000, dtype=np.uint8)
    tracks = np.zeros((2, 5000), np.uint8)
    write_store(tmp_path / "d.h5", [("g", Record("c", codes), tracks, np.zeros(0, GENE_TABLE), False, 11)], {})
    with pytest.raises(DataError, match="DECODER-001"):
        fit_gene_decoder(Oracle(codes, tracks), TOKENIZER, PLAN, Store(tmp_path / "d.h5"), [Region(0, 0, 5000)])
