"""Training a bundle further: what is held out, what is left as it was, and what a second call does."""

import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from genoformer.annotation.tracks import gene_table, label_tracks
from genoformer.applications.adapt import fine_tune as room
from genoformer.applications.adapt.fine_tune import FineTuning, fine_tune, fine_tuning_data
from genoformer.bundle.folder import load_bundle
from genoformer.errors import DataError
from genoformer.genomes.simulate import simulate_genome
from genoformer.genomes.store import write_store
from genoformer.tasks import gene_structure
from genoformer.training.module import GenomeModule

pytestmark = pytest.mark.slow

SETTINGS = FineTuning(steps=3, lr=1e-2, seed=0, precision="float32", genetic_code=4)


def make_store(path, length_bp=40_000):
    contigs = simulate_genome(length_bp=length_bp, gc=0.5, seed=2, n_contigs=2)
    write_store(
        path,
        (
            ("g", record, label_tracks(record.codes, genes, genetic_code=11)[0],
             gene_table(record.codes, genes, genetic_code=11), False, 11)
            for record, genes in contigs
        ),
        {},
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("store") / "data.h5")


@pytest.fixture
def bundle(tiny_bundle):
    return load_bundle(tiny_bundle)


def tune(bundle, store, folder, settings=SETTINGS, digest="a", **options):
    data = fine_tuning_data(bundle, store, settings)
    return fine_tune(bundle, gene_structure.build, data, folder, settings, digest=digest, **options)


def weights(bundle):
    return bundle.model.state_dict()


def is_same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_held_out_regions_and_their_guard_are_never_in_a_crop(bundle, store):
    data = fine_tuning_data(bundle, store, replace(SETTINGS, steps=500))
    held_out = data.regions["validation"]
    assert sum(region.end - region.start for region in held_out) == 4_000 and len(held_out) == 2
    dataset = data.train_dataloader().dataset
    for i in range(2_000):
        region, start, end, _ = dataset.place(i)
        for kept in held_out:
            is_clear = end <= kept.start - room.GUARD_BP or start >= kept.end + room.GUARD_BP
            assert region.record != kept.record or is_clear


def test_new_weights_are_learned_and_the_given_bundle_is_left_as_it_is(bundle, store, tmp_path):
    before = {name: tensor.clone() for name, tensor in weights(bundle).items()}
    trained = tune(bundle, store, tmp_path / "run")
    assert is_same(weights(bundle), before) and not bundle.model.training
    assert not is_same(weights(trained), before)
    assert trained.config.genetic_code == 4 and trained.config.tile_bp == bundle.config.tile_bp


def test_training_starts_from_the_given_weights(bundle, store, tmp_path):
    trained = tune(bundle, store, tmp_path / "run", replace(SETTINGS, lr=1e-9))
    for name, tensor in weights(bundle).items():
        torch.testing.assert_close(weights(trained)[name], tensor, rtol=0, atol=1e-7)


def test_nothing_of_the_process_is_left_changed(bundle, store, tmp_path):
    is_deterministic = torch.are_deterministic_algorithms_enabled()
    torch.manual_seed(5)
    np.random.seed(5)
    expected, handlers = (
        (torch.rand(1), np.random.rand()),
        [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)],
    )
    torch.manual_seed(5)
    np.random.seed(5)
    tune(bundle, store, tmp_path / "run")
    assert (torch.rand(1), np.random.rand()) == expected
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)] == handlers
    assert torch.are_deterministic_algorithms_enabled() == is_deterministic


def test_same_call_again_does_not_train_and_another_digest_does(bundle, store, tmp_path, monkeypatch):
    steps = []
    first = tune(bundle, store, tmp_path / "run", on_step=steps.append)
    assert sum(steps) == 3
    step = GenomeModule.training_step
    monkeypatch.setattr(GenomeModule, "training_step", lambda *a: pytest.fail("it trained"))
    again = tune(bundle, store, tmp_path / "run", on_step=steps.append)
    assert is_same(weights(first), weights(again)) and sum(steps) == 6
    monkeypatch.setattr(GenomeModule, "training_step", step)
    other = tune(bundle, store, tmp_path / "run", replace(SETTINGS, seed=1), digest="b")
    assert not is_same(weights(first), weights(other))


def test_too_little_sequence_is_said_with_its_length(bundle, tmp_path):
    store = make_store(tmp_path / "short.h5", length_bp=5_000)
    with pytest.raises(DataError, match="5,000 bp"):
        fine_tuning_data(bundle, store, SETTINGS)


def test_model_with_other_outputs_is_refused(bundle, store, tmp_path):
    other = replace(bundle, config=replace(bundle.config, labels=["poetry"]))
    with pytest.raises(DataError, match="poetry"):
        tune(other, store, tmp_path / "run")
