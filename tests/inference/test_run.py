"""The course of a prediction: what is finished is left, what is refused leaves no mark, precision may be left open."""

import json
from dataclasses import replace

import numpy as np
import pytest
from predicting import job, merge, predict, predict_shard
from prediction_files import contents, hidden
from tiny_function_bundle import write_function_bundle
from tiny_sequence_bundle import write_sequence_bundle

from genoformer.applications.functions.request import FunctionRequest
from genoformer.applications.genes.request import GeneRequest
from genoformer.applications.rna_pairs.request import PairRequest
from genoformer.bundle.header import read_header
from genoformer.decoding.options import CallOptions
from genoformer.errors import DataError, OutputExistsError
from genoformer.inference.interface import Speed
from genoformer.inference.reading import Reading
from genoformer.inference.run import predict as run
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

GENES = GeneRequest(CallOptions())
TABLE = FunctionRequest(formats=("tsv",))
PAIRS = PairRequest(formats=("dbn", "tsv"))


@pytest.fixture
def fasta(tmp_path):
    rng = np.random.default_rng(2)
    write_fasta(tmp_path / "in.fa", [Record(f"r{i}", rng.integers(0, 4, 60).astype(np.uint8)) for i in range(3)])
    return [str(tmp_path / "in.fa")]


@pytest.fixture(params=["genes", "functions", "pairs"])
def asked(request, tiny_bundle, tmp_path):
    """A model, and a request for it that leaves the precision open."""
    if request.param == "genes":
        return tiny_bundle, GENES
    if request.param == "functions":
        return write_function_bundle(tmp_path / "model"), TABLE
    return write_sequence_bundle(tmp_path / "model", "rna_pairs"), PAIRS


def refuse_to_load(*args):
    pytest.fail("the model was loaded")


def other_of(precision):
    return {"float32": "bfloat16", "bfloat16": "float32"}[precision]


def stored_precision(folder):
    return json.loads((folder / "run.json").read_text())["key"]["precision"]


def test_precision_left_open_is_answered_by_any_result_that_is_there(asked, fasta, tmp_path):
    model, request = asked
    first = predict(model, fasta, request, tmp_path / "o")
    before, usual = contents(tmp_path / "o", leave_out=()), stored_precision(tmp_path / "o")
    again = run(replace(job(model, fasta, request), load=refuse_to_load), tmp_path / "o")
    assert again == {**first, "nothing_to_do": True}
    same = run(replace(job(model, fasta, replace(request, precision=usual)), load=refuse_to_load), tmp_path / "o")
    assert same["nothing_to_do"]
    other = replace(request, precision=other_of(usual))
    with pytest.raises(OutputExistsError, match="OUT-003"):
        predict(model, fasta, other, tmp_path / "o")
    assert contents(tmp_path / "o", leave_out=()) == before
    predict(model, fasta, other, tmp_path / "o", overwrite=True)
    assert stored_precision(tmp_path / "o") == other_of(usual)
    open_again = run(replace(job(model, fasta, request), load=refuse_to_load), tmp_path / "o")
    assert open_again["nothing_to_do"] and stored_precision(tmp_path / "o") == other_of(usual)


def test_a_merged_result_answers_a_request_with_the_precision_left_open(asked, fasta, tmp_path):
    model, request = asked
    for number in (1, 2):
        predict_shard(model, fasta, request, tmp_path / "parts", number, 2)
    merge(tmp_path / "parts", tmp_path / "o")
    found = run(replace(job(model, fasta, request), load=refuse_to_load), tmp_path / "o")
    assert found["nothing_to_do"] and stored_precision(tmp_path / "o") in ("float32", "bfloat16")


def test_work_of_another_precision_is_not_continued(asked, fasta, tmp_path, monkeypatch):
    model, request = asked
    request = replace(request, precision="float32")
    predictor = job(model, fasta, request).load(fasta, None, None)
    write = type(predictor).write
    monkeypatch.setattr(type(predictor), "write", lambda *args: 1 / 0)
    for precision in ("bfloat16", "float32"):
        with pytest.raises(ZeroDivisionError):
            predict(model, fasta, replace(request, precision=precision), tmp_path / "o")
        assert json.loads((tmp_path / "o/.work/precision.json").read_text()) == precision
    monkeypatch.setattr(type(predictor), "write", write)
    predict(model, fasta, request, tmp_path / "o")
    predict(model, fasta, request, tmp_path / "whole")
    assert contents(tmp_path / "o") == contents(tmp_path / "whole") and hidden(tmp_path / "o") == [".genoformer.lock"]


def test_a_prediction_that_the_model_refuses_leaves_older_results_and_no_trace(asked, fasta, tmp_path):
    model, request = asked
    broken = replace(read_header(model), calibration={})
    with pytest.raises(DataError, match=r"MODEL-008|MODEL-023"):
        predict(broken, fasta, request, tmp_path / "fresh")
    assert not (tmp_path / "fresh").exists()
    predict(model, fasta, request, tmp_path / "o")
    before = contents(tmp_path / "o", leave_out=())
    other = replace(request, reading=Reading("skip"))
    with pytest.raises(DataError, match=r"MODEL-008|MODEL-023"):
        predict(broken, fasta, other, tmp_path / "o", overwrite=True)
    assert contents(tmp_path / "o", leave_out=()) == before and hidden(tmp_path / "o") == [".genoformer.lock"]
    with pytest.raises(DataError, match=r"MODEL-008|MODEL-023"):
        predict(broken, fasta, request, tmp_path / "dry", dry_run=True)
    assert not (tmp_path / "dry").exists()


def test_a_record_that_is_too_long_leaves_older_results_too(fasta, tmp_path):
    model = write_sequence_bundle(tmp_path / "model", "rna_pairs")
    predict(model, fasta, PAIRS, tmp_path / "o")
    before = contents(tmp_path / "o", leave_out=())
    write_fasta(tmp_path / "long.fa", [Record("long", np.zeros(121, np.uint8))])
    with pytest.raises(DataError, match=r"STRUCTURE-001.*121"):
        predict(model, [tmp_path / "long.fa"], PAIRS, tmp_path / "o", overwrite=True)
    assert contents(tmp_path / "o", leave_out=()) == before


@pytest.mark.parametrize("name", ["summary.json", "run.json", "manifest.json", "pairs-0001.bpseq", "genes.gff3"])
def test_input_under_the_name_of_any_result_is_never_replaced(name, fasta, tmp_path):
    model = write_sequence_bundle(tmp_path / "model", "rna_pairs")
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / name).write_text(">a\nACGT\n")
    with pytest.raises(OutputExistsError, match="OUT-004"):
        predict(model, [tmp_path / "o" / name], PAIRS, tmp_path / "o", overwrite=True)
    assert (tmp_path / "o" / name).read_text() == ">a\nACGT\n"


def test_a_request_of_any_application_is_read_back_from_its_json():
    region = ("r1", 5, 70)
    for request in (
        replace(GENES, reading=Reading("skip", region=region), circular=("a", "b"), locus_tag="T", precision="float32"),
        replace(TABLE, reading=Reading(allow_empty=True)),
        replace(PAIRS, crossing=True),
    ):
        assert type(request).from_dict(json.loads(json.dumps(request.to_dict()))) == request


def test_speed_is_no_part_of_the_result(asked, fasta, tmp_path):
    model, request = asked
    predict(model, fasta, replace(request, precision="float32"), tmp_path / "o", batch_size=1)
    key = json.loads((tmp_path / "o/run.json").read_text())["key"]
    assert not {*key} & set(vars(Speed())) - {"precision"}
