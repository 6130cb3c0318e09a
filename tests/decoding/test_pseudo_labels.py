"""Which calls become labels, which bases are masked, what stays a counterexample: by hand, then on whole sequences."""

import numpy as np
import pytest

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.tracks import MASKED, START, label_tracks
from genoformer.decoding.caller import call_genes, unwrap_genes
from genoformer.decoding.candidates import CANDIDATE_DTYPE, find_candidates
from genoformer.decoding.decoder import GeneDecoder, Scorer
from genoformer.decoding.options import CallOptions
from genoformer.decoding.pseudo_labels import PseudoLabelRules, judge_candidates, pseudo_labels
from genoformer.decoding.scoring import GENE_FEATURES, START_FEATURES, DecoderWeights
from genoformer.genomes.simulate import simulate_genome
from genoformer.metrics.calibration import IsotonicCalibrator
from genoformer.sequence.alphabet import reverse_complement
from genoformer.stream import wrap_circular

LENGTH = 2_000
STOP_RATE = 3 / 64


def frame(start, end, strand=1, *, other_starts=()):
    """Candidates of one open frame: its longest start first, then others by their first base in reading direction."""
    five_primes = [start if strand > 0 else end, *other_starts]
    rows = np.zeros(len(five_primes), CANDIDATE_DTYPE)
    rows["start"], rows["end"] = (five_primes, end) if strand > 0 else (start, five_primes)
    rows["strand"], rows["closed"] = strand, 1
    rows["orf"] = 2 * end if strand > 0 else 2 * start + 1
    rows["n_codons"] = (rows["end"] - rows["start"]) // 3 - 1
    return rows


def judge(frames, chosen, *, odds=None, shares=None, confidence=0.99, start_confidence=0.99, **rules):
    """``judge_candidates`` with odds by frame; by default, chosen frames have 8 and all others -8."""
    rows = np.concatenate(frames)
    first = np.cumsum([0, *map(len, frames)])[:-1]
    chosen = first[chosen]
    if odds is None:
        odds = np.where(np.isin(first, chosen), 8.0, -8.0)
    return judge_candidates(
        rows,
        chosen,
        np.broadcast_to(confidence, len(chosen)),
        np.broadcast_to(start_confidence, len(chosen)),
        frame_odds=np.repeat(odds, [len(f) for f in frames]),
        start_share=np.ones(len(rows)) if shares is None else np.array(shares),
        stop_rate=STOP_RATE,
        length=LENGTH,
        rules=PseudoLabelRules(**rules),
    )


