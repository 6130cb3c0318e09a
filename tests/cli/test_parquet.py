"""Parquet of every task: polars reads the very rows of the text table, with types and nulls."""

import sys

import numpy as np
import polars
import pyarrow.parquet
import pytest
from prediction_files import contents
from tiny_function_bundle import write_function_bundle
from tiny_intron_bundle import write_tiny_intron_bundle
from tiny_sequence_bundle import write_sequence_bundle

from genoformer.cli.main import main
from genoformer.inference import parquet_files
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

WHOLE = {"start", "end", "length_bp", "codon", "i", "j", "separation"}
FLAGS = {"in_structure"}
TEXT = {"record_id", "gene_id", "strand", "partial", "start_codon", "bases", "state", "base_i", "base_j", "prediction"}


def run(fasta, model, out, *more, formats="tsv,parquet", command="predict"):
    models = ["--model", str(model)] if command == "predict" else ["--structure", str(model)]
    return main([command, str(fasta), *models, "-o", str(out), "--formats", formats, *more])


def check_like_text(out, name, *, numbers=()):
    """Each value of the Parquet file is that of the table, to the digits that stand there."""
    text = polars.read_csv(out / f"{name}.tsv", separator="\t", infer_schema=False, null_values=".", quote_char=None)
    table = polars.read_parquet(out / f"{name}.parquet")
    assert table.columns == text.columns and len(table) == len(text) > 0
    for column in table.columns:
        values, cells = table[column], text[column]
        if column in WHOLE | FLAGS:
            assert values.dtype == (polars.Int64 if column in WHOLE else polars.Boolean)
            assert values.cast(int).to_list() == cells.cast(int).to_list()
        elif column in TEXT and column not in numbers:
            assert values.dtype == polars.String and values.to_list() == cells.to_list()
        else:
            assert values.dtype == polars.Float64
            assert values.is_null().to_list() == cells.is_null().to_list()
            difference = (values - cells.cast(float)).abs().max()
            assert difference is None or difference <= 0.5001e-4
    return table


def test_genes(genome, tiny_bundle, tmp_path):
    assert run(genome, tiny_bundle, tmp_path / "o") == 0
    table = check_like_text(tmp_path / "o", "genes")
    assert len(table) > 20 and set(table["strand"]) == {"+", "-"}


def test_genes_with_introns(genome, tmp_path):
    model = write_tiny_intron_bundle(tmp_path / "model")
    assert run(genome, model, tmp_path / "o") == 0
    table = check_like_text(tmp_path / "o", "genes")
    assert table["start_score"].null_count() == len(table)


def test_genes_with_functions_are_lists(genome, tiny_bundle, tmp_path):
    functions = write_function_bundle(tmp_path / "f", "multilabel")
    more = ("--function", str(functions))
    assert run(genome, tiny_bundle, tmp_path / "o", *more, command="annotate") == 0
    text = polars.read_csv(tmp_path / "o/genes.tsv", separator="\t", infer_schema=False, quote_char=None)
    table = polars.read_parquet(tmp_path / "o/genes.parquet")
    assert table.columns == text.columns
    said = [";".join(names) or "." for names in table["functions"].to_list()]
    assert said == text["functions"].to_list() and len(set(said)) > 1
    assert table["functions"].list.len().to_list() == table["function_scores"].list.len().to_list()


@pytest.mark.parametrize("kind", ["multiclass", "multilabel", "regression"])
def test_functions(genome, tmp_path, kind):
    model = write_function_bundle(tmp_path / "model", kind)
    assert run(genome, model, tmp_path / "o") == 0
    table = polars.read_parquet(tmp_path / "o/functions.parquet")
    if kind == "multilabel":
        text = polars.read_csv(tmp_path / "o/functions.tsv", separator="\t", infer_schema=False, quote_char=None)
        assert [";".join(names) for names in table["prediction"]] == [cell or "" for cell in text["prediction"]]
        sure = [";".join(f"{value:.4f}" for value in values) for values in table["probability"]]
        assert sure == [cell or "" for cell in text["probability"]]
    else:
        check_like_text(tmp_path / "o", "functions", numbers={"prediction"} if kind == "regression" else ())


@pytest.mark.parametrize(
    ("task", "name"), [("rna_pairs", "pairs"), ("codon_structure", "structure"), ("contacts", "contacts")]
)
def test_structures(genome, tmp_path, task, name):
    model = write_sequence_bundle(tmp_path / "model", task)
    fasta = tmp_path / "short.fa"
    fasta.write_text(">a\nGGGGCGAAAGCCCCATGACAGGC\n>b|x\nATGGCTGCTAACAAGTGGTTT\n")
    assert run(fasta, model, tmp_path / "o") == 0
    assert set(check_like_text(tmp_path / "o", name)["record_id"]) == {"a", "b|x"}


def test_many_rows_are_several_groups_and_the_same_rows(genome, tiny_bundle, tmp_path, monkeypatch):
    assert run(genome, tiny_bundle, tmp_path / "one") == 0
    monkeypatch.setattr(parquet_files, "GROUP_ROWS", 1)
    assert run(genome, tiny_bundle, tmp_path / "many") == 0
    one, many = (pyarrow.parquet.ParquetFile(tmp_path / out / "genes.parquet") for out in ("one", "many"))
    assert one.num_row_groups == 1 and many.num_row_groups == 4
    assert one.read().equals(many.read())


def test_the_same_bytes_again_and_from_shards(genome, tiny_bundle, tmp_path):
    assert run(genome, tiny_bundle, tmp_path / "a") == run(genome, tiny_bundle, tmp_path / "b") == 0
    for number in (1, 2, 3):
        assert run(genome, tiny_bundle, tmp_path / "parts", "--shard", f"{number}/3") == 0
    assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "c")]) == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b") == contents(tmp_path / "c")


def test_a_genome_without_genes_is_a_table_without_rows(tiny_bundle, tmp_path):
    write_fasta(tmp_path / "n.fa", [Record("n", np.full(500, 4, np.uint8))])
    assert run(tmp_path / "n.fa", tiny_bundle, tmp_path / "o") == 0
    table = polars.read_parquet(tmp_path / "o/genes.parquet")
    assert len(table) == 0 and table.schema["start"] == polars.Int64


def test_without_the_package_nothing_begins(genome, tiny_bundle, tmp_path, monkeypatch, one_line):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert run(genome, tiny_bundle, tmp_path / "o") == 2
    one_line('genoformer[tables]"')
    assert not (tmp_path / "o").exists()
