"""Embeddings are the states of the encoder called on the whole record, whatever the tiles."""

import numpy as np
import pytest
import torch

from genoformer.bundle.folder import Bundle, network_of
from genoformer.bundle.header import BundleConfig
from genoformer.embeddings.embedder import Embedder, Strands
from genoformer.embeddings.request import Embedding
from genoformer.embeddings.windows import Windows
from genoformer.errors import UsageError
from genoformer.inference.interface import Speed
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.attention.transformer_xl import TransformerXLConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.hidden_states import first_layers
from genoformer.sequence.alphabet import reverse_complement
from genoformer.sequence.records import Record

LAYERS = 3
TOLERANCE = 1e-6
"""The network computes in float64 here; what it gives is stored in float32."""
HEADS = {"base": ({"name": "base"}, ["x"]), "sequence": ({"name": "sequence", "pooling": "mean"}, ["x"])}


def bundle_of(k=3, stride=3, head="base", tile_bp=60, options=None, **settings):
    encoder = EncoderConfig(
        vocab_size=5 + 4**k, d_model=16, n_heads=2, n_layers=LAYERS, d_ff=16, conv_width=3, stride=stride,
        **{"attention": LongformerConfig(window_radius=4, backend="blocked"), **settings},
    )  # fmt: skip
    settings_of_head, labels = HEADS[head]
    config = BundleConfig(
        task="any", head=settings_of_head, encoder=encoder.to_dict(), k=k, stride=stride, tile_bp=tile_bp,
        context_bp=0, labels=labels, options=options or {},
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = network_of(config).double().eval()
    return Bundle("tiny", config, model, {}, "digest")


def random_codes(length, unknown=0.05):
    rng = np.random.default_rng(length)
    codes = rng.integers(0, 4, length, dtype=np.uint8)
    codes[rng.random(length) < unknown] = 4
    return codes


def direct(bundle, codes, layer):
    """States of every base, from one call of the encoder."""
    encoder, tokenizer = bundle.model.encoder, bundle.tokenizer
    tokens = torch.from_numpy(tokenizer.encode(codes).astype(np.int64))[None]
    bases = torch.from_numpy(tokenizer.owned_bases(codes))[None] if encoder.config.base_embedding else None
    with torch.no_grad():
        hidden = first_layers(encoder, layer)(tokens, base_codes=bases)[0]
    return hidden.repeat_interleave(encoder.config.stride, dim=0)[: len(codes)].numpy()


def both(bundle, codes, layer, strand):
    forward = direct(bundle, codes, layer)
    reverse = direct(bundle, reverse_complement(codes), layer)[::-1]
    return {"forward": forward, "reverse": reverse, "average": (forward + reverse) / 2}[strand]


def embed(bundle, codes, asked, batch_size=2):
    return next(Embedder.from_bundle(bundle, Speed(batch_size), asked).embeddings(lambda: [Record("r", codes)])).rows


@pytest.mark.parametrize("strand", ["forward", "reverse", "average"])
@pytest.mark.parametrize("layer", [0, 1, LAYERS, None])
@pytest.mark.parametrize(("k", "stride"), [(3, 3), (4, 2), (3, 1)])
def test_bases_are_the_states_of_the_whole_record(k, stride, layer, strand):
    bundle, codes = bundle_of(k, stride), random_codes(1000)
    rows = embed(bundle, codes, Embedding(Windows("base"), layer, strand))
    expected = both(bundle, codes, LAYERS if layer is None else layer, strand)
    np.testing.assert_allclose(rows.values, expected, atol=TOLERANCE)
    assert rows.values.dtype == np.float32 and rows.known_bp.tolist() == (codes < 4).tolist()


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize(("window", "step"), [(100, 100), (90, 40), (7, 1), (5_000, 100)])
def test_windows_are_means_over_the_known_bases_of_the_whole_record_also_at_its_ends(window, step, batch_size):
    bundle, codes = bundle_of(), random_codes(3001)
    rows = embed(bundle, codes, Embedding(Windows("window", window, step), None, "average"), batch_size)
    states, known = both(bundle, codes, LAYERS, "average"), codes < 4
    assert rows.starts[0] == 0 and rows.ends[-1] == 3001
    for start, end, n, values in zip(rows.starts, rows.ends, rows.known_bp, rows.values, strict=True):
        np.testing.assert_allclose(values, states[start:end][known[start:end]].mean(axis=0), atol=TOLERANCE)
        assert n == known[start:end].sum()


@pytest.mark.parametrize("settings", [{"base_embedding": True}, {"amino_acids": True, "amino_acid_words": 3}])
def test_what_embeddings_look_at_is_there_in_every_tile(settings):
    bundle, codes = bundle_of(**settings), random_codes(700)
    rows = embed(bundle, codes, Embedding(Windows("base")))
    np.testing.assert_allclose(rows.values, direct(bundle, codes, LAYERS), atol=TOLERANCE)


@pytest.mark.parametrize("layer", [1, LAYERS])
def test_a_memory_is_carried_from_tile_to_tile(layer):
    attention = TransformerXLConfig(segment=10, memory=10)
    bundle, codes = bundle_of(attention=attention, positions="none", tile_bp=60), random_codes(700)
    rows = embed(bundle, codes, Embedding(Windows("window", 50, 50), layer))
    states, known = direct(bundle, codes, layer), codes < 4
    for start, end, values in zip(rows.starts, rows.ends, rows.values, strict=True):
        np.testing.assert_allclose(values, states[start:end][known[start:end]].mean(axis=0), atol=TOLERANCE)


@pytest.mark.parametrize("length", [1, 2, 59, 60, 61, 400])
def test_a_record_is_the_mean_of_its_known_bases(length):
    bundle, codes = bundle_of(), random_codes(length, unknown=0.0)
    rows = embed(bundle, codes, Embedding())
    assert rows.values.shape == (1, 16) and rows.ends.tolist() == [length]
    np.testing.assert_allclose(rows.values[0], direct(bundle, codes, LAYERS).mean(axis=0), atol=TOLERANCE)


def test_a_record_of_a_function_model_is_what_its_head_reads():
    bundle, codes = bundle_of(k=3, stride=1, head="sequence", options={"max_bp": 300}), random_codes(250, unknown=0.0)
    values = torch.from_numpy(embed(bundle, codes, Embedding()).values).double()
    tokens = torch.from_numpy(bundle.tokenizer.encode(codes).astype(np.int64))[None]
    with torch.no_grad():
        np.testing.assert_allclose(bundle.model.head.projection(values), bundle.model(tokens), atol=TOLERANCE)


def test_rows_without_a_known_base_are_zero_and_bases_keep_their_state():
    bundle, codes = bundle_of(), np.full(90, 4, np.uint8)
    assert not embed(bundle, codes, Embedding()).values.any()
    assert embed(bundle, codes, Embedding(Windows("base"))).values.any()


@pytest.mark.parametrize("settings", [{"n_global_tokens": 1}, {"positions": "learned", "max_tokens": 40}])
def test_models_whose_states_depend_on_the_tile_are_read_tile_by_tile(settings):
    rows = embed(bundle_of(**settings), random_codes(1000), Embedding(Windows("window", 100, 100)))
    assert rows.values.shape == (10, 16) and np.isfinite(rows.values).all()


def test_tiles_are_whole_tokens_whatever_the_configuration_says():
    bundle, codes = bundle_of(k=5, stride=5, tile_bp=64), random_codes(333)
    np.testing.assert_allclose(
        embed(bundle, codes, Embedding(Windows("base"))).values, direct(bundle, codes, LAYERS), atol=TOLERANCE
    )


def test_half_precision_has_eleven_bits():
    bundle, codes = bundle_of(), random_codes(300)
    whole, half = (embed(bundle, codes, Embedding(dtype=dtype)).values for dtype in ("float32", "float16"))
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, whole, rtol=2**-11, atol=1e-7)  # float16 rounds to 11 bits


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match=r"EMBED-001.*0 .* to 3 .*found 4"):
        Embedder.from_bundle(bundle_of(), asked=Embedding(layer=4))


def test_blocks_follow_each_other_and_hold_some_tiles():
    embedder = Embedder.from_bundle(bundle_of(), asked=Embedding(Windows("base")))
    blocks = list(embedder.blocks(2_000))
    assert blocks[0] == (0, 480) and blocks[-1][1] == 2_000
    assert [end for _, end in blocks[:-1]] == [start for start, _ in blocks[1:]]
    strands = Strands(random_codes(2_000))
    whole, part = embedder.rows(strands, 0, 960), embedder.rows(strands, 480, 960)
    np.testing.assert_array_equal(whole.values[480:], part.values)