def runs(mask):
    """Runs of True as (start, end)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(int), [0])))).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def test_sure_gene_is_an_example_and_masks_nothing():
    judged = judge([frame(100, 400)], [0])
    assert (judged.sure.tolist(), judged.inner.tolist()) == ([0], [0])
    assert runs(judged.doubtful) == runs(judged.starts) == []


@pytest.mark.parametrize(("confidence", "is_sure"), [(0.95, True), (0.949, False)])
def test_chosen_gene_below_the_bound_is_masked(confidence, is_sure):
    judged = judge([frame(100, 400, -1)], [0], confidence=confidence)
    assert (len(judged.sure) == 1) == is_sure
    assert runs(judged.doubtful) == ([] if is_sure else [(100, 400)])


def test_plausible_frame_that_was_not_chosen_is_masked_and_a_hopeless_one_is_not():
    judged = judge([frame(100, 400), frame(700, 1000, -1)], [], odds=[-4.9, -5.1])
    assert runs(judged.doubtful) == [(100, 400)]


@pytest.mark.parametrize(("n_codons", "is_masked"), [(145, False), (146, True)])
def test_long_frame_is_masked_whatever_the_model_thinks(n_codons, is_masked):
    # At a stop rate of 3/64 a codon is no stop with probability .953: 146 in a row have a log-probability of -7.01.
    judged = judge([frame(100, 100 + 3 * (n_codons + 1))], [], odds=[-8.0])
    assert runs(judged.doubtful) == ([(100, 100 + 3 * (n_codons + 1))] if is_masked else [])


def test_whole_frame_is_masked_from_its_first_start():
    judged = judge([frame(100, 400, other_starts=(250,)), frame(700, 1000, -1, other_starts=(850,))], [], odds=[0, 0])
    assert runs(judged.doubtful) == [(100, 400), (700, 1000)]


@pytest.mark.parametrize(
    ("other", "masked"),
    [
        (frame(101, 701), []),
        (frame(200, 500, -1), []),
        (frame(549, 849), []),  # 151 of 300 bases lie in the sure gene
        (frame(550, 850), [(700, 850)]),
        (frame(551, 851, -1), [(700, 851)]),
    ],
)
def test_frame_that_is_mostly_a_sure_gene_is_a_counterexample(other, masked):
    assert runs(judge([frame(100, 700), other], [0], odds=[8.0, 1.0]).doubtful) == masked


def test_uncertain_start_masks_from_the_first_to_the_last_likely_start():
    plus = frame(100, 700, other_starts=(130, 220, 310))
    judged = judge([plus], [0], shares=[0.5, 0.03, 0.4, 0.01], start_confidence=0.89)
    assert (judged.sure.tolist(), judged.inner.tolist()) == ([0], [2])
    assert runs(judged.starts) == [(100, 223)]
    assert runs(judged.doubtful) == []


def test_uncertain_start_on_the_minus_strand_is_mirrored():
    minus = frame(100, 700, -1, other_starts=(670, 580, 490))
    judged = judge([minus], [0], shares=[0.5, 0.03, 0.4, 0.01], start_confidence=0.89)
    assert judged.inner.tolist() == [2]
    assert runs(judged.starts) == [(577, 700)]


def test_called_start_is_likely_however_small_its_share():
    plus = frame(100, 700, other_starts=(130, 220))
    judged = judge([plus], [0], shares=[0.001, 0.5, 0.499], start_confidence=0.1)
    assert runs(judged.starts) == [(100, 223)]


def test_sure_start_masks_nothing_however_likely_the_others():
    judged = judge([frame(100, 700, other_starts=(130,))], [0], shares=[0.5, 0.5], start_confidence=0.9)
    assert judged.inner.tolist() == [0] and runs(judged.starts) == []


@pytest.fixture(scope="module")
def decoder():
    """Goes by open frames alone."""
    start = dict.fromkeys(START_FEATURES, 0.0) | {"n_codons": 4.0, "atg": 1.0, "edge": 2.0, "other": -3.0}
    gene = dict.fromkeys(GENE_FEATURES, 0.0) | {"intercept": -14.0, "open_frame": 3.0}
    maps = (
        IsotonicCalibrator((-4.0, 4.0, 8.0), (0.01, 0.9, 0.99)),
        IsotonicCalibrator((0.0, 0.5, 1.0), (0.1, 0.97, 0.99)),
    )
    return GeneDecoder(plain=Scorer(DecoderWeights(start, gene), *maps))


@pytest.fixture(scope="module")
def genome():
    return next(iter(simulate_genome(length_bp=30_000, gc=0.5, seed=4)))[0].codes


def labels_of(codes, decoder, *, circular=False):
    """Tracks and table of a sequence, and the genes that are called in it."""
    opened = wrap_circular(codes, len(codes)) if circular else codes
    options = CallOptions(circular=circular)
    logits = np.zeros((2, len(opened), 5), np.float32)
    rows = find_candidates(opened, logits, code=get_genetic_code(11), min_gene_bp=90)
    genes = call_genes("c", opened, rows, decoder, options)
    genes = unwrap_genes(genes, length=len(codes), margin=len(codes)) if circular else genes
    shared = {"opened": opened, "statistics": None, "rules": PseudoLabelRules()}
    return *pseudo_labels(codes, rows, decoder, options, **shared), genes


def sure_calls(genes, length):
    """Genes that are called with enough confidence, and True at their bases."""
    sure, inside = [gene for gene in genes if gene.score >= 0.95], np.zeros(length, bool)
    for gene in sure:
        inside[gene.start : gene.end] = True
    return sure, inside


def test_labels_are_those_of_the_sure_calls_and_nothing_else(genome, decoder):
    tracks, table, genes = labels_of(genome, decoder)
    sure, _ = sure_calls(genes, len(genome))
    found = [(int(g["start"]), int(g["end"]), "+" if g["strand"] > 0 else "-") for g in table if not g["masked"]]
    assert found == [(gene.start, gene.end, gene.strand) for gene in sure] and len(found) > 10
    whole, _ = label_tracks(genome, sure, genetic_code=11)
    is_masked = (tracks & MASKED).any(axis=0)
    assert not (tracks & ~whole & np.uint8(255 - MASKED - START)).any()
    np.testing.assert_array_equal(tracks[:, ~is_masked], whole[:, ~is_masked])
    starts = {(int(at), "+-"[row]) for row, at in zip(*np.nonzero((tracks & START != 0) & ~is_masked), strict=True)}
    # The start of a gene may lie where another one may begin.
    sure_starts = {gene.five_prime for gene in sure if gene.start_score >= PseudoLabelRules().sure_start}
    assert starts == {(at, strand) for at, strand in sure_starts if not is_masked[at]}
    assert 3 < len(starts) < len(sure)


def test_doubtful_calls_are_masked_on_both_strands_and_in_the_table(genome, decoder):
    tracks, table, genes = labels_of(genome, decoder)
    _, in_sure = sure_calls(genes, len(genome))
    is_masked = tracks & MASKED != 0
    np.testing.assert_array_equal(is_masked[0], is_masked[1])
    doubtful = [gene for gene in genes if gene.score < 0.95 and not in_sure[gene.start : gene.end].any()]
    assert doubtful and all(is_masked[0, gene.start : gene.end].all() for gene in doubtful)
    in_table = np.zeros(len(genome), bool)
    for row in table[table["masked"]]:
        in_table[row["start"] : row["end"]] = True
    assert in_table.any() and not (in_table & in_sure).any() and not (in_table & ~is_masked[0]).any()
    assert 0.02 < is_masked[0].mean() < 0.7


def test_reverse_complement_gives_mirrored_labels(genome, decoder):
    tracks, table, _ = labels_of(genome, decoder)
    turned, turned_table, _ = labels_of(reverse_complement(genome), decoder)
    np.testing.assert_array_equal(turned, tracks[::-1, ::-1])
    ends = sorted((len(genome) - row["end"], row["masked"]) for row in turned_table)
    assert ends == sorted((row["start"], row["masked"]) for row in table)


def test_labels_of_a_circular_record_do_not_depend_on_where_it_was_cut(genome, decoder):
    # Shorter than what is repeated at its ends: the opened record is three copies, of one composition for every cut.
    ring = genome[:12_000]
    tracks, _, genes = labels_of(ring, decoder, circular=True)
    first = next(gene for gene in genes if gene.score >= 0.95)
    cut = (first.start + first.end) // 2
    turned, table, _ = labels_of(np.roll(ring, -cut), decoder, circular=True)
    np.testing.assert_array_equal(turned, np.roll(tracks, -cut, axis=1))
    assert (table["end"] > len(ring)).any()


def test_sequence_without_frames_is_one_counterexample(decoder):
    codes, rows = np.full(500, 1, np.uint8), np.empty(0, CANDIDATE_DTYPE)
    shared = {"opened": codes, "statistics": None, "rules": PseudoLabelRules()}
    tracks, table = pseudo_labels(codes, rows, decoder, CallOptions(), **shared)
    assert not tracks.any() and len(table) == 0 and tracks.shape == (2, 500)
