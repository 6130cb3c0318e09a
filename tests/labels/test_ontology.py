"""Ontologies: graphs from OBO files, implied terms, information, scores as in CAFA."""

import gzip
import logging
import math

import networkx
import numpy as np
import obonet
import pytest

from genoformer.errors import DataError, MissingFileError, WarningLog
from genoformer.labels.ontology import information_content, read_obo
from genoformer.labels.tables import LabelledSequence, TableColumns, read_label_table
from genoformer.labels.terms import describe_terms, with_implied_terms
from genoformer.metrics.ontology import best_common_threshold, curve_of, ontology_scores

# r has the children a and b; c is a b and part of a; d is a c; e is obsolete, f stands alone.
SMALL = """format-version: 1.2
ontology: small

[Term]
id: X:r
name: root
namespace: branch

[Term]
id: X:a
name: the a
namespace: branch
alt_id: X:old
is_a: X:r ! root

[Term]
id: X:b
name: the b
namespace: branch
is_a: X:r

[Term]
id: X:c
name: the c
namespace: branch
is_a: X:b
relationship: part_of X:a ! the a
relationship: regulates X:f

[Term]
id: X:d
name: the d
namespace: branch
is_a: X:c
is_a: X:elsewhere

[Term]
id: X:e
name: gone
is_obsolete: true

[Term]
id: X:f
name: alone
namespace: other
"""


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.obo").write_text(SMALL)
    return read_obo(tmp_path / "small.obo")


def labelled(label, name="s"):
    return LabelledSequence(name, np.zeros(3, np.uint8), label, "", f"t.tsv line {name}")


def test_graph_by_hand(small):
    assert small.parents == {"X:a": (), "X:b": (), "X:c": ("X:a", "X:b"), "X:d": ("X:c",), "X:f": ()}
    assert small.roots == {"X:r"}
    assert small.ancestors["X:d"] == {"X:a", "X:b", "X:c", "X:d"}
    assert (small.names["X:c"], small.namespaces["X:f"]) == ("the c", "other")
    assert small.implied(["X:old", "X:r", "X:e", "X:zz"]) == ({"X:a"}, ["X:e", "X:zz"])
    assert small.among(["X:d", "X:a", "X:f"]) == {"X:d": ["X:a"], "X:a": [], "X:f": []}


def test_slim_has_the_ancestors_that_networkx_finds(data_dir):
    path = data_dir / "func_go" / "goslim_generic.obo"
    ours, graph = read_obo(path), obonet.read_obo(path)
    kept = [(a, b, kind) for a, b, kind in graph.edges(keys=True) if kind in ("is_a", "part_of")]
    reference = networkx.DiGraph((a, b) for a, b, _ in kept)
    reference.add_nodes_from(graph)
    assert ours.roots == {"GO:0008150", "GO:0003674", "GO:0005575"}
    assert set(ours.parents) == set(graph) - ours.roots and len(ours.parents) > 140
    for term, ancestors in ours.ancestors.items():
        assert ancestors == (networkx.descendants(reference, term) | {term}) - ours.roots


def test_gzip_is_read_alike(small, tmp_path):
    (tmp_path / "s.obo.gz").write_bytes(gzip.compress(SMALL.encode()))
    assert read_obo(tmp_path / "s.obo.gz") == small


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("id: X:a\n", "id: X:a\nis_a: X:d\n", r"bad.obo line 10: terms imply each other in a circle: .*X:a"),
        ("id: X:a\n", "id: X:a\nis_a: X:a\n", r"bad.obo line 10: .*circle: X:a → X:a"),
        ("id: X:b\n", "id: X:a\n", r'bad.obo line 17: the term "X:a" is also in line 10'),
        ("relationship: part_of X:a ! the a", "relationship: part_of", "bad.obo: cannot be read as OBO"),
        ("[Term]", "[Typedef]", "no .Term."),
    ],
)
def test_broken_file_is_named_with_its_line(tmp_path, old, new, found):
    assert old in SMALL
    (tmp_path / "bad.obo").write_text(SMALL.replace(old, new))
    with pytest.raises(DataError, match=found):
        read_obo(tmp_path / "bad.obo")


def test_binary_and_missing_files_are_errors(tmp_path):
    (tmp_path / "b.obo").write_bytes(b"\xff\xfe\x00id: X")
    with pytest.raises(DataError, match=r"b\.obo"):
        read_obo(tmp_path / "b.obo")
    with pytest.raises(MissingFileError):
        read_obo(tmp_path / "none.obo")


def test_labels_bring_along_what_they_imply_and_unknown_ones_are_counted(small):
    log = WarningLog()
    rows = [labelled("X:d;X:zz", "1"), labelled("X:r", "2"), labelled("X:old", "3")]
    assert [row.label for row in with_implied_terms(rows, small, ";", log)] == ["X:a;X:b;X:c;X:d", "X:a"]
    assert log.counts == {"LABELS-105": 1, "LABELS-106": 1} and '"X:zz"' in log.examples["LABELS-105"]
    with pytest.raises(DataError, match=r'line 9: .*"GO:1"'):
        with_implied_terms([labelled("GO:1", "9")], small, ";", log)
    with pytest.raises(DataError, match="X:r"):
        describe_terms(["X:r"], small)


