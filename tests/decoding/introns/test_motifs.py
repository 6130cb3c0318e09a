"""What genes of a genome look like: counts by hand, log-odds, both strands alike, and what a decoder makes of them."""

import json
from dataclasses import replace
from math import log

import numpy as np
import pytest
from test_intron_decoder import CODE, case, decode, structures, usual_decoder

from genoformer.annotation.models import Gene
from genoformer.decoding.introns.evidence import collect_evidence
from genoformer.decoding.introns.motifs import WINDOWS, GeneCounts, Motifs, count_genes, count_sequence, triplets_of
from genoformer.decoding.introns.weights import IntronDecoder
from genoformer.sequence.alphabet import encode_bases, reverse_complement

EXONS = ("ATGGCTAAG", "CTGTAA")
INTRON = "GTAAGTACTAACTTTTTTTTTTTTTTCAG"
TEXT = "CCCCCCCCCCCCC" + EXONS[0] + INTRON + EXONS[1] + "CCCCC"
PARTS = ((13, 22), (51, 57))
GENE = Gene("a", 13, 57, "+", parts=PARTS)


def mirrored(gene: Gene, length: int) -> Gene:
    parts = tuple((length - end, length - start) for start, end in reversed(gene.parts))
    return Gene(gene.contig, parts[0][0], parts[-1][1], "-", parts=parts)


def test_one_gene_is_counted_by_hand():
    counts = count_genes(encode_bases(TEXT), [GENE])
    assert (counts.introns, counts.coding_bp) == (1, 15)
    letters = "ACGT".index
    donor, acceptor, start = (counts.sites[name] for name in ("donor", "acceptor", "start"))
    assert donor[0, 4, letters("A")] == 1
    for place, (before, base) in enumerate(zip("AAGGTAAGTA", "AGGTAAGTAC", strict=True), start=1):
        assert donor[place, letters(before), letters(base)] == 1
    assert acceptor[-4, letters("A"), letters("G")] == 1 and acceptor[-3, letters("G"), letters("C")] == 1
    assert start[12, letters("C"), letters("A")] == 1
    assert all(
        table.sum() == high - low for table, (low, high) in zip(counts.sites.values(), WINDOWS.values(), strict=True)
    )
    codons = {"ATG", "GCT", "AAG", "CTG", "TAA"}
    assert {i for i in np.flatnonzero(counts.codons)} == {int(triplets_of(encode_bases(codon))[0]) for codon in codons}
    assert counts.codons.sum() == 5


def test_both_strands_count_alike():
    codes = encode_bases(TEXT)
    here, there = count_genes(codes, [GENE]), count_genes(reverse_complement(codes), [mirrored(GENE, len(codes))])
    for name in WINDOWS:
        np.testing.assert_array_equal(here.sites[name], there.sites[name])
    np.testing.assert_array_equal(here.codons, there.codons)
    np.testing.assert_array_equal(count_sequence(codes).triplets, count_sequence(reverse_complement(codes)).triplets)


def test_a_start_that_the_record_cuts_off_is_none():
    cut = replace(GENE, partial_5=True)
    assert count_genes(encode_bases(TEXT), [cut]).sites["start"].sum() == 0


def test_log_odds_are_those_of_the_shares():
    codes = encode_bases("ACGT" * 50)
    own = count_sequence(codes)
    sites = {name: table.copy() for name, table in own.sites.items()}
    sites["donor"][3, 2, 2] = 96.0  # always G behind G
    motifs = Motifs(replace(own, sites=sites), GeneCounts.nothing())
    background = motifs._background_triplets.reshape(4, 16).sum(axis=1)
    share = (96 + 4 * background[2]) / 100
    assert motifs.sites["donor"][3, 2, 2] == pytest.approx(log((96 + 8 * share) / 104 / background[2]))
    assert motifs.sites["donor"][3, 0, 2] == pytest.approx(log(share / background[2]))
    assert not motifs.sites["donor"][3, :, 4].any()


