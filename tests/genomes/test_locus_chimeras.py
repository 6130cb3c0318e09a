"""Genes joined from templates and pieces: every intron is one of a piece, in frame, and every end one of a template."""

from itertools import pairwise

import numpy as np
import pytest

from genoformer.annotation.gene_sequence import coding_sequence, translate_gene
from genoformer.annotation.models import Gene
from genoformer.genomes.locus_chimeras import build_chimeras, find_frame, find_templates
from genoformer.sequence.alphabet import decode_bases, encode_bases, reverse_complement
from genoformer.sequence.records import Record

STOPS = ("TAA", "TAG", "TGA")


def piece(before, intron, after):
    return find_frame(*map(encode_bases, (before, intron, after)), 1)


@pytest.mark.parametrize(
    ("before", "after", "frame", "phase", "rest"),
    [
        ("TAGCTGAC", "TAACG", None, None, None),  # a stop codon in each frame
        ("GCAGCAGCAGCA", "GCAGCAGCA", None, None, None),  # in none
        ("GTAACTAGC", "TGCTGC", 0, 0, 0),  # GTA ACT AGC | TGC TGC; TAA in frame 1, TAG in frame 2
        ("CGTAACTAGC", "TGCTGC", 1, 0, 0),
        ("GTAACTAGCT", "GCTGC", 0, 1, 2),
        ("GTAACTAGCTG", "CTGCA", 0, 2, 1),
        ("GTNACTAGC", "TGCTGC", None, None, None),
    ],
)
def test_frame_is_the_only_one_without_stop_codon(before, after, frame, phase, rest):
    found = piece(before, "GTAAGTTTAG", after)
    expected = None if frame is None else (frame, phase, rest)
    assert (found and (found.frame, found.phase, found.rest)) == expected


def random_pieces(n, rng):
    """Pieces of random open reading frames, as long as those of real files."""
    codons = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT" if a + b + c not in STOPS]
    found = []
    while len(found) < n:
        shift = int(rng.integers(3))
        coding = "".join(rng.choice(codons, 36))[shift : shift + 100]
        made = piece(coding[:50], "GT" + "".join(rng.choice(list("ACGT"), 60)) + "AG", coding[50:])
        found += [made] if made is not None else []
    return found


@pytest.fixture(scope="module")
def pieces():
    return random_pieces(120, np.random.default_rng(0))


FLANK = "ACGTTGCA"
TWO_EXONS = FLANK + "CC" + "ATGGCTGCTGCAGCA" + "GTAAGTCTAACAG" + "GCAGCTGCTTAA" + "TTG" + FLANK
ONE_EXON = FLANK + "CATTC" + "ATG" + "GCT" * 20 + "TAG" + "CA" + FLANK


@pytest.fixture(scope="module")
def templates():
    two = Gene("two", 10, 50, "+", parts=((10, 25), (38, 50)), exons=((8, 25), (38, 53)))
    turned = reverse_complement(encode_bases(ONE_EXON))
    one = Gene("one", len(turned) - 79, len(turned) - 13, "-", exons=((len(turned) - 81, len(turned) - 8),))
    rows = [(Record("two", encode_bases(TWO_EXONS)), two), (Record("one", turned), one)]
    return [locus for record, gene in rows for locus in find_templates(record, [gene], 1, 8)]


def test_templates_are_read_in_their_direction(templates):
    assert [decode_bases(locus.codes) for locus in templates] == [TWO_EXONS, ONE_EXON]
    assert [translate_gene(locus.codes, locus.gene, 1) for locus in templates] == ["MAAAAAAA*", "M" + "A" * 20 + "*"]


@pytest.mark.parametrize(
    ("changes", "neighbours"),
    [
        ({"exons": ((8, 9), (10, 25), (38, 53))}, []),  # an intron before the start codon
        ({"parts": ((10, 25), (38, 47)), "end": 47}, []),  # no stop codon
        ({"parts": ((13, 25), (38, 50)), "start": 13}, []),  # no start codon
        ({}, [Gene("two", 55, 61, "-")]),  # in its flank
    ],
)
def test_genes_that_are_no_templates(changes, neighbours):
    fields = {"start": 10, "end": 50, "parts": ((10, 25), (38, 50)), "exons": ((8, 25), (38, 53)), **changes}
    record = Record("two", encode_bases(TWO_EXONS))
    assert not find_templates(record, [Gene("two", strand="+", **fields), *neighbours], 1, 8)


def test_chimeras_translate_and_hold_each_intron_once_at_its_place(templates, pieces):
    made = build_chimeras(templates, pieces, n=25, intron_counts=[1, 2, 5], exon_bp=[9, 60, 150, 400], seed=1)
    by_intron, seen = {decode_bases(one.intron): one for one in pieces}, []
    assert len(made) == 25
    for locus in made:
        text, gene = decode_bases(locus.codes), locus.gene
        protein = translate_gene(locus.codes, gene, 1)
        assert protein[0] == "M" and protein.find("*") == len(protein) - 1
        read = 0
        for (start, end), (after, _) in pairwise(gene.parts):
            read += end - start
            found = by_intron[text[end:after]]
            seen.append(text[end:after])
            assert found.phase == read % 3
            # What the splice sites are read from: the codon that the intron splits, or the two around it.
            near = max(found.phase, 3)
            assert text[end - near : end] == decode_bases(found.before)[-near:]
            assert text[after : after + 3] == decode_bases(found.after)[:3]
        assert gene.exons[0][1] == gene.parts[0][1] and gene.exons[-1][0] == gene.parts[-1][0]
        assert text[gene.exons[0][0] : gene.parts[0][0] + 3] in ("CCATG", "CATTCATG")
        assert text[gene.parts[-1][1] - 3 : gene.exons[-1][1]] in ("TAATTG", "TAGCA")
        assert text[: gene.exons[0][0]] == FLANK == text[gene.exons[-1][1] :]
    assert len(seen) == len(set(seen))


def test_exons_between_introns_are_as_long_as_drawn(templates, pieces):
    for length_bp in (9, 58, 150, 401):
        made = build_chimeras(templates, pieces, n=10, intron_counts=[4], exon_bp=[length_bp], seed=2)
        inner = [end - start for locus in made for start, end in locus.gene.parts[1:-1]]
        assert len(inner) == 30 and max(abs(found - length_bp) for found in inner) <= 2


def test_every_codon_stands_in_a_template_or_a_piece(templates, pieces):
    known = {codon.tobytes() for one in pieces for codon in one.codons}
    for locus in templates:
        known |= {codon.tobytes() for codon in coding_sequence(locus.codes, locus.gene).reshape(-1, 3)}
    (made,) = build_chimeras(templates, pieces[:12], n=1, intron_counts=[12], exon_bp=[200], seed=3)
    assert {codon.tobytes() for codon in coding_sequence(made.codes, made.gene).reshape(-1, 3)} <= known


def test_pieces_that_are_used_up_end_it(templates, pieces):
    assert len(build_chimeras(templates, pieces[:11], n=9, intron_counts=[3], exon_bp=[90], seed=0)) == 3
