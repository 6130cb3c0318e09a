"""``check-leakage`` and the warning of ``fit``."""

import io
import json

import numpy as np
import pytest
from Bio import SeqIO

from genoformer.applications.functions.data import TableData
from genoformer.cli.main import main
from genoformer.labels.tables import TableColumns
from genoformer.sequence.alphabet import decode_bases, reverse_complement
from genoformer.training.displays import Lines
from genoformer.training.leakage_warning import leakage_lines
from genoformer.training.progress import watched_by
from genoformer.training.settings import LabelSplit, Loader, ModelReading


@pytest.fixture
def sets(tmp_path):
    rng = np.random.default_rng(0)
    codes = [rng.integers(0, 4, 200).astype(np.uint8) for _ in range(6)]
    (tmp_path / "a.fa").write_text("".join(f">a{i}\n{decode_bases(c)}\n" for i, c in enumerate(codes[:4])))
    rows = [("b0", decode_bases(codes[4])), ("b1", decode_bases(reverse_complement(codes[2])))]
    (tmp_path / "b.tsv").write_text("id\tdna\n" + "".join("\t".join(row) + "\n" for row in rows))
    (tmp_path / "clean.fa").write_text(f">c\n{decode_bases(codes[5])}\n")
    return tmp_path


def test_shared_records_are_listed_and_fail(sets, capsys):
    pair = [str(sets / "a.fa"), str(sets / "b.tsv"), "--sequence-column", "dna", "--id-column", "id"]
    assert main(["check-leakage", *pair, "-o", str(sets / "r.tsv")]) == 0
    assert "1 of 2 records share" in capsys.readouterr().out
    assert (sets / "r.tsv").read_text().splitlines()[1] == "b1\t1\t200\t1.0000\ta2\t1.0000"
    assert main(["check-leakage", *pair, "--fail"]) == 1
    assert "1 of 2 records" in capsys.readouterr().err


def test_genbank_is_read_as_fasta_is_beside_tables_too(sets, capsys):
    (entry,) = SeqIO.parse(sets / "clean.fa", "fasta")
    entry.annotations["molecule_type"] = "DNA"
    SeqIO.write([entry], sets / "clean.gb", "genbank")
    for more in ([], ["--sequence-column", "dna"]):
        assert main(["check-leakage", str(sets / "clean.gb"), str(sets / "clean.fa"), "--json", *more]) == 0
        assert json.loads(capsys.readouterr().out)["n_shared_records"] == 1


def test_clean_sets_pass(sets, capsys):
    assert main(["check-leakage", str(sets / "a.fa"), str(sets / "clean.fa"), "--fail", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_shared_records"] == 0


def test_errors_have_their_codes(sets, capsys):
    assert main(["check-leakage", str(sets / "a.fa"), "absent.fa"]) == 66
    assert main(["check-leakage", str(sets / "a.fa"), str(sets / "b.tsv"), "--min-share", "2"]) == 2
    table = ["--sequence-column", "seq"]
    assert main(["check-leakage", str(sets / "a.fa"), str(sets / "b.tsv"), *table]) == 65
    assert '"seq"' in capsys.readouterr().err


def test_training_warns_of_relatives_in_validation(tmp_path):
    rng = np.random.default_rng(1)
    codes = [rng.integers(0, 4, 300).astype(np.uint8) for _ in range(30)]
    near = codes[0].copy()
    near[150] = (near[150] + 1) % 4
    rows = [(f"s{i}", "xy"[i % 2], "train" if i < 24 else "validation", c) for i, c in enumerate(codes)]
    rows.append(("near", "x", "validation", near))
    path = tmp_path / "t.tsv"
    path.write_text("id\tlabel\tpart\tdna\n" + "".join(f"{a}\t{b}\t{c}\t{decode_bases(d)}\n" for a, b, c, d in rows))
    columns = TableColumns(sequence="dna", id="id", group="part")
    data = TableData(str(path), columns=columns, split=LabelSplit("column"), loader=Loader(batch_size=4))
    data.bind(ModelReading("function", k=6, stride=1)).setup()
    shown = io.StringIO()
    with watched_by(Lines(shown)):
        (line,) = leakage_lines(data)
    assert "comparing the validation part with the training part" in shown.getvalue()
    assert "LEAKAGE-002" in line and "near 1-300 with s0" in line and "300 of 2,100 bp" in line
