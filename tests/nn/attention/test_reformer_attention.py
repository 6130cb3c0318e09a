"""Attention by buckets: by hand, equal to its dense definition, and the same whatever stands beside a sequence."""

import ast
import dataclasses
import math
from pathlib import Path

import pytest
import torch

import genoformer.nn.attention
from genoformer.nn.attention.masks import token_roles
from genoformer.nn.attention.reformer import build_reformer
from genoformer.nn.attention.reformer_buckets import (
    TOGETHER,
    Spacing,
    bucket_factors,
    draw_rotations,
    find_buckets,
    order_tokens,
)
from genoformer.nn.attention.reformer_chunks import Sight, chunked_attention
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.attention.reformer_fused import fused_chunked_attention, fused_order
from genoformer.nn.attention.reformer_reference import reference_attention
from genoformer.nn.config import EncoderConfig
from genoformer.nn.layers.positions import rotary_angles

WAYS = {"tensors": chunked_attention, "fused": fused_chunked_attention}


def make_states(B=2, H=2, T=40, d=4, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(B, H, T, d, generator=generator, dtype=torch.float64).to(dtype) for _ in range(3)]


def make_encoder_config(d_model=16, n_heads=2, n_layers=1, positions="none", **attention) -> EncoderConfig:
    return EncoderConfig(
        vocab_size=69, d_model=d_model, n_heads=n_heads, n_layers=n_layers, positions=positions,
        attention=ReformerConfig(**attention),
    )  # fmt: skip


def make_attention(layer=0, seed=0, **settings):
    torch.manual_seed(seed)
    config = make_encoder_config(**settings)
    return build_reformer(config.attention, config, layer).double().eval()


@pytest.mark.parametrize("attend", WAYS.values(), ids=WAYS)
def test_four_tokens_by_hand(attend):
    zero = torch.zeros(1, 1, 4, 1, dtype=torch.float64)
    value = torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=torch.float64).view(1, 1, 4, 1)
    order = torch.tensor([[[[0, 2, 1, 3]]]], dtype=torch.int32)  # two chunks: tokens 0 and 2, tokens 1 and 3
    by_hand = {
        # before, after, causal: equal weights of the tokens in sight, oneself only where there is nothing else
        (0, 0, False): [4, 8, 1, 2],
        (1, 0, False): [4, (1 + 4 + 8) / 3, 1, (1 + 4 + 2) / 3],
        (1, 1, False): [(2 + 4 + 8) / 3, (1 + 4 + 8) / 3, (1 + 2 + 8) / 3, (1 + 2 + 4) / 3],
        (1, 0, True): [1, 1, 1, (1 + 2 + 4) / 3],
    }
    for (before, after, is_causal), expected in by_hand.items():
        sight = Sight(2, before, after, is_causal=is_causal, sees_itself=False)
        found = attend(zero, zero, value, order, sight).flatten()
        torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), atol=1e-12, rtol=0)


@pytest.mark.parametrize("attend", WAYS.values(), ids=WAYS)
def test_two_rounds_count_a_token_that_both_bring_twice(attend):
    zero = torch.zeros(1, 1, 4, 1, dtype=torch.float64)
    value = torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=torch.float64).view(1, 1, 4, 1)
    order = torch.tensor([[[[0, 1, 2, 3], [0, 2, 1, 3]]]], dtype=torch.int32)
    found = attend(zero, zero, value, order, Sight(2, 1, 0, is_causal=False, sees_itself=False)).flatten()
    # The second chunk of a round has three keys in sight, the first one has one.
    by_hand = [(2 + 4) / 2, (1 + 1 + 4 + 8) / 4, (1 + 2 + 8 + 1) / 4, (1 + 2 + 4 + 1 + 2 + 4) / 6]
    torch.testing.assert_close(found, torch.tensor(by_hand, dtype=torch.float64), atol=1e-12, rtol=0)


def test_buckets_and_order_by_hand():
    directions = torch.eye(2, dtype=torch.float64).view(1, 2, 1, 2)
    states = torch.tensor([[3.0, 1.0], [-1.0, 9.0], [-5.0, 1.0], [1.0, 2.0], [0.0, -1.0]], dtype=torch.float64)
    buckets = find_buckets(states.view(1, 1, 5, 2), directions, (4,))
    assert buckets.flatten().tolist() == [0, 1, 2, 1, 3]  # +x, +y, -x, +y, -y
    assert order_tokens(buckets, None, 6).flatten().tolist() == [0, 1, 3, 2, 4, -1]
    valid = torch.tensor([[True, False, True, True, True]])
    assert order_tokens(buckets, valid, 6).flatten().tolist() == [0, 3, 2, 4, -1, -1]
    apart = order_tokens(buckets, None, 14, Spacing(align=2, between=2))
    assert apart.flatten().tolist() == [0, -1, -1, -1, 1, 3, -1, -1, 2, -1, -1, -1, 4, -1]
    two = find_buckets(states.view(1, 1, 5, 2), torch.cat((directions, directions.flip(1)), dim=3)[..., :3], (4, 2))
    assert two.flatten().tolist() == [0, 1, 2 + 0, 1, 3 + 4]  # the second factor looks at y alone


