"""Bundles and sequences that the tests of the Python interface share."""

import numpy as np
import pytest
from tiny_function_bundle import write_function_bundle
from tiny_intron_bundle import write_tiny_intron_bundle
from tiny_sequence_bundle import SETTINGS, write_sequence_bundle

from genoformer import load_model
from genoformer.sequence.records import Record

KINDS = ("multiclass", "multilabel", "regression")


@pytest.fixture(scope="session")
def folder_of(tiny_bundle, tmp_path_factory):
    """``folder_of(name)``: a bundle of a task, or of a kind of function."""
    root, made = tmp_path_factory.mktemp("models"), {"gene_structure": tiny_bundle}

    def make(name):
        if name not in made:
            made[name] = root / name
            if name in SETTINGS:
                write_sequence_bundle(made[name], name)
            elif name in KINDS:
                write_function_bundle(made[name], name)
            else:
                write_tiny_intron_bundle(made[name])
        return made[name]

    return make


@pytest.fixture(scope="session")
def model_of(folder_of):
    """``model_of(name)``: the same, loaded."""
    loaded = {}

    def load(name):
        if name not in loaded:
            loaded[name] = load_model(folder_of(name))
        return loaded[name]

    return load


@pytest.fixture(scope="session")
def short_records():
    """Five short sequences that every model of sequences reads."""
    rng = np.random.default_rng(8)
    return [Record(f"r{length}", rng.integers(0, 4, length).astype(np.uint8)) for length in (90, 7, 61, 42, 24)]
