"""``genoformer embed``: files that readers of others take, continued runs, and what is refused."""

import json
import sys

import h5py
import numpy as np
import polars
import pyarrow.parquet
import pytest
from tiny_function_bundle import write_function_bundle
from tiny_sequence_bundle import write_sequence_bundle

from genoformer.cli.main import main
from genoformer.embeddings import predict as engine
from genoformer.embeddings.embedder import Embedder

SEQUENCES = {
    "a": "ACGTTGCAACGTAGCTAGCTTACGATCGATTTAGC" * 3,
    "b|x": "GGGATATCCTTAGNNNNNNNNNNNNNNNNNNACGATATTA",
    "c": "ACG",
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_function_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "in.fa"
    path.write_text("".join(f">{name}\n{bases}\n" for name, bases in SEQUENCES.items()))
    return path


@pytest.fixture
def embed(tmp_path, bundle, fasta):
    """``embed("--per", "base", out="o")`` runs the command on the three sequences and gives its exit code."""

    def run(*arguments, out="o", inputs=(fasta,), model=bundle):
        words = ["embed", *inputs, "--model", model, "-o", tmp_path / out, *arguments]
        return main([str(word) for word in words])

    return run


def npz(path):
    with np.load(path / "embeddings.npz") as stored:  # without pickled objects
        return dict(stored)


WAYS = {
    "record": [],
    "window": ["--per", "window", "--window-bp", "20", "--step-bp", "15", "--strand", "average"],
    "base": ["--per", "base", "--layer", "0", "--dtype", "float16"],
}


@pytest.mark.parametrize("way", WAYS)
def test_all_formats_hold_the_same_and_readers_of_others_take_them(embed, tmp_path, way):
    assert embed(*WAYS[way], "--formats", "npz,h5,parquet") == 0
    arrays = npz(tmp_path / "o")
    with h5py.File(tmp_path / "o" / "embeddings.h5") as file:
        stored = {name: file[name][()] for name in file}
        assert file.attrs["layer"] == (0 if way == "base" else 1) and file.attrs["per"] == way
        assert file["embeddings"].chunks is not None
    about = json.loads(str(arrays.pop("about")))
    assert about["per"] == way and about["width"] == arrays["embeddings"].shape[1] == 16
    assert stored.pop("ids").astype(str).tolist() == arrays["ids"].tolist() == list(SEQUENCES)
    for name, values in stored.items():
        np.testing.assert_array_equal(values, arrays[name])
        assert values.dtype == arrays[name].dtype
    table = pyarrow.parquet.read_table(tmp_path / "o" / "embeddings.parquet")
    assert table["record"].to_pylist() == arrays["ids"][arrays["record"]].tolist()
    for name, column in (("start", "starts"), ("end", "ends"), ("known_bp", "known_bp")):
        assert table[name].to_pylist() == arrays[column].tolist()
    np.testing.assert_array_equal(
        np.array(table["embedding"].to_pylist(), arrays["embeddings"].dtype), arrays["embeddings"]
    )
    assert json.loads(table.schema.metadata[b"genoformer"]) == about


def test_polars_reads_the_parquet_file_as_vectors(embed, tmp_path):
    assert embed("--formats", "parquet") == 0
    frame = polars.read_parquet(tmp_path / "o" / "embeddings.parquet")
    assert frame.schema["embedding"] == polars.Array(polars.Float32, 16) and frame["record"].to_list() == list(
        SEQUENCES
    )


def test_summary_and_warning_say_what_is_zero(embed, tmp_path, capsys):
    assert embed("--per", "window", "--window-bp", "5") == 0
    summary = json.loads((tmp_path / "o" / "summary.json").read_text())
    assert summary["n_rows"] == len(npz(tmp_path / "o")["starts"]) and summary["n_unknown_rows"] == 3
    assert summary["task"] == "function" and summary["layer"] == 1 and summary["window_bp"] == 5
    out, err = capsys.readouterr()
    assert "EMBED-101] 3 ×" in err and '"b|x" 16-20' in err
    assert out == f"embeddings of 3 records, 148 bp: {tmp_path / 'o'}\n"


def test_a_finished_embedding_is_left_and_another_request_is_refused(embed, tmp_path, capsys):
    assert embed() == 0
    before = (tmp_path / "o" / "embeddings.npz").stat().st_mtime_ns
    assert embed("--layer", "1") == 0 and "nothing to do" in capsys.readouterr().out
    assert (tmp_path / "o" / "embeddings.npz").stat().st_mtime_ns == before
    assert embed("--layer", "0") == 73
    assert embed("--layer", "0", "--overwrite") == 0
    assert json.loads((tmp_path / "o" / "summary.json").read_text())["layer"] == 0


@pytest.mark.parametrize("way", WAYS)
def test_an_interrupted_run_continues_to_the_same_bytes(embed, tmp_path, monkeypatch, way):
    monkeypatch.setattr(engine, "GROUP_BP", 40)
    assert embed(*WAYS[way], "--formats", "npz,h5,parquet", out="whole") == 0
    rows, calls = Embedder.rows, []

    def interrupted(self, strands, first, last):
        calls.append(first)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return rows(self, strands, first, last)

    monkeypatch.setattr(Embedder, "rows", interrupted)
    assert embed(*WAYS[way], "--formats", "npz,h5,parquet") == 130
    assert not (tmp_path / "o" / "embeddings.npz").exists()
    assert embed(*WAYS[way], "--formats", "npz,h5,parquet") == 0
    assert len(calls) == 2 + 2  # of three records, the first was there
    names = ("embeddings.npz", "embeddings.h5", "embeddings.parquet", "summary.json")
    assert [(tmp_path / "o" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes() for name in names] == [
        True
    ] * 4
    assert not (tmp_path / "o" / ".work").exists()


def test_a_region_is_read_by_itself_and_keeps_its_coordinates(embed, tmp_path):
    (tmp_path / "part.fa").write_text(f">a\n{SEQUENCES['a'][9:50]}\n")
    assert embed("--per", "base", "--region", "a:10-50") == 0
    assert embed("--per", "base", out="part", inputs=[tmp_path / "part.fa"]) == 0
    region, part = npz(tmp_path / "o"), npz(tmp_path / "part")
    assert region["starts"].tolist() == list(range(9, 50)) and part["starts"].tolist() == list(range(41))
    np.testing.assert_array_equal(region["embeddings"], part["embeddings"])


def test_tables_give_what_their_sequences_give_in_fasta(embed, tmp_path):
    rows = "".join(f"{name}\t{bases}\n" for name, bases in SEQUENCES.items())
    (tmp_path / "in.tsv").write_text("name\tdna\n" + rows)
    assert embed(out="fasta") == 0
    assert embed("--sequence-column", "dna", "--id-column", "name", inputs=[tmp_path / "in.tsv"]) == 0
    assert (tmp_path / "o" / "embeddings.npz").read_bytes() == (tmp_path / "fasta" / "embeddings.npz").read_bytes()


@pytest.mark.parametrize("task", ["rna_pairs", "codon_structure", "contacts", "mlm", "clm"])
def test_models_of_every_task_embed(embed, tmp_path, task):
    model = write_sequence_bundle(tmp_path / task, task)
    assert embed("--per", "window", "--window-bp", "10", "--strand", "reverse", model=model) == 0
    found = npz(tmp_path / "o")["embeddings"]
    assert found.shape == (16, 16) and np.isfinite(found).all()


def test_dry_run_says_what_would_be_written(embed, tmp_path, capsys):
    assert embed("--per", "base", "--dry-run") == 0
    assert "would write about 40.8 kB" in capsys.readouterr().out and not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--layer", "2"], 2, "EMBED-001] --layer: expected a layer from 0 (embeddings of tokens) to 1"),
        (["--layer", "-1"], 2, "found -1"),
        (["--per", "window"], 2, "EMBED-002] --window-bp: windows need a length"),
        (["--window-bp", "9"], 2, "EMBED-002] --window-bp: a record has no windows"),
        (["--per", "base", "--step-bp", "9"], 2, "EMBED-002] --step-bp: a base has no windows"),
        (["--per", "window", "--window-bp", "9", "--step-bp", "10"], 2, "EMBED-003"),
        (["--per", "window", "--window-bp", "0"], 2, "OPTION-001"),
        (["--formats", "hdf"], 2, "FORMATS-001"),
        (["--region", "z:1-9"], 2, 'REGION-001] --region: there is no record "z"; the input begins with a, b|x, c'),
        (["--region", "c:9-10"], 2, "REGION-002"),
        (["--region", "c"], 2, "REGION-003"),
        (["--id-column", "x"], 2, "INPUT-003"),
        (["--precision", "half"], 2, "CLI-002"),
    ],
)  # fmt: skip
def test_what_is_refused_is_one_line(embed, tmp_path, one_line, arguments, code, text):
    assert embed(*arguments) == code
    one_line(text)
    assert not (tmp_path / "o").exists() or not list((tmp_path / "o").glob("[!.]*"))


def test_an_empty_file_is_an_error(embed, tmp_path, one_line):
    (tmp_path / "empty.fa").write_text("")
    assert embed(inputs=[tmp_path / "empty.fa"]) == 65
    one_line("FASTA-004")


def test_a_missing_package_is_named_before_any_work(embed, tmp_path, monkeypatch, one_line):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert embed("--formats", "npz,parquet") == 2
    one_line('pip install "genoformer[tables]"')
    assert not (tmp_path / "o").exists()
