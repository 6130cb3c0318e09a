"""Alternative transcripts: against trying all genes of tiny records, mirrored, in blocks, and what they may not be."""

from itertools import pairwise

import numpy as np
import pytest
from naive_genes import all_genes
from test_intron_decoder import CODE, SEEDS, case, decode, noise, usual_decoder

from genoformer.decoding.introns import alternatives as room
from genoformer.decoding.introns.alternatives import share_codons
from genoformer.decoding.introns.evidence import collect_evidence
from genoformer.decoding.introns.stream import PART_DTYPE, decode_record
from genoformer.sequence.alphabet import decode_bases, encode_bases, reverse_complement

N, WIDE = 4, 25.0
CASES = (*SEEDS, 114, 118, 222)


def transcripts(parts):
    """(strand, coding parts, ends, score) of each transcript of each gene."""
    found = []
    for number in np.unique(parts["gene"]):
        rows = parts[parts["gene"] == number]
        found.append([])
        for transcript in np.unique(rows["transcript"]):
            own = rows[rows["transcript"] == transcript]
            spans = tuple(zip(own["start"].tolist(), own["end"].tolist(), strict=True))
            ends = (int(own["low"][0]), int(own["high"][0]))
            found[-1].append((int(own["strand"][0]), spans, ends, float(own["score"][0])))
    return found


def codon_places(parts):
    """(base, which of its codon's bases it is) of every coding base."""
    bases = [base for start, end in parts for base in range(start, end)]
    return {(base, i % 3) for i, base in enumerate(bases)}


def tried(genes, found, i, length, margin):
    """The alternatives of the i-th gene by the definition: every other whole gene in its room, by its best ends."""
    strand, own, _, score = found[i][0]
    low = max((ends[1] for _, _, ends, _ in (one[0] for one in found[:i])), default=0)
    high = min((ends[0] for _, _, ends, _ in (one[0] for one in found[i + 1 :])), default=length)
    best = {}
    for start, end, value, of_strand, parts, _ in genes:
        inside = low <= start and end <= high
        if of_strand == strand and inside and parts != own and codon_places(parts) & codon_places(own):
            best[parts] = max(best.get(parts, -np.inf), value)
    good = [(value, parts) for parts, value in best.items() if value > 0 and score - value <= margin]
    return sorted(good, reverse=True)


@pytest.mark.parametrize("seed", CASES)
def test_alternatives_are_those_of_trying_everything(seed):
    codes, logits, decoder = case(seed)
    evidence = collect_evidence(codes, logits, 0, 0, len(codes) + 1, decoder, CODE)
    genes = all_genes(codes, evidence, decoder)
    found = transcripts(decode(codes, logits, decoder, transcripts=N, margin=WIDE))
    for i, (_, *others) in enumerate(found):
        expected = tried(genes, found, i, len(codes), WIDE)[: N - 1]
        assert [parts for _, parts, _, _ in others] == [parts for _, parts in expected]
        assert [score for *_, score in others] == pytest.approx([value for value, _ in expected], abs=1e-3)
        for strand, parts, ends, score in others:  # the ends of its transcript are those that give this score
            values = [value for *own, value, s, p, _ in genes if (s, p, tuple(own)) == (strand, parts, ends)]
            assert values == pytest.approx([score], abs=1e-3)


def test_trying_everything_meets_every_case():
    seen = set()
    for seed in CASES:
        for (strand, own, *_), *others in transcripts(decode(*case(seed), transcripts=N, margin=WIDE)):
            seen.add(("number", len(others)))
            for _, parts, ends, _ in others:
                seen |= {("strand", strand), ("more parts", len(parts) > len(own)), ("fewer", len(parts) < len(own))}
                seen |= {("untranslated", ends != (parts[0][0], parts[-1][1])), ("start", parts[0][0] == own[0][0])}
                seen |= {("far", any(b - a > 9 for (_, a), (b, _) in pairwise(parts)))}
    assert seen >= {("number", n) for n in range(N)} | {("strand", 1), ("strand", -1)}
    assert seen >= {(name, flag) for name in ("more parts", "fewer", "untranslated", "start", "far") for flag in (0, 1)}


def test_the_best_transcripts_are_those_without_alternatives_and_few_are_the_first_of_many():
    codes, logits, decoder = noise(1)
    for margins in (False, True):
        plain = decode(codes, logits, decoder, margins=margins)
        two, four = (decode(codes, logits, decoder, margins=margins, transcripts=n) for n in (2, 4))
        assert np.array_equal(plain, two[two["transcript"] == 0]) and len(two) > len(plain)
        assert np.array_equal(two, four[four["transcript"] < 2]) and len(four) > len(two)


