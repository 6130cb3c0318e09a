"""Labelled sequences as samples: order, augmentation, views, padding."""

import numpy as np
import pytest
import torch

from genoformer.batches.tables import EvaluationSequences, TrainingSequences, collate_views
from genoformer.sequence.alphabet import encode_bases, reverse_complement
from genoformer.sequence.kmers import CLS_ID, PAD_ID, UNK_ID, KmerTokenizer

TOKENS = KmerTokenizer(k=3, stride=1)


def sequences(n=70, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 4, rng.integers(5, 60)).astype(np.uint8) for _ in range(n)]


def training(codes, **options):
    options = {"seed": 3, "batch_size": 4, "both_strands": False, **options}
    return TrainingSequences(codes, np.arange(len(codes)), TOKENS, **options)


def test_an_epoch_shows_every_sequence_at_most_once_and_all_but_a_batch():
    data = training(sequences())
    for epoch in range(3):
        shown = [data.place(i) for i in range(68 * epoch, 68 * (epoch + 1))]
        assert len(set(shown)) == 68
    assert [data.place(i) for i in range(68)] != [data.place(i + 68) for i in range(68)]


def test_sample_is_a_function_of_its_number():
    one, other = (training(sequences(), masked=0.2, both_strands=True) for _ in range(2))
    numbers = [150, 3, 77, 3]
    first = [one[i]["views"][0].tolist() for i in numbers]
    assert [other[i]["views"][0].tolist() for i in reversed(numbers)] == first[::-1]


def test_batches_hold_sequences_of_similar_length():
    data = training(sequences(640), batch_size=16)
    lengths = [[len(data.codes[data.place(i)]) for i in range(start, start + 16)] for start in range(0, 640, 16)]
    assert np.mean([max(batch) / np.mean(batch) for batch in lengths]) < 1.15  # unsorted: about 1.8


def test_training_reads_both_strands_only_where_told():
    codes = sequences(8)

    def shown(data):
        return {(data.place(i), tuple(data[i]["views"][0])) for i in range(400)}

    forward = {(i, tuple(TOKENS.encode(c))) for i, c in enumerate(codes)}
    backward = {(i, tuple(TOKENS.encode(reverse_complement(c)))) for i, c in enumerate(codes)}
    assert shown(training(codes)) == forward
    assert shown(training(codes, both_strands=True)) == forward | backward


def test_masked_share_of_the_bases_is_unknown():
    codes = [np.zeros(3000, np.uint8)]
    tokens = training(codes, batch_size=1, masked=0.1)[0]["views"][0]
    assert (tokens == UNK_ID).mean() == pytest.approx(1 - 0.9**3, abs=0.03)
    assert codes[0].max() == 0


def test_views_stand_side_by_side_with_padding_behind():
    codes = [encode_bases("ACGTA"), encode_bases("GG")]
    items = EvaluationSequences(codes, np.array([1, 0]), TOKENS, both_strands=True)
    batch = collate_views([items[0], items[1]], n_global_tokens=1)
    assert batch["labels"].tolist() == [1, 0]
    rows = [TOKENS.encode(c).tolist() for c in (codes[0], reverse_complement(codes[0]), codes[1], encode_bases("CC"))]
    assert batch["token_ids"].tolist() == [[CLS_ID, *row, *[PAD_ID] * (5 - len(row))] for row in rows]
    assert torch.equal(batch["valid_mask"], batch["token_ids"] != PAD_ID)
    assert batch["global_mask"].sum(dim=1).tolist() == [1, 1, 1, 1] and batch["global_mask"][:, 0].all()


def test_too_few_sequences_for_a_batch_are_refused():
    with pytest.raises(ValueError, match="3 sequences do not fill a batch of 4"):
        training(sequences(3))


def test_weights_say_how_often_sequences_are_drawn():
    data = training(sequences(8), weights=np.array([1.0, 1, 1, 1, 2, 2, 4, 4]))
    epochs = [[data.place(i) for i in range(8 * epoch, 8 * epoch + 8)] for epoch in range(200)]
    counts = np.array([np.bincount(epoch, minlength=8) for epoch in epochs])
    assert counts.mean(axis=0) == pytest.approx(np.array([1, 1, 1, 1, 2, 2, 4, 4]) / 2, abs=0.12)
    assert (counts[:, 4:6] == 1).all() and (counts[:, 6:] == 2).all() and counts[:, :4].max() == 1
    again = training(sequences(8), weights=np.array([1.0, 1, 1, 1, 2, 2, 4, 4]))
    assert [again.place(i) for i in range(800, 808)] == epochs[100]
