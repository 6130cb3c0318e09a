"""Who may attend to whom, written out by hand."""

import pytest
import torch

from genoformer.nn.attention.masks import attention_mask, global_slots, masked_score, token_roles, window_mask


def rows(mask: torch.Tensor) -> list[str]:
    return ["".join("x" if allowed else "." for allowed in row) for row in mask.tolist()]


def test_radius_one_sees_one_token_on_each_side():
    assert rows(window_mask(5, window_radius=1)) == ["xx...", "xxx..", ".xxx.", "..xxx", "...xx"]


def test_dilation_two_skips_every_other_token():
    assert rows(window_mask(6, window_radius=1, dilation=2)) == [
        "x.x...",
        ".x.x..",
        "x.x.x.",
        ".x.x.x",
        "..x.x.",
        "...x.x",
    ]


def test_global_token_leaves_the_window_and_padding_sees_nothing():
    valid = torch.tensor([[True, True, True, True, False]])
    is_global = torch.tensor([[True, False, False, False, True]])
    window, through_global = attention_mask(valid, is_global, window_radius=1)
    assert rows(window[0, 0]) == [".....", ".xx..", ".xxx.", "..xx.", "....."]
    assert rows(through_global[0, 0]) == ["xxxx.", "x....", "x....", "x....", "....."]


def test_no_pair_is_counted_twice():
    generator = torch.Generator().manual_seed(0)
    valid, is_global = torch.rand(2, 8, 30, generator=generator) > 0.3
    window, through_global = attention_mask(valid, is_global, window_radius=4, dilation=2)
    assert not (window & through_global).any()


def test_slots_hold_the_global_positions_of_each_sample():
    is_global = torch.tensor([[True, False, False, True], [False, False, False, False], [False, True, False, False]])
    positions, is_slot = global_slots(is_global)
    assert positions.tolist() == [[0, 3], [0, 0], [1, 0]]
    assert is_slot.tolist() == [[True, True], [False, False], [True, False]]


def test_masks_that_say_nothing_become_none():
    roles = token_roles(torch.ones(2, 3, dtype=torch.bool), torch.zeros(2, 3, dtype=torch.bool))
    assert roles.valid_mask is None and roles.global_mask is None


def test_global_padding_is_padding():
    roles = token_roles(torch.tensor([[True, False]]), torch.tensor([[False, True]]))
    assert roles.global_mask is None


def test_two_masked_scores_add_up_to_a_finite_number():
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        score = torch.tensor(masked_score(dtype), dtype=dtype)
        assert torch.isfinite(score + score)


def test_slots_are_there_with_global_tokens_alone():
    positions, is_slot = token_roles(None, torch.tensor([[False, True, False]])).slots
    assert positions.tolist() == [[1]] and is_slot.tolist() == [[True]]
    with pytest.raises(ValueError, match="no token is global"):
        token_roles(None, None).slots  # noqa: B018
