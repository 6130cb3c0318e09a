"""Functions predicted: calibration, batches, files, resuming, evaluation."""

import json
from dataclasses import replace

import numpy as np
import pytest
from predicting import predict
from scipy.special import softmax
from tiny_function_bundle import write_function_bundle

from genoformer.applications import build_task
from genoformer.applications.functions.calibrate import fit_calibration
from genoformer.applications.functions.caller import FunctionCaller, calibrated, called_terms
from genoformer.applications.functions.evaluate import evaluate_functions
from genoformer.applications.functions.predict import FunctionPredictor
from genoformer.applications.functions.request import FunctionRequest
from genoformer.bundle.folder import load_bundle
from genoformer.bundle.header import read_header
from genoformer.errors import DataError, MissingFileError, UsageError
from genoformer.files import verify_manifest
from genoformer.inference.reading import Reading
from genoformer.labels.tables import TableColumns
from genoformer.sequence.alphabet import reverse_complement
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

TABLE = FunctionRequest(formats=("tsv",))
EMPTY = replace(TABLE, reading=Reading(allow_empty=True))


@pytest.fixture
def caller(tmp_path):
    def make(kind="multiclass", batch_size=5, **options):
        bundle = load_bundle(write_function_bundle(tmp_path / kind, kind, **options))
        return replace(FunctionCaller.from_bundle(bundle), batch_size=batch_size)

    return make


@pytest.fixture
def model(tmp_path):
    """Folder of a model of classes."""
    return write_function_bundle(tmp_path / "multiclass")


@pytest.fixture
def records():
    rng = np.random.default_rng(0)
    return [Record(f"r{i}", rng.integers(0, 4, rng.integers(1, 300)).astype(np.uint8)) for i in range(23)]


@pytest.fixture
def fasta(records, tmp_path):
    write_fasta(tmp_path / "in.fa", records)
    return [str(tmp_path / "in.fa")]


def rows(folder):
    header, *lines = (folder / "functions.tsv").read_text().splitlines()
    return [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]


def test_batches_change_nothing_and_longer_sequences_are_cut(caller, records):
    sequences = [record.codes for record in records]
    one, many = caller(batch_size=1).outputs(sequences), caller(batch_size=8).outputs(sequences)
    np.testing.assert_allclose(one, many, atol=8e-5)  # 1e-5 times the factor on the head's weights
    np.testing.assert_array_equal(caller().outputs([np.tile(sequences[0], 300)[:200]]),
                                  caller().outputs([np.tile(sequences[0], 300)[:250]]))  # fmt: skip


@pytest.mark.parametrize("strands", ["average", "forward"])
def test_strands_count_as_declared(caller, records, strands):
    sequences = [record.codes[:200] for record in records]
    plus = caller(strands=strands).outputs(sequences)
    minus = caller(strands=strands).outputs([reverse_complement(codes) for codes in sequences])
    assert np.allclose(plus, minus, atol=8e-5) == (strands == "average")


def test_table_says_what_the_model_says(caller, model, records, fasta, tmp_path):
    summary = predict(model, fasta, TABLE, tmp_path / "out")
    probabilities = softmax(caller().outputs([record.codes for record in records]) / 2.0, axis=1)
    found = rows(tmp_path / "out")
    assert [row["record_id"] for row in found] == [record.id for record in records]
    np.testing.assert_allclose([[float(row[n]) for n in "abc"] for row in found], probabilities, atol=6e-5)
    assert [row["prediction"] for row in found] == ["abc"[i] for i in probabilities.argmax(axis=1)]
    assert sum(summary["counts"].values()) == 23 and len(set(row["prediction"] for row in found)) > 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        ".genoformer.lock", "functions.tsv", "summary.json", "run.json", "manifest.json",
    }  # fmt: skip
    assert predict(model, fasta, TABLE, tmp_path / "out")["nothing_to_do"]


def test_interrupted_prediction_continues_and_ends_alike(model, fasta, tmp_path, monkeypatch):
    monkeypatch.setattr(FunctionPredictor, "chunk", replace(FunctionPredictor.chunk, n_records=6))
    predict(model, fasta, TABLE, tmp_path / "whole")
    calls, run = [], FunctionCaller.outputs

    def stopping(self, sequences):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(len(sequences))
        return run(self, sequences)

    monkeypatch.setattr(FunctionCaller, "outputs", stopping)
    with pytest.raises(KeyboardInterrupt):
        predict(model, fasta, TABLE, tmp_path / "out")
    assert not (tmp_path / "out/functions.tsv").exists()
    monkeypatch.setattr(FunctionCaller, "outputs", lambda self, s: calls.append(len(s)) or run(self, s))
    predict(model, fasta, TABLE, tmp_path / "out")
    assert calls == [6, 6, 6, 5]
    assert (tmp_path / "out/functions.tsv").read_bytes() == (tmp_path / "whole/functions.tsv").read_bytes()


