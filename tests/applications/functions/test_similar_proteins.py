"""Labels of similar training sequences: words, similarities, what they say, and what a bundle keeps of them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from predicting import predict
from scipy.special import expit, log_softmax, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from tiny_function_bundle import write_function_bundle

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.applications.functions import relatives as relatives_module
from genoformer.applications.functions.caller import FunctionCaller
from genoformer.applications.functions.evaluate import evaluate_functions
from genoformer.applications.functions.protein_words import (
    LETTERS,
    N_WORDS,
    PATTERNS,
    WordIndex,
    letters_of,
    numbers_of,
    protein_of,
    words_of,
)
from genoformer.applications.functions.relatives import Near, Relatives, Weighing
from genoformer.applications.functions.request import FunctionRequest
from genoformer.bundle.folder import add_calibration, load_bundle
from genoformer.errors import DataError
from genoformer.labels.tables import TableColumns
from genoformer.sequence.alphabet import N_CODE, encode_bases
from genoformer.sequence.distinct import distinct
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record
from genoformer.tasks.function import FunctionOptions

N_FAMILIES, N_EACH, LENGTH = 6, 8, 120
CODONS = {letter: codon for letter, codon in zip(get_genetic_code(11).aa, range(64), strict=True) if letter != "*"}


def spaced_words(protein):
    """All words of a protein as text, found letter by letter."""
    found = []
    for number, pattern in enumerate(PATTERNS):
        for start in range(len(protein) - max(pattern)):
            letters = [protein[start + place] for place in pattern]
            if all(letter in LETTERS for letter in letters):
                found.append(f"{number}{''.join(letters)}")
    return sorted(set(found))


def mutated(rng, protein, share):
    return "".join(rng.choice(list(LETTERS)) if rng.random() < share else letter for letter in protein)


@pytest.fixture
def families():
    """Proteins of some families, a third of each protein's amino acids changed, and the number of its family."""
    rng = np.random.default_rng(3)
    ancestors = ["".join(rng.choice(list(LETTERS), LENGTH)) for _ in range(N_FAMILIES)]
    return [(mutated(rng, ancestors[i], 0.35), i) for _ in range(N_EACH) for i in range(N_FAMILIES)]


