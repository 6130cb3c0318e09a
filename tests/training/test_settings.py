"""Groups of settings: what they refuse, and what a data module takes from a model."""

import pytest

from genoformer.applications.codon_structure.data import CodonData
from genoformer.applications.functions.data import TableData
from genoformer.applications.genes.data import GenomeData
from genoformer.applications.introns.data import IntronData
from genoformer.applications.pretraining.data import PretrainingData
from genoformer.applications.rna_pairs.data import PairData
from genoformer.errors import UsageError
from genoformer.training.run_folder import config_digest
from genoformer.training.settings import (
    CodonAugmentation,
    GenomeAugmentation,
    LabelSplit,
    Loader,
    ModelReading,
    PairAugmentation,
    SequenceAugmentation,
)


@pytest.mark.parametrize(
    ("build", "where"),
    [
        (lambda: Loader(batch_size=0), "data.loader"),
        (lambda: Loader(num_workers=-1), "data.loader"),
        (lambda: Loader(batch_size=8, samples_per_epoch=7), "data.loader.samples_per_epoch"),
        (lambda: GenomeAugmentation(1.5), "data.augment.recoded"),
        (lambda: PairAugmentation(-0.1), "data.augment.mutated"),
        (lambda: CodonAugmentation(synonymous=1.0), "data.augment.synonymous"),
        (lambda: SequenceAugmentation(masked=-0.1), "data.augment.masked"),
        (lambda: SequenceAugmentation(substituted=2), "data.augment.substituted"),
        (lambda: GenomeData(loader=Loader()), "data.loader.samples_per_epoch"),
        (lambda: GenomeData(crop_bp=0), "data.crop_bp"),
        (lambda: PairData(crop_bp=0), "data.crop_bp"),
        (lambda: CodonData(crop_codons=0), "data.crop_codons"),
        (lambda: TableData(min_examples=0), "data.min_examples"),
        (lambda: TableData(balance=1.5), "data.balance"),
        (lambda: LabelSplit(relatives=0.0), "data.split.relatives"),
        (lambda: LabelSplit("group", relatives=0.3), "data.split.relatives"),
        (lambda: PretrainingData(hidden=0.6), "data.hidden"),
        (lambda: PretrainingData(run_bp=[0, 1]), "data.run_bp"),
    ],
)
def test_value_out_of_range_names_its_key(build, where):
    with pytest.raises(UsageError) as caught:
        build()
    assert caught.value.where == where and caught.value.code in ("CONFIG-008", "CONFIG-009")


@pytest.mark.parametrize(
    ("data", "reading", "where"),
    [
        (PairData(), ModelReading("rna_pairs", k=3, stride=3), "model.stride"),
        (PairData(), ModelReading("rna_pairs", k=1, stride=1, n_global_tokens=1), "model.encoder.n_global_tokens"),
        (CodonData(), ModelReading("codon_structure", k=3, stride=1), "model.k"),
        (CodonData(), ModelReading("codon_structure", k=3, stride=3, n_global_tokens=1), "n_global_tokens"),
        (TableData(ontology="x.obo"), ModelReading("function", k=3, stride=3), "data.ontology"),
        (TableData(balance=0.5), ModelReading("function", 3, 3, {"kind": "regression"}), "data.balance"),
        (
            IntronData(augment=GenomeAugmentation(0.5)),
            ModelReading("gene_structure_eukaryote", k=3, stride=3),
            "data.augment.recoded",
        ),
        (
            IntronData(rna_genes=True),
            ModelReading("gene_structure_eukaryote", k=3, stride=3),
            "data.rna_genes",
        ),
    ],
)
def test_model_that_does_not_fit_the_data_is_refused(data, reading, where):
    with pytest.raises(UsageError) as caught:
        data.bind(reading)
    assert caught.value.where.endswith(where)


def test_seed_is_not_negative():
    with pytest.raises(UsageError, match="-1"):
        PairData().bind(ModelReading("rna_pairs", k=1, stride=1), seed=-1)


def test_reading_follows_from_the_settings_of_a_model():
    encoder = {"d_model": 8, "n_global_tokens": 2, "base_embedding": True}
    reading = ModelReading.of(task="function", k=3, stride=1, encoder=encoder, options={"kind": "regression"})
    assert reading == ModelReading("function", 3, 1, {"kind": "regression"}, 2, True)
    assert ModelReading.of(task="mlm", k=3, stride=1, encoder={}) == ModelReading("mlm", 3, 1)


CONFIG = {
    "name": "a",
    "data": {"labels": "x.csv", "loader": {"batch_size": 4, "num_workers": 0}, "split": {"file": "p", "seed": 0}},
    "model": {"k": 3},
}


@pytest.mark.parametrize(
    ("path", "value", "is_same"),
    [
        ("name", "b", True),
        ("data.labels", "y.csv", True),
        ("data.loader.num_workers", 3, True),
        ("data.split.file", "q", True),
        ("data.loader.batch_size", 8, False),
        ("data.split.seed", 1, False),
        ("model.k", 4, False),
    ],
)
def test_digest_of_a_run_leaves_out_what_does_not_change_learning(path, value, is_same):
    def changed(section, names):
        first, *rest = names
        return {**section, first: changed(section[first], rest) if rest else value}

    assert (config_digest(changed(CONFIG, path.split("."))) == config_digest(CONFIG)) == is_same


def test_folds_that_are_not_set_leave_the_digest_of_a_run_as_it_is():
    def with_folds(**folds):
        return config_digest({**CONFIG, "data": {**CONFIG["data"], "folds": folds}})

    assert with_folds(steps=None, groups=None) == config_digest(CONFIG)
    others = [with_folds(steps=0, groups=None), with_folds(steps=9, groups=None), with_folds(steps=None, groups=["a"])]
    assert len({config_digest(CONFIG), *others}) == 4


def test_settings_of_labels_that_are_not_set_leave_the_digest_of_a_run_as_it_is():
    def with_settings(**data):
        return config_digest({**CONFIG, "data": {**CONFIG["data"], **data}})

    split = CONFIG["data"].get("split", {})
    assert with_settings(balance=None, split={**split, "relatives": None}) == with_settings(split=split)
    assert with_settings(balance=0.5) != config_digest(CONFIG)
    assert with_settings(split={**split, "relatives": 0.3}) != with_settings(split=split)
    assert config_digest({**CONFIG, "recipe": True}) == config_digest(CONFIG)
