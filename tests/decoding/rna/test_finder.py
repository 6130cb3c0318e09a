"""Genes of RNA by learned profiles: planted ones of families, in genomes that nothing was learned from."""

import json
import time
from itertools import pairwise

import numpy as np
import pytest
from made_up_rnas import family, genome, labelled, mutated

from genoformer.annotation.models import RnaGene
from genoformer.annotation.rna_tracks import add_rna_labels
from genoformer.decoding.rna.finder import MOST_SCORE, RnaFinder
from genoformer.decoding.rna.learn import Labelled, fit_confidence, learn_rna
from genoformer.sequence.alphabet import encode_bases, reverse_complement


@pytest.fixture(scope="module")
def finder() -> RnaFinder:
    return learn_rna(lambda: (labelled(seed, "abc"[seed % 3]) for seed in range(4)))


def places(calls) -> list[tuple]:
    return [(call.start, call.end, "+" if call.strand > 0 else "-", call.kind) for call in calls]


def near(found, expected, bp: int = 3) -> bool:
    """Whether the same genes are found, ends up to some bases off."""
    return len(found) == len(expected) and all(
        a[2:] == b[2:] and abs(a[0] - b[0]) <= bp and abs(a[1] - b[1]) <= bp
        for a, b in zip(found, expected, strict=True)
    )


def genes_of(seed: int) -> list[tuple]:
    return [(gene.start, gene.end, gene.strand, gene.kind) for gene in genome(seed)[1]]


def test_genes_of_a_strange_genome_are_found(finder):
    codes, _ = genome(70)
    calls = finder.calls(codes)
    assert near(places(calls), genes_of(70))
    assert [call.product for call in calls[:2]] == ["5S ribosomal RNA", "16S ribosomal RNA"]
    assert all(len(call.anticodon) == 3 for call in calls[2:])
    assert all(0.5 <= call.score <= 1 for call in calls)


def test_the_other_strand_is_a_mirror(finder):
    codes, _ = genome(71)
    mirrored = [
        (len(codes) - end, len(codes) - start, "+-"[strand == "+"], kind)
        for start, end, strand, kind in places(finder.calls(codes))
    ]
    assert sorted(mirrored) == sorted(places(finder.calls(reverse_complement(codes))))


@pytest.mark.parametrize("by", [560, 1_900, 3_700])  # in a gene of 5S, of 16S, and of tRNA
def test_a_circle_has_the_same_genes_wherever_it_is_cut(finder, by):
    codes, _ = genome(72)
    found = sorted(
        (start % len(codes), end - start, *rest) for start, end, *rest in places(finder.calls(codes, circular=True))
    )
    turned = places(finder.calls(np.roll(codes, -by), circular=True))
    assert all(0 <= start < len(codes) for start, *_ in turned)
    assert sorted(((start + by) % len(codes), end - start, *rest) for start, end, *rest in turned) == found


def test_a_short_circle_is_read_over_its_origin(finder):
    gene = mutated(family("5S"), np.random.default_rng(1))
    around = np.random.default_rng(12).integers(0, 4, 300).astype(np.uint8)
    (call,) = finder.calls(np.concatenate([gene[60:], around, gene[:60]]), circular=True)
    assert (call.start, call.end) == (len(gene) + 240, 2 * len(gene) + 240)


@pytest.mark.parametrize("strand", [1, -1])
def test_an_end_of_the_sequence_leaves_a_piece(finder, strand):
    gene = mutated(family("16S"), np.random.default_rng(3))
    around = np.random.default_rng(14).integers(0, 4, 2_000).astype(np.uint8)
    for piece in (gene[-400:], gene[700:]):
        codes = np.concatenate([piece, around])
        (call,) = finder.calls(codes if strand > 0 else reverse_complement(codes))
        start, end = (call.start, call.end) if strand > 0 else (len(codes) - call.end, len(codes) - call.start)
        assert call.strand == strand and start <= 5 and abs(end - len(piece)) <= 5
    inside = np.concatenate([around, gene[-400:], around])
    assert finder.calls(inside) == []  # with sequence on both sides it is a remainder of a gene


def test_unknown_bases_cut_and_hide_nothing(finder):
    codes, _ = genome(73)
    expected = places(finder.calls(codes))
    start, end, *_ = expected[1]
    spotted = codes.copy()
    spotted[start + 50 : end : 200] = 4
    assert near(places(finder.calls(spotted)), expected)
    codes[start : start + 600] = 4
    (piece,) = [place for place in places(finder.calls(codes)) if place[0] >= start and place[1] <= end + 5]
    assert piece[0] >= start + 600 and abs(piece[1] - end) <= 3
    assert finder.calls(np.full(5_000, 4, np.uint8)) == []
    codes[:] = 14  # B: not A
    assert finder.calls(codes) == []