@pytest.mark.parametrize("factors", [(2,), (8,), (4, 16)])
@pytest.mark.parametrize("T", [1, 63, 64, 65, 200])
def test_hashing_in_one_pass_equals_plain_tensors(T, factors):
    states = make_states(T=T, d=6)[0]
    rotations = draw_rotations(1, n_heads=2, d_head=6, n_rounds=3, factors=factors, dtype=torch.float64)
    for valid in (None, torch.arange(T)[None] < torch.tensor([[T], [(T + 1) // 2]])):
        exact = order_tokens(find_buckets(states, rotations, factors), valid, T + 3)
        assert torch.equal(fused_order(states, rotations, factors, valid, T + 3), exact)
        for spacing in (Spacing(4, 0), Spacing(8, 16)):
            n_slots = spacing.n_slots(T, math.prod(factors))
            exact = order_tokens(find_buckets(states, rotations, factors), valid, n_slots, spacing)
            assert torch.equal(fused_order(states, rotations, factors, valid, n_slots, spacing), exact)
            assert sorted(exact[0, 0, 0].tolist())[-T:] == list(range(T))


def test_there_are_twice_as_many_buckets_as_chunks():
    assert [bucket_factors(n, 64) for n in (1, 64, 128, 16 * 64, 64 * 64)] == [(2,), (2,), (4,), (32,), (128,)]
    assert bucket_factors(16_384, 64) == (16, 32) and bucket_factors(131_072, 64) == (64, 64)


def random_order(B, H, T, n_rounds, chunk_tokens, valid=None, seed=0, spacing=TOGETHER):
    buckets = torch.randint(0, 5, (B, H, n_rounds, T), generator=torch.Generator().manual_seed(seed))
    n_slots = -(-T // chunk_tokens) * chunk_tokens if spacing == TOGETHER else spacing.n_slots(T, 5)
    return buckets, order_tokens(buckets, valid, n_slots, spacing)


def values_and_gradients(call, states):
    states = [state.detach().requires_grad_() for state in states]
    output = call(*states)
    weight = torch.linspace(-1, 1, output.numel(), dtype=torch.float64).view(output.shape)
    return output.detach(), *torch.autograd.grad((output * weight).sum(), states)


def assert_equals_reference(
    attend, T, tolerance, dtype=torch.float64, padding=False, causal=False, n_rounds=2, d=4, apart=False
):
    c, before, after, valid = 8, 1, 0 if causal else 1, None
    if padding:
        valid = torch.arange(T)[None] < torch.tensor([[T], [(T + 1) // 2]])
        valid[0, T // 3] = T < 3  # also in the middle
    buckets, order = random_order(2, 2, T, n_rounds, c, valid, spacing=Spacing(c, c) if apart else TOGETHER)
    states = make_states(T=T, dtype=dtype, d=d)
    states[1] *= d**-0.5  # as keys are given
    sight = Sight(c, before, after, is_causal=causal, sees_itself=False)
    settings = {"chunk_tokens": c, "chunks_before": before, "chunks_after": after, "causal": causal}
    settings |= {"apart": apart}
    found = values_and_gradients(lambda *s: attend(*s, order, sight), states)
    exact = values_and_gradients(lambda *s: reference_attention(*s, buckets, valid_mask=valid, **settings), states)
    for mine, theirs in zip(found, exact, strict=True):
        torch.testing.assert_close(mine, theirs, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("attend", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("padding", [False, True])
@pytest.mark.parametrize("T", [1, 7, 8, 9, 16, 17, 65])
def test_chunks_equal_the_dense_definition_at_awkward_lengths(T, padding, causal, attend):
    assert_equals_reference(attend, T, 1e-10, padding=padding, causal=causal, n_rounds=1)
    assert_equals_reference(attend, T, 1e-10, padding=padding, causal=causal, n_rounds=3)


@pytest.mark.parametrize("attend", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("T", [1, 8, 17, 65, 150])
def test_buckets_with_chunks_of_their_own_equal_the_dense_definition(T, causal, attend):
    assert_equals_reference(attend, T, 1e-10, padding=T > 8, causal=causal, n_rounds=3, apart=True)
    assert_equals_reference(attend, T, 1e-5, dtype=torch.float32, padding=T > 8, causal=causal, apart=True, d=32)


@pytest.mark.parametrize("attend", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("causal", [False, True])
def test_chunks_equal_the_dense_definition_in_float32(causal, attend):
    assert_equals_reference(attend, 150, 1e-5, dtype=torch.float32, padding=True, causal=causal, d=32)


@pytest.mark.parametrize("sees_itself", [False, True])
@pytest.mark.parametrize(("is_ring", "is_causal"), [(True, False), (True, True), (False, True), (False, False)])
@pytest.mark.parametrize(("c", "before", "after"), [(8, 1, 1), (5, 0, 0), (16, 2, 0), (20, 0, 3)])
def test_the_fused_way_equals_plain_tensors_whatever_is_in_sight(c, before, after, is_ring, is_causal, sees_itself):
    valid = torch.arange(75)[None] < torch.tensor([[75], [33]])
    sight = Sight(c, before, after, is_causal=is_causal, sees_itself=sees_itself, is_ring=is_ring)
    _, order = random_order(2, 2, 75, 2, c, valid)
    states = make_states(T=75, d=6)
    for found_order in (order, order[:, :1]):
        found, exact = (values_and_gradients(lambda *s: way(*s, found_order, sight), states) for way in WAYS.values())  # noqa: B023
        for mine, theirs in zip(found, exact, strict=True):
            torch.testing.assert_close(mine, theirs, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("layers", ["lsh", "local"])
@pytest.mark.parametrize("positions", ["rotary", "none"])
def test_batch_and_padding_change_nothing(layers, positions):
    attention = make_attention(layers=layers, chunk_tokens=4, positions=positions)
    hidden = torch.randn(3, 37, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    lengths = [37, 21, 5]
    valid = torch.arange(37)[None] < torch.tensor(lengths)[:, None]

    def attend(rows, mask=None):
        angles = rotary_angles(rows.shape[1], 8, dtype=torch.float64) if positions == "rotary" else None
        return attention(rows, roles=token_roles(mask, None), rotary=angles)

    together = attend(hidden, valid)
    turned = attend(hidden.flip(0), valid.flip(0)).flip(0)
    torch.testing.assert_close(turned, together, atol=1e-12, rtol=0)
    for row, n in enumerate(lengths):
        torch.testing.assert_close(together[row, :n], attend(hidden[row : row + 1, :n])[0], atol=1e-12, rtol=0)
        assert (together[row, n:] == 0).all()


def test_layers_and_heads_hash_apart_and_the_global_generator_is_not_touched():
    hidden = torch.randn(1, 64, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    orders = []
    for layer in (0, 1):
        attention = make_attention(layer=layer, n_layers=2, chunk_tokens=4)
        with torch.no_grad():  # two heads with the same weights
            weight = attention.inputs["query_key"].weight
            weight[8:] = weight[:8]
        before = torch.get_rng_state()
        first, again = (attention.attend(hidden, roles=token_roles(None, None), rotary=None)[1] for _ in range(2))
        assert torch.equal(torch.get_rng_state(), before) and torch.equal(first, again)
        orders += [first[0, 0], first[0, 1]]
    for i in range(4):
        assert all(not torch.equal(orders[i], orders[j]) for j in range(i))
    seeds = [
        draw_rotations(seed, n_heads=1, d_head=2, n_rounds=1, factors=(2,), dtype=torch.float32) for seed in (0, 1)
    ]
    assert not torch.equal(*seeds)


@pytest.mark.parametrize("layers", ["lsh", "local"])
def test_no_gradient_comes_from_later_tokens_when_causal(layers):
    attention = make_attention(layers=layers, chunk_tokens=4, causal=True)
    hidden = torch.randn(1, 40, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64).requires_grad_()
    for at in (0, 17, 39):
        reached = torch.autograd.grad(attention(hidden)[0, at].square().sum(), hidden)[0][0].abs().amax(dim=-1) > 0
        assert reached[at] and not reached[at + 1 :].any()


@pytest.mark.parametrize("settings", [{}, {"n_rounds": 3, "chunks_before": 2}, {"layers": "local"}], ids=str)
def test_causal_outputs_depend_on_nothing_behind_them(settings):
    """Neither on other tokens there nor, where the buckets are as many, on whether there are any."""
    attention = make_attention(chunk_tokens=4, causal=True, n_buckets=8, **settings)
    hidden = torch.randn(1, 80, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    whole = attention(hidden)
    for n in (5, 17, 40, 79):
        other = hidden.clone()
        other[:, n:] = torch.randn(80 - n, 16, generator=torch.Generator().manual_seed(n), dtype=torch.float64)
        # Sums go over the chunks in sight in an order that follows from their numbers: the last bit may differ.
        torch.testing.assert_close(attention(other)[:, :n], whole[:, :n], atol=1e-14, rtol=0)
        torch.testing.assert_close(attention(hidden[:, :n]), whole[:, :n], atol=1e-12, rtol=0)


def test_as_transformers_sorts_by_later_tokens_and_says_so():
    attention = make_attention(chunk_tokens=4, causal=True, n_buckets=8, as_transformers=True)
    hidden = torch.randn(1, 80, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    other = hidden.clone()
    other[:, 40:] = -hidden[:, 40:]
    assert not torch.allclose(attention(other)[:, :40], attention(hidden)[:, :40])
    assert attention.config.sorts_ahead and not make_attention(causal=True).config.sorts_ahead


def test_what_is_alike_is_found_at_any_distance():
    attention = make_attention(d_model=64, chunk_tokens=8)
    hidden = torch.randn(1, 400, 64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    hidden[0, 390] = 1.01 * hidden[0, 5]
    hidden.requires_grad_()
    reached = torch.autograd.grad(attention(hidden)[0, 5].square().sum(), hidden)[0][0].abs().amax(dim=-1) > 0
    assert reached[390] and reached.sum() <= 2 * 2 * 3 * 8  # heads, rounds, chunks


def test_fully_padded_row_is_zero_and_has_zero_gradient():
    attention = make_attention(chunk_tokens=4)
    hidden = torch.randn(2, 19, 16, dtype=torch.float64).requires_grad_()
    output = attention(hidden, roles=token_roles(torch.tensor([[True] * 19, [False] * 19]), None))
    gradient = torch.autograd.grad(output.square().sum(), hidden)[0]
    assert (output[1] == 0).all() and (gradient[1] == 0).all() and torch.isfinite(gradient).all()


def test_bfloat16_is_near_float32():
    attention = make_attention(d_model=64, chunk_tokens=16).float()
    hidden = torch.randn(2, 90, 64, generator=torch.Generator().manual_seed(1))
    exact, order = attention.attend(hidden, roles=token_roles(None, None), rotary=None)
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = attention.attend(hidden, roles=token_roles(None, None), rotary=None, order=order)
    # Projections, weights and values are rounded by 2^-9 each, outputs are about 0.3.
    torch.testing.assert_close(found.float(), exact, atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"chunk_tokens": 0}, "chunk_tokens must be .* not 0"),
        ({"n_rounds": 0}, "n_rounds must be .* not 0"),
        ({"chunks_before": -1}, "not -1"),
        ({"layers": "lhs"}, "'lhs'"),
        ({"layers": ("lsh", "local")}, "layers names 2 layers, but n_layers is 1"),
        ({"n_buckets": 7}, "not 7"),
        ({"hash_seed": -2}, "not -2"),
        ({"hash_seed": 2**31}, "hash_seed must be at most"),
        ({"causal": 1}, "not 1"),
        ({"activation": "swish"}, "'swish'"),
        ({"axial_shape": (2, 2)}, "axial_shape and axial_widths"),
        ({"axial_shape": (2, 2), "axial_widths": (4, 4)}, "axial_shape needs positions learned"),
        ({"axial_shape": (2, 2), "axial_widths": (4, 4), "positions": "learned"}, "has not max_tokens 4096 places"),
        ({"axial_shape": (64, 64), "axial_widths": (4, 4), "positions": "learned"}, "not add up to d_model 16"),
        ({"d_head": 3, "positions": "rotary"}, "even d_head, not 3"),
    ],
)
def test_illegal_setting_is_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        make_encoder_config(**wrong)


@pytest.mark.parametrize(
    ("wrong", "said"), [({"n_global_tokens": 1}, "n_global_tokens must be 0"), ({"norm": "post"}, "norm must be pre")]
)
def test_what_belongs_to_others_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(make_encoder_config(), **wrong)
    with pytest.raises(ValueError, match="reformer has no setting dilation; it is a setting of longformer"):
        EncoderConfig.from_dict({"vocab_size": 69, "attention": {"name": "reformer", "dilation": 2}})


def test_fast_modules_do_not_import_the_reference():
    folder = Path(genoformer.nn.attention.__file__).parent
    for path in folder.rglob("*.py"):
        tree = ast.parse(path.read_text())
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert "genoformer.nn.attention.reformer_reference" not in imported
