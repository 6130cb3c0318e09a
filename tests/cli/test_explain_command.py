"""``genoformer explain``: table, tracks and pictures, continued runs, and what is refused."""

import csv
import json
import sys

import numpy as np
import pybigtools
import pyBigWig
import pytest
from PIL import Image
from tiny_function_bundle import write_function_bundle
from tiny_sequence_bundle import write_sequence_bundle

from genoformer.cli.main import main
from genoformer.explain.explainer import Explainer
from genoformer.explain.logo import MOST_LETTERS, strongest_part

SEQUENCES = {"a": "ACGTTGCAACGTAGCTAGCTTACGATCGAT", "b|$x": "GGGATATCCNNNNACGATATTA"}
ALL = ["--target", "b", "--methods", "ism,ig,attention", "--formats", "tsv,png,bigwig"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_function_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "in.fa"
    path.write_text("".join(f">{name}\n{bases}\n" for name, bases in SEQUENCES.items()))
    return path


@pytest.fixture
def explain(tmp_path, bundle, fasta):
    """``explain("--target", "b", out="o")`` runs the command on the two sequences and gives its exit code."""

    def run(*arguments, out="o", inputs=(fasta,), model=bundle):
        words = ["explain", *inputs, "--model", model, "-o", tmp_path / out, *arguments]
        return main([str(word) for word in words])

    return run


def read_table(path):
    with open(path / "importance.tsv", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_table_tracks_and_pictures_say_the_same(explain, tmp_path, capsys):
    assert explain(*ALL) == 0
    assert capsys.readouterr().out == f"explanations of 2 records, 52 bp: {tmp_path / 'o'}\n"
    rows = read_table(tmp_path / "o")
    assert [(row["record"], int(row["position"]), row["base"]) for row in rows] == [
        (name, i + 1, base) for name, bases in SEQUENCES.items() for i, base in enumerate(bases)
    ]
    for method in ("ism", "ig", "attention"):
        table = {name: [float(row[method]) for row in rows if row["record"] == name] for name in SEQUENCES}
        path = str(tmp_path / "o" / f"{method}.bw")
        with pyBigWig.open(path) as track:
            assert track.chroms() == {name: len(bases) for name, bases in SEQUENCES.items()}
            for name, bases in SEQUENCES.items():
                np.testing.assert_allclose(track.values(name, 0, len(bases)), table[name], rtol=1e-5)
        values = pybigtools.open(path).values("a")
        np.testing.assert_allclose(values, table["a"], rtol=1e-5)
    for number, name in enumerate(SEQUENCES, 1):
        with Image.open(tmp_path / "o" / f"logo-{number:04d}.png") as picture:
            assert picture.format == "PNG" and picture.width > 400, name
    summary = json.loads((tmp_path / "o" / "summary.json").read_text())
    assert summary["score"] == "log-odds" and summary["target"] == {"name": "b", "span": None}
    assert summary["n_positions"] == 52 and summary["methods"] == ["ism", "ig", "attention"]
    assert explain(*ALL) == 0 and "nothing to do" in capsys.readouterr().out


def test_cells_are_empty_for_the_base_that_is_there_and_where_it_is_unknown(explain, tmp_path):
    assert explain("--target", "b", "--formats", "tsv") == 0
    for row in read_table(tmp_path / "o"):
        filled = {base for base in "ACGT" if row[f"ism_{base}"]}
        assert filled == (set() if row["base"] == "N" else set("ACGT") - {row["base"]})
        others = [float(row[f"ism_{base}"]) for base in filled]
        assert float(row["ism"]) == pytest.approx(-sum(others) / 3, rel=1e-4, abs=1e-9)


def test_a_changed_sequence_differs_by_what_the_table_says(explain, tmp_path, bundle):
    assert explain("--target", "b", "--formats", "tsv") == 0
    row = read_table(tmp_path / "o")[7]
    assert row["base"] == "A"
    bases = SEQUENCES["a"][:7] + "G" + SEQUENCES["a"][8:]
    (tmp_path / "changed.fa").write_text(f">a\n{SEQUENCES['a']}\n>changed\n{bases}\n")
    words = ["predict", tmp_path / "changed.fa", "--model", bundle, "-o", tmp_path / "p"]
    assert main([str(word) for word in words]) == 0
    with open(tmp_path / "p" / "functions.tsv", encoding="utf-8") as file:
        shares = [np.array([float(found[name]) for name in "abc"]) for found in csv.DictReader(file, delimiter="\t")]
    logits = [2.0 * np.log(share) for share in shares]  # the temperature of the bundle is 2
    odds = [one[1] - np.logaddexp(one[0], one[2]) for one in logits]
    assert float(row["ism_G"]) == pytest.approx(odds[1] - odds[0], abs=0.02)  # four digits of a probability are written


def test_a_region_of_a_genome_and_positions_of_a_channel(explain, tmp_path, tiny_bundle, genome):
    name = genome.read_text().split("\n")[0][1:].split()[0]
    words = [
        "--target",
        "start:2,001-2,003",
        "--region",
        f"{name}:1991-2010",
        "--methods",
        "ism,ig",
        "--formats",
        "tsv",
    ]
    assert explain(*words, inputs=[genome], model=tiny_bundle) == 0
    rows = read_table(tmp_path / "o")
    assert [int(row["position"]) for row in rows] == list(range(1991, 2011))
    assert any(float(row["ism"]) for row in rows)
    assert explain(*words, "--strand", "reverse", out="r", inputs=[genome], model=tiny_bundle) == 0
    assert read_table(tmp_path / "r") != rows


def test_an_interrupted_run_continues(explain, tmp_path, monkeypatch):
    monkeypatch.setattr("genoformer.explain.predict.CHUNK", type("C", (), {"n_records": 1, "n_bases": 1})())
    assert explain(*ALL, out="whole") == 0
    original, calls = Explainer.explain, []

    def interrupted(self, record, *rest):
        calls.append(record.id)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(self, record, *rest)

    monkeypatch.setattr(Explainer, "explain", interrupted)
    assert explain(*ALL) == 130 and not (tmp_path / "o" / "importance.tsv").exists()
    assert explain(*ALL) == 0 and calls == ["a", "b|$x", "b|$x"]
    for name in ("importance.tsv", "ism.bw", "logo-0002.png", "summary.json"):
        assert (tmp_path / "o" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_a_number_needs_no_target_and_the_end_of_long_records_is_not_read(explain, tmp_path, capsys):
    model = write_function_bundle(tmp_path / "number", "regression", max_bp=12)
    assert explain("--formats", "tsv", model=model) == 0
    assert len(read_table(tmp_path / "o")) == 24
    assert "EXPLAIN-104] 2 ×" in capsys.readouterr().err


def test_first_records_have_pictures_and_long_stretches_the_part_where_most_happens(
    explain, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("genoformer.explain.logo.MOST_PICTURES", 1)
    monkeypatch.setattr("genoformer.explain.logo.MOST_LETTERS", 20)
    assert explain("--target", "a") == 0
    assert [path.name for path in (tmp_path / "o").glob("*.png")] == ["logo-0001.png"]
    err = capsys.readouterr().err
    assert "EXPLAIN-102] 1 ×" in err and "EXPLAIN-103] 1 ×" in err and "20 of the 30 bp" in err


def test_the_part_where_most_happens():
    values = np.zeros(2 * MOST_LETTERS)
    values[MOST_LETTERS : MOST_LETTERS + 100] = -1
    first, last = strongest_part(values)
    assert last - first == MOST_LETTERS and first <= MOST_LETTERS and last >= MOST_LETTERS + 100
    assert strongest_part(values[:50]) == (0, 50)


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ([], 2, "EXPLAIN-001] --target: the model has several outputs: a, b, c"),
        (["--target", "z"], 2, 'EXPLAIN-001] --target: there is no output "z"; there are a, b, c'),
        (["--target", "a:1-3"], 2, "EXPLAIN-002] --target"),
        (["--target", "a", "--methods", "ism,shap"], 2, 'EXPLAIN-005] --methods: unknown method "shap"'),
        (["--target", "a", "--steps", "0"], 2, "OPTION-001"),
        (["--target", "a", "--formats", "svg"], 2, "FORMATS-001"),
        (["--target", "a", "--region", "z:1-3"], 2, "REGION-001"),
        (["--target", "a", "--region", "a:31-33"], 2, "REGION-002"),
    ],
)  # fmt: skip
def test_what_is_refused_is_one_line(explain, one_line, arguments, code, text):
    assert explain(*arguments) == code
    one_line(text)


def test_what_a_model_has_not_is_refused_in_one_line(explain, tmp_path, tiny_bundle, one_line):
    assert explain("--target", "start", "--methods", "attention", model=tiny_bundle) == 2
    one_line("EXPLAIN-006] --methods attention: the encoder of this model has no global tokens.")
    assert explain(model=write_sequence_bundle(tmp_path / "pairs", "rna_pairs")) == 2
    one_line("EXPLAIN-004")
    assert explain("--target", "start:40-60", model=tiny_bundle) == 65
    one_line('EXPLAIN-003] the target ends at 60, but of record "a" 30 bp are read.')


@pytest.mark.parametrize(
    ("package", "arguments", "extra"),
    [
        ("captum", ["--methods", "ig"], "explain"),
        ("pybigtools", ["--formats", "bigwig"], "tracks"),
        ("matplotlib", [], "plot"),
    ],
)
def test_a_missing_package_is_named_before_any_work(
    explain, tmp_path, monkeypatch, one_line, package, arguments, extra
):
    monkeypatch.setitem(sys.modules, package, None)
    assert explain("--target", "a", *arguments) == 2
    one_line(f'pip install "genoformer[{extra}]"')
    assert not (tmp_path / "o").exists()


def test_an_empty_file_is_an_error(explain, tmp_path, one_line):
    (tmp_path / "empty.fa").write_text("")
    assert explain("--target", "a", inputs=[tmp_path / "empty.fa"]) == 65
    one_line("FASTA-004")
