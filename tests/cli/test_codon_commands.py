"""Secondary structure on the command line: train, predict and evaluate, and what is refused."""

import json

import pytest
from tiny_structures import TINY_CODONS, chains

from genoformer.bundle.folder import load_bundle
from genoformer.cli.main import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with data, configuration and the finished run "one"."""
    folder = tmp_path_factory.mktemp("codons")
    rows = list(chains())
    (folder / "c.tsv").write_text("id\tdna\tstates\n" + "".join("\t".join(row) + "\n" for row in rows))
    (folder / "c.fa").write_text("".join(f">{name}\n{dna}\n" for name, dna, _ in rows))
    (folder / "tiny.yaml").write_text(TINY_CODONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["fit", "--config", "tiny.yaml", "--data.labels", "c.tsv", "--name", "one"]) == 0
    return folder


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def test_trained_model_predicts_and_is_judged(here, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["predict", "c.fa", "--model", "runs/one/model", "-o", str(out)]) == 0
    assert main(["evaluate", str(out), "c.tsv", "--min-f1", "0.85", "-o", str(tmp_path / "s.json")]) == 0
    scores = json.loads((tmp_path / "s.json").read_text())
    assert main(["evaluate", str(out / "structure.tsv"), "c.tsv", "-o", str(tmp_path / "file.json")]) == 0
    assert json.loads((tmp_path / "file.json").read_text()) == scores
    n_known = sum(len(states) - 2 for _, _, states in chains())
    assert scores["accuracy"] > 0.85 and scores["n"] == n_known and scores["ece"] < 0.1
    assert f"{n_known} codons judged" in capsys.readouterr().out


def test_table_has_a_row_for_each_codon_and_probabilities_that_sum_to_one(here, tmp_path):
    (tmp_path / "two.fa").write_text(">a\nGAAGTTGG\n>b\nGGTNNN\n")
    assert main(["predict", str(tmp_path / "two.fa"), "--model", "runs/one/model", "-o", str(tmp_path / "out")]) == 0
    head, *rows = [line.split("\t") for line in (tmp_path / "out" / "structure.tsv").read_text().splitlines()]
    assert head == ["record_id", "codon", "bases", "state", "probability", "C", "E", "H"]
    assert [row[:3] for row in rows] == [["a", "1", "GAA"], ["a", "2", "GTT"], ["b", "1", "GGT"], ["b", "2", "NNN"]]
    for row in rows:
        values = [float(cell) for cell in row[5:]]
        assert sum(values) == pytest.approx(1, abs=2e-4) and float(row[4]) == max(values)
        assert row[3] == "CEH"[values.index(max(values))]


def test_bundle_holds_states_and_temperature(here):
    bundle = load_bundle("runs/one/model")
    assert bundle.config.labels == ["C", "E", "H"] and bundle.calibration["codon_structure"]["temperature"] > 0


BAD = {
    "length.tsv": ("id\tdna\tstates\na\tGAAGTT\tH\n", "length.tsv line 2: 1 states for 6 bases"),
    "one.tsv": ("id\tdna\tstates\na\tGAAGTT\tHH\n", "no more than one state"),
    "twice.tsv": ("id\tdna\tstates\na\tGAA\tH\na\tGTT\tE\n", "twice.tsv line 3"),
    "column.tsv": ("id\tdna\tss3\na\tGAA\tH\n", 'no column "states"'),
}


@pytest.mark.parametrize("name", BAD)
def test_labels_that_do_not_fit_name_file_and_line(here, tmp_path, name, capsys):
    text, message = BAD[name]
    (tmp_path / name).write_text(text)
    arguments = ["--config", "tiny.yaml", "--data.labels", str(tmp_path / name), "--name", "bad"]
    assert main(["fit", *arguments]) == 65
    assert message in capsys.readouterr().err


def test_tokens_must_be_codons(here, capsys):
    arguments = ["--config", "tiny.yaml", "--data.labels", "c.tsv", "--name", "bad", "--model.stride", "1"]
    assert main(["fit", *arguments]) == 2
    assert "a token must be a codon" in capsys.readouterr().err


def test_codons_have_no_crossing_pairs_and_no_brackets(here, tmp_path, capsys):
    command = ["predict", "c.fa", "--model", "runs/one/model", "-o", str(tmp_path / "out")]
    assert main([*command, "--crossing"]) == 2
    assert main([*command, "--formats", "dbn"]) == 2
    assert 'unknown output format "dbn"; known: tsv, gff3, bed, parquet, report.' in capsys.readouterr().err


def test_states_of_another_length_are_not_judged(here, tmp_path, capsys):
    out = str(tmp_path / "out")
    assert main(["predict", "c.fa", "--model", "runs/one/model", "-o", out]) == 0
    (tmp_path / "r.tsv").write_text("id\tstates\nc0\tHH\n")
    assert main(["evaluate", out, str(tmp_path / "r.tsv")]) == 65
    assert "r.tsv line 2" in capsys.readouterr().err
