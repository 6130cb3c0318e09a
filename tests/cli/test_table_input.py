"""Tables with a column of sequences as input of models of whole sequences."""

import gzip

import numpy as np
import polars
import pytest
from prediction_files import contents
from tiny_function_bundle import write_function_bundle
from tiny_sequence_bundle import write_sequence_bundle

from genoformer.cli.main import main
from genoformer.errors import DataError
from genoformer.inference.table_records import read_table_records

ROWS = [("a", "ACGTTGCAACGT"), ("b|x", "GGGTTTNNACCC"), ("c", "ATGGCTGCTAAC")]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_function_bundle(tmp_path_factory.mktemp("functions") / "model")


@pytest.fixture
def tables(tmp_path):
    """The same sequences as FASTA and as every kind of table, with a column more."""
    text = [("id", "label", "dna"), *((name, "x", bases) for name, bases in ROWS)]
    (tmp_path / "s.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in ROWS))
    (tmp_path / "s.tsv").write_text("".join("\t".join(row) + "\n" for row in text))
    (tmp_path / "s.csv").write_text("".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in text))
    (tmp_path / "s.csv.gz").write_bytes(gzip.compress((tmp_path / "s.csv").read_bytes()))
    polars.DataFrame(text[1:], schema=text[0], orient="row").write_parquet(tmp_path / "s.parquet")
    return tmp_path


def run(bundle, path, out, *more):
    return main(["predict", str(path), "--model", str(bundle), "-o", str(out), *more])


COLUMNS = ("--sequence-column", "dna", "--id-column", "id")


@pytest.mark.parametrize("name", ["s.tsv", "s.csv", "s.csv.gz", "s.parquet"])
def test_a_table_gives_what_fasta_gives(bundle, tables, name):
    assert run(bundle, tables / "s.fa", tables / "one") == 0
    assert run(bundle, tables / name, tables / "two", *COLUMNS) == 0
    assert contents(tables / "one") == contents(tables / "two")


@pytest.mark.parametrize("task", ["rna_pairs", "codon_structure", "contacts"])
def test_every_model_of_whole_sequences_reads_tables(tables, task):
    bundle = write_sequence_bundle(tables / "model", task)
    assert run(bundle, tables / "s.fa", tables / "one") == 0
    assert run(bundle, tables / "s.parquet", tables / "two", *COLUMNS) == 0
    assert contents(tables / "one") == contents(tables / "two")


@pytest.mark.parametrize(("name", "first"), [("s.tsv", "s.tsv:2"), ("s.parquet", "s.parquet:1")])
def test_rows_without_ids_are_called_by_file_and_line(bundle, tables, name, first):
    assert run(bundle, tables / name, tables / "o", "--sequence-column", "dna") == 0
    assert (tables / "o/functions.tsv").read_text().splitlines()[1].split("\t")[0] == first


def test_shards_of_a_table_are_merged(bundle, tables):
    assert run(bundle, tables / "s.csv", tables / "one", *COLUMNS) == 0
    for number in (1, 2):
        assert run(bundle, tables / "s.csv", tables / "parts", *COLUMNS, "--shard", f"{number}/2") == 0
    assert main(["merge", str(tables / "parts"), "-o", str(tables / "two")]) == 0
    assert contents(tables / "one") == contents(tables / "two")


@pytest.mark.parametrize(
    ("name", "more", "said", "code"),
    [
        ("s.csv", ("--sequence-column", "rna"), 'no column "rna"; there are id, label, dna', 65),
        ("s.parquet", ("--sequence-column", "rna"), 'no column "rna"; there are id, label, dna', 65),
        ("s.csv", ("--sequence-column", "dna", "--id-column", "name"), 'no column "name"', 65),
        ("s.csv", ("--sequence-column", "id"), "s.csv line 3", 65),
        ("s.csv", ("--sequence-column", "dna", "--id-column", "label"), 'the id "x" is also in', 65),
        ("s.parquet", ("--sequence-column", "dna", "--id-column", "label"), 'the id "x" is also in', 65),
        ("s.csv", ("--id-column", "id"), "--sequence-column", 2),
        ("none.csv", ("--sequence-column", "dna"), "none.csv", 66),
        ("cut.parquet", ("--sequence-column", "dna"), "no whole Parquet file", 65),
    ],
)
def test_what_is_wrong_is_one_line(bundle, tables, one_line, name, more, said, code):
    (tables / "cut.parquet").write_bytes((tables / "s.parquet").read_bytes()[:200])
    assert run(bundle, tables / name, tables / "o", *more) == code
    one_line(said)
    assert not list(tables.glob("o/*.tsv"))


def test_models_of_genes_take_no_tables(tiny_bundle, tables, one_line):
    assert run(tiny_bundle, tables / "s.csv", tables / "o", "--sequence-column", "dna") == 2
    one_line("error[OPTION-004] --sequence-column")


def test_parquet_whose_text_is_no_utf8_is_a_data_error(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    ends, text = pyarrow.py_buffer(np.array([0, 1], np.int32)), pyarrow.py_buffer(b"\xc1")
    table = pyarrow.table({"dna": pyarrow.StringArray.from_buffers(1, ends, text)})
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match="INPUT-005"):
        list(read_table_records(tmp_path / "a.parquet", "dna", None))
