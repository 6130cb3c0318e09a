"""Records through a model whose layers remember: tile after tile along the strand that is read, wherever it begins."""

import numpy as np
import pytest
import torch

from genoformer.applications.pretraining.caller import HiddenStates
from genoformer.errors import UsageError
from genoformer.nn.attention.transformer_xl import TransformerXLConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import build_model
from genoformer.sequence.alphabet import reverse_complement
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.stream import TilePlan, record_logits, strand_logits, warm_up_tiles

TOKENIZER = KmerTokenizer(k=3, stride=3)


def make_network(causal=True, **settings):
    attention = TransformerXLConfig(segment=4, memory=6, causal=causal)
    config = EncoderConfig(
        vocab_size=69, d_model=16, n_heads=2, n_layers=2, d_ff=32, stride=3, positions="none", attention=attention,
        **{"conv_width": 5, "base_embedding": True, "amino_acid_words": 2} | settings,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_model(config, n_channels=5).eval()
        for layer in network.encoder.attentions():
            torch.nn.init.normal_(layer.content_bias)
            torch.nn.init.normal_(layer.position_bias)
        if network.encoder.word_embedding is not None:
            torch.nn.init.normal_(network.encoder.word_embedding.table.weight)
    return network.requires_grad_(False)


NETWORK = make_network()


def random_codes(length):
    return np.random.default_rng(length).integers(0, 4, length, dtype=np.uint8)


def direct(network, strand):
    """The whole strand in one call."""
    tokens = torch.from_numpy(TOKENIZER.encode(strand).astype(np.int64))[None]
    base_codes = torch.from_numpy(TOKENIZER.owned_bases(strand))[None]
    return network(tokens, base_codes=base_codes)[0, : len(strand)].numpy()


@pytest.mark.parametrize("length", [1, 12, 13, 200, 301])
@pytest.mark.parametrize("tile_bp", [12, 24, 48])
@pytest.mark.parametrize("causal", [True, False])
def test_tiles_with_memory_give_the_outputs_of_the_whole(length, tile_bp, causal):
    network, codes = make_network(causal), random_codes(length)
    pieces = list(record_logits(network, TOKENIZER, codes, TilePlan(tile_bp, 30)))
    assert [p[0] for p in pieces] == [0, *(p[1] for p in pieces[:-1])] and pieces[-1][1] == length
    found = np.concatenate([p[2] for p in pieces], axis=1)
    expected = np.stack((direct(network, codes), direct(network, reverse_complement(codes))[::-1]))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("span", [(0, 12), (700, 701), (1000, 1300), (1295, 1301), (0, 1301)])
def test_a_part_of_a_strand_has_the_bits_of_the_whole(span, backwards):
    codes, plan = random_codes(1301), TilePlan(12, 0)
    whole = np.concatenate([piece for _, _, piece in strand_logits(NETWORK, TOKENIZER, codes, plan)])
    pieces = list(strand_logits(NETWORK, TOKENIZER, codes, plan, backwards=backwards, span=span))
    pieces = pieces[::-1] if backwards else pieces
    assert (pieces[0][0], pieces[-1][1]) == span
    assert np.array_equal(np.concatenate([piece for *_, piece in pieces]), whole[span[0] : span[1]])


def test_warming_up_covers_the_memories_of_all_layers_and_no_less_would_do():
    config = NETWORK.encoder.config
    assert [warm_up_tiles(config, TilePlan(tile_bp, 0)) for tile_bp in (12, 24, 1200)] == [4, 2, 2]
    codes = random_codes(300)
    changed = codes.copy()
    changed[12 * 10 - 1] ^= 1  # the last base in front of tile 10
    tiles = [
        np.concatenate([piece for *_, piece in strand_logits(NETWORK, TOKENIZER, one, TilePlan(12, 0))])
        for one in (codes, changed)
    ]
    differs = np.abs(tiles[0] - tiles[1]).max(axis=1).nonzero()[0]
    assert differs.max() // 12 == 9 + warm_up_tiles(config, TilePlan(12, 0))


def test_reverse_complement_mirrors_the_outputs():
    codes, plan = random_codes(500), TilePlan(12, 0)
    turned = reverse_complement(codes)
    one, other = (
        np.concatenate([piece for *_, piece in record_logits(NETWORK, TOKENIZER, strand, plan)], axis=1)
        for strand in (codes, turned)
    )
    assert np.array_equal(one, other[::-1, ::-1])


def test_hidden_states_are_read_along_as_well():
    codes = random_codes(100)
    states = [piece for *_, piece in strand_logits(HiddenStates(NETWORK), TOKENIZER, codes, TilePlan(12, 0))]
    tokens = torch.from_numpy(TOKENIZER.encode(codes).astype(np.int64))[None]
    owned = torch.from_numpy(TOKENIZER.owned_bases(codes))[None]
    expected = NETWORK.encoder(tokens, base_codes=owned)[0].repeat_interleave(3, dim=0)[:100]
    np.testing.assert_allclose(np.concatenate(states), expected, atol=1e-5)


def test_tiles_that_hold_no_whole_segments_are_refused():
    with pytest.raises(UsageError, match=r"MODEL-025.*tile of 18 bp holds no whole segments of 4 tokens, 12 bp"):
        list(strand_logits(NETWORK, TOKENIZER, random_codes(50), TilePlan(18, 0)))
