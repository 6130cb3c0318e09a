"""From per-base outputs to genes, with outputs that say exactly what the annotation says."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.models import Annotation, Gene
from genoformer.annotation.read import read_annotation, read_records
from genoformer.annotation.tracks import gene_table, label_tracks
from genoformer.decoding import caller, statistics
from genoformer.decoding import decoder as decoder_module
from genoformer.decoding.caller import (
    call_genes,
    collect_candidates,
    genome_statistics,
    hopeful,
    record_stop_rate,
    unwrap_genes,
)
from genoformer.decoding.decoder import GeneDecoder, Scorer
from genoformer.decoding.options import CallOptions
from genoformer.decoding.scoring import (
    DEFAULT_WEIGHTS,
    GENE_STATISTICS,
    START_STATISTICS,
    DecoderWeights,
    random_stop_rate,
)
from genoformer.metrics.calibration import IsotonicCalibrator
from genoformer.sequence.alphabet import encode_bases, reverse_complement
from genoformer.stream import wrap_circular
from genoformer.threads import working_threads

MAP = IsotonicCalibrator((-10.0, 10.0), (0.0, 1.0))
PLAIN = Scorer(DEFAULT_WEIGHTS, MAP, IsotonicCalibrator((0.0, 1.0), (0.0, 1.0)))
DECODER = GeneDecoder(PLAIN)
ADAPTED = Scorer(
    DecoderWeights(
        {**DEFAULT_WEIGHTS.start, **dict.fromkeys(START_STATISTICS, 0.1)},
        {**DEFAULT_WEIGHTS.gene, **dict.fromkeys(GENE_STATISTICS, 0.1)},
    ),
    MAP,
    MAP,
)
SHORT = replace(
    ADAPTED,
    weights=replace(ADAPTED.weights, gene={**ADAPTED.weights.gene, "intercept": DEFAULT_WEIGHTS.gene["intercept"] + 5}),
)


@dataclass
class Phage:
    codes: np.ndarray
    annotation: Annotation
    logits: np.ndarray
    genes: set


def keys(genes):
    return {(gene.start, gene.end, gene.strand) for gene in genes}


def logits_of(tracks):
    return np.where(tracks[:, :, None] & np.array([1, 2, 4, 8, 16], np.uint8), 5, -5).astype(np.float32)


@pytest.fixture(scope="module")
def phage(data_dir):
    @cache
    def load(name):
        path = data_dir / "genome_phages" / f"{name}.gbk.gz"
        (record,) = read_records(path)
        annotation = read_annotation(path)
        circular = record.id in annotation.circular
        tracks, _ = label_tracks(record.codes, annotation.genes, genetic_code=11, circular=circular)
        table = gene_table(record.codes, annotation.genes, genetic_code=11, circular=circular)
        genes = {(int(g["start"]), int(g["end"]), "+" if g["strand"] > 0 else "-") for g in table if not g["masked"]}
        return Phage(record.codes, annotation, logits_of(tracks), genes)

    return load


def call(codes, logits, decoder=DECODER, genome=None, **options):
    options = CallOptions(**options)
    candidates = collect_candidates(codes, [(0, len(codes), logits)], options)
    return call_genes("c", codes, candidates, decoder, options, genome)


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        # nu3 and S' are starts inside C and S: one stop codon gives one gene. The other has 87 bp.
        ("NC_001416_lambda", {(5131, 5737, "+"), (45191, 45509, "+"), (34270, 34357, "-")}),
        ("NC_019724", set()),
        ("NC_049491", {(11989, 12034, "-"), (116726, 116813, "-")}),  # shorter than 90 bp
    ],
)
def test_perfect_outputs_give_the_genes_of_a_phage(phage, name, absent):
    genome = phage(name)
    found = call(genome.codes, genome.logits)
    assert keys(found) == genome.genes - absent
    partial = [gene for gene in found if gene.partial_5 or gene.partial_3]
    assert all(gene.start < 3 or gene.end > len(genome.codes) - 3 for gene in partial)


def test_overlapping_and_nested_genes_of_phix174_are_found_over_its_origin(phage):
    genome = phage("NC_001422")
    L = len(genome.codes)
    opened = wrap_circular(genome.codes, L)
    found = unwrap_genes(call(opened, np.tile(genome.logits, (1, 3, 1))), length=L, margin=L)
    # A* is a start inside A; K, B and E lie in or across other genes.
    assert keys(found) == genome.genes - {(4496, 5522, "+")}
    assert len(found) == 10 and sum(gene.end > L for gene in found) == 2


def test_the_other_strand_gives_the_mirrored_genes(phage):
    genome = phage("NC_001416_lambda")
    L = len(genome.codes)
    mirrored = call(reverse_complement(genome.codes), np.ascontiguousarray(genome.logits[::-1, ::-1]))
    flipped = {(L - gene.end, L - gene.start, "-" if gene.strand == "+" else "+") for gene in mirrored}
    assert flipped == keys(call(genome.codes, genome.logits))


def test_genes_cut_by_the_ends_are_partial(phage):
    genome = phage("NC_019724")
    by_strand = {}
    for start, end, strand in sorted(genome.genes):
        if end - start > 900:
            by_strand.setdefault(strand, (start, end))
    for strand, (start, end) in by_strand.items():
        low, high = start + 301, end - 301
        left = call(genome.codes[low:], genome.logits[:, low:])[0]
        assert (left.start, left.end, left.strand) == (2, end - low, strand)
        assert (left.partial_5, left.partial_3) == ((True, False) if strand == "+" else (False, True))
        right = call(genome.codes[:high], genome.logits[:, :high])[-1]
        assert (right.start, right.end, right.strand) == (start, high - 2, strand)
        assert (right.partial_5, right.partial_3) == ((False, True) if strand == "+" else (True, False))
    assert set(by_strand) == {"+", "-"}


@pytest.mark.parametrize(("codon", "partial"), [("ATG", False), ("GTG", True)])
def test_gene_that_begins_with_its_contig_is_complete(phage, codon, partial):
    genome = phage("NC_019724")
    start, end = next((s, e) for s, e, strand in sorted(genome.genes) if strand == "+" and e - s > 900)
    codes, logits = genome.codes[start : end + 300].copy(), genome.logits[:, start : end + 300]
    codes[:3] = encode_bases(codon)
    first = call(codes, logits)[0]
    assert (first.start, first.end, first.partial_5, first.partial_3) == (0, end - start, partial, False)
    turned = call(reverse_complement(codes), np.ascontiguousarray(logits[::-1, ::-1]))[-1]
    assert (turned.start, turned.end) == (len(codes) - (end - start), len(codes)) and turned.partial_5 == partial


def test_gene_whose_uga_is_read_through_gets_a_note(phage, monkeypatch):
    genome = phage("NC_019724")
    monkeypatch.setattr(
        caller, "read_through_genes", lambda codes, rows, statistics: rows["start"] == rows["start"].min()
    )
    first, *others = call(genome.codes, genome.logits)
    assert "selenocysteine" in first.note and not any(gene.note for gene in others)


@pytest.mark.parametrize(("max_gap_bp", "is_whole"), [(9, False), (30, True)])
def test_genes_cross_a_gap_only_when_asked(max_gap_bp, is_whole):
    codes = encode_bases("CTAACTAACTAA" * 5 + "ATG" + "GCA" * 100 + "N" * 30 + "GCA" * 100 + "TAA" + "CTAACTAACTAA" * 5)
    tracks = np.zeros((2, len(codes)), np.uint8)
    tracks[0, 60:-60] = np.resize([1, 2, 4], len(codes) - 120)
    tracks[0, 60] |= 8
    tracks[0, len(codes) - 63] |= 16
    found = keys(call(codes, logits_of(tracks), max_gap_bp=max_gap_bp))
    assert ((60, len(codes) - 60, "+") in found) == is_whole
    assert not any(start < 363 and end > 393 for start, end, _ in found) or is_whole
    assert is_whole or {(60, 363, "+"), (393, len(codes) - 60, "+")} <= found


def test_confidence_is_that_of_the_maps(phage):
    genome = phage("NC_019724")
    for gene in call(genome.codes, genome.logits):
        assert 0.5 < gene.score <= 0.9995 and 0.0005 <= gene.start_score <= 0.9995
        assert gene.contig == "c" and gene.genetic_code == 11


def test_hopeful_drops_no_gene(phage, monkeypatch):
    monkeypatch.setattr(caller, "HOPELESS_ODDS", 0.0)
    genome = phage("NC_001416_lambda")
    options = CallOptions()
    pieces = [(0, len(genome.codes), genome.logits)]
    everything = collect_candidates(genome.codes, pieces, options)
    kept = collect_candidates(genome.codes, pieces, options, hopeful(DECODER, genome.codes, options))
    assert 0 < len(kept) < len(everything)
    called = [call_genes("c", genome.codes, rows, DECODER, options) for rows in (everything, kept)]
    assert called[0] == called[1]
    assert len(hopeful(DECODER, genome.codes, options)(everything[:0])) == 0


@pytest.mark.parametrize("rows_at_a_time", [1, 7, 1000])
def test_rows_scored_at_a_time_change_nothing(phage, monkeypatch, rows_at_a_time):
    genome, options = phage("NC_001422"), CallOptions()
    candidates = collect_candidates(genome.codes, [(0, len(genome.codes), genome.logits)], options)
    whole = DECODER.score(genome.codes, candidates, 0.05)
    monkeypatch.setattr(decoder_module, "ROWS_AT_A_TIME", rows_at_a_time)
    slices = decoder_module.frame_slices(candidates["orf"])
    assert [begin for begin, _ in slices] == [0, *(end for _, end in slices[:-1])] and slices[-1][1] == len(candidates)
    assert len(slices) > 1 or rows_at_a_time > len(candidates)
    parts = DECODER.score(genome.codes, candidates, 0.05)
    for name in ("score", "frame_odds", "start_share"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), atol=1e-9)
    assert decoder_module.frame_slices(candidates["orf"][:0]) == []


def test_threads_change_no_bit(phage, monkeypatch):
    monkeypatch.setattr(statistics, "MIN_CODONS", 5000)
    genome, options = phage("NC_019724"), CallOptions()
    candidates = collect_candidates(genome.codes, [(0, len(genome.codes), genome.logits)], options)
    decoder = GeneDecoder(PLAIN, ADAPTED)
    known = genome_statistics(lambda: iter([(genome.codes, candidates)]), decoder, options)
    monkeypatch.setattr(decoder_module, "ROWS_AT_A_TIME", 100)
    alone = decoder.choose(genome.codes, candidates, 0.05, known)
    with working_threads(3):
        together = decoder.choose(genome.codes, candidates, 0.05, known)
    np.testing.assert_array_equal(together[1], alone[1])
    assert len(alone[1]) > 20
    for name in ("score", "frame_odds", "start_share"):
        np.testing.assert_array_equal(getattr(together[0], name), getattr(alone[0], name))


def test_record_without_candidates_has_no_genes():
    codes = encode_bases("ACGT" * 5)
    assert call(codes, np.zeros((2, 20, 5), np.float32)) == []
    assert call(codes[:0], np.zeros((2, 0, 5), np.float32)) == []


def test_stop_rate_leaves_unknown_bases_out():
    codes = encode_bases("AACCCGNNNNNRRT")
    expected = random_stop_rate(np.array([2, 3, 1, 1]), get_genetic_code(11))
    assert record_stop_rate(codes, CallOptions()) == expected


def test_statistics_come_from_the_genes_of_all_records(phage, monkeypatch):
    monkeypatch.setattr(statistics, "MIN_CODONS", 5000)
    genome, options = phage("NC_019724"), CallOptions()
    half = 20_000
    parts = [(genome.codes[:half], genome.logits[:, :half]), (genome.codes[half:], genome.logits[:, half:])]
    records = [(c, collect_candidates(c, [(0, len(c), z)], options)) for c, z in parts]
    decoder = GeneDecoder(PLAIN, ADAPTED)
    learned = genome_statistics(lambda: iter(records), decoder, options)
    reversed_order = genome_statistics(lambda: iter(records[::-1]), decoder, options)
    np.testing.assert_array_equal(learned.hexamer, reversed_order.hexamer)
    assert genome_statistics(lambda: iter(records), DECODER, options).usage.shape == learned.usage.shape
    assert genome_statistics(lambda: iter([(genome.codes[:0], records[0][1][:0])]), decoder, options) is None
    found = keys(call(genome.codes, genome.logits, decoder, learned))
    assert len(found & genome.genes) >= 0.95 * len(genome.genes)


def gene(start, end, strand="+", **more):
    return Gene("c", start, end, strand, **more)


def test_gene_over_the_origin_is_kept_once():
    opened = [gene(30, 80), gene(900, 1090), gene(1030, 1080), gene(1060, 1090), gene(1900, 2090), gene(2030, 2080)]
    found = unwrap_genes(opened[1:], length=1000, margin=1000)
    # From 1000 to 2000 is the record. 900-1090 is the left copy of 1900-2090, 1030-1080 lies inside its end.
    assert [(g.start, g.end, g.parts) for g in found] == [(900, 1090, ((900, 1090),))]


def test_genes_of_the_repeated_margins_are_dropped():
    opened = [gene(10, 70), gene(150, 400), gene(700, 1090), gene(1150, 1190)]
    found = unwrap_genes(opened, length=1000, margin=100)
    assert [(g.start, g.end) for g in found] == [(50, 300), (600, 990)]


def test_other_start_of_the_gene_over_the_origin_is_no_second_gene():
    found = unwrap_genes([gene(120, 190), gene(1050, 1190)], length=1000, margin=100)
    assert [(g.start, g.end) for g in found] == [(950, 1090)]


@pytest.mark.parametrize("more", [{"partial_3": True}, {"strand": "-", "partial_5": True}])
def test_gene_that_the_margin_cuts_off_is_dropped(more):
    assert unwrap_genes([gene(1050, 1199, **more)], length=1000, margin=100) == []
    assert len(unwrap_genes([gene(1050, 1190, **more)], length=1000, margin=100)) == 1


def test_gene_longer_than_the_record_is_dropped():
    assert unwrap_genes([gene(1000, 2500)], length=1000, margin=1000) == []


def test_decoder_survives_its_dictionary():
    decoder = GeneDecoder(PLAIN, ADAPTED)
    assert GeneDecoder.from_dict(decoder.to_dict()) == decoder
    assert GeneDecoder.from_dict(DECODER.to_dict()) == DECODER
    whole = GeneDecoder(PLAIN, ADAPTED, SHORT)
    assert GeneDecoder.from_dict(whole.to_dict()) == whole
    with pytest.raises(KeyError):
        GeneDecoder.from_dict({"plain": DECODER.to_dict()["plain"]})


def test_a_bundle_of_before_has_no_weight_for_what_the_network_says_and_no_scorer_of_short_sequence():
    stored = GeneDecoder(PLAIN, ADAPTED, SHORT).to_dict()
    del stored["short"], stored["adapted"]["weights"]["gene"]["network"]
    read = GeneDecoder.from_dict(stored)
    assert read.short is None and read.adapted.weights.gene == {**ADAPTED.weights.gene, "network": 0.0}
    del stored["adapted"]["weights"]["gene"]["context"]
    with pytest.raises(KeyError, match="context"):
        GeneDecoder.from_dict(stored)


def test_sequence_that_tells_too_little_by_itself_has_a_scorer_of_its_own(phage, monkeypatch):
    genome, decoder = phage("NC_019724"), GeneDecoder(PLAIN, ADAPTED, SHORT)
    candidates = collect_candidates(genome.codes, [(0, len(genome.codes), genome.logits)], CallOptions())
    monkeypatch.setattr(statistics, "MIN_CODONS", 1_000)
    known = genome_statistics(lambda: [(genome.codes, candidates)], decoder, CallOptions())
    monkeypatch.setattr(decoder_module, "ENOUGH_CODONS", 1_000)
    little = replace(known, n_codons=999)
    assert [decoder.scorer(one) for one in (None, known, little)] == [PLAIN, ADAPTED, SHORT]
    assert replace(decoder, short=None).scorer(little) is ADAPTED
    odds = [decoder.choose(genome.codes, candidates, 0.04, one)[0].frame_odds for one in (known, little)]
    np.testing.assert_allclose(odds[1] - odds[0], 5.0)
