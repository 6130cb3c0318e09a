"""Many short records in one look: what each gives alone, whatever stands beside it."""

from dataclasses import replace

import numpy as np
import pytest

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.bundle.header import read_header
from genoformer.decoding import caller_of_many, decoder
from genoformer.decoding import statistics as statistics_module
from genoformer.decoding.caller import genome_statistics, record_stop_rate
from genoformer.decoding.caller_of_many import choose_each, statistics_each
from genoformer.decoding.candidates import find_candidates
from genoformer.decoding.decoder import GeneDecoder
from genoformer.decoding.options import CallOptions
from genoformer.genomes.simulate import simulate_genome

OPTIONS = CallOptions(genetic_code=11)
DECODER = GeneDecoder.from_dict(read_header("bacteria").calibration["decoder"])
LENGTHS = (300, 2_500, 90, 700, 9_000, 301, 4_000, 1_200, 3_000, 60)


@pytest.fixture(scope="module")
def records():
    """Contigs with their candidates; some hold none, one in three is of code 4."""
    (record, _), *_ = simulate_genome(length_bp=sum(LENGTHS), gc=0.5, seed=4)
    rng, found = np.random.default_rng(0), []
    for number, codes in enumerate(np.split(record.codes, np.cumsum(LENGTHS)[:-1])):
        logits = rng.normal(0.5, 2.0, (2, len(codes), 5)).astype(np.float32)
        own = replace(OPTIONS, genetic_code=4 if number % 3 == 1 else 11)
        rows = find_candidates(codes, logits, code=get_genetic_code(own.genetic_code), min_gene_bp=90)
        found.append((codes, rows, own))
    assert any(len(rows) == 0 for _, rows, _ in found) and sum(len(rows) > 20 for _, rows, _ in found) > 3
    return found


def assert_same(choice, expected):
    (scored, chosen), (alone, alone_chosen) = choice, expected
    np.testing.assert_array_equal(chosen, alone_chosen)
    for name in ("score", "frame_odds", "start_share"):
        np.testing.assert_allclose(getattr(scored, name), getattr(alone, name), rtol=1e-9, atol=1e-9)


def alone(codes, rows, own, known, decoder=DECODER):
    return decoder.choose(codes, rows, record_stop_rate(codes, own), known)


def test_each_record_gets_the_genes_that_it_gets_alone(records):
    none = [None] * len(records)
    choices = choose_each(records, DECODER, none)
    assert sum(len(chosen) for _, chosen in choices) > 5
    for record, choice in zip(records, choices, strict=True):
        assert_same(choice, alone(*record, None))


def test_each_record_is_judged_by_its_own_statistics(records, monkeypatch):
    learned = statistics_each(records, DECODER)
    for record, known in zip(records, learned, strict=True):
        expected = genome_statistics(lambda one=record: [one], DECODER, OPTIONS)
        for name in ("hexamer", "usage", "context", "motif"):
            np.testing.assert_array_equal(getattr(known, name), getattr(expected, name))
    mixed = [None if number % 3 == 0 else known for number, known in enumerate(learned)]
    monkeypatch.setattr(caller_of_many, "SHORT_BP", 3_500)  # two are looked at by themselves
    for record, known, choice in zip(records, mixed, choose_each(records, DECODER, mixed), strict=True):
        assert_same(choice, alone(*record, known))


def test_without_a_prior_a_record_that_tells_too_little_has_none(records, monkeypatch):
    monkeypatch.setattr(statistics_module, "MIN_CODONS", 100)
    learned = statistics_each(records, without := replace(DECODER, prior=None))
    expected = [genome_statistics(lambda one=one: [one], without, OPTIONS) for one in records]
    assert [known is None for known in learned] == [known is None for known in expected]
    assert 0 < sum(known is None for known in learned) < len(learned)


def test_one_look_serves_all_records(records, monkeypatch):
    looks = []
    for name in ("candidate_scores", "second_look_scores"):
        monkeypatch.setattr(decoder, name, _counted(looks, name, getattr(decoder, name)))
    choose_each(records, DECODER, [None] * len(records))
    assert looks == ["candidate_scores", "second_look_scores", "second_look_scores"]


def _counted(looks, name, function):
    return lambda *values, **more: looks.append(name) or function(*values, **more)
