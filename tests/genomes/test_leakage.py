"""Shared sequence: copies, strands, relatives, and what is honestly not found."""

import numpy as np
import pytest

from genoformer.genomes.leakage import K, distinct_kmers, find_leakage
from genoformer.sequence.alphabet import decode_bases, encode_bases, reverse_complement
from genoformer.sequence.records import Record


def random_codes(n, seed):
    return np.random.default_rng(seed).integers(0, 4, n).astype(np.uint8)


def mutated(codes, identity, seed=9):
    rng = np.random.default_rng(seed)
    changed = rng.random(len(codes)) >= identity
    return np.where(changed, (codes + rng.integers(1, 4, len(codes))) % 4, codes).astype(np.uint8)


def check(first, second, **options):
    first = [Record(f"a{i}", codes) for i, codes in enumerate(first)]
    return find_leakage(lambda: first, [Record(f"b{i}", codes) for i, codes in enumerate(second)], **options)


def test_kmers_are_those_of_a_plain_count_on_both_strands():
    codes = random_codes(300, 1)
    codes[100] = 4
    text, other = decode_bases(codes), decode_bases(reverse_complement(codes))
    words = {s[i : i + K] for s in (text, other) for i in range(len(s) - K + 1)}
    canonical = {min(w, decode_bases(reverse_complement(encode_bases(w)))) for w in words if "N" not in w}
    numbers = sorted(int("".join(str("ACGT".index(c)) for c in word), 4) for word in canonical)
    assert distinct_kmers(codes).tolist() == numbers


def test_copies_on_either_strand_are_found_with_their_partner():
    train = [random_codes(400, i) for i in range(5)]
    found = check(train, [train[3], random_codes(400, 77), reverse_complement(train[1])])
    assert [(p.record_id, p.partner_id, p.share, p.partner_share) for p in found.pieces] == [
        ("b0", "a3", 1.0, 1.0), ("b2", "a1", 1.0, 1.0),
    ]  # fmt: skip
    assert (found.n_shared_records, found.n_records, found.shared_bp) == (2, 3, 800)


def test_close_relatives_are_found_and_remote_ones_are_not():
    ancestor = random_codes(20_000, 3)
    share = check([ancestor], [mutated(ancestor, 0.97)], min_share=0.01).pieces
    assert np.mean([piece.share for piece in share]) == pytest.approx(0.97**K, abs=0.08)
    assert len(check([ancestor], [mutated(ancestor, 0.98)]).pieces) == 20
    assert check([ancestor], [mutated(ancestor, 0.75)]).pieces == []


def test_a_shared_gene_of_a_long_record_is_placed():
    gene = random_codes(3_000, 5)
    chromosome = np.concatenate((random_codes(10_000, 6), gene, random_codes(7_000, 7)))
    pieces = check([gene], [chromosome]).pieces
    assert [(p.start, p.end) for p in pieces] == [(10_000, 11_000), (11_000, 12_000), (12_000, 13_000)]


@pytest.mark.parametrize("codes", [[], [0] * 5, [4] * 500])
def test_records_without_a_word_share_nothing(codes):
    codes = np.array(codes, np.uint8)
    assert check([codes], [codes]).pieces == [] == check([], [random_codes(50, 0)]).pieces


def test_share_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"1\.5"):
        check([], [], min_share=1.5)