def test_random_sequence_has_no_genes(finder):
    assert finder.calls(np.random.default_rng(9).integers(0, 4, 500_000).astype(np.uint8)) == []
    for length in (0, 1, 30, 100):
        assert finder.calls(np.zeros(length, np.uint8)) == [] == finder.calls(np.zeros(length, np.uint8), circular=True)


def test_what_is_stored_finds_the_same(finder):
    stored = json.loads(json.dumps(finder.to_dict()))
    again = RnaFinder.from_dict(stored)
    assert again.to_dict() == stored
    codes, _ = genome(74)
    assert places(again.calls(codes)) == places(finder.calls(codes))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("profiles", "5S", "scores", 3), [1, 2, 3]), (("profiles", "5S", "insertion"), [1.0]),
        (("profiles", "18S"), {}), (("cloverleaf", "pairs"), [1.0]), (("cloverleaf", "d_length", 3), "x"),
        (("confidence", "tRNA", "weight"), None), (("confidence",), {}), (("profiles",), None),
        (("profiles", "5S", "scores", 0, 0), float("nan")),
    ],
)  # fmt: skip
def test_other_content_is_refused(finder, path, value):
    stored = json.loads(json.dumps(finder.to_dict()))
    holder = stored
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        RnaFinder.from_dict(stored)


def test_of_genes_over_each_other_the_surest_stays(finder):
    for seed in (70, 75):
        calls = finder.calls(genome(seed)[0])
        assert all(a.end <= b.start for a, b in pairwise(calls))


def test_a_store_without_genes_teaches_nothing():
    one = labelled(1)
    one.tracks[:] = 0
    assert learn_rna(lambda: [one]) is None


def test_genes_that_look_like_none_teach_nothing():
    codes = np.random.default_rng(31).integers(0, 4, 20_000).astype(np.uint8)
    genes = [RnaGene("c", at, at + 75, "+", "tRNA") for at in range(500, 9_000, 500)]
    genes += [RnaGene("c", at, at + 400, "-", "rRNA") for at in range(10_000, 19_000, 1_000)]
    tracks = np.zeros((2, len(codes)), np.uint8)
    add_rna_labels(tracks, genes)
    assert learn_rna(lambda: [Labelled("g", "", codes, tracks)]) is None


def test_one_genome_is_enough_to_learn_from():
    learned = learn_rna(lambda: [labelled(1)])
    assert set(learned.confidence) == {"5S", "16S", "tRNA"}
    assert near(places(learned.calls(genome(1)[0])), genes_of(1))


def test_confidence_lies_between_what_is_none_and_what_is_one():
    seen = [(score, False) for score in np.linspace(8, 12, 40)] + [(40.0, True)] * 200
    fitted = fit_confidence("tRNA", seen)
    shares = [fitted.of("tRNA", score) for score in (8, 12, 16, 20, 100)]
    assert shares == sorted(shares) and shares[1] < 0.2 and shares[3] > 0.95
    assert fitted.of("tRNA", 100) == fitted.of("tRNA", MOST_SCORE["tRNA"])
    # Annotations lack some genes: a few that are said to be none change little.
    doubtful = fit_confidence("tRNA", [*seen, *[(40.0, False)] * 4])
    assert doubtful.of("tRNA", 12) < 0.3 and doubtful.of("tRNA", 20) > 0.9


@pytest.mark.parametrize("unit", ["ACGT", "A", "TTCGAATCC", "seeds", "arms"])
def test_repeats_take_no_longer_than_their_length_asks_for(finder, unit):
    """Seeds in every period of a repeat that lead to nothing, and T arms without an end."""
    words = {"seeds": np.concatenate([family("16S")[400:412], family("16S")[412:424], family("5S")[:30]])}
    words["arms"] = encode_bases("GGCTTTCGAATCCGCC")
    period = words.get(unit, encode_bases(unit) if unit.isupper() else None)
    spent = []
    for length in (10_000, 40_000):
        codes = np.resize(period, length)
        began = time.process_time()
        finder.calls(codes)
        spent.append(time.process_time() - began)
    assert spent[1] < 10 * max(spent[0], 0.05)  # four times the work; clocks of busy machines are rough


def test_many_genes_are_told_apart_in_time_that_grows_with_them(finder):
    codes, genes = genome(76, kinds=("5S",), length=6_500)
    calls = finder.calls(np.tile(codes, 60))
    assert len(calls) == 60 * len(genes)
