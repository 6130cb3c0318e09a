"""Whatever holds sequences can be given, and what cannot is refused in a line that repeats nothing long."""

import gzip

import pandas as pd
import polars as pl
import pytest
from Bio import SeqIO
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord

from genoformer.errors import DataError, MissingFileError, UsageError
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.fasta import write_fasta


@pytest.fixture(scope="module")
def model(model_of):
    return model_of("multiclass")


@pytest.fixture(scope="module")
def bases(short_records):
    return {record.id: decode_bases(record.codes) for record in short_records}


@pytest.fixture
def fasta(short_records, tmp_path):
    write_fasta(tmp_path / "in.fa", short_records)
    return tmp_path / "in.fa"


def said(found):
    return [(r.record_id, r.length, r.called, r.probabilities.tolist()) for r in found]


def test_all_forms_of_the_same_sequences_give_the_same(model, bases, fasta, tmp_path):
    expected = said(model.predict(fasta))
    assert len(expected) == len(bases)
    records = list(SeqIO.parse(fasta, "fasta"))
    frame = pd.DataFrame({"id": list(bases), "sequence": list(bases.values())})
    renamed = frame.rename(columns={"id": "name", "sequence": "dna"})
    renamed.to_csv(tmp_path / "in.csv", index=False)
    renamed.to_parquet(tmp_path / "in.parquet")
    (tmp_path / "in.fa.gz").write_bytes(gzip.compress(fasta.read_bytes()))
    named = {"sequence_column": "dna", "id_column": "name"}
    for source, options in (
        (str(fasta), {}),
        (tmp_path / "in.fa.gz", {}),
        ([fasta], {}),
        (records, {}),
        (tuple(records), {}),
        (bases, {}),
        (SeqIO.to_dict(records), {}),
        ({name: Seq(text.lower()) for name, text in bases.items()}, {}),
        (frame, {}),
        (pl.from_pandas(frame), {}),
        (renamed, named),
        (pl.from_pandas(renamed), named),
        (tmp_path / "in.csv", named),
        (str(tmp_path / "in.parquet"), named),
    ):
        assert said(model.predict(source, **options)) == expected, type(source)
    assert said(model.predict(records[0]))[0][:2] == expected[0][:2]


def test_rows_without_ids_are_numbered(model):
    frame = pd.DataFrame({"sequence": ["ACGT" * 5, "GGCC" * 5]}, index=[7, 9])
    assert [result.record_id for result in model.predict(frame)] == ["row1", "row2"]
    assert [result.record_id for result in model.predict(pl.from_pandas(frame))] == ["row1", "row2"]


def test_a_record_of_biopython_says_whether_it_is_a_circle(model_of):
    record = SeqRecord(Seq("ACGTTGCA" * 40), id="p1", annotations={"topology": "circular"})
    (result,) = model_of("gene_structure").predict(record)
    assert (result.record_id, result.circular) == ("p1", True)


LONG = "ACGTNACGTAAC" * 40
TEXT = ">x\n" + "ACGT" * 300 + "\n"


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        (LONG, UsageError, "API-001.*480 bases.*predict_sequence"),
        ([LONG], UsageError, "API-001.*480 bases"),
        (TEXT, UsageError, "API-002.*text of 1,204 letters.*dict"),
        ("q" * 5000, UsageError, "API-002.*text of 5,000 letters"),
        ("-", UsageError, "API-002.*only once"),
        ("absent.fa", MissingFileError, "absent.fa"),
        (7, UsageError, "API-002.*int"),
        (b"ACGT", UsageError, "API-002.*bytes"),
        ([7], UsageError, "API-002.*list.*int"),
        (iter([]), UsageError, r"API-002.*list\(…\)"),
        (pd.DataFrame({"dna": ["ACGT"]}), UsageError, 'API-003.*"sequence".*dna.*sequence_column'),
        (pl.DataFrame({"sequence": ["ACGT"]}).lazy(), UsageError, "API-002.*collect"),
    ],
)
def test_what_holds_no_sequences_is_refused_at_once(source, error, words, model):
    with pytest.raises(error, match=words) as caught:
        model.predict(source)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"a": "ACGT" * 90 + "!"}, "INPUT-006.*'a'.*'!' at position 360"),
        ({"a b": "ACGT"}, "INPUT-006.*'a b'"),
        ({"a": None}, "INPUT-006.*NoneType"),
        ({1: "ACGT"}, "INPUT-006.*1"),
        (pd.DataFrame({"id": ["a", "a"], "sequence": ["ACGT", "AC"]}), 'INPUT-004.*row 2.*"a".*row 1'),
        (pd.DataFrame({"id": ["a", "b"], "sequence": ["ACGT", None]}), "INPUT-006.*row 2"),
        ([SeqRecord(Seq("ACGT"), id="s"), SeqRecord(Seq("ACGT"), id="s")], 'INPUT-001.*"s" comes twice'),
        (SeqRecord(Seq(None, 10), id="s"), "GENBANK-004.*SeqRecord s"),
        (SeqRecord(Seq("MKV!"), id="s"), "GENBANK-003.*SeqRecord s"),
    ],
)
def test_bad_records_are_errors_that_name_them(source, words, model):
    with pytest.raises(DataError, match=words):
        list(model.predict(source))


def test_nothing_given_is_no_results(model):
    for source in ({}, [], pd.DataFrame({"sequence": []})):
        found = model.predict(source)
        assert list(found) == [] and len(found) == 0
        assert list(found.to_dataframe().columns[:2]) == ["record_id", "length_bp"]
