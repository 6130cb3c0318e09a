"""The task of base pairs: what is a label, what is a loss, and that it can be learned."""

import math

import numpy as np
import pytest
import torch

from genoformer.batches.pair_samples import UNKNOWN, PairSamples, choose_crop, crop_partners, mutate, pair_features
from genoformer.batches.structures import collate_structures
from genoformer.decoding.base_pairs import pair_kinds
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.structures.dot_bracket import pairs_of, parse_dot_bracket
from genoformer.tasks.rna_pairs import IMPOSSIBLE, NOT, PAIR, build, pair_labels, pair_probabilities

TASK = build((), {})
HAIRPIN, STRUCTURE = encode_bases("GCAAAAGC"), "((....))"


def labels(structure=STRUCTURE):
    return torch.from_numpy(pair_labels(HAIRPIN, parse_dot_bracket(structure)))[None]


def test_labels_by_hand():
    found = pair_labels(HAIRPIN, parse_dot_bracket(STRUCTURE))
    assert found[0].tolist() == [NOT, IMPOSSIBLE, *[IMPOSSIBLE] * 5, PAIR]
    assert found[1].tolist() == [IMPOSSIBLE, NOT, *[IMPOSSIBLE] * 4, PAIR, IMPOSSIBLE]
    assert found.diagonal().tolist() == [NOT, NOT, PAIR, PAIR, PAIR, PAIR, NOT, NOT]


def test_pair_that_cannot_be_leaves_its_bases_unknown():
    found = pair_labels(encode_bases("AAAAAA"), parse_dot_bracket("(....)"))
    assert (found == PAIR).sum(axis=1).tolist() == [0, 1, 1, 1, 1, 0]


def test_loss_of_equal_logits_is_the_logarithm_of_the_choices():
    # bases 0, 1, 6 and 7 can pair with one other base or none; the four A with none
    assert float(TASK.loss(torch.zeros(1, 8, 8), labels())) == pytest.approx(4 * math.log(2) / 8)
    assert float(TASK.loss_weight(labels())) == 8


def test_padding_does_not_count():
    padded = torch.full((1, 11, 11), IMPOSSIBLE, dtype=torch.int8)
    padded[:, :8, :8] = labels()
    logits = torch.randn(1, 11, 11)
    torch.testing.assert_close(TASK.loss(logits, padded), TASK.loss(logits[:, :8, :8], labels()))
    assert not pair_probabilities(logits, padded)[0, 8:].any()


def test_probabilities_are_symmetric_and_never_of_impossible_pairs():
    logits = torch.randn(1, 8, 8)
    found = pair_probabilities(logits, labels())
    torch.testing.assert_close(found, found.transpose(1, 2))
    assert not found[labels() != torch.tensor(PAIR)][labels()[labels() != PAIR] == IMPOSSIBLE].any()
    assert float(found.sum(dim=2).max()) <= 1 + 1e-6 and not found.diagonal(dim1=1, dim2=2).any()


def test_crop_keeps_inner_pairs_and_forgets_those_that_leave():
    partners = parse_dot_bracket("(..((...))..)")
    assert crop_partners(partners, 3, 12).tolist() == [6, 5, -1, -1, -1, 1, 0, -1, -1]
    assert crop_partners(partners, 0, 5).tolist() == [UNKNOWN, -1, -1, UNKNOWN, UNKNOWN]
    rng = np.random.default_rng(0)
    for _ in range(20):
        start, end = choose_crop(partners, 9, rng)
        assert end - start == 9 and 0 <= start and end <= 13
        assert (crop_partners(partners, start, end) >= 0).any()
    assert choose_crop(partners, 20, rng) == (0, 13)


def test_mutation_keeps_pairs_possible_and_the_input_as_it_is():
    rng, partners = np.random.default_rng(1), parse_dot_bracket("((((....))))" * 20)
    codes = encode_bases("GCAUAAAAAUGC" * 20)
    before = codes.copy()
    changed = mutate(codes, partners, 1.0, rng)
    assert (codes == before).all() and (changed != before).mean() > 0.3
    i, j = pairs_of(partners).T
    assert (pair_kinds(changed)[i, j] >= 0).all()
    assert (mutate(codes, partners, 0.0, rng) == before).all()


def test_features_say_the_kind_of_pair():
    features = pair_features(HAIRPIN)
    assert features.shape == (3, 8, 8) and features[0, 0, 7] == 1 and features.sum() == 4


@pytest.mark.parametrize("options", [{"prior": "mfold"}, {"width": 4}, {"channels": 0}, {"colour": 1}])
def test_bad_settings_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        build((), options)


def test_hairpins_are_learned():
    """Eight random hairpins with a stem of six: their pairs are found after a few steps."""
    from genoformer.nn.config import EncoderConfig
    from genoformer.nn.networks import build_network

    rng, tokenizer = np.random.default_rng(2), KmerTokenizer(k=1, stride=1)
    structure = parse_dot_bracket("((((((....))))))....")
    codes = [mutate(encode_bases("GCGCGCAAAAGCGCGCAAAA"), structure, 1.0, rng) for _ in range(8)]
    samples = PairSamples(codes, [structure] * 8, tokenizer)
    batch = collate_structures([samples(i, None) for i in range(8)], ignored=IMPOSSIBLE)
    torch.manual_seed(0)
    encoder = EncoderConfig(vocab_size=tokenizer.vocab_size, d_model=16, n_heads=2, n_layers=1, d_ff=16)
    model = build_network(encoder, {**TASK.head, "channels": 8, "n_convolutions": 2}, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    targets = batch.pop("labels")
    for _ in range(40):
        optimizer.zero_grad()
        loss = TASK.loss(model(**batch), targets)
        loss.backward()
        optimizer.step()
    scores = TASK.build_scores()
    scores.update(model(**batch).detach(), targets)
    assert loss.item() < 0.1 and scores.compute()["f1"] > 0.95
