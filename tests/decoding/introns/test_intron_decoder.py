"""The path over both strands: by hand, against trying everything, mirrored, and in blocks."""

import json
from itertools import pairwise

import numpy as np
import pytest
from naive_genes import all_genes, best_chain

from genoformer.annotation.gene_sequence import translate_gene
from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.intron_tracks import ACCEPTOR, DONOR, STATE_MASK, intron_tracks
from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation, read_records
from genoformer.annotation.tracks import START, STOP
from genoformer.applications.introns.parts import gene_of_parts
from genoformer.decoding.introns.evidence import collect_evidence
from genoformer.decoding.introns.stream import decode_record, stretches
from genoformer.decoding.introns.weights import EXON_KINDS, IntronDecoder, IntronWeights, LengthTable, fit_lengths
from genoformer.sequence.alphabet import decode_bases, encode_bases, reverse_complement

CODE = get_genetic_code(1)
WEIGHTS = {
    "state": 0.2, "utr": 0.3, "signal": 1.4, "splice": 0.7, "gene": 2.5, "intron": 12.0, "untranslated": -2.0,
    "edge": -3.0, "length": 0.7, "rare_site": 0.5,
}  # fmt: skip
NO_EDGES = {"edge": -1e6}
SEEDS = (*range(60), 109, 142, 172, 192)


def small_decoder(**weights):
    """Exons of three, introns of four bases and more; long ones beyond the tables lose half a point per base."""
    rising = lambda n, first: LengthTable((*[-np.inf] * first, *(-0.1 * np.arange(n - first)).tolist()), -0.5)  # noqa: E731
    exons = {kind: rising(8 + i, 3) for i, kind in enumerate(EXON_KINDS)}
    return IntronDecoder(IntronWeights(**{**WEIGHTS, **NO_EDGES, **weights}), exons, rising(9, 4))


def random_case(seed, length=34):
    """A record that holds starts, stops and splice sites more often than chance, and outputs without any sense."""
    rng = np.random.default_rng(seed)
    words = ["ATG", "TAA", "GT", "AG", "TTA", "CAT", "CT", "AC", "A", "C", "G", "T", "AT", "GC"]
    codes = encode_bases("".join(rng.choice(words, length)))[:length]
    logits = rng.normal(0, 2, (2, length, 12)).astype(np.float32)
    return codes, logits


def decode(codes, logits, decoder, **options):
    return decode_record(codes, [(0, len(codes), logits)], decoder, CODE, **options)


def structures(parts):
    """(strand, coding parts, ends of the transcript) of every gene."""
    found = {}
    for part in parts:
        key = int(part["gene"])
        found.setdefault(key, [int(part["strand"]), (), (int(part["low"]), int(part["high"]))])
        found[key][1] += ((int(part["start"]), int(part["end"])),)
    return [tuple(value) for value in found.values()]


