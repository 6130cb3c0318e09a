"""The recipe of functions as a pure function: facts to settings, each rule by itself."""

from dataclasses import replace

import numpy as np
import pytest
from labelled_tables import bases, coding_bases

from genoformer.applications.functions.facts import Facts, facts_of
from genoformer.applications.functions.recipe import batch_size, choose_columns, choose_settings, n_steps
from genoformer.applications.functions.recipe_split import split_of
from genoformer.labels.tables import LabelledSequence
from genoformer.nn.config import EncoderConfig
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.tasks.function import FunctionOptions
from genoformer.training.recipes import Choice, Chooser, fill_in

WINDOWS = Facts([60] * 1_000, labels={"a": 500, "b": 300, "c": 200})
MIXED = Facts(sorted(range(200, 1_200)), labels={"a": 500, "b": 500})
GENES = Facts(sorted(range(300, 3_300, 3)), coding=0.97, labels={"a": 500, "b": 500})
LONG = Facts(sorted(range(1_000, 31_000, 100)), labels={"a": 150, "b": 150})


def chosen(facts, kind="multiclass", given=None, group=None):
    """What is chosen, by full name."""
    chooser = Chooser(given or {})
    choose_settings(chooser, facts, kind, group=group)
    return {key: value for choice in chooser.choices for key, value in choice.settings.items()}


def sentences(facts, kind="multiclass"):
    chooser = Chooser({})
    choose_settings(chooser, facts, kind)
    return "\n".join(choice.line() for choice in chooser.choices)


def labelled(text, label="x", group=""):
    return LabelledSequence(text, encode_bases(text), label, group, "")


def test_facts_are_counted():
    rng = np.random.default_rng(0)
    sequences = [labelled(coding_bases(rng, n), "a;b" if n % 2 else "b", "chr1") for n in range(10, 14)]
    sequences.append(labelled("ACGTA", "c"))
    facts = facts_of(sequences, "multilabel", ";")
    assert facts.lengths == [5, 30, 33, 36, 39] and facts.n == 5 and facts.median_bp == 33 and facts.longest_bp == 39
    assert facts.coding == 0.8 and facts.labels == {"b": 4, "a": 2, "c": 1} and facts.groups == {"chr1": 4}
    assert facts.longer_than(33) == 0.4 and facts.mean_bp(30) == 25 and facts.one_length == 0.2
    assert facts_of(sequences, "regression", ";").labels == {}
    assert facts_of(sequences, "multiclass", ";").labels == {"b": 2, "a;b": 2, "c": 1}


@pytest.mark.parametrize(
    ("text", "share"), [("ATGAAATAA", 1), ("ATGAAACC", 0), ("CCCAAATAA", 0), ("ATGTAAAAA", 0), ("ATGAAAAAA", 1)]
)
def test_coding_is_whole_codons_from_a_start_to_at_most_one_stop(text, share):
    assert facts_of([labelled(text)], "multiclass", ";").coding == share


def test_random_sequences_do_not_read_as_coding():
    rng = np.random.default_rng(1)
    assert facts_of([labelled(bases(rng, 60)) for _ in range(300)], "multiclass", ";").coding < 0.1


@pytest.mark.parametrize(
    ("facts", "k", "stride", "max_bp"),
    [
        (WINDOWS, 3, 1, 60),
        (Facts([513] * 9), 4, 2, 513),
        (MIXED, 4, 2, 1_199),
        (Facts([12_288] * 9), 6, 3, 12_288),
        (LONG, 6, 6, 30_900),
        (GENES, 3, 3, 1_500),
    ],
)
def test_tokens_follow_from_lengths_and_from_coding(facts, k, stride, max_bp):
    found = chosen(facts)
    assert (found["model.k"], found["model.stride"], found["model.options.max_bp"]) == (k, stride, max_bp)
    assert found.get("model.encoder.amino_acids", False) is (facts is GENES)
    assert found.get("model.encoder.amino_acid_words", 0) == (3 if facts is GENES else 0)


def test_few_long_sequences_do_not_make_tokens_long():
    facts = Facts([100] * 960 + [30_000] * 40, labels={"a": 500, "b": 500})
    assert chosen(facts)["model.stride"] == 1


def test_what_is_not_read_is_said():
    assert "of 59.9%, which are longer, the rest is not read" in sentences(GENES)
    huge = Facts([10_000] * 90 + [200_000] * 10, labels={"a": 50, "b": 50})
    assert chosen(huge)["model.options.max_bp"] == 98_304 and "of 10.0%, which are longer" in sentences(huge)
    assert "longer, the rest" not in sentences(WINDOWS)


@pytest.mark.parametrize(
    ("facts", "strands", "positions"),
    [(WINDOWS, "forward", "learned"), (GENES, "forward", "learned"), (MIXED, "average", "rotary")],
)
def test_strands_and_positions_follow_from_what_has_a_direction(facts, strands, positions):
    found = chosen(facts)
    assert (found["model.options.strands"], found["model.encoder.positions"]) == (strands, positions)