def test_terms_of_yeast_genes_imply_in_the_slim_what_networkx_finds(data_dir):
    slim = data_dir / "func_go" / "goslim_generic.obo"
    columns = TableColumns("go_terms", "dna", "locus_tag", "chrom")
    rows = read_label_table([data_dir / "func_yeast_go" / "yeast_cds_go.tsv.gz"], columns, [], WarningLog())[::10]
    ours = {row.id: set(row.label.split(";")) for row in with_implied_terms(rows, read_obo(slim), ";", WarningLog())}
    graph = obonet.read_obo(slim)
    kept = networkx.DiGraph((a, b) for a, b, kind in graph.edges(keys=True) if kind in ("is_a", "part_of"))
    for row in rows:
        terms = {term for term in row.label.split(";") if term in kept}
        implied = terms.union(*(networkx.descendants(kept, term) for term in terms))
        assert ours.get(row.id, set()) == {term for term in implied if kept.out_degree(term)}
    assert len(ours) > 200


def test_information_is_that_of_a_term_given_its_parents():
    # a on 8 of 8, b on 4 of 8, c (below a and b) on 1 of the 4 with both; d occurs nowhere, below c.
    labels = np.zeros((8, 4))
    labels[:, 0], labels[:4, 1], labels[0, 2] = 1, 1, 1
    assert information_content(labels, {2: [0, 1], 3: [0, 1, 2]}).tolist() == [0.0, 1.0, 2.0, 0.0]


def naive_point(scores, labels, information, threshold):
    """Precision, recall, remaining uncertainty and misinformation by the sentences of the papers."""
    precisions, recalls, missed, wrong = [], [], [], []
    for row, truth in zip(scores, labels, strict=True):
        true = {c for c in range(len(truth)) if truth[c]}
        said = {c for c in range(len(row)) if row[c] >= threshold}
        if not true:
            continue
        if said:
            precisions.append(len(said & true) / len(said))
        recalls.append(len(said & true) / len(true))
        missed.append(sum(information[c] for c in true - said))
        wrong.append(sum(information[c] for c in said - true))
    mean = lambda values: sum(values) / len(values) if values else 0.0  # noqa: E731
    return mean(precisions), mean(recalls), mean(missed), mean(wrong)


def test_scores_are_those_of_a_walk_over_sets():
    rng = np.random.default_rng(0)
    labels = rng.random((40, 7)) < 0.3
    labels[0] = False
    scores = np.round(rng.random((40, 7)) + 0.5 * labels, 1)  # with ties
    bits = rng.random(7) * 5
    rows = [naive_point(scores, labels, bits, t) for t in np.unique(scores)[::-1]]
    f1 = [2 * p * r / (p + r) if p + r else 0.0 for p, r, _, _ in rows]
    found = ontology_scores(scores, labels, ["x"] * 7, bits, scores >= 0.7)["x"]
    assert found["n"] == labels.any(axis=1).sum()
    assert found["fmax"] == pytest.approx(max(f1))
    assert found["smin"] == pytest.approx(min(math.hypot(ru, mi) for *_, ru, mi in rows))
    p, r, *_ = naive_point(scores, labels, bits, 0.7)
    assert found["f1"] == pytest.approx(2 * p * r / (p + r))
    steps = zip([0.0, *(row[1] for row in rows)], rows, strict=False)
    assert found["aupr"] == pytest.approx(sum((row[1] - before) * row[0] for before, row in steps))


def test_a_rising_function_of_the_scores_changes_nothing_and_branches_stand_apart():
    rng = np.random.default_rng(1)
    labels, scores, bits = rng.random((30, 6)) < 0.4, rng.random((30, 6)), np.ones(6)
    branches = ["x", "y", "x", "y", "x", "y"]
    found = ontology_scores(scores, labels, branches, bits, scores > 0.5)
    assert ontology_scores(np.exp(9 * scores), labels, branches, bits, scores > 0.5) == found
    alone = ontology_scores(scores[:, ::2], labels[:, ::2], ["x"] * 3, bits[::2], scores[:, ::2] > 0.5)
    assert found["x"] == alone["x"] and set(found) == {"x", "y"}


def test_common_threshold_is_the_best_for_the_mean_of_the_branches():
    labels = np.array([[1, 0], [1, 1], [0, 1]])
    scores = np.array([[0.9, 0.2], [0.8, 0.7], [0.3, 0.6]])
    assert best_common_threshold(scores, labels, ["x", "y"]) == 0.6
    assert curve_of(scores, labels, np.ones(2), np.array([0.6])).f1[0] == pytest.approx(1.0)


def test_a_header_without_a_name_is_read_in_silence(tmp_path, caplog):
    (tmp_path / "a.obo").write_text(SMALL.replace("ontology: small\n", ""))
    assert read_obo(tmp_path / "a.obo").roots == {"X:r"} and not caplog.records
    logging.getLogger().warning("of others")
    assert [record.message for record in caplog.records] == ["of others"]