def case(seed):
    """A tiny record with outputs, and a decoder that likes introns."""
    return *random_case(seed), small_decoder(gene=-2.0, intron=10.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_path_is_that_of_trying_everything(seed):
    codes, logits, decoder = case(seed)
    evidence = collect_evidence(codes, logits, 0, 0, len(codes) + 1, decoder, CODE)
    total, genes = best_chain(all_genes(codes, evidence, decoder), len(codes))
    parts = decode(codes, logits, decoder)
    found = sum(float(parts["score"][parts["gene"] == g][0]) for g in np.unique(parts["gene"]))
    assert found == pytest.approx(total, rel=1e-5, abs=1e-4)
    assert structures(parts) == [(strand, exons, ends) for *_, strand, exons, ends in genes]


def test_trying_everything_meets_every_case():
    seen = set()
    for seed in SEEDS:
        for strand, exons, (low, high) in structures(decode(*case(seed))):
            seen |= {(strand, min(len(exons), 3)), ("low", low < exons[0][0]), ("high", high > exons[-1][1])}
            seen |= {("phase", sum(e - s for s, e in exons[:1]) % 3)} if len(exons) > 1 else set()
            seen |= {("far intron",) for (_, a), (b, _) in pairwise(exons) if b - a > 9}
    assert seen >= {(strand, n) for strand in (1, -1) for n in (1, 2, 3)}
    assert seen >= {("low", True), ("high", True), ("far intron",), ("phase", 0), ("phase", 1), ("phase", 2)}


def labelled_outputs(codes, genes, seed=0):
    """Outputs of a model that knows the genes, with noise."""
    tracks, _ = intron_tracks(codes, genes, genetic_code=1)
    rng = np.random.default_rng(seed)
    states = 4.0 * np.eye(8)[tracks & STATE_MASK]
    signals = np.stack([np.where(tracks & bit, 4.0, -6.0) for bit in (START, STOP, DONOR, ACCEPTOR)], axis=-1)
    logits = np.concatenate([states, signals], axis=-1)
    return (logits + rng.normal(0, 1, logits.shape)).astype(np.float32), tracks


def usual_decoder():
    exons = {kind: fit_lengths([90, 150, 240], shortest_bp=3, n_bp=900) for kind in EXON_KINDS}
    return IntronDecoder(IntronWeights(**WEIGHTS), exons, fit_lengths([60, 90, 400], shortest_bp=30, n_bp=300))


def noise(seed, length=12_000):
    """Random bases and outputs of a record, and a decoder that finds many genes in them."""
    rng = np.random.default_rng(seed)
    codes, logits = rng.integers(0, 4, length).astype(np.uint8), rng.normal(0, 2, (2, length, 12)).astype(np.float32)
    return codes, logits, usual_decoder().with_weights(gene=12.0)


@pytest.fixture(scope="module")
def bac(data_dir):
    """An Arabidopsis BAC: bases, genes, and outputs of a model that knows them."""
    path = data_dir / "genome_arabidopsis_bac/arab1.gb.gz"
    (record,) = read_records(path)
    genes = read_annotation(path).genes
    return record.codes, genes, labelled_outputs(record.codes, genes)[0]


def test_outputs_that_know_the_genes_give_them_back(bac):
    codes, genes, logits = bac
    found = {(strand, exons) for strand, exons, _ in structures(decode(codes, logits, usual_decoder()))}
    known = {(1 if gene.strand == "+" else -1, gene.parts) for gene in genes}
    assert len(known) == 18 and len(found & known) >= 17


def test_blocks_and_pieces_of_any_size_give_the_genes_of_the_whole(bac):
    codes, _, logits = bac
    whole = decode(codes, logits, usual_decoder(), block_bp=len(codes))
    for block_bp, piece_bp in ((997, 5000), (20_000, 1)):
        n = 20_000 if piece_bp == 1 else len(codes)
        pieces = [(i, min(i + piece_bp, n), logits[:, i : min(i + piece_bp, n)]) for i in range(0, n, piece_bp)]
        expected = whole if n == len(codes) else decode(codes[:n], logits[:, :n], usual_decoder(), block_bp=n)
        assert np.array_equal(decode_record(codes[:n], pieces, usual_decoder(), CODE, block_bp=block_bp), expected)


def test_noise_of_any_kind_gives_genes_that_translate_mirrored_on_the_other_strand():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, 30_000).astype(np.uint8)
    codes[rng.integers(0, len(codes), 200)] = 4
    logits = rng.normal(0, 2, (2, len(codes), 12)).astype(np.float32)
    decoder = usual_decoder().with_weights(gene=12.0)
    parts = decode(codes, logits, decoder)
    genes = as_genes(parts)
    assert len(genes) > 50 and sum(len(gene.parts) > 1 for gene in genes) > 10
    for gene in genes:
        protein = translate_gene(codes, gene, 1)
        assert "*" not in (protein if gene.partial_3 else protein[:-1])
        assert gene.partial_3 or (protein[-1] == "*" and (gene.length_bp - gene.phase_offset) % 3 == 0)
        assert gene.partial_5 or protein[0] == "M"
    mirror = as_genes(decode(reverse_complement(codes), logits[::-1, ::-1], decoder))
    L = len(codes)
    assert sorted((g.strand, g.parts) for g in genes) == sorted(
        ("-" if g.strand == "+" else "+", tuple((L - e, L - s) for s, e in g.parts[::-1])) for g in mirror
    )


