"""Files and tables of Python are those of ``genoformer predict`` for the same input, byte by byte."""

import importlib

import h5py
import numpy as np
import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal

from genoformer.applications import APPLICATIONS
from genoformer.cli.main import main
from genoformer.errors import UsageError
from genoformer.genomes.simulate import simulate_genome
from genoformer.inference.track_files import read_probabilities
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

SEQUENCES = ("multiclass", "multilabel", "regression", "rna_pairs", "codon_structure", "contacts")
GENES = ("gene_structure", "gene_structure_eukaryote")
TABLES = {"rna_pairs": "pairs", "codon_structure": "structure", "contacts": "contacts", **dict.fromkeys(GENES, "genes")}


def formats_of(name):
    task = name if name in APPLICATIONS else "function"
    return {word: row for word, row in APPLICATIONS[task].formats.load().items() if word != "report"}


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """A made-up genome of three contigs, one of which says that it is a circle."""
    folder = tmp_path_factory.mktemp("genome")
    (record, _), *_ = simulate_genome(length_bp=24_000, gc=0.45, seed=4)
    first, second, third = np.split(record.codes, [9_000, 21_000])
    said = Record("c1", second, "plasmid circular=true")
    write_fasta(folder / "in.fa", [Record("c0", first), said, Record("c2", third)])
    return folder / "in.fa"


@pytest.fixture(scope="module")
def linear_genome(genome):
    """The same without that word: genes with introns are found on linear records only."""
    text = genome.read_text().replace(" plasmid circular=true", "")
    genome.with_name("linear.fa").write_text(text)
    return genome.with_name("linear.fa")


@pytest.fixture(scope="module")
def short_fasta(short_records, tmp_path_factory):
    path = tmp_path_factory.mktemp("short") / "in.fa"
    write_fasta(path, short_records)
    return path


@pytest.fixture(scope="module")
def command(folder_of, genome, linear_genome, short_fasta, tmp_path_factory):
    """``command(name)``: the input, and the folder of all files that the command writes for it."""
    made = {}

    def run(name):
        if name not in made:
            out = tmp_path_factory.mktemp("out") / name
            path = {GENES[0]: genome, GENES[1]: linear_genome}.get(name, short_fasta)
            words = ["predict", str(path), "--model", str(folder_of(name)), "-o", str(out)]
            assert main([*words, "--formats", ",".join(formats_of(name))]) == 0
            made[name] = path, out
        return made[name]

    return run


@pytest.mark.parametrize("name", [GENES[0], pytest.param(GENES[1], marks=pytest.mark.slow), *SEQUENCES])
def test_every_file_has_the_bytes_of_the_command(name, command, model_of, tmp_path):
    path, out = command(name)
    found = model_of(name).predict(path, **({"probabilities": True} if name in GENES else {}))
    names = [row.file.replace("-{:04d}", "") for row in formats_of(name).values()]
    written = found.write(*(tmp_path / one for one in names))
    assert len(written) >= len(names)
    for file in written:
        expected = out / file.relative_to(tmp_path)
        if file.suffix == ".h5":
            assert_same_h5(file, expected)
        else:
            assert file.read_bytes() == expected.read_bytes(), file.name
    described = {"summary.json", "run.json", "manifest.json", "terms.tsv", ".genoformer.lock"}
    assert {str(f.relative_to(out)) for f in out.rglob("*") if f.is_file()} - described == {
        str(f.relative_to(tmp_path)) for f in written
    }


def assert_same_h5(found, expected):
    with h5py.File(found) as a, h5py.File(expected) as b:
        assert dict(a.attrs) == dict(b.attrs) and set(a) == set(b)
        for key in a:
            np.testing.assert_array_equal(a[key][:], b[key][:])


@pytest.mark.parametrize("name", [GENES[0], pytest.param(GENES[1], marks=pytest.mark.slow), *SEQUENCES])
def test_a_table_is_that_of_the_parquet_file_and_has_the_columns_of_the_text(name, command, model_of):
    path, out = command(name)
    table = TABLES.get(name, "functions")
    frame = model_of(name).predict(path).to_dataframe()
    assert len(frame) > 4
    assert_frame_equal(frame, pd.read_parquet(out / f"{table}.parquet"))
    assert list(frame.columns) == list(pd.read_csv(out / f"{table}.tsv", sep="\t").columns)
    assert model_of(name).predict(path).to_polars().equals(pl.read_parquet(out / f"{table}.parquet"))