def test_empty_file_is_an_error_unless_allowed(model, fasta, tmp_path):
    (tmp_path / "empty.fa").touch()
    paths = [str(tmp_path / "empty.fa")]
    with pytest.raises(DataError, match="empty"):
        predict(model, paths, TABLE, tmp_path / "out")
    summary = predict(model, paths, EMPTY, tmp_path / "out")
    assert (summary["n_records"], summary["counts"]) == (0, {"a": 0, "b": 0, "c": 0})
    assert rows(tmp_path / "out") == [] and verify_manifest(tmp_path / "out")
    assert predict(model, paths + fasta, EMPTY, tmp_path / "both")["n_records"] == 23
    with pytest.raises(MissingFileError):
        predict(model, [tmp_path / "absent.fa"], EMPTY, tmp_path / "none")


def write_reference(path, labels):
    path.write_text("id\tlabel\n" + "".join(f"{name}\t{label}\n" for name, label in labels.items()))
    return path


def test_evaluation_judges_labelled_records_only(model, fasta, tmp_path):
    predict(model, fasta, TABLE, tmp_path / "out")
    said = {row["record_id"]: row["prediction"] for row in rows(tmp_path / "out")}
    labels = {**said, "r0": "abc".replace(said["r0"], "")[0], "r5": "", "zz": "a"}
    scores = evaluate_functions(tmp_path / "out", write_reference(tmp_path / "r.tsv", labels), TableColumns(id="id"))
    assert (scores["n"], scores["accuracy"]) == (22, pytest.approx(21 / 22))
    assert sum(bin["n"] for bin in scores["reliability"]) == 22 and 0 <= scores["ece"] <= 1


def test_terms_are_judged_at_the_threshold_of_training(caller, records, fasta, tmp_path):
    finder = caller("multilabel")
    predict(tmp_path / "multilabel", fasta, TABLE, tmp_path / "out")
    outputs = finder.outputs([record.codes for record in records])
    said = [{name for name, yes in zip("abc", row >= 0, strict=True) if yes} for row in outputs]
    assert [set(filter(None, row["prediction"].split(";"))) for row in rows(tmp_path / "out")] == said
    labels = {record.id: "a;b" for record in records}
    scores = evaluate_functions(tmp_path / "out", write_reference(tmp_path / "r.tsv", labels), TableColumns(id="id"))
    hits, called = sum(len(terms & {"a", "b"}) for terms in said), sum(map(len, said))
    assert scores["micro_f1"] == pytest.approx(2 * hits / (called + 46))


def test_numbers_come_with_an_interval_in_their_units(caller, records, fasta, tmp_path):
    finder = caller("regression")
    predict(tmp_path / "regression", fasta, TABLE, tmp_path / "out")
    expected = 10 + 2 * finder.outputs([record.codes for record in records])[:, 0].astype(float)
    found = rows(tmp_path / "out")
    np.testing.assert_allclose([float(row["prediction"]) for row in found], expected, rtol=1e-4)
    np.testing.assert_allclose([float(row["high"]) - float(row["low"]) for row in found], 3.0, atol=1e-3)
    labels = {record.id: value for record, value in zip(records, expected + 1.0, strict=True)}
    scores = evaluate_functions(tmp_path / "out", write_reference(tmp_path / "r.tsv", labels), TableColumns(id="id"))
    assert scores["rmse"] == pytest.approx(1.0, abs=1e-3) and scores["interval_coverage"] == 1.0


def test_calibration_finds_what_the_outputs_lack():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 3))
    classes = np.array([rng.choice(3, p=p) for p in softmax(logits, axis=1)])
    fitted = fit_calibration(build_task("function", "abc", {}), 3 * logits, classes, (0, 1))
    assert fitted["temperature"] == pytest.approx(3.0, rel=0.1)
    task = build_task("function", ["v"], {"kind": "regression"})
    errors = np.linspace(-1, 1, 199)[:, None]
    fitted = fit_calibration(task, errors, np.zeros((199, 1)), (5.0, 2.0))
    assert fitted == {"mean": 5.0, "sd": 2.0, "half_width": pytest.approx(2 * 0.9, abs=0.03)}
    assert calibrated(task, np.array([[1.0]]), fitted).tolist() == [[7.0]]


def test_terms_from_the_threshold_on_are_called():
    task = build_task("function", ["a", "b"], {"kind": "multilabel"})
    assert called_terms(task, np.array([[0.5, 0.4], [0.1, 0.0]]), {"threshold": 0.4}) == [["a", "b"], []]


def test_what_cannot_be_used_is_refused(model, fasta, tiny_bundle, tmp_path):
    with pytest.raises(DataError, match="gene_structure"):
        FunctionCaller.from_bundle(load_bundle(tiny_bundle))
    bare = replace(read_header(model), calibration={})
    with pytest.raises(DataError, match="calibration"):
        predict(bare, fasta, TABLE, tmp_path / "out")
    predict(model, fasta, TABLE, tmp_path / "out")
    wrong = write_reference(tmp_path / "r.tsv", {"r0": "zebra"})
    with pytest.raises(DataError, match=r'r.tsv line 2: "zebra"'):
        evaluate_functions(tmp_path / "out", wrong, TableColumns(id="id"))
    with pytest.raises(UsageError, match="ids"):
        evaluate_functions(tmp_path / "out", wrong, TableColumns())
    assert json.loads((tmp_path / "out/summary.json").read_text())["kind"] == "multiclass"
