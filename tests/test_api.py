"""``load_model`` for every task: what programs are given is what the model says, and what the command writes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from predicting import predict
from scipy.special import softmax
from tiny_function_bundle import write_function_bundle
from tiny_intron_bundle import write_tiny_intron_bundle
from tiny_sequence_bundle import SETTINGS, write_sequence_bundle

from genoformer import load_model
from genoformer.applications import APPLICATIONS
from genoformer.applications.functions.caller import FunctionPrediction
from genoformer.applications.genes.caller import GeneFinder, GenePrediction
from genoformer.applications.pretraining.caller import BaseCaller, BasePrediction
from genoformer.applications.rna_pairs.maps import read_pairs_h5
from genoformer.bundle.folder import load_bundle
from genoformer.bundle.header import CALIBRATION, CARD, CONFIG, WEIGHTS
from genoformer.errors import DataError, UsageError
from genoformer.files import write_json_atomic, write_manifest
from genoformer.inference.interface import Speed
from genoformer.inference.presentation import Presentation
from genoformer.inference.reading import Reading
from genoformer.inference.sequence_caller import SequencePrediction
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.kmers import CLS_ID
from genoformer.sequence.records import Record
from genoformer.stream import record_logits

LENGTHS = (90, 7, 61, 3, 1)
KINDS = ("multiclass", "multilabel", "regression")
RESULTS = {
    "gene_structure": GenePrediction,
    "gene_structure_eukaryote": GenePrediction,
    **dict.fromkeys(KINDS, FunctionPrediction),
    "rna_pairs": SequencePrediction,
    "codon_structure": SequencePrediction,
    "contacts": SequencePrediction,
    "mlm": BasePrediction,
    "clm": BasePrediction,
}


@pytest.fixture(scope="module")
def records():
    rng = np.random.default_rng(8)
    return [Record(f"r{length}", rng.integers(0, 4, length).astype(np.uint8)) for length in LENGTHS]


@pytest.fixture
def fasta(records, tmp_path):
    write_fasta(tmp_path / "in.fa", records)
    return tmp_path / "in.fa"


@pytest.fixture(scope="module")
def folder_of(tiny_bundle, tmp_path_factory):
    """``folder_of(name)``: a bundle of a task, or of a kind of function."""
    root, made = tmp_path_factory.mktemp("models"), {"gene_structure": tiny_bundle}

    def make(name):
        if name not in made:
            folder = root / name
            if name in SETTINGS:
                write_sequence_bundle(folder, name)
            elif name in KINDS:
                write_function_bundle(folder, name)
            else:
                write_tiny_intron_bundle(folder)
            made[name] = folder
        return made[name]

    return make


def test_every_task_is_here():
    assert set(APPLICATIONS) == {"function" if name in KINDS else name for name in RESULTS}


@pytest.mark.parametrize("name", RESULTS)
def test_each_record_has_a_result_and_a_sequence_alone_has_the_same(name, folder_of, fasta, records):
    model = load_model(folder_of(name))
    assert model.task == ("function" if name in KINDS else name)
    found = list(model.predict(fasta))
    assert [type(result) for result in found] == [RESULTS[name]] * len(records)
    assert [(result.record_id, result.length) for result in found] == [(r.id, len(r)) for r in records]
    alone = model.predict_sequence("r90", decode_bases(records[0].codes).lower())
    assert (alone.record_id, alone.length) == ("r90", 90)
    for field, expected in vars(found[0]).items():
        assert_same(getattr(alone, field), expected)


def assert_same(found, expected):
    if isinstance(expected, Record):
        assert found.id == expected.id
        np.testing.assert_array_equal(found.codes, expected.codes)
    elif isinstance(expected, Presentation):
        assert found.formats == expected.formats and found.draw == expected.draw
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            assert_same(found[key], expected[key])
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, atol=1e-4)  # others in the batch: 1e-5 times weights of functions
    else:
        assert found == expected


@pytest.mark.parametrize("task", ["gene_structure", "gene_structure_eukaryote"])
def test_genes_are_those_of_the_finder_and_options_reach_it(task, folder_of):
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 4, 24_000).astype(np.uint8)
    model = load_model(folder_of(task))
    found = model.predict_sequence("x", decode_bases(codes)).genes
    assert len(found) > 5
    finder = APPLICATIONS[task].caller.load().from_bundle(load_bundle(folder_of(task)))
    assert found == next(finder.predictions(lambda: [Record("x", codes)])).genes
    assert model.predict_sequence("x", decode_bases(codes), genetic_code=4).genes != found
    assert model.genetic_code == (11 if task == "gene_structure" else 1)


def logits_of(folder, records):
    caller = APPLICATIONS["function"].caller.load().from_bundle(load_bundle(folder))
    return caller.outputs([record.codes for record in records]).astype(np.float64)


def test_classes_are_calibrated_and_the_likeliest_is_called(folder_of, fasta, records):
    found = list(load_model(folder_of("multiclass")).predict(fasta))
    expected = softmax(logits_of(folder_of("multiclass"), records) / 2.0, axis=1)
    np.testing.assert_allclose([result.probabilities for result in found], expected, atol=1e-6)
    assert [result.called for result in found] == [("abc"[i],) for i in expected.argmax(axis=1)]


def test_terms_from_the_threshold_on_are_called(folder_of, fasta, records):
    found = list(load_model(folder_of("multilabel")).predict(fasta))
    logits = logits_of(folder_of("multilabel"), records)
    expected = np.interp(logits, [-3.0, 3.0], [0.1, 0.9])
    np.testing.assert_allclose([result.probabilities for result in found], expected, atol=1e-6)
    said = [tuple(name for name, value in zip("abc", row, strict=True) if value >= 0) for row in logits]
    assert [result.called for result in found] == said and len({*said}) > 1


def test_numbers_are_in_the_units_of_the_labels_and_nothing_is_called(folder_of, fasta, records):
    found = list(load_model(folder_of("regression")).predict(fasta))
    expected = 10 + 2 * logits_of(folder_of("regression"), records)
    np.testing.assert_allclose([result.probabilities for result in found], expected, atol=1e-5)
    assert {result.called for result in found} == {()}


def test_batches_of_functions_change_nothing_that_is_said(folder_of, tmp_path):
    rng = np.random.default_rng(1)
    many = [Record(f"r{i}", rng.integers(0, 4, 40 + i).astype(np.uint8)) for i in range(40)]
    write_fasta(tmp_path / "many.fa", many)
    one, three = (list(load_model(folder_of("multiclass"), batch_size=n).predict(tmp_path / "many.fa")) for n in (1, 3))
    assert [r.record_id for r in one] == [r.record_id for r in three] == [r.id for r in many]
    for a, b in zip(one, three, strict=True):
        np.testing.assert_allclose(a.probabilities, b.probabilities, atol=1e-5)


def request_of(task, *formats):
    return APPLICATIONS[task].request.load()(Reading(), formats)


def test_base_pairs_are_those_of_the_file(folder_of, fasta, tmp_path):
    found = list(load_model(folder_of("rna_pairs")).predict(fasta))
    predict(folder_of("rna_pairs"), [fasta], request_of("rna_pairs", "h5", "dbn"), tmp_path / "o")
    for result, (name, pairs, sure) in zip(found, read_pairs_h5(tmp_path / "o/pairs.h5"), strict=True):
        assert result.record_id == name
        np.testing.assert_array_equal(result.outputs["pairs"], pairs)
        np.testing.assert_array_equal(result.outputs["probability"], sure)
    partners = found[0].outputs["partners"]
    paired = np.flatnonzero(partners >= 0)
    assert len(partners) == 90 and len(paired) > 4
    np.testing.assert_array_equal(partners[partners[paired]], paired)
    lines = (tmp_path / "o/pairs.dbn").read_text().splitlines()
    assert [letter in "()" for letter in lines[2].split()[0]] == (partners >= 0).tolist()


def test_states_of_whole_codons_have_probabilities(folder_of, fasta, records):
    found = list(load_model(folder_of("codon_structure")).predict(fasta))
    bundle = load_bundle(folder_of("codon_structure"))
    for result, record in zip(found, records, strict=True):
        whole = record.codes[: len(record) // 3 * 3]
        assert result.outputs["probabilities"].shape == (len(record) // 3, 3)
        if len(whole):
            with torch.no_grad():
                logits = bundle.model(torch.from_numpy(bundle.tokenizer.encode(whole).astype(np.int64))[None])[0]
            expected = softmax(logits.double().numpy() / 2.0, axis=1)
            np.testing.assert_allclose(result.outputs["probabilities"], expected, atol=1e-6)


def test_contacts_are_of_residues_far_apart_in_the_chain_the_surest_first(folder_of, fasta, records):
    found = list(load_model(folder_of("contacts")).predict(fasta))
    assert [len(result.outputs["pairs"]) > 0 for result in found] == [len(record) >= 21 for record in records]
    pairs, sure = found[0].outputs["pairs"], found[0].outputs["probability"]
    assert (pairs[:, 1] - pairs[:, 0] >= 6).all() and pairs.max() < 30
    assert (np.diff(sure) <= 0).all() and (sure >= 1e-3).all() and sure.max() < 0.8


@pytest.mark.parametrize("task", ["rna_pairs", "codon_structure", "contacts"])
def test_a_record_that_is_too_long_is_refused_by_name(task, folder_of):
    model = load_model(folder_of(task))
    n = SETTINGS[task][3]["max_bp"]
    model.predict_sequence("x", "A" * n)
    with pytest.raises(DataError, match=rf"STRUCTURE-001\] x: {n + 1}"):
        model.predict_sequence("x", "A" * (n + 1))


def test_a_language_model_gives_the_logits_of_both_strands(folder_of, fasta, records):
    model = load_model(folder_of("mlm"))
    bundle, plan = load_bundle(folder_of("mlm")), model._caller.plan
    for result, record in zip(model.predict(fasta), records, strict=True):
        pieces = [piece for _, _, piece in record_logits(bundle.model, bundle.tokenizer, record.codes, plan)]
        assert result.logits.shape == (2, len(record), 4) and result.logits.dtype == np.float32
        np.testing.assert_array_equal(result.logits, np.concatenate(pieces, axis=1))


@pytest.mark.parametrize("settings", [{}, {"base_embedding": True}], ids=str)
def test_the_embedding_is_the_mean_over_all_bases_however_they_are_tiled(settings, records, tmp_path):
    bundle = load_bundle(write_sequence_bundle(tmp_path / "m", "mlm", **settings))
    caller = BaseCaller.from_bundle(bundle, Speed(precision="float32"))
    assert caller.plan.tile_bp < len(records[0])
    for result, record in zip(caller.predictions(lambda: records), records, strict=True):
        tokens = torch.from_numpy(bundle.tokenizer.encode(record.codes).astype(np.int64))[None]
        owned = torch.from_numpy(bundle.tokenizer.owned_bases(record.codes))[None] if settings else None
        with torch.no_grad():
            hidden = bundle.model.encoder(tokens, base_codes=owned)[0, : len(record)]
        assert result.embedding.dtype == np.float32
        np.testing.assert_allclose(result.embedding, hidden.mean(dim=0).numpy(), atol=1e-5)


def test_global_tokens_are_no_part_of_the_embedding(records, tmp_path):
    bundle = load_bundle(write_sequence_bundle(tmp_path / "m", "mlm", n_global_tokens=2))
    caller = BaseCaller.from_bundle(bundle, Speed(precision="float32"))
    caller = replace(caller, plan=replace(caller.plan, tile_bp=300))
    (result,) = caller.predictions(lambda: records[:1])
    tokens = np.pad(bundle.tokenizer.encode(records[0].codes).astype(np.int64), (2, 0), constant_values=CLS_ID)
    tokens = torch.from_numpy(tokens)[None]
    with torch.no_grad():
        hidden = bundle.model.encoder(tokens, global_mask=torch.arange(tokens.shape[1])[None] < 2)[0, 2:92]
    np.testing.assert_allclose(result.embedding, hidden.mean(dim=0).numpy(), atol=1e-5)


def test_nothing_to_read_is_a_result_without_rows(folder_of):
    empty = {name: load_model(folder_of(name)).predict_sequence("x", "") for name in ("mlm", "codon_structure")}
    assert empty["mlm"].logits.shape == (2, 0, 4) and not empty["mlm"].embedding.any()
    assert empty["codon_structure"].outputs["probabilities"].shape == (0, 3)


def change_config(folder, **changes):
    write_json_atomic(folder / CONFIG, {**json.loads((folder / CONFIG).read_text()), **changes})
    write_manifest(folder, [WEIGHTS, CONFIG, CALIBRATION, CARD])


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"task": "poetry"}, "MODEL-005"), ({"task": ["mlm"]}, "MODEL-005"), ({"options": {"poem": 1}}, "MODEL-003")],
)
def test_bundles_that_no_task_fits_are_refused(changes, code, tmp_path):
    for write in (write_function_bundle, lambda folder: write_sequence_bundle(folder, "codon_structure")):
        change_config(write(tmp_path / "m"), **changes)
        with pytest.raises(DataError, match=code):
            load_model(tmp_path / "m")


def test_a_model_is_no_other_model(folder_of):
    with pytest.raises(DataError, match="MODEL-007"):
        GeneFinder.from_bundle(load_bundle(folder_of("gene_structure_eukaryote")))
    with pytest.raises(DataError, match="MODEL-007"):
        APPLICATIONS["contacts"].caller.load().from_bundle(load_bundle(folder_of("rna_pairs")))


@pytest.mark.parametrize("bases", ["ACGTACGTAC", "acgtn" * 1000])
def test_bases_in_place_of_a_path_are_named_without_repeating_them(folder_of, bases):
    with pytest.raises(UsageError, match=f"found {len(bases)} bases.*predict_sequence") as caught:
        load_model(folder_of("gene_structure_eukaryote")).predict(bases)
    assert bases not in str(caught.value)