def test_blocks_of_any_size_give_the_same_alternatives():
    codes, logits, decoder = noise(2)
    whole = decode(codes, logits, decoder, transcripts=3)
    pieces = [(i, i + 1000, logits[:, i : i + 1000]) for i in range(0, len(codes), 1000)]
    in_blocks = decode_record(codes, pieces, decoder, CODE, block_bp=777, transcripts=3)
    names = [name for name in PART_DTYPE.names if name != "score"]
    assert np.array_equal(in_blocks[names], whole[names])
    np.testing.assert_allclose(in_blocks["score"], whole["score"], rtol=1e-5, atol=1e-3)


def test_alternatives_translate_lie_between_their_neighbours_and_are_no_better():
    codes, logits, decoder = noise(3)
    found = transcripts(decode(codes, logits, decoder, transcripts=5))
    n = 0
    for i, ((strand, own, _, best), *others) in enumerate(found):
        low, high = found[i - 1][0][2][1] if i else 0, found[i + 1][0][2][0] if i + 1 < len(found) else len(codes)
        assert len({parts for _, parts, _, _ in others} | {own}) == len(others) + 1
        for other_strand, parts, ends, score in others:
            n += 1
            assert other_strand == strand and low <= ends[0] <= parts[0][0] < parts[-1][1] <= ends[1] <= high
            assert share_codons(parts, own) and 0 < score <= best + 1e-3 and best - score <= room.MARGIN + 1e-3
            text = np.concatenate([codes[start:end] for start, end in parts])
            text = decode_bases(text if strand == 1 else reverse_complement(text))
            codons = [text[j : j + 3] for j in range(0, len(text), 3)]
            assert len(text) % 3 == 0 and codons[0] == "ATG" and codons[-1] in ("TAA", "TAG", "TGA")
            assert not {"TAA", "TAG", "TGA"} & set(codons[:-1])
    assert n > 30


def test_the_reverse_complement_has_the_mirrored_alternatives():
    codes, logits, decoder = noise(4)
    L = len(codes)
    plus = {
        (strand, parts)
        for gene in transcripts(decode(codes, logits, decoder, transcripts=3))
        for strand, parts, *_ in gene[1:]
    }
    mirror = {
        (-strand, tuple((L - end, L - start) for start, end in parts[::-1]))
        for gene in transcripts(decode(reverse_complement(codes), logits[::-1, ::-1].copy(), decoder, transcripts=3))
        for strand, parts, *_ in gene[1:]
    }
    assert plus == mirror and len(plus) > 30


def test_genes_that_the_record_cuts_off_have_none_and_the_shortest_records_are_legal():
    codes, logits, decoder = noise(5)
    parts = decode(codes, logits, decoder.with_weights(edge=40.0), transcripts=3)
    cut = np.unique(parts["gene"][parts["cut_low"] | parts["cut_high"]])
    assert len(cut) == 2 and (parts["transcript"][np.isin(parts["gene"], cut)] == 0).all()
    for text in ("", "A", "ATGTAA", "N" * 20):
        short = encode_bases(text)
        assert not len(decode(short, np.zeros((2, len(short), 12), np.float32), usual_decoder(), transcripts=2))


def test_genes_that_become_certain_too_late_have_no_alternatives(monkeypatch):
    codes, logits, decoder = noise(6)
    whole = decode(codes, logits, decoder, transcripts=2)
    monkeypatch.setattr("genoformer.decoding.introns.kept_scores.KEPT_BP", 100)
    found = decode_record(codes, [(0, len(codes), logits)], decoder, CODE, block_bp=300, transcripts=2)
    assert np.array_equal(found[found["transcript"] == 0]["start"], whole[whole["transcript"] == 0]["start"])
    assert len(found) < len(whole)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (((0, 9),), ((3, 9),), True),
        (((0, 9),), ((4, 10),), False),  # over each other in another frame
        (((0, 4), (10, 15)), ((1, 4), (13, 16)), False),
        (((0, 4), (10, 15)), ((12, 18),), True),
        (((0, 9),), ((9, 18),), False),
    ],
)
def test_genes_share_codons_when_a_base_is_the_same_of_a_codon(one, other, shared):
    assert share_codons(one, other) is share_codons(other, one) is shared
    assert bool(codon_places(one) & codon_places(other)) is shared
