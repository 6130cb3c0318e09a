import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoformer.sequence.alphabet import BASE_LETTERS, decode_bases, encode_bases, reverse_complement
from genoformer.sequence.kmers import (
    MASK_ID,
    N_SPECIAL,
    PAD_ID,
    SPECIAL_NAMES,
    UNK_ID,
    KmerTokenizer,
    encode_kmers,
    tokenize_record,
)

sizes = st.integers(1, 8).flatmap(lambda k: st.tuples(st.just(k), st.integers(1, k)))
mostly_acgt = st.text(alphabet="ACGT" * 5 + BASE_LETTERS, max_size=60)


def naive_ids(text, k, stride):
    """The definition, letter by letter."""
    ids = []
    for start in range(0, len(text) - k + 1, stride):
        kmer = text[start : start + k]
        known = all(letter in "ACGT" for letter in kmer)
        ids.append(N_SPECIAL + int("".join(str("ACGT".index(x)) for x in kmer), 4) if known else UNK_ID)
    return ids


def test_known_values_by_hand():
    # ACG = 0*16 + 1*4 + 2 = 6, CGT = 1*16 + 2*4 + 3 = 27, GTN touches N.
    assert encode_kmers(encode_bases("ACGTN"), k=3).tolist() == [5 + 6, 5 + 27, UNK_ID]
    assert encode_kmers(encode_bases("ACGTACGT"), k=4, stride=4).tolist() == [5 + 27, 5 + 27]


@given(sizes, mostly_acgt)
def test_token_ids_agree_with_the_definition(size, text):
    k, stride = size
    text += "A" * (k - len(text))
    token_ids = encode_kmers(encode_bases(text), k=k, stride=stride)
    assert token_ids.dtype == np.int32
    assert token_ids.tolist() == naive_ids(text, k, stride)


@given(sizes, mostly_acgt, mostly_acgt)
def test_record_tokens_agree_with_the_definition_on_padded_text(size, text, ahead):
    k, stride = size
    n_tokens = -(-len(text) // stride)
    padded = (text + ahead + "N" * 20)[: max(n_tokens - 1, 0) * stride + k]
    expected = naive_ids(padded, k, stride) if n_tokens else []
    found = tokenize_record(encode_bases(text), k=k, stride=stride, lookahead=encode_bases(ahead))
    assert found.tolist() == expected


@given(sizes, mostly_acgt, st.data())
def test_pieces_with_lookahead_give_the_tokens_of_the_whole(size, text, data):
    k, stride = size
    codes = encode_bases(text)
    cut = stride * data.draw(st.integers(0, len(text) // stride))
    left = tokenize_record(codes[:cut], k=k, stride=stride, lookahead=codes[cut : cut + k])
    right = tokenize_record(codes[cut:], k=k, stride=stride)
    assert [*left, *right] == tokenize_record(codes, k=k, stride=stride).tolist()


@pytest.mark.parametrize("k", range(1, 9))
def test_reverse_complement_reverses_the_overlapping_tokens(k):
    codes = np.random.default_rng(k).integers(0, 5, 200).astype(np.uint8)
    tokenizer = KmerTokenizer(k)
    there = encode_kmers(codes, k=k)
    back = encode_kmers(reverse_complement(codes), k=k)[::-1]
    for forward, backward in zip(there, back, strict=True):
        if forward == UNK_ID:
            assert backward == UNK_ID
        else:
            kmer = decode_bases(reverse_complement(encode_bases(tokenizer.kmer(forward))))
            assert tokenizer.token_id(kmer) == backward


@pytest.mark.parametrize("letter", BASE_LETTERS[4:])
def test_token_touching_an_ambiguous_base_is_unknown_and_no_other_is(letter):
    token_ids = encode_kmers(encode_bases("ACGTACGTA" + letter + "ACGTACGTA"), k=4)
    assert np.flatnonzero(token_ids == UNK_ID).tolist() == [6, 7, 8, 9]


@pytest.mark.parametrize("length", [1, 2, 5])
def test_record_shorter_than_k_is_all_unknown(length):
    assert tokenize_record(encode_bases("A" * length), k=6, stride=1).tolist() == [UNK_ID] * length


def test_empty_record_has_no_token():
    assert tokenize_record(encode_bases(""), k=6, stride=3).tolist() == []


@pytest.mark.parametrize(("k", "stride"), [(0, 1), (9, 1), (-1, 1), (3, 0), (3, 4), (3, -1)])
def test_sizes_out_of_range_are_refused(k, stride):
    for call in (encode_kmers, tokenize_record):
        with pytest.raises(ValueError, match=r"expected (k|stride) from 1"):
            call(encode_bases("ACGTACGTAC"), k=k, stride=stride)
    with pytest.raises(ValueError, match=r"expected (k|stride) from 1"):
        KmerTokenizer(k, stride)


def test_codes_that_are_no_bases_and_too_short_input_are_refused():
    with pytest.raises(ValueError, match="found 15"):
        encode_kmers(np.array([0, 15, 0], np.uint8), k=2)
    with pytest.raises(ValueError, match="at least k = 3 bases, found 2"):
        encode_kmers(encode_bases("AC"), k=3)


def test_strided_view_is_read_as_the_view_it_is():
    codes = encode_bases("AGCGGGTG")
    assert encode_kmers(codes[::2], k=2).tolist() == encode_kmers(encode_bases("ACGT"), k=2).tolist()


def test_input_is_left_unchanged():
    codes = encode_bases("ACGTN")
    tokenize_record(codes, k=3, stride=1)
    assert decode_bases(codes) == "ACGTN"


@pytest.mark.parametrize("k", [1, 2, 3])
def test_vocabulary_text_and_ids_are_inverse_over_the_whole_vocabulary(k):
    tokenizer = KmerTokenizer(k)
    words = [tokenizer.kmer(i) for i in range(tokenizer.vocab_size)]
    assert len(set(words)) == tokenizer.vocab_size == 5 + 4**k
    assert [tokenizer.token_id(word) for word in words] == list(range(tokenizer.vocab_size))
    assert words[:N_SPECIAL] == list(SPECIAL_NAMES)
    assert words[N_SPECIAL] == "A" * k and words[-1] == "T" * k


def test_vocabulary_examples():
    tokenizer = KmerTokenizer(3)
    assert tokenizer.kmer(11) == "ACG" and tokenizer.token_id("ACG") == tokenizer.token_id("acg") == 11
    assert tokenizer.token_id("ANG") == UNK_ID and tokenizer.token_id("[PAD]") == PAD_ID
    assert tokenizer.kmer(MASK_ID) == "[MASK]"


def test_last_id_is_a_word_and_the_vocabulary_size_is_refused():
    tokenizer = KmerTokenizer(3)
    assert tokenizer.kmer(tokenizer.vocab_size - 1) == "TTT"
    for token_id in (tokenizer.vocab_size, -1):
        with pytest.raises(ValueError, match=f"found {token_id}"):
            tokenizer.kmer(token_id)
    for text in ("AC", "ACGT", "AXG"):
        with pytest.raises(ValueError, match="expected"):
            tokenizer.token_id(text)


@given(sizes, st.integers(0, 100))
def test_number_of_tokens_is_what_encoding_gives(size, n_bases):
    tokenizer = KmerTokenizer(*size)
    assert len(tokenizer.encode(np.zeros(n_bases, np.uint8))) == tokenizer.n_tokens(n_bases)
