import numpy as np
import pytest
from Bio.Data.CodonTable import unambiguous_dna_by_id
from Bio.Seq import Seq

from genoformer.annotation.genetic_code import CODONS, codon_indices, get_genetic_code, translate
from genoformer.errors import UsageError
from genoformer.sequence.alphabet import decode_bases, encode_bases

# Tables with a codon that is a stop or an amino acid, depending on the place: Biopython's choice there is its own.
UNAMBIGUOUS_TABLES = sorted(set(unambiguous_dna_by_id) - {27, 28, 31})


@pytest.mark.parametrize("number", UNAMBIGUOUS_TABLES)
def test_translation_equals_biopython(number):
    codes = np.random.default_rng(number).integers(0, 4, 3000).astype(np.uint8)
    assert translate(codes, number) == str(Seq(decode_bases(codes)).translate(table=number))


@pytest.mark.parametrize("number", sorted(unambiguous_dna_by_id))
def test_table_is_that_of_biopython(number):
    code, table = get_genetic_code(number), unambiguous_dna_by_id[number]
    assert code.name == table.names[0]
    assert code.aa == "".join(table.forward_table.get(codon, "*") for codon in CODONS)
    assert set(code.start_codons) == set(table.start_codons) and set(code.stop_codons) == set(table.stop_codons)


def test_codon_order_is_first_base_most_significant():
    assert CODONS[0] == "AAA" and CODONS[16 * 0 + 4 * 3 + 2] == "ATG" and CODONS[63] == "TTT"
    assert codon_indices(encode_bases("ATGTAAC")).tolist() == [14, 48]


def test_code_11_has_its_seven_starts_and_three_stops():
    code = get_genetic_code(11)
    assert set(code.start_codons) == {"ATG", "GTG", "TTG", "CTG", "ATT", "ATC", "ATA"}
    assert set(code.stop_codons) == {"TAA", "TAG", "TGA"}


def test_code_4_reads_tga_as_tryptophan():
    assert set(get_genetic_code(4).stop_codons) == {"TAA", "TAG"}
    assert translate(encode_bases("TGA"), 4) == "W" and translate(encode_bases("TGA"), 11) == "*"


def test_a_codon_with_an_unknown_base_is_x():
    assert translate(encode_bases("ATGNTGATR"), 11) == "MXX"
    assert codon_indices(encode_bases("ANG")).tolist() == [-1]


def test_left_over_bases_are_not_read():
    assert translate(encode_bases("ATGAA"), 11) == "M" and translate(encode_bases("AT"), 11) == ""


def test_masks_cannot_be_changed_by_a_caller():
    with pytest.raises(ValueError, match="read-only"):
        get_genetic_code(11).stop_mask[0] = True


def test_an_unknown_table_is_a_usage_error_that_lists_the_known_ones():
    with pytest.raises(UsageError, match=r"no genetic code 7\..*Known codes: 1, 2, 3, 4,"):
        get_genetic_code(7)
