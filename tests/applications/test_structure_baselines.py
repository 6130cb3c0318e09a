"""Structure models beside simple ones: small runs on made-up data, and the simple models by themselves."""

import json

import numpy as np
import pytest
from tiny_structures import TINY_CODONS, TINY_PAIRS, chains, rnas

from genoformer.baselines.codons import OUTSIDE, WINDOW, amino_acid_numbers, fit_majority, window_features
from genoformer.baselines.pairs import fit_stem_logistic, normalised
from genoformer.cli.main import main
from genoformer.decoding.base_pairs import nested_structure
from genoformer.metrics.pairs import mean_pair_scores, pair_scores
from genoformer.sequence.alphabet import encode_bases
from genoformer.structures.dot_bracket import parse_dot_bracket
from genoformer.tasks.codon_structure import IGNORED


def test_linear_model_finds_stems():
    rows = [(encode_bases(bases), partners) for _, bases, partners in rnas(120)]
    codes, partners = zip(*rows, strict=True)
    probabilities = fit_stem_logistic(codes[:90], partners[:90], seed=0)
    found = [probabilities(sequence) for sequence in codes[90:]]
    for matrix in found:
        assert np.allclose(matrix, matrix.T) and matrix.sum(axis=1).max() <= 1 + 1e-9
    scores = mean_pair_scores(
        pair_scores(nested_structure(p, 4.0), t) for p, t in zip(found, partners[90:], strict=True)
    )
    assert scores["f1"] > 0.7


def test_sequence_without_possible_pairs_has_none():
    rows = [(encode_bases(bases), partners) for _, bases, partners in rnas(10)]
    probabilities = fit_stem_logistic(*zip(*rows, strict=True), seed=0)
    assert not probabilities(encode_bases("AAAAAAAA")).any()


def test_normalised_rows_sum_to_one_at_most():
    matrix = normalised(np.array([[0.0, 0.9, 0.6], [0.9, 0.0, 0.1], [0.6, 0.1, 0.0]]))
    assert matrix[0].sum() == pytest.approx(1.0) and matrix[1, 2] == pytest.approx(0.1)


def test_window_has_one_symbol_at_each_place():
    features = window_features([encode_bases("GCTGCC" * 5), encode_bases("NNNGCT")], amino_acid_numbers())
    assert features.shape[0] == 12 and (features.sum(axis=1) == WINDOW).all()
    n = int(amino_acid_numbers().max()) + 1
    middle = features[:, (WINDOW // 2) * n : (WINDOW // 2 + 1) * n].toarray().argmax(axis=1)
    assert len(set(middle[:10])) == 1 and middle[10] == amino_acid_numbers()[OUTSIDE] and middle[11] == middle[0]


def test_majority_is_the_share_of_known_states():
    outputs = fit_majority([np.array([0, 0, 1, IGNORED]), np.array([0])], 2)
    assert np.exp(outputs(encode_bases("GCTGCT"))).tolist() == [[0.75, 0.25]] * 2


def run_benchmark(folder, config, labels, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "tiny.yaml").write_text(config)
    arguments = ["benchmark", "tasks", "--name", "x", "--seeds", "0", "-o", "res", "--fit", "--config", "tiny.yaml"]
    assert main([*arguments, "--data.labels", labels]) == 0
    return json.loads((folder / "res" / "tasks-x-0.json").read_text())


def test_pairs_are_compared_with_viennarna(tmp_path, monkeypatch, need_package):
    need_package("RNA")
    rows = "".join(f"{name}\t{bases}\t{text}\n" for name, bases, text in structures())
    (tmp_path / "r.tsv").write_text("id\tsequence\tstructure\n" + rows)
    found = run_benchmark(tmp_path, TINY_PAIRS, "r.tsv", monkeypatch)
    assert set(found["scores"]) == {"genoformer", "genoformer_viennarna", "rnafold", "rnafold_mea", "stem_logistic"}
    gain = found["scores"]["genoformer"]["f1"] - found["scores"]["rnafold"]["f1"]
    assert found["above_rnafold"]["genoformer"]["f1"] == pytest.approx(gain)
    low, high = found["scores"]["rnafold"]["intervals"]["f1"]
    assert 0 <= low <= found["scores"]["rnafold"]["f1"] <= high <= 1


def structures():
    for name, bases, partners in rnas():
        text = "".join("." if j < 0 else "(" if j > i else ")" for i, j in enumerate(partners.tolist()))
        assert (parse_dot_bracket(text) == partners).all()
        yield name, bases, text


def test_states_are_compared_with_windows(tmp_path, monkeypatch):
    (tmp_path / "c.tsv").write_text("id\tdna\tstates\n" + "".join("\t".join(row) + "\n" for row in chains()))
    found = run_benchmark(tmp_path, TINY_CODONS, "c.tsv", monkeypatch)
    assert set(found["scores"]) == {"genoformer", "majority", "window_codons", "window_amino_acids"}
    assert found["scores"]["genoformer"]["accuracy"] > found["scores"]["majority"]["accuracy"] + 0.2
    assert found["scores"]["window_codons"]["accuracy"] > 0.8
