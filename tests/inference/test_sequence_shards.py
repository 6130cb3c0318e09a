"""Shards of models that say something of whole sequences: any number of them gives the bytes of one run."""

from dataclasses import replace

import numpy as np
import pytest
from predicting import merge, predict, predict_shard
from prediction_files import contents
from tiny_function_bundle import write_function_bundle
from tiny_sequence_bundle import write_sequence_bundle

from genoformer.applications import APPLICATIONS
from genoformer.applications.functions.caller import FunctionCaller
from genoformer.bundle.header import read_header
from genoformer.errors import DataError, UsageError
from genoformer.inference.chunks import ChunkSize
from genoformer.inference.reading import Reading
from genoformer.inference.sequence_predict import SequencePredictor
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

FORMATS = {
    "function": ("tsv", "report"),
    "rna_pairs": ("h5", "dbn", "tsv", "ct", "bpseq", "gff3", "bed", "bedpe", "svg", "dotplot", "report"),
    "codon_structure": ("tsv", "gff3", "bed", "report"),
    "contacts": ("tsv", "h5", "svg", "report"),
}
MODELS = ("multiclass", "multilabel", "regression", "rna_pairs", "codon_structure", "contacts")


def task_of(name):
    return name if name in FORMATS else "function"


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


@pytest.fixture
def model(name, tmp_path):
    if task_of(name) == "function":
        return write_function_bundle(tmp_path / "model", name)
    return write_sequence_bundle(tmp_path / "model", name)


@pytest.fixture
def asked(name):
    row = APPLICATIONS[task_of(name)]
    return row.request.load()(Reading("skip"), FORMATS[task_of(name)], "float32")


@pytest.fixture(autouse=True)
def small_groups(monkeypatch):
    """A few records are many groups."""
    for row in APPLICATIONS.values():
        if row.predictor and issubclass(row.predictor.load(), SequencePredictor):
            monkeypatch.setattr(row.predictor.load(), "chunk", ChunkSize(n_records=4, n_bases=250))


@pytest.fixture
def fasta(tmp_path):
    """Two files of records of many lengths, one of them broken."""
    rng = np.random.default_rng(4)
    lengths = [*rng.integers(1, 110, 22).tolist(), 120, 3, 2, 1]
    made = [Record(f"r{i}", rng.integers(0, 4, n).astype(np.uint8)) for i, n in enumerate(lengths)]
    for path, part in (("a.fa", made[:15]), ("b.fa", made[15:])):
        write_fasta(tmp_path / path, part)
    with (tmp_path / "a.fa").open("a") as file:
        file.write(">broken\nAC!T\n")
    return [tmp_path / "a.fa", tmp_path / "b.fa"]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("n", [1, 3, 40])
def test_any_number_of_shards_gives_the_bytes_of_one_run(n, model, asked, fasta, tmp_path):
    expected = predict(model, fasta, asked, tmp_path / "whole")
    for number in range(n, 0, -1):
        predict_shard(model, fasta, asked, tmp_path / "parts", number, n)
    merged = merge(tmp_path / "parts", tmp_path / "merged")
    assert merged == expected and merged["n_records"] == 26
    assert contents(tmp_path / "merged") == contents(tmp_path / "whole")


@pytest.mark.parametrize("name", ["rna_pairs"], indirect=True)
@pytest.mark.slow
def test_crossing_pairs_are_those_of_the_request(model, asked, fasta, tmp_path):
    crossing = replace(asked, crossing=True)
    for name, request in (("nested", asked), ("crossing", crossing)):
        predict(model, fasta, request, tmp_path / name)
        for number in (1, 2):
            predict_shard(model, fasta, request, tmp_path / f"parts-{name}", number, 2)
        merge(tmp_path / f"parts-{name}", tmp_path / f"merged-{name}")
        assert contents(tmp_path / f"merged-{name}") == contents(tmp_path / name)
    assert contents(tmp_path / "nested") != contents(tmp_path / "crossing")
    with pytest.raises(DataError, match="another crossing"):
        predict_shard(model, fasta, crossing, tmp_path / "parts-nested", 2, 2, overwrite=True)
        merge(tmp_path / "parts-nested", tmp_path / "none")


@pytest.mark.parametrize("name", ["multiclass"], indirect=True)
def test_an_interrupted_shard_continues(model, asked, fasta, tmp_path, monkeypatch):
    predict(model, fasta, asked, tmp_path / "whole")
    calls, ask = [], FunctionCaller.outputs

    def interrupted(self, sequences):
        calls.append(len(sequences))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return ask(self, sequences)

    monkeypatch.setattr(FunctionCaller, "outputs", interrupted)
    with pytest.raises(KeyboardInterrupt):
        predict_shard(model, fasta, asked, tmp_path / "parts", 1, 1)
    with pytest.raises(DataError, match="SHARD-006"):
        merge(tmp_path / "parts", tmp_path / "merged")
    predict_shard(model, fasta, asked, tmp_path / "parts", 1, 1)
    assert sum(calls) == 26 + calls[2]
    monkeypatch.setattr(FunctionCaller, "outputs", lambda *args: pytest.fail("the model ran again"))
    predict_shard(model, fasta, asked, tmp_path / "parts", 1, 1)
    merge(tmp_path / "parts", tmp_path / "merged")
    assert contents(tmp_path / "merged") == contents(tmp_path / "whole")


@pytest.mark.parametrize("name", ["multiclass", "rna_pairs"], indirect=True)
def test_shards_of_different_predictions_are_not_merged(model, asked, fasta, tmp_path):
    predict_shard(model, fasta, asked, tmp_path / "parts", 1, 2)

    def second(said, model=model, paths=fasta, request=asked):
        predict_shard(model, paths, request, tmp_path / "parts", 2, 2, overwrite=True)
        with pytest.raises(DataError, match=f"SHARD-005.*{said}"):
            merge(tmp_path / "parts", tmp_path / "merged")
        assert not (tmp_path / "merged").exists()

    header = read_header(model)
    second("another input", paths=fasta[:1])
    second("another model", model=replace(header, digest="0" * 64))
    task = header.config.task
    calibration = {task: {**header.calibration[task], "note": "refitted"}}
    second("another calibration", model=replace(header, calibration=calibration))
    second("another formats", request=replace(asked, formats=(*FORMATS[task][:1],) * 2))
    second("another precision", request=replace(asked, precision="bfloat16"))
    predict_shard(model, fasta, asked, tmp_path / "parts", 2, 2, overwrite=True)
    merge(tmp_path / "parts", tmp_path / "merged")


@pytest.mark.parametrize("name", ["multiclass"], indirect=True)
def test_what_every_shard_would_read_for_itself_is_refused(model, asked, tmp_path):
    with pytest.raises(UsageError, match="SHARD-002"):
        predict_shard(model, ["-"], asked, tmp_path / "parts", 1, 2)
