"""Shapes of a network that is not built are those of the one that is."""

import pytest
import torch

from genoformer.nn.attention import ATTENTIONS
from genoformer.nn.config import EncoderConfig
from genoformer.nn.networks import build_network
from genoformer.nn.shapes import weight_shapes

HEADS = ({"name": "base"}, {"name": "token"}, {"name": "sequence"}, {"name": "pair"})
SETTINGS = (
    {}, {"positions": "learned", "norm": "post"}, {"n_global_tokens": 1, "base_embedding": True, "stride": 3},
    {"vocab_size": 69, "stride": 3, "amino_acids": True, "amino_acid_words": 2},
)  # fmt: skip


def networks():
    for name in ATTENTIONS:
        for settings in SETTINGS:
            if name == "transformer_xl":
                settings = {**settings, "positions": "none"}  # it has its own
            if name not in ("longformer", "full") and settings.get("n_global_tokens"):
                continue  # they have none
            if name == "reformer" and settings.get("norm") == "post":
                continue  # reversible layers have no norm behind them
            yield from ((name, settings, head) for head in HEADS)


@pytest.mark.parametrize(("name", "settings", "head"), networks(), ids=str)
def test_they_are_those_of_the_network_and_no_random_number_is_drawn(name, settings, head):
    sizes = {"vocab_size": 69, "d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 32, **settings}
    encoder = EncoderConfig(**sizes, attention=ATTENTIONS[name].config())

    def build():
        return build_network(encoder, head, 5)

    before = torch.random.get_rng_state()
    found = weight_shapes(build)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert found == {key: tuple(tensor.shape) for key, tensor in build().state_dict().items()} != {}


def test_a_network_of_any_size_takes_no_memory():
    layer = {"weight": (2**20, 2**20), "bias": (2**20,)}
    assert weight_shapes(lambda: torch.nn.Linear(2**20, 2**20)) == layer
