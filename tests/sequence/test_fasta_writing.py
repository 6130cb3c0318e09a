"""FASTA that is written is read back, by others too; what could not be is not written."""

import numpy as np
import pytest
from Bio import SeqIO
from hypothesis import given
from hypothesis import strategies as st

from genoformer.sequence.alphabet import BASE_LETTERS, decode_bases, encode_bases
from genoformer.sequence.fasta import read_fasta, write_fasta
from genoformer.sequence.records import Record


def triples(records):
    return [(record.id, decode_bases(record.codes), record.description) for record in records]


def test_written_records_are_read_back_by_biopython_and_by_us(tmp_path):
    records = [Record("a", encode_bases("ACGTRYKN" * 30), "two words"), Record("b", encode_bases("G" * 60))]
    write_fasta(tmp_path / "a.fa", records)
    lines = (tmp_path / "a.fa").read_text().splitlines()
    assert [len(line) for line in lines] == [len(">a two words"), 60, 60, 60, 60, 2, 60]
    assert triples(read_fasta(tmp_path / "a.fa")) == triples(records)
    parsed = SeqIO.parse(tmp_path / "a.fa", "fasta")
    assert [(r.id, str(r.seq)) for r in parsed] == [(r.id, decode_bases(r.codes)) for r in records]


@given(st.lists(st.text(BASE_LETTERS, min_size=1), min_size=1), st.integers(1, 20))
def test_reading_inverts_writing(tmp_path_factory, sequences, width):
    path = tmp_path_factory.getbasetemp() / "round.fa"
    records = [Record(f"r{i}", encode_bases(letters)) for i, letters in enumerate(sequences)]
    write_fasta(path, records, width)
    assert triples(read_fasta(path)) == triples(records)
    assert max(len(line) for line in path.read_text().splitlines() if line[0] != ">") <= width


def test_long_record_is_written_in_blocks_without_a_seam(tmp_path):
    codes = np.random.default_rng(1).integers(0, 15, 2_500_001).astype(np.uint8)
    write_fasta(tmp_path / "a.fa", [Record("a", codes)], width=77)
    np.testing.assert_array_equal(next(read_fasta(tmp_path / "a.fa")).codes, codes)
    assert {len(line) for line in (tmp_path / "a.fa").read_text().splitlines()[1:-1]} == {77}


@pytest.mark.parametrize(
    "record",
    [
        Record("a", encode_bases("")),
        Record("", encode_bases("A")),
        Record("a b", encode_bases("A")),
        Record("a", encode_bases("A"), "two\n>lines"),
    ],
)
def test_record_that_could_not_be_read_back_is_not_written(tmp_path, record):
    with pytest.raises(ValueError, match="expected a record with bases"):
        write_fasta(tmp_path / "a.fa", [record])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="found 0"):
        write_fasta(tmp_path / "a.fa", [], width=0)
