"""What the path loses without an end of a coding part, how sure outputs are of codons: by hand and by trying all."""

import numpy as np
import pytest
from naive_genes import all_genes, best_chain
from test_intron_decoder import CODE, SEEDS, case, decode, noise

from genoformer.decoding.introns import kept_scores
from genoformer.decoding.introns import margins as room
from genoformer.decoding.introns.evidence import BEGIN, ENTER, FINISH, LEAVE, collect_evidence
from genoformer.decoding.introns.margins import codon_evidence
from genoformer.decoding.introns.stream import PART_DTYPE, decode_record
from genoformer.sequence.alphabet import reverse_complement

FOUND = ("codon_evidence", "low_margin", "high_margin")


def ends(parts):
    """(strand number, kind of boundary, place, margin) of every end of every part."""
    for number in np.unique(parts["gene"]):
        rows = parts[parts["gene"] == number]
        strand = 0 if rows["strand"][0] == 1 else 1
        for i, row in enumerate(rows):
            yield strand, BEGIN if i == 0 else ENTER, int(row["start"]), float(row["low_margin"])
            yield strand, FINISH if i == len(rows) - 1 else LEAVE, int(row["end"]), float(row["high_margin"])


@pytest.mark.parametrize("seed", SEEDS[::6])
def test_a_margin_is_what_the_best_path_without_the_end_is_worse(seed):
    codes, logits, decoder = case(seed)
    evidence = collect_evidence(codes, logits, 0, 0, len(codes) + 1, decoder, CODE)
    total, _ = best_chain(all_genes(codes, evidence, decoder), len(codes))
    for strand, kind, place, margin in ends(decode(codes, logits, decoder, margins=True)):
        score, evidence.sites[strand, kind, place] = evidence.sites[strand, kind, place], -np.inf
        without, _ = best_chain(all_genes(codes, evidence, decoder), len(codes))
        evidence.sites[strand, kind, place] = score
        assert margin == pytest.approx(total - without, rel=1e-4, abs=1e-3)


def test_margins_change_no_gene_and_are_the_same_in_blocks_of_any_size():
    codes, logits, decoder = noise(1)
    plain, whole = decode(codes, logits, decoder), decode(codes, logits, decoder, margins=True)
    names = [name for name in PART_DTYPE.names if name not in FOUND]
    assert np.array_equal(plain[names], whole[names]) and len(np.unique(whole["gene"])) > 15
    assert all((plain[name] == -np.inf).all() for name in FOUND)
    assert np.isfinite(whole["codon_evidence"]).all()
    known = np.isfinite(whole["low_margin"])
    assert (whole["low_margin"][known] >= 0).all() and (~known).sum() == np.count_nonzero(
        whole["cut_low"] & (np.diff(whole["gene"], prepend=-1) > 0)
    )
    pieces = [(i, i + 1000, logits[:, i : i + 1000]) for i in range(0, len(codes), 1000)]
    in_blocks = decode_record(codes, pieces, decoder, CODE, block_bp=777, margins=True)
    assert np.array_equal(in_blocks[names], whole[names])
    for name in FOUND:
        np.testing.assert_allclose(in_blocks[name], whole[name], rtol=1e-3, atol=1e-2)


def test_margins_of_the_reverse_complement_are_mirrored():
    codes, logits, decoder = noise(2)
    plus = decode(codes, logits, decoder, margins=True)
    minus = decode(reverse_complement(codes), logits[::-1, ::-1].copy(), decoder, margins=True)[::-1]
    order = np.lexsort((plus["start"], plus["strand"]))
    mirrored = np.lexsort((len(codes) - minus["end"], -minus["strand"]))
    plus, minus = plus[order], minus[mirrored]
    assert np.array_equal(plus["start"], len(codes) - minus["end"])
    # The path may begin in fewer kinds of introns than it may end in, which counts near the ends of the record.
    inside = (plus["start"] > 1_000) & (plus["end"] < len(codes) - 1_000)
    for mine, others in (("low_margin", "high_margin"), ("high_margin", "low_margin")):
        np.testing.assert_allclose(plus[mine][inside], minus[others][inside], rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(plus["codon_evidence"], minus["codon_evidence"], rtol=1e-3, atol=1e-2)


def test_the_surroundings_of_an_end_do_for_a_long_gene(monkeypatch):
    codes, logits, decoder = noise(3)
    whole = decode(codes, logits, decoder, margins=True)
    monkeypatch.setattr(room, "WHOLE_BP", 1_000)
    monkeypatch.setattr(room, "REACH_BP", 900)
    near = decode(codes, logits, decoder, margins=True)
    both = np.isfinite(whole["low_margin"]) & np.isfinite(near["low_margin"])
    close_by = np.isclose(whole["low_margin"][both], near["low_margin"][both], rtol=1e-2, atol=1e-1)
    assert close_by.mean() > 0.8


def test_genes_that_become_certain_too_late_are_given_without_margins(monkeypatch):
    codes, logits, decoder = noise(4)
    monkeypatch.setattr(kept_scores, "KEPT_BP", 100)
    found = decode_record(codes, [(0, len(codes), logits)], decoder, CODE, block_bp=300, margins=True)
    assert np.array_equal(found["start"], decode(codes, logits, decoder)["start"])
    assert (found["low_margin"] == -np.inf).any()


@pytest.mark.parametrize("strand", [1, -1])
def test_evidence_is_the_mean_over_coding_bases_in_the_frame_of_the_gene(strand):
    rows = np.zeros(2, PART_DTYPE)
    rows["start"], rows["end"], rows["strand"] = [10, 20], [14, 25], strand
    coding = np.zeros((3, 40), np.float32)
    # Nine bases: low to high the codon's bases read before are 0, 1, 2, 0 | 1, 2, 0, 1, 2 on either strand.
    for place, read in zip([10, 11, 12, 13, 20, 21, 22, 23, 24], [0, 1, 2, 0, 1, 2, 0, 1, 2], strict=True):
        coding[read, place - 5] = 2.0
    assert codon_evidence(rows, coding, 5) == pytest.approx(2.0)
    rows["phase_offset"] = 1  # cut off: one base before the first whole codon
    assert codon_evidence(rows, coding, 5) < 2.0
