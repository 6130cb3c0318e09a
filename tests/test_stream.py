"""Records through a model in pieces: the pieces are the whole, and the two strands are alike."""

import threading

import numpy as np
import pytest
import torch

from genoformer import stream
from genoformer.batches.collate import collate_crops
from genoformer.errors import UsageError
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import build_model
from genoformer.sequence.alphabet import encode_bases, reverse_complement
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.stream import (
    THREAD_BP,
    TilePlan,
    fitting_threads,
    mostly_unknown,
    record_logits,
    strand_logits,
    wrap_circular,
)

TOLERANCE = 1e-5


def tiny_model(k, stride, positions="rotary"):
    config = EncoderConfig(
        vocab_size=5 + 4**k, d_model=16, n_heads=2, n_layers=2, d_ff=32,
        attention=LongformerConfig(window_radius=3), conv_width=3, stride=stride, positions=positions,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_model(config, n_channels=5).eval()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return network, KmerTokenizer(k=k, stride=stride), config.receptive_field_tokens * stride


MODELS = {(k, stride): tiny_model(k, stride) for k, stride in ((3, 1), (3, 3), (4, 2))}


def random_codes(length, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, length, dtype=np.uint8)
    codes[rng.random(length) < 0.03] = 4
    return codes


def joined(network, tokenizer, codes, plan):
    pieces = list(record_logits(network, tokenizer, codes, plan))
    assert [p[0] for p in pieces] == [0, *(p[1] for p in pieces[:-1])] and pieces[-1][1] == len(codes)
    assert all(p[2].shape == (2, p[1] - p[0], 5) and p[2].dtype == np.float32 for p in pieces)
    return np.concatenate([p[2] for p in pieces], axis=1)


def direct(network, tokenizer, codes):
    """Both strands in one call of the network each."""
    rows = []
    for strand in (codes, reverse_complement(codes)):
        tokens = torch.from_numpy(tokenizer.encode(strand).astype(np.int64))[None]
        rows.append(network(tokens)[0, : len(codes)].numpy())
    return np.stack((rows[0], rows[1][::-1]))


@pytest.mark.parametrize("sizes", MODELS)
@pytest.mark.parametrize("length", [1, 2, 3, 7, 60, 301, 302])
def test_tiles_of_any_size_give_the_outputs_of_the_whole(sizes, length):
    network, tokenizer, field_bp = MODELS[sizes]
    codes = random_codes(length)
    whole = direct(network, tokenizer, codes)
    for tile_bp in (6, 30, 96, 600):
        found = joined(network, tokenizer, codes, TilePlan(tile_bp, field_bp))
        np.testing.assert_allclose(found, whole, atol=TOLERANCE)


def test_too_little_context_shows():
    network, tokenizer, field_bp = MODELS[3, 1]
    codes = random_codes(300)
    whole = direct(network, tokenizer, codes)
    assert np.abs(joined(network, tokenizer, codes, TilePlan(30, field_bp // 2)) - whole).max() > 10 * TOLERANCE


@pytest.mark.parametrize("sizes", MODELS)
def test_reverse_complement_mirrors_the_outputs(sizes):
    network, tokenizer, field_bp = MODELS[sizes]
    for length in (61, 62, 63, 301):
        codes, plan = random_codes(length, seed=length), TilePlan(48, field_bp)
        there = joined(network, tokenizer, reverse_complement(codes), plan)
        np.testing.assert_allclose(there[::-1, ::-1], joined(network, tokenizer, codes, plan), atol=TOLERANCE)


def test_mirroring_does_not_need_enough_context():
    network, tokenizer, _ = MODELS[4, 2]
    codes, plan = random_codes(205), TilePlan(40, 2)
    there = joined(network, tokenizer, reverse_complement(codes), plan)
    np.testing.assert_allclose(there[::-1, ::-1], joined(network, tokenizer, codes, plan), atol=TOLERANCE)


def test_batch_size_changes_nothing():
    network, tokenizer, field_bp = MODELS[3, 3]
    codes = random_codes(401)
    results = [joined(network, tokenizer, codes, TilePlan(30, field_bp, batch_size=n)) for n in (1, 2, 3, 50)]
    for other in results[1:]:
        np.testing.assert_allclose(other, results[0], atol=TOLERANCE)


def test_tiles_are_computed_while_those_before_are_looked_at():
    """Two threads have begun with what follows the first piece before it has been looked at, and give the same bits."""
    network, tokenizer, field_bp = MODELS[3, 3]
    codes, plan, called = random_codes(900), TilePlan(60, field_bp + -field_bp % 3, 2), threading.Semaphore(0)
    alone = joined(network, tokenizer, codes, plan)
    hook = network.register_forward_pre_hook(lambda *_: called.release())
    n_threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        pieces = record_logits(network, tokenizer, codes, plan)
        first = next(pieces)
        # Of both strands the first tile was needed, and one more of each is on its way.
        assert all(called.acquire(timeout=60) for _ in range(4))
        together = np.concatenate([first[2], *(piece[2] for piece in pieces)], axis=1)
    finally:
        torch.set_num_threads(n_threads)
        hook.remove()
    np.testing.assert_array_equal(together, alone)


def test_free_memory_goes_back_now_and_then(monkeypatch):
    network, tokenizer, field_bp = MODELS[3, 3]
    given, plan = [], TilePlan(60, field_bp + -field_bp % 3, 1)
    monkeypatch.setattr(stream, "give_back", lambda: given.append(None))
    monkeypatch.setattr(stream, "GIVE_BACK_BP", 150)
    joined(network, tokenizer, random_codes(900), plan)
    assert 4 <= len(given) <= 6


def test_the_same_call_twice_is_identical():
    network, tokenizer, field_bp = MODELS[3, 1]
    codes, plan = random_codes(200), TilePlan(48, field_bp)
    first, second = (joined(network, tokenizer, codes, plan) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_backwards_gives_the_same_tiles_last_first():
    network, tokenizer, field_bp = MODELS[4, 2]
    codes, plan = random_codes(151), TilePlan(20, field_bp)
    forwards = list(strand_logits(network, tokenizer, codes, plan))
    backwards = list(strand_logits(network, tokenizer, codes, plan, backwards=True))[::-1]
    assert [p[:2] for p in forwards] == [p[:2] for p in backwards]
    for one, two in zip(forwards, backwards, strict=True):
        np.testing.assert_allclose(one[2], two[2], atol=TOLERANCE)


def test_unknown_bases_alone_give_finite_outputs():
    network, tokenizer, field_bp = MODELS[3, 3]
    found = joined(network, tokenizer, np.full(100, 4, np.uint8), TilePlan(30, field_bp))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[0], found[1, ::-1][np.arange(100)], atol=TOLERANCE)


def test_empty_record_gives_nothing():
    network, tokenizer, field_bp = MODELS[3, 1]
    assert list(record_logits(network, tokenizer, np.empty(0, np.uint8), TilePlan(30, field_bp))) == []


def test_bfloat16_is_close_and_comes_back_as_float32():
    network, tokenizer, field_bp = MODELS[3, 1]
    codes = random_codes(90)
    low = joined(network, tokenizer, codes, TilePlan(48, field_bp, precision="bfloat16"))
    high = joined(network, tokenizer, codes, TilePlan(48, field_bp))
    assert 0 < np.abs(low - high).max() < 0.1


def test_stream_leaves_network_and_input_as_they_are():
    network, tokenizer, field_bp = MODELS[3, 1]
    codes = random_codes(50)
    before, weights = codes.copy(), {name: t.clone() for name, t in network.state_dict().items()}
    joined(network, tokenizer, codes, TilePlan(48, field_bp))
    np.testing.assert_array_equal(codes, before)
    assert all(torch.equal(t, weights[name]) for name, t in network.state_dict().items())
    assert not network.training and torch.is_grad_enabled()


@pytest.mark.parametrize(("margin", "expected"), [(0, "ACGTT"), (2, "TTACGTTAC"), (5, "ACGTT" * 3), (99, "ACGTT" * 3)])
def test_opened_circle_repeats_its_ends(margin, expected):
    np.testing.assert_array_equal(wrap_circular(encode_bases("ACGTT"), margin), encode_bases(expected))


@pytest.mark.parametrize(("n_bases", "expected"), [(0, 1), (THREAD_BP, 1), (THREAD_BP + 1, 2), (THREAD_BP * 9, 3)])
def test_a_short_input_is_computed_on_few_threads_and_leaves_no_mark(n_bases, expected):
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with fitting_threads(n_bases):
            assert torch.get_num_threads() == expected
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("text", "expected"), [("NNNN", True), ("NRYN", True), ("NNAN", False), ("", True)])
def test_record_without_known_bases_is_unknown(text, expected):
    assert mostly_unknown(encode_bases(text)) is expected


def model_with(backend="auto", **settings):
    config = EncoderConfig(
        vocab_size=5 + 4**3, d_model=16, n_heads=2, n_layers=1, d_ff=32, conv_width=3, stride=3,
        attention=LongformerConfig(window_radius=3, backend=backend), **settings,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_model(config, n_channels=5).eval(), KmerTokenizer(k=3, stride=3)


@pytest.mark.parametrize("settings", [{"n_global_tokens": 2}, {"base_embedding": True, "n_global_tokens": 1}], ids=str)
def test_tiles_are_fed_as_training_feeds_its_crops(settings):
    network, tokenizer = model_with(**settings)
    codes, G = random_codes(100), settings["n_global_tokens"]
    ((_, _, found),) = strand_logits(network, tokenizer, codes, TilePlan(300, 0))
    item = {
        "token_ids": torch.from_numpy(tokenizer.encode(codes).astype(np.int64)),
        "base_codes": torch.from_numpy(tokenizer.owned_bases(codes)),
        "labels": torch.zeros(len(codes), dtype=torch.uint8),
    }
    has_codes = settings.get("base_embedding", False)
    batch = collate_crops([item], stride=3, n_global_tokens=G, base_codes=has_codes)
    with torch.no_grad():
        expected = network(batch["token_ids"], batch["valid_mask"], batch["global_mask"], batch.get("base_codes"))
    assert len(found) == len(codes)
    np.testing.assert_allclose(found, expected[0, : len(codes)].numpy(), atol=TOLERANCE)


def test_base_codes_of_a_tile_are_its_own_bases():
    network, tokenizer = model_with(base_embedding=True)
    codes = random_codes(301)
    whole = np.concatenate([piece[2] for piece in strand_logits(network, tokenizer, codes, TilePlan(303, 0))])
    tiled = np.concatenate([piece[2] for piece in strand_logits(network, tokenizer, codes, TilePlan(60, 30))])
    np.testing.assert_allclose(tiled, whole, atol=TOLERANCE)


def test_tiles_beyond_learned_positions_are_refused_in_one_sentence():
    network, tokenizer = model_with(positions="learned", max_tokens=30, n_global_tokens=1)
    list(strand_logits(network, tokenizer, random_codes(50), TilePlan(27, 30)))
    with pytest.raises(UsageError, match="has 31 tokens, but learned positions end at max_tokens 30") as caught:
        list(strand_logits(network, tokenizer, random_codes(50), TilePlan(30, 30)))
    assert caught.value.exit_code == 2


def test_backend_that_cannot_run_here_names_the_setting():
    network, tokenizer = model_with(backend="flex")
    with pytest.raises(UsageError, match=r"encoder\.attention\.backend: .*flex needs an NVIDIA GPU") as caught:
        list(strand_logits(network, tokenizer, random_codes(50), TilePlan(30, 30)))
    assert caught.value.exit_code == 2