def test_long_windows_have_no_embedding_of_each_place():
    found = chosen(Facts([9_000] * 500, labels={"a": 250, "b": 250}))
    assert found["model.options.strands"] == "forward" and found["model.encoder.positions"] == "rotary"
    assert "model.encoder.max_tokens" not in found


def test_places_suffice_for_the_longest_sequence():
    for facts in (WINDOWS, GENES):
        found = chosen(facts)
        tokenizer = KmerTokenizer(k=found["model.k"], stride=found["model.stride"])
        longest = np.zeros(found["model.options.max_bp"], np.uint8)
        assert len(tokenizer.encode(longest)) <= found["model.encoder.max_tokens"]


@pytest.mark.parametrize("kind", ["multiclass", "multilabel", "regression"])
@pytest.mark.parametrize("facts", [WINDOWS, MIXED, GENES, LONG])
def test_encoder_and_task_take_what_is_chosen(facts, kind):
    found = chosen(facts, kind)
    encoder = {key.rpartition(".")[2]: value for key, value in found.items() if key.startswith("model.encoder.")}
    tokenizer = KmerTokenizer(k=found["model.k"], stride=found["model.stride"])
    EncoderConfig.from_dict({**encoder, "vocab_size": tokenizer.vocab_size, "stride": tokenizer.stride})
    options = {key.rpartition(".")[2]: value for key, value in found.items() if key.startswith("model.options.")}
    FunctionOptions(kind=kind, **options)
    assert ("label_smoothing" in options) is (kind == "multiclass")


def test_numbers_keep_their_codons():
    names = {"data.augment.synonymous", "data.augment.substituted"}
    assert names <= set(chosen(GENES)) and names <= set(chosen(GENES, "multilabel"))
    assert not names & set(chosen(GENES, "regression")) and not names & set(chosen(WINDOWS))


def test_uneven_classes_are_drawn_more_evenly_and_that_is_said():
    assert chosen(WINDOWS)["data.balance"] is None
    skewed = replace(WINDOWS, labels={"a": 900, "b": 89, "c": 11})
    assert chosen(skewed)["data.balance"] == 0.5
    assert "data.balance 0.5: of 3 classes the largest has 900 sequences, the smallest 11" in sentences(skewed)
    assert "data.balance" not in chosen(skewed, "multilabel") and "data.balance" not in chosen(skewed, "regression")


def test_rare_classes_are_left_out_and_do_not_make_others_uneven():
    rare = replace(WINDOWS, labels={"a": 500, "b": 490, "c": 4})
    found = chosen(rare)
    assert found["data.min_examples"] == 5 and found["data.balance"] is None
    assert "1 of 3 classes are on fewer sequences and left out" in sentences(rare)
    assert "each of 3 classes has as many" in sentences(WINDOWS)


@pytest.mark.parametrize(("n", "least"), [(100, 5), (500, 10), (5_000, 20)])
def test_terms_need_more_examples_where_there_are_more_sequences(n, least):
    assert chosen(Facts([60] * n, labels={"x": n}), "multilabel")["data.min_examples"] == least


def test_named_classes_are_not_thinned_out():
    found = chosen(replace(WINDOWS, labels={"a": 99, "b": 1}), given={"data.classes": ["a", "b"]})
    assert "data.min_examples" not in found and found["data.balance"] == 0.5


def test_many_sequences_have_a_larger_network_that_is_held_back_less():
    few, many = chosen(WINDOWS), chosen(Facts([60] * 20_000, labels={"a": 10_000, "b": 10_000}))
    for key in ("model.encoder.d_model", "model.encoder.n_layers", "model.encoder.d_ff"):
        assert few[key] < many[key]
    for key in ("model.encoder.dropout", "model.options.head_dropout", "model.options.label_smoothing"):
        assert few[key] > many[key]


@pytest.mark.parametrize(
    ("n_train", "tokens", "batch"), [(5_000, 60, 64), (5_000, 400, 16), (5_000, 9_000, 4), (40, 60, 4), (3, 60, 1)]
)
def test_batches_hold_about_as_many_tokens_whatever_the_length(n_train, tokens, batch):
    assert batch_size(n_train, tokens) == batch


@pytest.mark.parametrize(
    ("n_train", "batch", "tokens", "steps"),
    [
        (2_400, 64, 57, 800),  # the most
        (1_600, 16, 400, 620),  # as many tokens as a run has
        (40, 4, 60, 600),  # sixty times each
        (8, 1, 9_000, 440),  # as many tokens as a run has
        (100_000, 64, 60, 4_690),  # three times each
        (10_000_000, 64, 60, 50_000),  # no more than that
    ],
)
def test_steps_follow_from_tokens_and_from_how_often_a_sequence_is_seen(n_train, batch, tokens, steps):
    assert n_steps(n_train, batch, tokens) == steps


def test_large_tables_are_validated_in_between():
    found = chosen(Facts([60] * 100_000, labels={"a": 50_000, "b": 50_000}))
    assert found["data.loader.samples_per_epoch"] == found["trainer.max_steps"] // 10 * 64 < 80_000
    assert "data.loader.samples_per_epoch" not in chosen(WINDOWS)


