"""Base pairs on the command line: train, predict and evaluate, and what is refused."""

import json

import h5py
import pytest
from tiny_structures import TINY_PAIRS, rnas

from genoformer.applications.rna_pairs.calibrate import WEIGHTS
from genoformer.applications.rna_pairs.data import PairData
from genoformer.applications.rna_pairs.maps import read_pairs_h5
from genoformer.bundle.folder import load_bundle
from genoformer.cli.main import main
from genoformer.structures.dot_bracket import parse_dot_bracket
from genoformer.structures.pair_files import read_pair_files, write_dbn
from genoformer.training.settings import LabelSplit, ModelReading

MEASURES = ("precision", "recall", "f1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with data, configuration and the finished run "one"."""
    folder = tmp_path_factory.mktemp("pairs")
    rows = list(rnas())
    (folder / "r.dbn").write_text("".join(write_dbn(rows)))
    (folder / "r.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases, _ in rows))
    (folder / "tiny.yaml").write_text(TINY_PAIRS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["fit", "--config", "tiny.yaml", "--data.labels", "r.dbn", "--name", "one"]) == 0
    return folder


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def predict(here, tmp_path):
    def run(*options, fasta="r.fa"):
        return main(["predict", str(fasta), "--model", "runs/one/model", "-o", str(tmp_path / "out"), *options])

    return run


def test_trained_model_predicts_and_is_judged(predict, tmp_path, capsys):
    assert predict() == 0
    out = tmp_path / "out"
    assert main(["evaluate", str(out), "r.dbn", "--min-f1", "0.8", "-o", str(tmp_path / "s.json")]) == 0
    scores = json.loads((tmp_path / "s.json").read_text())
    assert scores["f1"] > 0.8 and scores["n"] == 60 and scores["ece"] < 0.2
    assert main(["evaluate", str(out / "pairs.dbn"), "r.dbn", "-o", str(tmp_path / "file.json")]) == 0
    assert json.loads((tmp_path / "file.json").read_text()) == {n: scores[n] for n in ("task", "n", *MEASURES)}
    assert main(["evaluate", str(out), "r.dbn", "--min-f1", "1.0"]) == (0 if scores["f1"] == 1 else 1)
    assert "60 RNAs judged" in capsys.readouterr().out


def test_all_files_tell_the_same(predict, tmp_path):
    assert predict("--formats", "h5,dbn,tsv,ct,bpseq") == 0
    out = tmp_path / "out"
    dbn = {example.id: example.label for example in read_pair_files([out / "pairs.dbn"])}
    assert dbn == {example.id: example.label for example in read_pair_files([out / "pairs.ct"])}
    assert read_pair_files([out / "pairs-0003.bpseq"])[0].label == dbn["r2"]
    table = [line.split("\t") for line in (out / "pairs.tsv").read_text().splitlines()[1:]]
    chosen = {(row[0], int(row[1]) - 1, int(row[2]) - 1) for row in table if row[6] == "1"}
    wanted = {(name, i, j) for name, text in dbn.items() for i, j in enumerate(parse_dot_bracket(text)) if j > i}
    assert chosen == wanted and json.loads((out / "summary.json").read_text())["n_pairs"] == len(wanted)
    stored = {(name, i, j) for name, pairs, _ in read_pairs_h5(out / "pairs.h5") for i, j in pairs.tolist()}
    assert wanted <= stored
    with h5py.File(out / "pairs.h5") as file:
        assert file.attrs["complete"] and len(file["lengths"]) == 60 and file["pairs"].fletcher32


def test_prediction_is_the_same_each_time_and_not_made_twice(predict, tmp_path, capsys):
    assert predict() == 0
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("pairs.*")}
    assert predict() == 0
    assert "nothing to do" in capsys.readouterr().out
    assert predict("--overwrite", "--crossing", "--formats", "dbn") == 0
    assert predict("--overwrite") == 0
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "out").glob("pairs.*")}


def test_map_is_a_picture(predict, tmp_path, need_package):
    need_package("matplotlib")
    (tmp_path / "one.fa").write_text(">x\nGGGGAAAACCCC\n")
    assert predict("--formats", "png", fasta=tmp_path / "one.fa") == 0
    assert (tmp_path / "out" / "pairs-0001.png").read_bytes().startswith(b"\x89PNG")


