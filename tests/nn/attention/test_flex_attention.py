"""FlexAttention: its mask and blocks, checked on the CPU, where it computes the dense equivalent."""

import pytest
import torch

from genoformer.nn.attention.backends import windowed_attention
from genoformer.nn.attention.flex import BLOCK, bucket, flex_window_attention, window_block_mask
from genoformer.nn.attention.longformer import LongformerSelfAttention
from genoformer.nn.attention.masks import Window, token_roles, window_mask
from genoformer.nn.layers.positions import rotary_angles
from genoformer.nn.layers.refusals import BackendError


def make_case(T: int, globals_: str, padding: bool, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    states = [torch.randn(2, 2, T, 16, generator=generator, dtype=torch.float64).to(dtype) for _ in range(3)]
    valid = torch.arange(T)[None] < torch.tensor([[T], [(T + 1) // 2 if padding else T]])
    is_global = torch.zeros(2, T, dtype=torch.bool)
    if globals_ == "some":
        is_global[0, 0] = is_global[0, T // 3] = is_global[1, T // 4] = True
    elif globals_ == "all":
        is_global[:] = True
    return states, {"valid_mask": valid, "global_mask": is_global}


pytestmark = pytest.mark.filterwarnings("ignore:flex_attention called without")


@pytest.mark.parametrize("padding", [False, True])
@pytest.mark.parametrize("globals_", ["none", "some", "all"])
@pytest.mark.parametrize("T", [1, 5, 11, 127, 128, 129, 300])
def test_flex_equals_reference(T, globals_, padding):
    states, masks = make_case(T, globals_, padding)
    rotary = rotary_angles(T, 16, dtype=torch.float64)
    for dilations in ((1,), (1, 3)):
        settings = {"window_radius": 5, "dilation": dilations, "rotary": rotary, **masks}
        exact = windowed_attention(*states, backend="reference", **settings)
        with torch.no_grad():
            found = flex_window_attention(
                torch.stack(states), token_roles(**masks), Window(5, dilations), rotary=rotary, is_compiled=False
            )
        torch.testing.assert_close(found, exact, atol=1e-10, rtol=0)


def to_pairs(mask, numbers, indices) -> torch.Tensor:
    """Pairs of tokens in the listed blocks, bool [B, T, T]."""
    B, _, n = numbers.shape
    blocks = torch.zeros(B, n, n, dtype=torch.bool)
    for b in range(B):
        for row in range(n):
            blocks[b, row, indices[b, 0, row, : numbers[b, 0, row]].long()] = True
    return blocks.repeat_interleave(BLOCK, 1).repeat_interleave(BLOCK, 2)


def seen_pairs(mask, H: int, T: int) -> torch.Tensor:
    B = mask.kv_num_blocks.shape[0]
    grid = [torch.arange(n) for n in (B, H, T, T)]
    return mask.mask_mod(*torch.meshgrid(*grid, indexing="ij"))


@pytest.mark.parametrize(("radius", "dilations"), [(1, (1,)), (128, (1,)), (300, (1,)), (5000, (1,)), (40, (1, 3))])
@pytest.mark.parametrize("padding", [False, True])
def test_blocks_hold_every_pair_and_full_blocks_hold_nothing_else(radius, dilations, padding):
    T = 6 * BLOCK
    keys = torch.ones(2, T, dtype=torch.bool)
    if padding:
        keys[0, 400:], keys[1, 3] = False, False
    mask = window_block_mask(radius, dilations, keys)
    seen = seen_pairs(mask, len(dilations), T)
    near = torch.stack([window_mask(T, window_radius=radius, dilation=step) for step in dilations])
    assert torch.equal(seen, near[None] & keys[:, None, None])
    partial = to_pairs(mask, mask.kv_num_blocks, mask.kv_indices)
    full = to_pairs(mask, mask.full_kv_num_blocks, mask.full_kv_indices)
    assert not (partial & full).any()
    assert not (seen.any(1) & ~(partial | full)).any()
    assert not (full[:, None] & ~seen).any()


@pytest.mark.parametrize("padding", [False, True])
def test_blocks_of_queries_are_the_transpose_of_those_of_keys(padding):
    keys = torch.ones(2, 6 * BLOCK, dtype=torch.bool)
    keys[1, 500:] = not padding
    mask = window_block_mask(300, (1,), keys)
    for numbers, indices, query_numbers, query_indices in (
        (mask.kv_num_blocks, mask.kv_indices, mask.q_num_blocks, mask.q_indices),
        (mask.full_kv_num_blocks, mask.full_kv_indices, mask.full_q_num_blocks, mask.full_q_indices),
    ):
        of_keys = to_pairs(mask, numbers, indices)
        assert torch.equal(to_pairs(mask, query_numbers, query_indices).transpose(1, 2), of_keys)


def test_inner_blocks_of_a_wide_window_are_full():
    mask = window_block_mask(2 * BLOCK, (1,), torch.ones(1, 8 * BLOCK, dtype=torch.bool))
    assert mask.full_kv_num_blocks[0, 0].tolist() == [2, 3, 3, 3, 3, 3, 3, 2]
    assert mask.kv_num_blocks[0, 0].tolist() == [1, 1, 2, 2, 2, 2, 1, 1]


def test_block_mask_of_a_million_tokens_is_small():
    mask = window_block_mask(256, (1,), torch.ones(1, 2**20, dtype=torch.bool))
    assert mask.kv_indices.numel() + mask.full_kv_indices.numel() <= 2 * 5 * 2**20 // BLOCK


def test_block_mask_serves_all_layers_of_a_batch():
    states, masks = make_case(200, "some", True)
    roles = token_roles(**masks)
    with torch.no_grad():
        for _ in range(2):
            flex_window_attention(torch.stack(states), roles, Window(9), is_compiled=False)
    assert len(roles.memory) == 1


def test_lengths_fall_into_few_buckets():
    buckets = {bucket(n) for n in range(2**16, 2**17)}
    assert len(buckets) == 9 and all(size % BLOCK == 0 for size in buckets)
    assert all(n <= bucket(n) <= max(n * 1.125 + 1, n + BLOCK - 1) for n in (1, 128, 129, 1000, 5000, 2**16 + 1))


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_flex_on_a_cpu_is_refused_in_one_sentence(dropout):
    states, _ = make_case(20, "none", False, torch.float32)
    with pytest.raises(BackendError, match=r"flex needs an NVIDIA GPU .*found cpu"):
        windowed_attention(*states, window_radius=3, backend="flex", dropout=dropout)


@pytest.mark.slow
def test_auto_on_a_cpu_never_takes_flex():
    layer = LongformerSelfAttention(32, 2, window_radius=3)
    assert layer(torch.randn(1, 500, 32)).shape == (1, 500, 32)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("globals_", ["none", "some"])
@pytest.mark.parametrize("dilations", [(1,), (1, 3)])
def test_compiled_flex_equals_reference_on_a_gpu(globals_, dilations):
    states, masks = make_case(700, globals_, True, torch.float32)
    weight = torch.linspace(-1, 1, states[0].numel()).view(states[0].shape)
    results = []
    for device, backend in (("cpu", "reference"), ("cuda", "flex")):
        leaves = [state.to(device).requires_grad_() for state in states]
        on_device = {name: mask.to(device) for name, mask in masks.items()}
        output = windowed_attention(*leaves, window_radius=40, dilation=dilations, backend=backend, **on_device)
        gradients = torch.autograd.grad((output * weight.to(device)).sum(), leaves)
        results.append([tensor.detach().cpu() for tensor in (output, *gradients)])
    for found, exact in zip(*reversed(results), strict=True):
        torch.testing.assert_close(found, exact, atol=5e-3, rtol=0)  # tensor cores round float32 to 10 bits
