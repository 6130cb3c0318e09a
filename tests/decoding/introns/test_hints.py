"""Hints in the decoder: where they add, both strands alike, blocks alike, and what they do for the genes."""

import numpy as np
import pytest
from test_intron_decoder import CODE, case, decode, labelled_outputs, small_decoder, structures, usual_decoder

from genoformer.annotation.models import Gene
from genoformer.annotation.read_hints import HINT_DTYPE, KINDS
from genoformer.decoding.introns.evidence import BEGIN, ENTER, FINISH, LEAVE, collect_evidence
from genoformer.decoding.introns.hints import MOST_LOG_ODDS, SITE_LOG_ODDS, Hints, add_hints
from genoformer.decoding.introns.stream import decode_record
from genoformer.sequence.alphabet import encode_bases, reverse_complement


def hint(kind, strand, start, end, support=1):
    return KINDS.index(kind), strand, start, end, support


def hints(*rows):
    return np.array(list(rows), HINT_DTYPE)


def difference(codes, rows, start=0, end=None):
    """What hints add to sites and bases; nan where the bases forbid a site."""
    end = len(codes) + 1 if end is None else end
    logits = np.zeros((2, len(codes), 12))
    before, after = (collect_evidence(codes, logits, 0, start, end, small_decoder(), CODE) for _ in range(2))
    add_hints(after, rows, start, small_decoder().weights)
    with np.errstate(invalid="ignore"):
        return after.sites - before.sites, after.emit - before.emit


CODES = encode_bases("CCATGCCGTCCCCCAGCCTAACC")
WEIGHTS = small_decoder().weights


def test_an_intron_adds_to_both_ends_and_more_reads_add_more():
    sites, emit = difference(CODES, hints(hint("intron", 1, 7, 16)))
    assert sites[0, LEAVE, 7] == sites[0, ENTER, 16] == pytest.approx(WEIGHTS.splice * SITE_LOG_ODDS)
    assert np.nansum(sites) == pytest.approx(2 * WEIGHTS.splice * SITE_LOG_ODDS) and not emit.any()
    many, _ = difference(CODES, hints(hint("intron", 1, 7, 16, 10)))
    assert many[0, LEAVE, 7] == pytest.approx(WEIGHTS.splice * (SITE_LOG_ODDS + np.log(10)))
    most, _ = difference(CODES, hints(hint("intron", 1, 7, 16, 10**6)))
    assert most[0, LEAVE, 7] == pytest.approx(WEIGHTS.splice * MOST_LOG_ODDS)


def test_starts_and_stops_are_boundaries():
    sites, _ = difference(CODES, hints(hint("start", 1, 2, 5), hint("stop", 1, 18, 21)))
    assert sites[0, BEGIN, 2] == sites[0, FINISH, 21] == pytest.approx(WEIGHTS.signal * SITE_LOG_ODDS)
    assert np.nansum(sites) == pytest.approx(2 * WEIGHTS.signal * SITE_LOG_ODDS)


def test_coding_and_intergenic_bases_count_one_by_one():
    sites, emit = difference(CODES, hints(hint("coding", 1, 3, 6)))
    assert (emit[0, :3, 3:6] > 0).all() and not emit[0, 3:].any() and not emit[1].any() and not np.nansum(sites)
    assert np.count_nonzero(emit) == 9
    _, emit = difference(CODES, hints(hint("coding", 0, 3, 6)))
    assert np.count_nonzero(emit[0]) == np.count_nonzero(emit[1]) == 9
    _, emit = difference(CODES, hints(hint("intergenic", 0, 0, 2)))
    assert (emit[:, :6, :2] < 0).all() and not emit[:, 6].any()


def test_what_the_bases_forbid_stays_forbidden():
    sites, _ = difference(CODES, hints(hint("intron", 1, 8, 17)))
    assert not np.nansum(sites)


@pytest.mark.parametrize("seed", range(12))
def test_minus_mirrors_plus_and_blocks_change_nothing(seed):
    codes, logits, decoder = case(seed)
    n, rng = len(codes), np.random.default_rng(seed)
    rows = [hint(kind, 1, low, low + 9, 5) for kind, low in zip(KINDS, rng.integers(0, n - 9, len(KINDS)), strict=True)]
    turned = [(kind, -strand, n - high, n - low, many) for kind, strand, low, high, many in rows]
    here = decode(codes, logits, decoder, hints=hints(*rows))
    there = structures(decode(reverse_complement(codes), logits[::-1, ::-1], decoder, hints=hints(*turned)))
    assert structures(here) == [
        (-strand, tuple((n - e, n - s) for s, e in reversed(parts)), (n - high, n - low))
        for strand, parts, (low, high) in reversed(there)
    ]
    assert np.array_equal(decode(codes, logits, decoder, hints=hints(*rows), block_bp=7), here)


def test_true_introns_bring_back_what_the_model_does_not_see():
    exon, intron, gap = "GCTGCAGCC" * 12, "GTAAGT" + "TTAATTAAC" * 8 + "TTTCAG", "TTAACTTAA" * 20
    text = gap + "ATG" + exon + intron + exon + "TAA" + gap
    codes, low = encode_bases(text), len(gap)
    first, second = low + 3 + len(exon), low + 3 + len(exon) + len(intron)
    gene = Gene("", low, second + len(exon) + 3, "+", parts=((low, first), (second, second + len(exon) + 3)))
    logits, _ = labelled_outputs(codes, [gene])
    logits[:, :, 10:] = -6.0  # no splice site is seen
    logits[:, first:second] = 0.0

    def found(rows):
        pieces = [(0, len(codes), logits)]
        return structures(decode_record(codes, pieces, usual_decoder().with_weights(intron=5.0), CODE, hints=rows))

    assert all(len(parts) == 1 for _, parts, _ in found(None))
    assert [parts for _, parts, _ in found(hints(hint("intron", 1, first, second, 1000)))] == [gene.parts]


def test_hints_of_a_region_are_moved_and_have_a_digest_of_their_own():
    known = Hints({"a": hints(hint("intron", 1, 100, 160))})
    assert known.of("b") is None and Hints().digest() is None
    moved = known.of("a", 40)
    assert (moved["start"][0], moved["end"][0]) == (60, 120) and known.of("a")["start"][0] == 100
    assert known.digest() != Hints({"a": hints(hint("intron", 1, 100, 161))}).digest()