def test_what_is_usual_scores_nothing_and_other_sites_less():
    codes = encode_bases(TEXT * 40)
    genes = [replace(GENE, start=13 + i, end=57 + i, parts=tuple((s + i, e + i) for s, e in PARTS))
             for i in range(0, 40 * len(TEXT), len(TEXT))]  # fmt: skip
    motifs = Motifs(count_genes(codes, genes) + count_sequence(codes), GeneCounts.nothing())
    known = motifs.score(codes, np.array([22, 22 + len(TEXT)]), "donor", is_minus=False)
    assert known == pytest.approx([0.0, 0.0], abs=0.05)
    assert motifs.score(codes, np.array([30]), "donor", is_minus=False)[0] < -5


@pytest.mark.parametrize("name", WINDOWS)
def test_scores_of_both_strands_mirror(name):
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 5, 300).astype(np.uint8)
    motifs = Motifs(None, count_genes(encode_bases(TEXT), [GENE]) + count_sequence(codes))
    places = np.arange(301)
    here = motifs.score(codes, places, name, is_minus=False)
    there = motifs.score(reverse_complement(codes), 300 - places, name, is_minus=True)
    np.testing.assert_allclose(here, there, atol=1e-12)


def test_few_genes_leave_what_the_training_genes_say():
    codes = encode_bases(TEXT)
    training = count_genes(codes, [GENE]) + count_sequence(codes)
    nothing = Motifs(GeneCounts.nothing() + count_sequence(codes), training)
    for name in WINDOWS:
        np.testing.assert_allclose(nothing.sites[name], Motifs(None, training).sites[name])
    assert nothing.log_rate == pytest.approx(0.0)


def test_the_rate_of_introns_is_a_log_ratio():
    training = replace(GeneCounts.nothing(), introns=200.0, coding_bp=1e6)
    many = replace(GeneCounts.nothing(), introns=4e4, coding_bp=1e8)
    assert Motifs(many, training).log_rate == pytest.approx(log(2), abs=0.01)


def test_counts_are_kept_and_damaged_ones_refused():
    counts = count_genes(encode_bases(TEXT), [GENE])
    stored = json.loads(json.dumps(counts.to_dict()))
    again = GeneCounts.from_dict(stored)
    assert again.to_dict() == counts.to_dict()
    stored["codons"][3] = -1
    with pytest.raises(ValueError, match="negative"):
        GeneCounts.from_dict(stored)
    with pytest.raises(ValueError, match="shape"):
        GeneCounts.from_dict(counts.to_dict() | {"codons": [1.0]})


def following(decoder: IntronDecoder) -> IntronDecoder:
    codes = encode_bases(TEXT)
    counts = count_genes(codes, [GENE]) + count_sequence(codes)
    weights = {"motif": 1.5, "start_motif": 2.0, "codon": 0.7, "rate": 3.0}
    return replace(decoder, motifs=Motifs(counts, counts)).with_weights(**weights)


@pytest.mark.parametrize("seed", range(20))
def test_minus_mirrors_plus_with_motifs(seed):
    codes, logits, decoder = case(seed)
    decoder = following(decoder)
    here = structures(decode(codes, logits, decoder))
    there = structures(decode(reverse_complement(codes), logits[::-1, ::-1], decoder))
    n = len(codes)
    turned = [
        (-strand, tuple((n - e, n - s) for s, e in reversed(parts)), (n - high, n - low))
        for strand, parts, (low, high) in reversed(there)
    ]
    assert here == turned


def test_evidence_in_blocks_is_that_of_the_whole():
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 4, 900).astype(np.uint8)
    logits, decoder = rng.normal(0, 2, (2, 900, 12)), following(usual_decoder())
    whole = collect_evidence(codes, logits, 0, 0, 901, decoder, CODE)
    for low in range(0, 900, 250):
        high = min(low + 250, 901)
        part = collect_evidence(codes, logits, 0, low, high, decoder, CODE)
        np.testing.assert_array_equal(part.sites, whole.sites[..., low:high])
        np.testing.assert_array_equal(part.emit, whole.emit[..., low:high])


def test_decoders_of_before_do_not_look_at_motifs():
    stored = usual_decoder().to_dict()
    for name in ("motif", "start_motif", "codon", "rate"):
        del stored["weights"][name]
    del stored["motifs"]
    old = IntronDecoder.from_dict(stored)
    assert old.motifs is None and not old.weights.follows and old.following(GeneCounts.nothing()) is old
