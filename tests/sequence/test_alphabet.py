import numpy as np
import pytest
from Bio.Seq import Seq
from hypothesis import given
from hypothesis import strategies as st

from genoformer.sequence.alphabet import BASE_LETTERS, N_CODE, decode_bases, encode_bases, reverse_complement

bases = st.text(alphabet=BASE_LETTERS)


def test_first_codes_are_a_c_g_t_n():
    assert encode_bases("ACGTN").tolist() == [0, 1, 2, 3, 4]
    assert N_CODE == 4


def test_lower_case_and_u_are_read_as_upper_case_and_t():
    assert decode_bases(encode_bases("acguUryswkmbdhvn")) == "ACGTTRYSWKMBDHVN"


def test_text_and_bytes_give_the_same_codes():
    assert encode_bases(b"GATTACA").tolist() == encode_bases("GATTACA").tolist()


@given(bases)
def test_decoding_inverts_encoding(text):
    assert decode_bases(encode_bases(text)) == text


@given(bases)
def test_reverse_complement_agrees_with_biopython(text):
    assert decode_bases(reverse_complement(encode_bases(text))) == str(Seq(text).reverse_complement())


@given(bases)
def test_reverse_complement_twice_is_identity_and_leaves_its_input(text):
    codes = encode_bases(text)
    twice = reverse_complement(reverse_complement(codes))
    assert twice.tolist() == codes.tolist() == encode_bases(text).tolist()


@pytest.mark.parametrize(
    "letter", [chr(i) for i in range(256) if chr(i).upper() not in BASE_LETTERS + "U"] + ["é", "漢"]
)
def test_every_other_letter_is_refused_with_its_position(letter):
    with pytest.raises(ValueError, match="position 2") as caught:
        encode_bases("AC" + letter)
    assert repr(letter) in str(caught.value)


@pytest.mark.parametrize("codes", [np.array([0, 15], np.uint8), np.array([0, 1]), np.zeros((2, 2), np.uint8)])
def test_values_that_are_no_base_codes_are_refused(codes):
    for function in (decode_bases, reverse_complement):
        with pytest.raises(ValueError, match="expected base codes"):
            function(codes)


def test_encoded_codes_belong_to_the_caller():
    codes = encode_bases(b"AC")
    codes[0] = 3
    assert decode_bases(codes) == "TC"