def coding(protein):
    """Base codes that translate to a protein."""
    codons = np.array([CODONS[letter] for letter in protein])
    return np.stack([codons // 16, codons // 4 % 4, codons % 4], axis=1).ravel().astype(np.uint8)


def ids_of(families):
    return [f"protein-{i}" for i in range(len(families))]


def of(families, **changes):
    known = Relatives.of_training(
        ids_of(families), [coding(protein) for protein, _ in families],
        np.array([number for _, number in families]), N_FAMILIES, is_multilabel=False,
    )  # fmt: skip
    return replace(known, **changes)


def test_a_protein_is_read_codon_by_codon():
    assert letters_of(protein_of(encode_bases("ATGAAATGANNNGGTCC"))) == "MKXXG"
    assert numbers_of("ACDX*a").tolist() == [0, 1, 2, 20, 20, 20]


@pytest.mark.parametrize("protein", ["MKVLAAGIDE", "MKVLA", "M", "", "MKVXLAAGIDE*MKVLAAGIDE"])
def test_words_are_those_of_the_patterns_and_touch_nothing_unknown(protein):
    assert words_of([numbers_of(protein)]).nnz == len(spaced_words(protein))


def test_no_word_spans_two_proteins():
    apart = words_of([numbers_of("MKVLAAG"), numbers_of("IDEFGHI")])
    joined = words_of([numbers_of("MKVLAAGIDEFGHI")])
    assert apart.nnz < joined.nnz and apart.shape == (2, N_WORDS)
    np.testing.assert_array_equal(apart[1].toarray(), words_of([numbers_of("IDEFGHI")]).toarray())


def test_similarities_are_cosines_of_words_weighted_as_scikit_learn_weighs_them(families):
    proteins = [protein for protein, _ in families]
    judge = TfidfVectorizer(analyzer=spaced_words)
    expected = judge.fit_transform(proteins[:30]) @ judge.transform(proteins[30:]).T
    found = WordIndex([numbers_of(protein) for protein in proteins[:30]]).similarity(
        [numbers_of(protein) for protein in proteins[30:]]
    )
    # A word that the index does not know counts in neither length there, and is the rarest of all here.
    unknown = [np.isin(spaced_words(protein), list(judge.vocabulary_)) for protein in proteins[30:]]
    idf, rarest = judge.idf_, np.log(31) + 1
    for row, (protein, is_known) in zip(found, zip(proteins[30:], unknown, strict=True), strict=True):
        known = np.array([idf[judge.vocabulary_[word]] for word in np.array(spaced_words(protein))[is_known]])
        shrunk = np.sqrt((known**2).sum() / ((known**2).sum() + (~is_known).sum() * rarest**2))
        column = expected[:, proteins[30:].index(protein)].toarray().ravel()
        np.testing.assert_allclose(row, column * shrunk, atol=1e-6)


def test_a_training_sequence_is_its_own_nearest(families):
    known = of(families)
    near = known.nearest([coding(families[5][0])])
    assert near.numbers[0, 0] == 5 and near.similarities[0, 0] == pytest.approx(1.0, abs=1e-5)  # 350 sums of float32
    assert (np.diff(near.similarities, axis=1) <= 0).all() and near.similarities.shape == (1, 32)


def test_the_labels_of_relatives_are_found_and_strangers_say_nothing(families):
    known, rng = of(families[:36]), np.random.default_rng(5)
    sequences = [coding(protein) for protein, _ in families[36:]]
    targets = np.array([number for _, number in families[36:]])
    fitted = known.fitted(np.zeros((len(targets), N_FAMILIES)), known.looks(sequences), targets)
    together = fitted.beside(np.zeros((len(targets), N_FAMILIES)), fitted.nearest(sequences))
    assert (together.argmax(axis=1) == targets).all()
    strangers = [coding("".join(rng.choice(list(LETTERS), LENGTH))) for _ in range(20)]
    sure = log_softmax(fitted.beside(np.zeros((20, N_FAMILIES)), fitted.nearest(strangers)), axis=1).max(axis=1)
    assert np.median(np.exp(sure)) < 0.5 < np.median(np.exp(log_softmax(together, axis=1).max(axis=1)))


def test_where_nothing_is_similar_the_network_speaks(families):
    known = of(families, weighing=Weighing(power=2, floor=1e-3))
    outputs = np.arange(N_FAMILIES, dtype=np.float32)[None]
    together = known.beside(outputs, known.nearest([coding("MK")]))
    np.testing.assert_allclose(together, log_softmax(outputs, axis=1), rtol=1e-6)


def test_labels_of_relatives_take_the_place_of_what_the_network_says():
    known = Relatives(
        tuple("abcd"), (np.zeros(9, np.uint8),) * 4, ((0,), (0, 1), (1,), ()), 2, True, Weighing(2, 0.5, 2.0)
    )
    near = Near(np.array([[0.8, 0.4, 0.0, 0.0]]), np.array([[1, 2, 0, 3]]))
    outputs = np.array([[-1.0, 0.5]])
    share = (0.5 * expit(2 * outputs[0]) + [0.64, 0.64 + 0.16]) / (0.5 + 0.8)
    np.testing.assert_allclose(expit(known.beside(outputs, near)[0]), share, rtol=1e-6)
    usual = (0.5 * np.array([2.5, 2.5]) / 5 + [0.64, 0.64 + 0.16]) / 1.3
    np.testing.assert_allclose(expit(known.alone(near)[0]), usual, rtol=1e-6)
    classes = replace(known, labels=((0,), (0,), (1,), (1,)), is_multilabel=False)
    share = (0.5 * softmax(2 * outputs[0]) + [0.64, 0.16]) / 1.3
    np.testing.assert_allclose(classes.beside(outputs, near)[0], np.log(share), rtol=1e-6)
    sharp = replace(known.weighing, sharpness=3.0)
    np.testing.assert_allclose(known.beside(outputs, near, sharp), 3 * known.beside(outputs, near), rtol=1e-6)


def test_the_fit_weighs_what_is_right(families):
    known = of(families[:36])
    sequences = [coding(protein) for protein, _ in families[36:]]
    targets = np.array([number for _, number in families[36:]])
    right = 4.0 * np.eye(N_FAMILIES)[targets]
    wrong = np.random.default_rng(0).normal(size=right.shape) * 4
    trusting, doubting = (
        known.fitted(right, known.looks(sequences), targets).weighing,
        known.fitted(wrong, known.looks(sequences), targets).weighing,
    )
    assert trusting.of_network > 10 * doubting.of_network


def test_many_sequences_are_thinned_out(families, monkeypatch):
    monkeypatch.setattr(relatives_module, "MOST_RESIDUES", LENGTH * 20)
    assert len(of(families).proteins) == len(families) // 3


def test_what_is_kept_is_read_again(families):
    known = of(families, weighing=Weighing(3, 0.25, 0.5, 2.0))
    stored = json.loads(json.dumps(known.to_dict()))
    again = Relatives.from_dict(stored, N_FAMILIES, is_multilabel=False, name="m")
    sequences = [coding(families[3][0][:70])]
    outputs = np.ones((1, N_FAMILIES))
    expected = known.beside(outputs, known.nearest(sequences))
    np.testing.assert_array_equal(again.beside(outputs, again.nearest(sequences)), expected)


@pytest.mark.parametrize(
    "change",
    [{"ids": []}, {"ids": [3]}, {"ids": ["a\tb"]},
     {"proteins": []}, {"proteins": ["MK"]}, {"labels": [[9]]}, {"labels": [["a"]]}, {"labels": [[True]]}, {"power": 5},
     {"floor": 0}, {"floor": None}, {"of_network": "much"}, {"proteins": 3}, {"proteins": [7]}, {"proteins": ["é"]}],
)  # fmt: skip
def test_a_damaged_entry_is_one_error(change):
    numbers = {"power": 4, "floor": 0.1, "of_network": 1.0, "sharpness": 1.0}
    stored = {"ids": ["a"], "proteins": ["MKV"], "labels": [[0]], **numbers}
    assert Relatives.from_dict(stored, 2, is_multilabel=False, name="m").proteins[0].tolist() == [10, 8, 17]
    if change == {"proteins": ["MK"]}:
        change = {"proteins": ["MK", "MV"]}
    with pytest.raises(DataError, match="relatives"):
        Relatives.from_dict({**stored, **change}, 2, is_multilabel=False, name="m")


@pytest.fixture
def model(families, tmp_path):
    """A model of three families that knows all but their last members, its relatives, and these members."""
    folder = write_function_bundle(tmp_path / "m", relatives=True, max_bp=3 * LENGTH)
    three = [(protein, number) for protein, number in families if number < 3]
    known, bundle = replace(of(three[:-3]), n_labels=3), load_bundle(folder)
    fitted = {"function": {**bundle.calibration["function"], "relatives": known.to_dict()}}
    add_calibration(folder, bundle, fitted)
    return folder, known, [coding(protein) for protein, _ in three[-3:]]


def test_a_model_with_relatives_counts_them(model):
    folder, known, sequences = model
    caller = FunctionCaller.from_bundle(load_bundle(folder))
    together = known.beside(caller.network_outputs(sequences), known.nearest(sequences))
    np.testing.assert_array_equal(caller.outputs(sequences), together)
    assert not np.array_equal(caller.outputs(sequences), caller.network_outputs(sequences))


def test_a_model_that_has_lost_its_relatives_is_refused(tmp_path, families):
    bundle = load_bundle(write_function_bundle(tmp_path / "m", relatives=True))
    with pytest.raises(DataError, match="relatives"):
        FunctionCaller.from_bundle(bundle).outputs([coding(families[0][0])])


def test_tables_name_the_nearest_relative(model, tmp_path):
    folder, known, sequences = model
    unknown = Record("stranger", np.full(30, N_CODE, np.uint8))
    records = [Record(f"r{i}", codes) for i, codes in enumerate(sequences)]
    write_fasta(tmp_path / "in.fa", [*records, unknown])
    request = FunctionRequest(formats=("tsv", "parquet"))
    predict(folder, [str(tmp_path / "in.fa")], request, tmp_path / "out")
    recorded = json.loads((tmp_path / "out/run.json").read_text())["key"]["calibration"]["relatives"]
    assert len(recorded) == 64  # a digest of the proteins, not they themselves
    header, *lines = (tmp_path / "out/functions.tsv").read_text().splitlines()
    columns = ["record_id", "length_bp", "prediction", "probability", "nearest_relative", "similarity", *"abc"]
    assert header.split("\t") == columns
    near = known.nearest(sequences)
    expected = [(f"protein-{n}", f"{s:.4f}") for n, s in zip(near.numbers[:, 0], near.similarities[:, 0], strict=True)]
    assert [tuple(line.split("\t")[4:6]) for line in lines] == [*expected, ("", "0.0000")]
    table = pytest.importorskip("pyarrow.parquet").read_table(tmp_path / "out/functions.parquet")
    assert table["nearest_relative"].to_pylist() == [*(name for name, _ in expected), ""]
    (tmp_path / "known.tsv").write_text("id\tlabel\nr0\ta\nr1\tb\nr2\tc\n")
    scores = evaluate_functions(tmp_path / "out", tmp_path / "known.tsv", TableColumns(id="id"))
    assert scores["n"] == 3 and 0 <= scores["accuracy"] <= 1


@pytest.mark.parametrize("options", [{"kind": "regression"}, {"strands": "average"}, {"relatives": 1}])
def test_relatives_are_for_labels_of_coding_sequences(options):
    with pytest.raises(ValueError, match="relatives"):
        FunctionOptions(**{"relatives": True, **options})


@pytest.mark.parametrize("values", [[], [3], [3, 3, 1, 2, 1], np.random.default_rng(0).integers(0, 50, 400)])
def test_distinct_values_are_those_of_numpy(values):
    values = np.asarray(values, np.int64)
    np.testing.assert_array_equal(distinct(values), np.unique(values))
