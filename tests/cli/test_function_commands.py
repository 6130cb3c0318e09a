"""Functions on the command line: train, predict and evaluate, and what is refused."""

import json

import numpy as np
import pytest

from genoformer.bundle.folder import load_bundle
from genoformer.cli.main import main
from genoformer.sequence.alphabet import decode_bases

TINY = """
trainer: {max_steps: 60, accelerator: cpu, enable_progress_bar: false}
model:
  task: function
  k: 2
  stride: 1
  encoder: {d_model: 16, n_heads: 2, n_layers: 1, d_ff: 16, attention: {window_radius: 8}, conv_width: 3}
  lr: 1.0e-2
  warmup_steps: 5
data:
  columns: {label: kind, sequence: dna, id: id}
  split: {validation: 0.2, test: 0.2}
  loader: {batch_size: 16}
"""


def examples(n=160):
    """Sequences rich in A, or rich in C, 20 to 40 bases."""
    rng = np.random.default_rng(1)
    for i in range(n):
        kind = i % 2
        weights = [0.55, 0.15, 0.15, 0.15] if kind else [0.15, 0.55, 0.15, 0.15]
        yield f"s{i}", "rich_in_a" if kind else "rich_in_c", rng.choice(4, rng.integers(20, 40), p=weights)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with data, configuration and the finished run "one"."""
    folder = tmp_path_factory.mktemp("function")
    rows = [(name, kind, decode_bases(codes.astype(np.uint8))) for name, kind, codes in examples()]
    (folder / "t.tsv").write_text("id\tkind\tdna\n" + "".join("\t".join(row) + "\n" for row in rows))
    (folder / "s.fa").write_text("".join(f">{name} kind={kind}\n{dna}\n" for name, kind, dna in rows))
    (folder / "tiny.yaml").write_text(TINY)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["fit", "--config", "tiny.yaml", "--data.labels", "t.tsv", "--name", "one"]) == 0
    return folder


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def test_trained_model_predicts_and_is_judged(here, tmp_path, capsys):
    out = str(tmp_path / "out")
    assert main(["predict", "s.fa", "--model", "runs/one/model", "-o", out]) == 0
    options = ["--id-column", "id", "--label-column", "kind"]
    assert main(["evaluate", out, "t.tsv", *options, "--min-f1", "0.9", "-o", str(tmp_path / "s.json")]) == 0
    scores = json.loads((tmp_path / "s.json").read_text())
    assert scores["accuracy"] > 0.95 and scores["n"] == 160
    assert main(["evaluate", out, "t.tsv", *options, "--min-f1", "1.0"]) == (1 if scores["macro_f1"] < 1 else 0)
    assert "rich_in_a" in capsys.readouterr().out
    assert main(["evaluate", out, "t.tsv", *options, "--plot", str(tmp_path / "r.png")]) == 0
    picture = (tmp_path / "r.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 5_000
    assert main(["evaluate", out, "t.tsv", *options, "--plot", str(tmp_path / "r2.png")]) == 0
    assert (tmp_path / "r2.png").read_bytes() == picture


def test_bundle_holds_classes_settings_and_calibration(here):
    bundle = load_bundle("runs/one/model")
    assert bundle.config.labels == ["rich_in_a", "rich_in_c"]
    assert bundle.calibration["function"]["temperature"] > 0
    assert "96 train, 32 validation, 32 test" in (here / "runs/one/model/model_card.md").read_text()


def test_training_notes_how_sure_a_label_of_a_gene_must_be_and_that_these_are_none(here, tmp_path, capsys):
    fitted = load_bundle("runs/one/model").calibration["function"]
    assert 0.5 <= fitted["min_score"] <= 1
    assert fitted["min_score_fit"]["n"] == 32 and fitted["min_score_fit"]["precision"] == 0.8
    assert fitted["sequences"]["n"] == 96 and fitted["sequences"]["coding"] < 0.5
    assert main(["annotate", "s.fa", "--function", "runs/one/model", "-o", str(tmp_path / "o")]) == 65
    assert "FUNCTION-004" in capsys.readouterr().err


def test_same_command_has_nothing_to_do_and_test_part_is_scored(here, capsys):
    again = ["--config", "tiny.yaml", "--data.labels", "t.tsv", "--name", "one"]
    assert main(["fit", *again]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert main(["test", *again]) == 0
    assert json.loads((here / "runs/one/test.json").read_text())["test/accuracy"] > 0.9


def test_labels_in_headers_train_the_same_classes(here):
    options = ["--data.fasta", "s.fa", "--data.columns.sequence", "null", "--data.columns.id", "null"]
    assert main(["fit", "--config", "tiny.yaml", *options, "--name", "two", "--trainer.max_steps", "2"]) == 0
    assert load_bundle("runs/two/model").config.labels == ["rich_in_a", "rich_in_c"]


@pytest.mark.parametrize(
    ("arguments", "code", "found"),
    [
        (["fit", "--config", "tiny.yaml"], 2, "no labels are given"),
        (["fit", "--config", "tiny.yaml", "--data.labels", "absent.tsv"], 66, "absent.tsv"),
        (["fit", "--config", "tiny.yaml", "--data.labels", "t.tsv", "--data.columns.label", "sort"], 65, "sort"),
        (["fit", "--config", "tiny.yaml", "--data.labels", "t.tsv", "--data.classes", "[rich_in_a, b]"], 65, "line 2"),
        (["fit", "--config", "tiny.yaml", "--data.labels", "t.tsv", "--data.loader.batch_size=500"], 2, "batch of 500"),
        (["fit", "--config", "tiny.yaml", "--model.options", "{kind: poem}"], 2, "poem"),
        (["fit", "--config", "tiny.yaml", "--model.task", "poetry"], 2, "poetry"),
        (["predict", "s.fa", "--model", "runs/one/model", "-o", "x", "--mask", "t.tsv"], 2, "--mask"),
        (["evaluate", "s.fa", "t.tsv", "--task", "function"], 65, "summary.json"),
    ],
)  # fmt: skip
def test_error_is_one_line_with_its_exit_code(here, arguments, code, found, capsys):
    name = ["--name", "bad"] if arguments[0] == "fit" else []
    assert main([*arguments, *name]) == code
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert found in message and message.startswith("genoformer: error[")
    assert not (here / "x").exists() and not (here / "runs/bad/model").exists()


@pytest.mark.slow
def test_kinds_of_labels_train(here, tmp_path):
    rows = (here / "t.tsv").read_text().splitlines()[1:]
    cells = [row.split("\t") for row in rows]
    numbers = "".join(f"{name}\t{dna.count('A') / len(dna)}\t{dna}\n" for name, _, dna in cells)
    (tmp_path / "n.tsv").write_text("id\tkind\tdna\n" + numbers)
    terms = "".join(f"{name}\tall;{kind}\t{dna}\n" for name, kind, dna in cells)
    (tmp_path / "m.tsv").write_text("id\tkind\tdna\n" + terms)
    for name, kind, table in (("n", "regression", "n.tsv"), ("m", "multilabel", "m.tsv")):
        options = ["--data.labels", str(tmp_path / table), "--model.options", f"{{kind: {kind}}}", "--name", name]
        assert main(["fit", "--config", "tiny.yaml", *options, "--overwrite"]) == 0
        assert main(["predict", "s.fa", "--model", f"runs/{name}/model", "-o", str(tmp_path / name)]) == 0
        reference = ["--id-column", "id", "--label-column", "kind", "--min-f1", "0.6"]
        assert main(["evaluate", str(tmp_path / name), str(tmp_path / table), *reference]) == 0


OBO = """format-version: 1.2
ontology: made-up