def as_genes(parts):
    return [gene_of_parts("c", rows) for rows in np.split(parts, np.flatnonzero(np.diff(parts["gene"])) + 1)]


def test_genes_do_not_run_across_gaps_and_are_cut_off_there():
    codes = encode_bases("ATG" + "GCA" * 40 + "N" * 10 + "GCA" * 40 + "TAA" + "C" * 30)
    tracks_gene = [Gene("c", 0, 123, "+", partial_3=True), Gene("c", 133, 256, "+", partial_5=True)]
    logits = np.full((2, len(codes), 12), -4.0, np.float32)
    logits[1, :, 0] = 4.0
    for gene in tracks_gene:
        positions = np.arange(gene.start, gene.end)
        logits[0, positions, 2 + (positions - gene.start) % 3] = 4.0
    logits[0, 256:, 0] = 4.0
    logits[0, 0, 8] = logits[0, 253, 9] = 5.0
    genes = as_genes(decode(codes, logits, usual_decoder()))
    assert [(g.start, g.end, g.partial_5, g.partial_3, g.phase_offset) for g in genes] == [
        (0, 123, False, True, 0), (133, 256, True, False, 0)
    ]  # fmt: skip
    assert stretches(codes, 9) == [(0, 123), (133, len(codes))] and stretches(codes, 10) == [(0, len(codes))]


@pytest.mark.parametrize("text", ["", "A", "N" * 50, "ATG", "GTAG", "ATGTAA"])
def test_the_shortest_records_are_legal(text):
    codes = encode_bases(text)
    parts = decode(codes, np.zeros((2, len(codes), 12), np.float32), usual_decoder())
    assert len(parts) == 0


def test_an_in_frame_stop_over_a_splice_site_is_never_made():
    """Every output speaks for joining T and GA."""
    left, right = "ATG" + "GCA" * 20 + "T", "GA" + "GCA" * 20 + "TAA"
    codes = encode_bases("CC" + left + "GTAAGT" + "TC" * 20 + "TTTCAG" + right + "CC")
    gene = Gene("c", 2, len(codes) - 2, "+", parts=((2, 2 + len(left)), (len(codes) - 2 - len(right), len(codes) - 2)))
    logits, _ = labelled_outputs(encode_bases(decode_bases(codes).replace("TTTCAGGAG", "TTTCAGCAG")), [gene])
    assert all(gene.parts != found.parts for found in as_genes_or_none(decode(codes, logits, usual_decoder())))
    allowed = encode_bases(decode_bases(codes).replace("TTTCAGGAG", "TTTCAGCAG"))
    assert [found.parts for found in as_genes(decode(allowed, logits, usual_decoder()))] == [gene.parts]


def as_genes_or_none(parts):
    return as_genes(parts) if len(parts) else []


def test_the_decoder_comes_back_from_json():
    decoder = usual_decoder()
    again = IntronDecoder.from_dict(json.loads(json.dumps(decoder.to_dict())))
    assert again.weights == decoder.weights and again.sites == decoder.sites
    assert np.allclose(again.introns.array(500)[30:], decoder.introns.array(500)[30:], atol=1e-4)
    assert again.introns.logs[:30] == decoder.introns.logs[:30]


def test_lengths_sum_to_about_one_and_peak_where_they_were_seen():
    table = fit_lengths([50] * 90 + [400] * 10, shortest_bp=30, n_bp=600)
    chances = np.exp(table.array(20_000))
    assert chances[:30].sum() == 0 and 0.8 < chances.sum() < 1.3
    assert 44 <= int(chances.argmax()) <= 52 and chances[400] > chances[200]
