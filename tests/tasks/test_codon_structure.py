"""The task of secondary structure: loss and scores by hand, samples in frame."""

import math

import numpy as np
import pytest
import torch

from genoformer.annotation.genetic_code import translate
from genoformer.applications.codon_structure.data import CodonSamples
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.kmers import UNK_ID, KmerTokenizer
from genoformer.tasks.codon_structure import IGNORED, build, encode_states

TASK = build(("C", "E", "H"), {})


def test_loss_is_the_mean_over_known_codons():
    logits = torch.zeros(1, 3, 3)
    logits[0, 1, 2] = math.log(2)
    labels = torch.tensor([[0, 2, IGNORED]], dtype=torch.int8)
    assert float(TASK.loss(logits, labels)) == pytest.approx((math.log(3) + math.log(2)) / 2)
    assert float(TASK.loss_weight(labels)) == 2
    assert float(TASK.loss(logits, torch.full((1, 3), IGNORED, dtype=torch.int8))) == 0


def test_scores_leave_out_what_is_unknown():
    scores = TASK.build_scores()
    scores.update(torch.eye(3)[None], torch.tensor([[0, 2, IGNORED]], dtype=torch.int8))
    assert scores.compute()["accuracy"] == 0.5


def test_states_as_numbers():
    assert encode_states("HE-C", ("C", "E", "H")).tolist() == [2, 1, IGNORED, 0]
    with pytest.raises(ValueError, match="'X' at position 2"):
        encode_states("HX", ("C", "E", "H"))


def test_crops_stay_in_frame_and_synonyms_keep_the_protein():
    rng = np.random.default_rng(0)
    codes = encode_bases("".join("GCTTGTGATGAATTTGGTCATATTAAACTT" for _ in range(4)))
    states = np.arange(40, dtype=np.int8) % 3
    drawn = {"synonymous": 0.9, "substituted": 0.0, "genetic_code": 1}
    tokenizer = KmerTokenizer(k=3, stride=3)
    seen = []
    samples = CodonSamples([codes], [states], _Remembering(tokenizer, seen), 12, 0.0, drawn)
    for _ in range(10):
        item = samples(0, rng)
        protein = translate(seen[-1], 1)
        starts = [s for s in range(29) if translate(codes, 1)[s : s + 12] == protein]
        assert any((states[s : s + 12] == item["labels"]).all() for s in starts)
        assert len(item["token_ids"]) == 12


def test_masked_codons_are_unknown():
    samples = CodonSamples(
        [encode_bases("GCT" * 200)], [np.zeros(200, np.int8)], KmerTokenizer(k=3, stride=3), 200, 0.3
    )
    hidden = (samples(0, np.random.default_rng(0))["token_ids"] == UNK_ID).mean()
    assert 0.2 < hidden < 0.4
    assert not (samples(0, None)["token_ids"] == UNK_ID).any()


@pytest.mark.parametrize("options", [{"max_bp": 2}, {"label_smoothing": 1}, {"colour": 1}])
def test_bad_settings_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        build(("C", "H"), options)


class _Remembering:
    """A tokenizer that keeps what it was given."""

    def __init__(self, tokenizer, seen):
        self.tokenizer, self.seen = tokenizer, seen

    def encode(self, codes):
        self.seen.append(codes)
        return self.tokenizer.encode(codes)