[Term]
id: X:root
name: everything
namespace: kinds

[Term]
id: X:any
name: rich in something
namespace: kinds
is_a: X:root

[Term]
id: X:a
name: rich in A
namespace: kinds
is_a: X:any

[Term]
id: X:c
name: rich in C
namespace: kinds
is_a: X:any
"""


def test_terms_of_an_ontology_train_predict_and_are_judged(here, tmp_path, capsys):
    (tmp_path / "x.obo").write_text(OBO)
    cells = [row.split("\t") for row in (here / "t.tsv").read_text().splitlines()[1:]]
    ids = {"rich_in_a": "X:a", "rich_in_c": "X:c"}
    # Every third sequence rich in A has the general term only, and one term is unknown.
    terms = [ids[kind] + ";X:zz" if i % 6 else "X:any" for i, (_, kind, _) in enumerate(cells, start=1)]
    rows = "".join(f"{name}\t{term}\t{dna}\n" for (name, _, dna), term in zip(cells, terms, strict=True))
    (tmp_path / "o.tsv").write_text("id\tkind\tdna\n" + rows)
    options = ["--data.labels", str(tmp_path / "o.tsv"), "--data.ontology", str(tmp_path / "x.obo"), "--name", "o"]
    fit = ["fit", "--config", "tiny.yaml", *options]
    assert main([*fit, "--model.options", "{kind: multiclass}"]) == 2
    assert main([*fit, "--model.options", "{kind: multilabel}", "--overwrite"]) == 0
    assert "LABELS-105" in capsys.readouterr().err
    bundle = load_bundle("runs/o/model")
    assert bundle.config.labels == ["X:a", "X:any", "X:c"]
    assert bundle.config.ontology["implied"] == {"X:a": ["X:any"], "X:any": [], "X:c": ["X:any"]}
    out = tmp_path / "out"
    assert main(["predict", "s.fa", "--model", "runs/o/model", "-o", str(out)]) == 0
    assert (out / "terms.tsv").read_text().splitlines()[1].split("\t")[:3] == ["X:a", "rich in A", "kinds"]
    assert "terms.tsv" in json.loads((out / "manifest.json").read_text())["files"]
    for row in (line.split("\t") for line in (out / "functions.tsv").read_text().splitlines()[1:]):
        a, general, c = map(float, row[4:])
        assert general >= max(a, c) and ("X:any" in row[2] or not row[2])
    known = [str(out), str(tmp_path / "o.tsv"), "--id-column", "id", "--label-column", "kind"]
    assert main(["evaluate", *known]) == 2
    capsys.readouterr()
    assert main(["evaluate", *known, "--ontology", str(tmp_path / "x.obo"), "--json"]) == 0
    branch = json.loads(capsys.readouterr().out)["branches"]["kinds"]
    assert branch["n"] == 160 and branch["fmax"] > 0.9 and branch["f1"] > 0.85 and 0 <= branch["smin"] < 1
    assert main(["evaluate", *known, "--ontology", str(tmp_path / "x.obo")]) == 0
    assert "kinds: n 160" in capsys.readouterr().out


def test_genes_of_an_annotated_genome_train(here, tmp_path):
    """A made-up genome whose genes have EC numbers by their composition."""
    rng = np.random.default_rng(0)
    dna, rows = "", ["##gff-version 3"]
    for i in range(60):
        weights = [0.4, 0.1, 0.1, 0.4] if i % 2 else [0.1, 0.4, 0.4, 0.1]
        gene = decode_bases(rng.choice(4, 60, p=weights).astype(np.uint8))
        attributes = f"ID=c{i};locus_tag=T{i};ec_number={1 + i % 2}.1.1.1"
        rows.append(f"chr\t.\tCDS\t{len(dna) + 1}\t{len(dna) + 60}\t.\t+\t0\t{attributes}")
        dna += gene
    (tmp_path / "g.gff3").write_text("\n".join(rows) + "\n")
    (tmp_path / "g.fa").write_text(f">chr\n{dna}\n")
    options = ["--data.annotation", str(tmp_path / "g.gff3"), "--data.fasta", str(tmp_path / "g.fa")]
    options += ["--data.columns.label", "EC_number", "--data.label_level", "1", "--trainer.max_steps", "2"]
    assert main(["fit", "--config", "tiny.yaml", *options, "--name", "genome"]) == 0
    assert load_bundle("runs/genome/model").config.labels == ["oxidoreductase", "transferase"]
    assert "36 train, 12 validation, 12 test" in (here / "runs/genome/model/model_card.md").read_text()