def test_results_alone_write_and_show_their_own_rows(command, model_of, tmp_path):
    path, _ = command("gene_structure")
    found = model_of("gene_structure").predict(path)
    frame, rows = found.to_dataframe(), found["c1"].to_dataframe()
    assert_frame_equal(rows, frame[frame.record_id == "c1"].reset_index(drop=True))
    (written,) = found[1].write(tmp_path / "one.tsv")
    assert len(pd.read_csv(written, sep="\t")) == len(rows) == len(found["c1"].genes)


@pytest.mark.parametrize("name", [GENES[0], pytest.param(GENES[1], marks=pytest.mark.slow)])
def test_probabilities_are_those_of_the_file_and_near_what_the_model_says(name, command, model_of):
    path, out = command(name)
    for result in model_of(name).predict(path, probabilities=True):
        assert result.probabilities.shape == (2, len(result.channels), result.length)
        np.testing.assert_array_equal(
            result.probabilities, read_probabilities(out / "probabilities.h5", result.record_id)
        )
    found = model_of(name).predict(path)
    assert [r.genes for r in found] == [r.genes for r in model_of(name).predict(path, probabilities=True)]
    with pytest.raises(UsageError, match=r"API-006.*probabilities=True"):
        _ = found[0].probabilities
    with pytest.raises(UsageError, match="API-006"):
        found.write("x.h5")


def test_circles_are_those_that_the_input_names_unless_told_otherwise(command, model_of):
    path, _ = command("gene_structure")
    model = model_of("gene_structure")
    said = {(None): [False, True, False], True: [True] * 3, False: [False] * 3}
    for circular, expected in said.items():
        assert [result.circular for result in model.predict(path, circular=circular)] == expected


def test_a_name_says_what_a_file_holds_and_what_it_may_be_is_listed(model_of, tmp_path):
    found = model_of("gene_structure").predict({"a": "ACGT" * 50})
    for name, word in {"x.gff3": "gff3", "proteins.faa": "protein", "x.fna": "cds", "o/genes.tsv": "tsv"}.items():
        assert found._shown.find_format(tmp_path / name) is formats_of("gene_structure")[word]
    assert found._shown.find_format(tmp_path / "tracks/bigwig.tsv").file == "tracks/bigwig.tsv"
    with pytest.raises(UsageError, match=r"x\.doc.*genes\.gff3 \(gff3\)"):
        found.write(tmp_path / "x.doc")
    with pytest.raises(UsageError, match=r"fold\.svg.*pairs\.svg \(svg\), dotplot\.svg \(dotplot\)"):
        model_of("rna_pairs").predict({"a": "ACGU" * 9}).write("fold.svg")
    with pytest.raises(UsageError, match=r"API-004.*report\.html.*--formats report"):
        found.write(tmp_path / "report.html")
    with pytest.raises(UsageError, match='"doc"'):
        found.write(tmp_path / "x.tsv", format="doc")
    assert found.write(tmp_path / "x.txt", format="gff3") == [tmp_path / "x.txt"]
    assert (tmp_path / "x.txt").read_text().startswith("##gff-version 3")
    with pytest.raises(UsageError, match="Save their arrays"):
        model_of("mlm").predict({"a": "ACGT" * 50}).write(tmp_path / "x.tsv")


def test_embeddings_are_the_rows_of_a_table(model_of, short_fasta):
    found = model_of("mlm").predict(short_fasta)
    frame = found.to_dataframe()
    assert list(frame.columns[:3]) == ["record_id", "length_bp", "embedding_0"]
    np.testing.assert_allclose(frame.filter(like="embedding_"), [r.embedding for r in found], atol=1e-7)


@pytest.mark.parametrize(
    ("missing", "ask"), [("pandas", "to_dataframe"), ("polars", "to_polars"), ("pyarrow", "to_polars")]
)
def test_a_package_that_is_not_installed_is_named(missing, ask, model_of, monkeypatch):
    real = importlib.import_module

    def absent(name, *more):
        if name == missing:
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(UsageError, match=f"API-005.*{ask}.*package {missing}.*pip install"):
        getattr(model_of("multiclass").predict({"a": "ACGT" * 20}), ask)()