def test_bundle_holds_settings_and_calibration(here):
    bundle = load_bundle("runs/one/model")
    assert bundle.config.options["max_bp"] == 60 and bundle.calibration["rna_pairs"]["gamma"] > 0
    assert "36 train, 12 validation, 12 test" in (here / "runs/one/model/model_card.md").read_text()


@pytest.mark.parametrize(("options", "code", "message"), [
    (["--mask", "x.bed"], 2, "--mask"),
    (["--formats", "gtf"], 2, 'unknown output format "gtf"; known: h5, dbn, tsv, parquet, ct, bpseq, png, gff3'),
])  # fmt: skip
def test_options_that_make_no_sense_are_refused(predict, options, code, message, capsys):
    assert predict(*options) == code
    assert message in capsys.readouterr().err


def test_record_that_is_too_long_is_named_before_the_work(predict, tmp_path, capsys):
    (tmp_path / "long.fa").write_text(">fine\nGGGGAAAACCCC\n>long\n" + "A" * 61 + "\n")
    assert predict(fasta=tmp_path / "long.fa") == 65
    assert '"long" has 61 bases; the model reads up to 60' in capsys.readouterr().err
    assert not (tmp_path / "out" / "pairs.dbn").exists()


BAD = {
    "b.dbn": (">a\nGGGAAACCC\n(((...))\n", 65, "b.dbn line 3"),
    "t.tsv": ("id\tsequence\tstructure\na\tGAAAC\t(....\n", 65, "t.tsv line 2"),
    "short.tsv": ("id\tsequence\tstructure\na\tGAAAC\t(..)\n", 65, "short.tsv line 2"),
}


@pytest.mark.parametrize("name", BAD)
def test_labels_that_do_not_fit_name_file_and_line(here, tmp_path, name, capsys):
    text, code, message = BAD[name]
    (tmp_path / name).write_text(text)
    arguments = ["--config", "tiny.yaml", "--data.labels", str(tmp_path / name), "--name", "bad"]
    assert main(["fit", *arguments]) == code
    assert message in capsys.readouterr().err


def test_split_by_ids_decides_the_parts(here, tmp_path, capsys):
    (tmp_path / "parts.tsv").write_text("# who is where\n" + "".join(
        f"r{i}\t{'train' if i < 40 else 'validation'}\n" for i in range(50)))  # fmt: skip
    arguments = ["--config", "tiny.yaml", "--data.labels", "r.dbn", "--data.split.file", str(tmp_path / "parts.tsv")]
    assert main(["fit", *arguments, "--trainer.max_steps", "1", "--name", "two", "--data.split.test", "null"]) == 0
    assert "10 ×" in capsys.readouterr().err
    assert "40 train, 10 validation, 0 test" in (here / "runs/two/model/model_card.md").read_text()
    (tmp_path / "parts.tsv").write_text("r0\ttrain\nr0\ttest\n")
    assert main(["fit", *arguments, "--name", "three"]) == 65
    assert "parts.tsv line 2" in capsys.readouterr().err


def test_split_may_name_families(here, tmp_path):
    lines = [f"r{i}\t{'train' if i < 40 else 'validation'}\t{'odd' if i % 2 else 'even'}\n" for i in range(60)]
    (tmp_path / "parts.tsv").write_text("".join(lines))
    data = PairData(["r.dbn"], split=LabelSplit(file=str(tmp_path / "parts.tsv")))
    data.bind(ModelReading("rna_pairs", k=1, stride=1)).setup()
    assert [(member.id, member.group) for member in data.parts["validation"][:2]] == [("r40", "even"), ("r41", "odd")]


def test_viennarna_has_its_say_and_validation_chooses_how_much(here, tmp_path, need_package):
    """An untrained network adds nothing: with ViennaRNA the structures are right all the same."""
    need_package("RNA")
    options = ["--model.options.prior", "viennarna", "--trainer.max_steps", "1", "--model.lr", "1e-9"]
    arguments = ["--config", "tiny.yaml", "--data.labels", "r.dbn", *options]
    assert main(["fit", *arguments, "--name", "prior"]) == 0
    assert load_bundle("runs/prior/model").calibration["rna_pairs"]["weight"] == min(WEIGHTS)
    assert main(["predict", "r.fa", "--model", "runs/prior/model", "-o", str(tmp_path / "out")]) == 0
    assert main(["evaluate", str(tmp_path / "out"), "r.dbn", "--min-f1", "0.8"]) == 0
