"""Pieces of genomes have the candidates and genes that a record cut there has."""

import numpy as np
import pytest

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.tracks import GENE_TABLE
from genoformer.applications.genes import short_records
from genoformer.applications.genes.held import FRAGMENT_BP, MIN_GENE_BP, Held, Stretch, _fragments, cut_genes
from genoformer.applications.genes.short_records import pieces_of
from genoformer.decoding.candidates import find_candidates, touching_ends
from genoformer.decoding.options import CallOptions
from genoformer.genomes.splits import Region

CODE = get_genetic_code(11)


@pytest.fixture(autouse=True)
def short_means_few_kb(monkeypatch):
    monkeypatch.setattr(short_records, "LONGEST_BP", 6_000)


def found_in(codes, logits):
    rows = find_candidates(codes, logits, code=CODE, min_gene_bp=MIN_GENE_BP)
    return rows[np.lexsort((rows["start"], rows["end"], rows["strand"], rows["orf"]))]


@pytest.fixture(scope="module")
def whole():
    """A record of random bases with random outputs, as a pass over it is held, and a gene in every third frame."""
    rng = np.random.default_rng(0)
    length = 15 * FRAGMENT_BP + 700
    codes = rng.integers(0, 4, length, dtype=np.uint8)
    logits = rng.normal(0, 2, (2, length, 5)).astype(np.float32)
    rows = found_in(codes, logits)
    genes = np.zeros(len(np.unique(rows["orf"])[::3]), GENE_TABLE)
    longest = rows[np.unique(rows["orf"], return_index=True)[1][::3]]
    for name in ("start", "end", "strand"):
        genes[name] = longest[name]
    fragments = list(_fragments(codes, logits, Region(0, 0, length), genes, CallOptions(min_gene_bp=MIN_GENE_BP)))
    held = Held("g", codes, CallOptions(), rows, [Stretch(rows, genes, (0, length)), *fragments], weight=2.0)
    return held, logits


def test_pieces_are_records_of_their_own(whole):
    held, logits = whole
    pieces = pieces_of([held])
    assert sorted({len(piece.codes) // FRAGMENT_BP for piece in pieces}) == list(short_records.FRAGMENTS)
    text, n_cut = held.codes.tobytes(), 0
    for piece in pieces:
        begin = text.find(piece.codes.tobytes())
        end = begin + len(piece.codes)
        expected = found_in(held.codes[begin:end], logits[:, begin:end])
        found = piece.candidates[np.lexsort([piece.candidates[n] for n in ("start", "end", "strand", "orf")])]
        names = ["start", "end", "strand", "kind", "closed", "orf", "n_codons"]
        assert found[names].tolist() == expected[names].tolist()
        np.testing.assert_allclose(found["codon_sum"], expected["codon_sum"], rtol=1e-4, atol=1e-3)
        n_cut += sum(map(np.count_nonzero, touching_ends(expected)))
        (own,) = piece.inside
        assert own.bounds == (0, end - begin) and own.candidates.tolist() == piece.candidates.tolist()
        genes = cut_genes(held.inside[0].genes, begin, end)
        assert (own.genes["start"] + begin).tolist() == genes["start"].tolist()
        assert own.genes["end"].max() <= end - begin
    assert n_cut > 50


def test_frames_over_an_end_are_those_without_their_start_or_stop_there():
    codes = np.random.default_rng(3).integers(0, 4, 900, dtype=np.uint8)
    rows = found_in(codes, np.zeros((2, 900, 5), np.float32))
    left, right = touching_ends(rows)
    assert left.any() and right.any()
    for orf in np.unique(rows["orf"]):
        own = rows["orf"] == orf
        assert left[own].all() == (rows["start"][own].min() < 3 and left[own].any())
        assert right[own].all() == (rows["end"][own].max() > 897 and right[own].any())


def test_a_genome_counts_as_much_in_pieces_as_in_one(whole):
    held, _ = whole
    pieces = pieces_of([held])
    assert sum(piece.weight * len(piece.codes) for piece in pieces) == pytest.approx(2.0 * len(held.codes))


def test_most_of_a_long_genome_is_left_out_evenly(whole, monkeypatch):
    monkeypatch.setattr(short_records, "MOST_BP", (12_000, 24_000, 42_000))
    lengths = [len(piece.codes) for piece in pieces_of([whole[0]])]
    assert [lengths.count(n * FRAGMENT_BP) for n in short_records.FRAGMENTS] == [4, 2, 1]


def test_a_short_record_is_a_piece_without_its_fragments(whole):
    held, _ = whole
    short = Held(
        "s",
        held.codes[:5_000],
        CallOptions(),
        held.candidates[:9],
        [Stretch(held.candidates[:9], held.inside[0].genes, (0, 5_000)), held.inside[1]],
    )
    first, *others = pieces_of([short])
    assert len(first.codes) == 5_000 and [part.bounds for part in first.inside] == [(0, 5_000)] and len(others) == 1
