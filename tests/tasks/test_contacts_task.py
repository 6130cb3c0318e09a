"""The task of contacts: loss and precision by hand, and planted covariation that must be found."""

import math

import numpy as np
import pytest
import torch

from genoformer.batches.structures import collate_structures
from genoformer.metrics.pairs import contact_precision, mean_contact_precision
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.networks import build_network
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.structures.contacts import CONTACT, UNKNOWN
from genoformer.structures.planted import plant_contacts
from genoformer.tasks.contacts import USUAL_LOG_ODDS, build

TASK = build((), {"channels": 8, "rank": 8, "n_convolutions": 0})


def test_loss_counts_known_pairs_that_are_far_apart():
    labels = torch.zeros(1, 8, 8, dtype=torch.int8)
    labels[0, 0, 6] = CONTACT
    labels[0, 1, 7] = UNKNOWN
    assert float(TASK.loss_weight(labels)) == 2  # (0, 6) and (0, 7)
    assert float(TASK.loss(torch.zeros(1, 8, 8), labels)) == pytest.approx(math.log(2))
    assert float(TASK.loss(torch.zeros(1, 8, 8), torch.full((1, 8, 8), UNKNOWN, dtype=torch.int8))) == 0


def test_precision_of_the_best_pairs_by_hand():
    labels = np.zeros((20, 20), np.int8)
    scores = np.zeros((20, 20))
    for rank, (i, j, is_contact) in enumerate([(0, 6, 1), (1, 8, 0), (0, 13, 1), (2, 16, 1), (3, 5, 1)]):
        labels[i, j] = labels[j, i] = is_contact
        scores[i, j] = scores[j, i] = 10 - rank
    labels[4, 19] = UNKNOWN
    scores[4, 19] = 99
    found = contact_precision(scores, labels)
    assert found["all L/5"] == 0.75 and found["all L/2"] == 0.3 and found["short L/5"] == 0.25
    assert found["medium L/5"] == 0.5 and "long L" not in found
    assert mean_contact_precision([found, {"all L/5": 0.25}])["all L/5"] == 0.5


def test_scores_do_not_see_padding():
    chain = plant_contacts(1, n_codons=30, n_contacts=4)[0]
    labels = torch.from_numpy(np.pad(chain.labels, (0, 10), constant_values=UNKNOWN))[None]
    scores = TASK.build_scores()
    scores.update(labels.float(), labels)
    assert scores.compute()["all_L/5"] == pytest.approx(4 / 6)  # four contacts among the six best


def test_before_training_a_contact_is_as_rare_as_usual():
    torch.manual_seed(0)
    model = build_network(EncoderConfig(vocab_size=69, d_model=8, n_heads=2, n_layers=1), TASK.head, 1)
    logits = model(torch.randint(5, 69, (1, 30)))
    torch.testing.assert_close(torch.triu(logits, 1), torch.triu(torch.full_like(logits, USUAL_LOG_ODDS), 1))


def test_planted_covariation_is_recovered():
    """Codons that belong together are learned from 300 chains, and found in 30 others."""
    tokenizer = KmerTokenizer(k=3, stride=3)
    chains = plant_contacts(330, n_codons=40, n_contacts=6)
    items = [{"token_ids": tokenizer.encode(chain.codes), "labels": chain.labels} for chain in chains]
    torch.manual_seed(0)
    encoder = EncoderConfig(
        vocab_size=69,
        d_model=32,
        n_heads=2,
        n_layers=1,
        d_ff=32,
        conv_width=0,
        attention=LongformerConfig(window_radius=4),
    )
    model = build_network(encoder, TASK.head, 1)
    optimizer, rng = torch.optim.AdamW(model.parameters(), lr=5e-3), np.random.default_rng(0)
    for _ in range(200):
        batch = collate_structures([items[i] for i in rng.choice(300, 16, replace=False)], ignored=UNKNOWN)
        labels = batch.pop("labels")
        optimizer.zero_grad()
        TASK.loss(model(**batch), labels).backward()
        optimizer.step()
    batch = collate_structures(items[300:], ignored=UNKNOWN)
    labels = batch.pop("labels")
    with torch.inference_mode():
        scores = model.eval()(**batch)
    hits = []
    for found, wanted in zip(scores, labels, strict=True):
        i, j = np.triu_indices(40, 6)
        best = np.argsort(-found[i, j].numpy())[: int((wanted[i, j] == CONTACT).sum())]
        hits.append((wanted[i, j].numpy()[best] == CONTACT).mean())
    assert np.mean(hits) >= 0.9


@pytest.mark.parametrize("options", [{"width": 2}, {"rank": 0}, {"max_bp": 0}, {"head_dropout": 1}, {"colour": 1}])
def test_bad_settings_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        build((), options)