def test_what_was_set_is_not_chosen_and_what_is_chosen_follows_it():
    given = {"model.k": 6, "model.stride": 6, "data.loader.batch_size": 8, "model.encoder.attention.name": "reformer"}
    found = chosen(GENES, given=given)
    assert not set(given) & set(found) and "model.encoder.attention" not in found
    assert "model.encoder.amino_acids" not in found and "data.augment.substituted" not in found
    assert found["data.augment.masked"] == 0.05 and found["trainer.max_steps"] == 800
    rotary = chosen(WINDOWS, given={"model.encoder.positions": "rotary", "trainer.max_steps": 50})
    assert "model.encoder.max_tokens" not in rotary and rotary["model.warmup_steps"] == 5


@pytest.mark.parametrize("given", [{"data.split.by": "random"}, {"data.split.file": "s.tsv"}, {"data.split": None}])
def test_a_split_that_was_set_is_left_as_it_is(given):
    facts = replace(WINDOWS, groups={f"chr{i}": 100 for i in range(10)})
    assert not [key for key in chosen(facts, given=given, group="chrom") if key.startswith(("data.split", "data.col"))]


def test_sequences_without_groups_are_divided_at_random():
    settings, why = split_of(WINDOWS, None)
    assert settings == {"by": "random", "validation": 0.1, "test": 0.1} and "relatives can be on two sides" in why
    assert split_of(Facts([60] * 150), None)[0] == {"by": "random", "validation": 0.2, "test": None}


def test_near_copies_stay_on_one_side_unless_nearly_all_are_some():
    settings, why = split_of(replace(WINDOWS, families=[40, 2, 2]), None)
    assert settings["relatives"] == 0.3 and "44 with near copies" in why
    assert "relatives" not in split_of(replace(WINDOWS, families=[900, 2]), None)[0]
    rng = np.random.default_rng(6)
    texts = [bases(rng, 80) for _ in range(5)]
    copies = [labelled(text) for text in (*texts, texts[0][:60], texts[0][20:], texts[1])]
    assert facts_of(copies, "multiclass", ";", min_share=0.3).families == [3, 2]
    assert facts_of(copies, "multiclass", ";").families == []


def test_groups_are_dealt_out_whole_where_there_are_enough():
    groups = {f"chr{i}": 100 for i in range(10)}
    settings, why = split_of(replace(WINDOWS, groups=groups), "chrom")
    assert settings["by"] == "group" and 'the 10 groups of "chrom"' in why
    found = chosen(replace(WINDOWS, groups=groups), group="chrom")
    assert found["data.columns.group"] == "chrom" and found["data.split.by"] == "group"
    for bad in ({"x": 500, "y": 500}, {"x": 900, **{f"y{i}": 25 for i in range(3)}}, {**groups, "chr0": 50}):
        assert split_of(replace(WINDOWS, groups=bad), "chrom")[0]["by"] == "random"


def test_groups_that_name_parts_are_the_parts():
    files = {"train.csv.gz": 800, "dev.csv.gz": 100, "test.csv.gz": 100}
    settings, _ = split_of(replace(WINDOWS, groups=files), "file")
    assert settings == {
        "by": "group", "validation": ["dev.csv.gz"], "test": ["test.csv.gz"], "fraction_of_sequences": False,
        "keep_copies": True,
    }  # fmt: skip
    settings, _ = split_of(replace(WINDOWS, groups={"Train": 900, "Test": 100}), "split")
    assert (settings["validation"], settings["test"], settings["fraction_of_sequences"]) == (0.1, ["Test"], True)


def test_columns_are_found_by_their_names():
    chooser = Chooser({})
    found = choose_columns(chooser, ("id", "Chrom", "DNA", "label"), ["t.tsv"], has_fasta=False)
    assert found == {"sequence": "DNA", "group": "Chrom"}
    assert [choice.settings for choice in chooser.choices] == [{"data.columns.sequence": "DNA"}]
    assert choose_columns(Chooser({}), ("seq", "chrom", "split"), ["t.tsv"], has_fasta=True) == {"group": "split"}
    assert choose_columns(Chooser({}), ("label",), ["train.csv", "test.csv"], has_fasta=False) == {"group": "file"}
    given = {"data.columns.sequence": "x", "data.split.by": "random"}
    assert choose_columns(Chooser(given), ("seq", "chrom"), ["t.tsv"], has_fasta=False) == {}


def test_choices_are_written_into_a_configuration_and_said_as_yaml():
    config = {"model": {"k": 6, "options": None}, "monitor": "val/loss"}
    choice = Choice({"model.k": 4, "model.options.max_bp": 60, "monitor": None}, "because")
    fill_in(config, [choice])
    assert config == {"model": {"k": 4, "options": {"max_bp": 60}}, "monitor": None}
    assert choice.line() == "model.k 4, model.options.max_bp 60, monitor null: because"
    values = {"a": {"b": [True, 0.5]}, "c": "x"}
    assert Choice(values, "so").line() == "a {b: [true, 0.5]}, c x: so"
