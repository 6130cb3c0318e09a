"""Results are made when they are asked for; what they look like in a terminal, a notebook, and to a type checker."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import genoformer
from genoformer import GenePrediction, load_model
from genoformer.api.model import FunctionModel, GeneModel, trained_on
from genoformer.applications import APPLICATIONS
from genoformer.bundle.header import read_header, shipped_models
from genoformer.errors import UsageError

TASKS = ("gene_structure", "gene_structure_eukaryote", "multiclass", "rna_pairs", "codon_structure", "contacts", "mlm")


@pytest.fixture(scope="module")
def bases():
    rng = np.random.default_rng(2)
    return {f"s{i}": "".join(rng.choice(list("ACGT"), 99)) for i in range(7)}


def counting(model, monkeypatch):
    """How often the model was asked, counted by record."""
    seen, real = [], type(model._caller).predictions

    def predictions(self, read, **options):
        for result in real(self, read, **options):
            seen.append(result.record_id)
            yield result

    monkeypatch.setattr(type(model._caller), "predictions", predictions)
    return seen


def test_loops_stream_and_all_that_is_about_the_whole_is_computed_once(model_of, bases, monkeypatch, tmp_path):
    model = model_of("codon_structure")
    seen = counting(model, monkeypatch)
    found = model.predict(bases)
    assert seen == [] and repr(found).endswith("not computed yet)")
    first = next(iter(found))
    assert seen == ["s0"] == [first.record_id] and bool(found)
    found.to_dataframe(), found.write(tmp_path / "x.tsv"), found._repr_html_(), list(found), len(found)
    assert seen == ["s0", *bases]
    assert found[-1].record_id == "s6" and found["s3"].record_id == "s3"
    assert [result.record_id for result in found[2:4]] == ["s2", "s3"]
    assert repr(found) == "Predictions(codon_structure on 7 sequences: 7 results)"
    with pytest.raises(KeyError):
        _ = found["absent"]


@pytest.mark.parametrize("name", TASKS)
def test_a_notebook_shows_a_picture_that_is_whole_xml_and_escapes_names(name, model_of, bases):
    found = model_of(name).predict({"<b>&x": bases["s0"] * 1, **bases})
    html = found._repr_html_()
    tree = ElementTree.fromstring(html)
    assert len(tree.findall(".//figcaption")) == 5 and "and 3 records more" in html
    assert "<b>" not in html and "&lt;b&gt;&amp;x" in html
    assert tree.findall(".//svg") and len(html) < 60_000
    alone = found[0]
    assert ElementTree.fromstring(alone._repr_html_()).findall(".//svg")
    assert repr(alone).startswith(f"{type(alone).__name__}('<b>&x', 99 bp: ")
    assert "Presentation" not in repr(alone)


def test_an_empty_sequence_has_no_picture(model_of):
    for name in ("mlm", "codon_structure", "gene_structure"):
        assert "<svg" not in model_of(name).predict_sequence("x", "")._repr_html_()


def test_a_long_record_is_drawn_as_shares_and_its_beginning_gene_by_gene(model_of):
    rng = np.random.default_rng(5)
    result = model_of("gene_structure").predict_sequence("x", "".join(rng.choice(list("ACGT"), 90_000)))
    tree = ElementTree.fromstring(result.picture())
    titles = [element.text for element in tree.iter("title")]
    drawn = [gene for gene in result.genes if gene.start < 40_000]
    assert len(result.genes) > len(drawn) > 5
    assert sum("confidence" in title for title in titles) == len(drawn)
    assert {"coding on the forward strand", "coding on the reverse strand"} <= set(titles) and len(
        result.picture()
    ) < 60_000


def test_a_model_says_what_it_is_in_a_line(model_of):
    text = repr(load_model("prokaryotes"))
    assert text.startswith(
        "Model 'prokaryotes': genes without introns: bacteria, archaea, phages; 1,124,638 parameters; "
    )
    assert "trained on 72 genomes and" in text and "\n" not in text and len(text) < 350
    tiny = model_of("mlm")
    assert repr(tiny).endswith(" parameters") and tiny.card == "#\n" and tiny.labels == tuple("ACGT")


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("# m\n\nTrained on:\n\n- NC_1, 4 bp\n- *E. coli*,\n  5 bp.\n\nSeed 0.", "NC_1, 4 bp; E. coli, 5 bp"),
        ("# m\n\n| organisms | trained on E. coli |\n\nTrained on NC_1.", "NC_1"),
        ("# m\n\nIt is small. Trained on 3 enzymes\nof E. coli.\n\nMore.", "3 enzymes of E. coli"),
        ("# m\n\nNothing.\n", ""),
        ("Trained on " + "x" * 500, "x" * 159 + "…"),
    ],
)
def test_what_a_card_says_of_training_becomes_a_line(card, expected):
    assert trained_on(card) == expected


@pytest.mark.parametrize("name", shipped_models())
def test_shipped_models_say_what_they_were_trained_on(name):
    assert "trained on" in repr(load_model(name))


def test_options_of_other_models_are_refused_at_once(model_of):
    with pytest.raises(UsageError, match=r"API-003.*no option genetic_code.*no options"):
        model_of("multiclass").predict({"a": "ACGT"}, genetic_code=4)
    with pytest.raises(UsageError, match=r"API-003.*circular.*genetic_code, probabilities"):
        model_of("gene_structure_eukaryote").predict({"a": "ACGT"}, circular=True)


def test_the_type_of_the_results_can_be_asked_for(folder_of):
    assert load_model(folder_of("gene_structure"), gives=GenePrediction).task == "gene_structure"
    with pytest.raises(UsageError, match=r"API-007.*BasePrediction, not GenePrediction"):
        load_model(folder_of("mlm"), gives=GenePrediction)


def test_types_of_shipped_models_are_those_that_are_written_down():
    kinds = {"GenePrediction": GeneModel, "FunctionPrediction": FunctionModel}
    written = {name: kind for kind, names in kinds.items() for name in names.__args__}
    caller = {name: APPLICATIONS[read_header(name).config.task].caller.load() for name in shipped_models()}
    assert written == {name: found.result_type.__name__ for name, found in caller.items()}


def test_the_package_lists_its_public_names_only():
    assert dir(genoformer) == sorted(genoformer.__all__)
    for name in genoformer.__all__:
        assert getattr(genoformer, name) is not None


TYPED = """
from pathlib import Path
from genoformer import FunctionPrediction, load_model

model = load_model("prokaryotes")
for result in model.predict(Path("x.fa")):
    reveal_type(result.genes)
reveal_type(model.predict_sequence("x", "ACGT"))
reveal_type(load_model("runs/mine/model", gives=FunctionPrediction).predict({"a": "ACGT"})[0].called)
model.predict("x.fa")[0].called
"""


@pytest.mark.slow
def test_a_type_checker_sees_the_results(tmp_path):
    (tmp_path / "program.py").write_text(TYPED)
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), "program.py"]
    environment = {
        **os.environ,
        "MYPYPATH": str(Path(genoformer.__file__).parents[1]),
    }  # the checker knows no editable one
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    said = done.stdout
    assert "list[genoformer.annotation.models.Gene]" in said and "predictions.GenePrediction" in said, said
    assert 'Revealed type is "tuple[' in said and '"GenePrediction" has no attribute "called"' in said, said
    # Of libraries without types the checker complains in files of ours, too, which a user's own settings leave alone.
    assert sum(line.startswith("program.py") and "error:" in line for line in said.splitlines()) == 1, said
