"""Contacts on the command line: train, predict and evaluate."""

import json

import numpy as np
import pytest
from Bio.SeqUtils import seq3
from tiny_structures import TINY_CONTACTS

from genoformer.annotation.genetic_code import translate
from genoformer.applications.rna_pairs.maps import read_pairs_h5
from genoformer.bundle.folder import load_bundle
from genoformer.cli.main import main
from genoformer.sequence.alphabet import decode_bases

LINE = "ATOM  {:5d}  CA  {} A{:4d}    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00           C\n"


def chains(n=10, length=30):
    """Hairpins: two straight strands of ten residues side by side, with a loop between."""
    rng = np.random.default_rng(0)
    sense = [c for c in range(64) if translate(np.array([c >> 4, c >> 2 & 3, c & 3], np.uint8), 1) != "*"]
    for i in range(n):
        codons = rng.choice(sense, length)
        codes = np.stack((codons >> 4, codons >> 2 & 3, codons & 3), axis=1).astype(np.uint8).ravel()
        k = np.arange(length)
        places = np.stack([3.8 * np.minimum(k, length - 1 - k), 5.0 * (k >= length // 2), 0 * k], axis=1)
        yield f"p{i}", codes, places


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with data, configuration and the finished run "one"."""
    folder = tmp_path_factory.mktemp("contacts")
    rows, records = ["id\tdna\tstructure\n"], []
    for name, codes, places in chains():
        residues = enumerate(zip(translate(codes, 1), places.tolist(), strict=True), 1)
        lines = [LINE.format(k, seq3(letter).upper(), k, *place) for k, (letter, place) in residues]
        (folder / f"{name}.pdb").write_text("".join(lines) + "END\n")
        rows.append(f"{name}\t{decode_bases(codes)}\t{name}.pdb:A\n")
        records.append(f">{name}\n{decode_bases(codes)}\n")
    (folder / "t.tsv").write_text("".join(rows))
    (folder / "c.fa").write_text("".join(records))
    (folder / "tiny.yaml").write_text(TINY_CONTACTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["fit", "--config", "tiny.yaml", "--data.labels", "t.tsv", "--name", "one"]) == 0
    return folder


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def test_trained_model_predicts_and_is_judged(here, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["predict", "c.fa", "--model", "runs/one/model", "-o", str(out)]) == 0
    assert main(["evaluate", str(out), "t.tsv", "-o", str(tmp_path / "s.json")]) == 0
    scores = json.loads((tmp_path / "s.json").read_text())
    assert main(["evaluate", str(out / "contacts.h5"), "t.tsv", "-o", str(tmp_path / "file.json")]) == 0
    assert json.loads((tmp_path / "file.json").read_text()) == scores
    assert scores["n"] == 10 and 0 <= scores["all L/5"] <= 1 and scores["ece"] < 0.2
    assert "10 chains judged" in capsys.readouterr().out


def test_table_holds_the_best_pairs_of_the_map(here, tmp_path):
    out = tmp_path / "out"
    assert main(["predict", "c.fa", "--model", "runs/one/model", "-o", str(out)]) == 0
    head, *rows = [line.split("\t") for line in (out / "contacts.tsv").read_text().splitlines()]
    assert head == ["record_id", "i", "j", "separation", "probability"]
    first = [row for row in rows if row[0] == "p0"]
    assert len(first) == 60 and all(int(row[2]) - int(row[1]) == int(row[3]) >= 6 for row in first)
    sure = [float(row[4]) for row in first]
    assert sure == sorted(sure, reverse=True)
    name, pairs, probability = next(read_pairs_h5(out / "contacts.h5"))
    assert name == "p0" and (pairs[0] + 1).tolist() == [int(first[0][1]), int(first[0][2])]
    assert probability[0] == pytest.approx(sure[0], abs=1e-4)


def test_bundle_is_calibrated_and_map_is_a_picture(here, tmp_path, need_package):
    assert load_bundle("runs/one/model").calibration["contacts"]["isotonic"]["x"]
    need_package("matplotlib")
    (tmp_path / "one.fa").write_text(">x\n" + "GCT" * 12 + "\n")
    command = ["predict", str(tmp_path / "one.fa"), "--model", "runs/one/model", "-o", str(tmp_path / "out")]
    assert main([*command, "--formats", "png"]) == 0
    assert (tmp_path / "out" / "contacts-0001.png").read_bytes().startswith(b"\x89PNG")


def test_structure_that_does_not_fit_names_file_and_line(here, capsys):
    (here / "bad.tsv").write_text("id\tdna\tstructure\nx\t" + "GCT" * 40 + "\tp0.pdb:A\n")
    assert main(["fit", "--config", "tiny.yaml", "--data.labels", "bad.tsv", "--name", "bad"]) == 65
    message = capsys.readouterr().err
    assert "bad.tsv line 2" in message and "p0.pdb does not fit the sequence" in message
