"""What attention over segments with a memory and relative positions is: the four terms written out, dense and slow.

The fast path in ``relative`` is tested against this module and does not import it.
"""

import torch
from torch import Tensor


def sinusoids(distances: Tensor, d_model: int) -> Tensor:
    """Sines and cosines of distances, [n] to [n, D]: sines in front, cosines behind, as in the paper's code.

    Reference:
        Vaswani et al. 2017, section 3.5: frequencies ``10000 ** (-2 i / D)``.
    """
    half = torch.arange(0, d_model, 2, dtype=distances.dtype, device=distances.device)
    angles = distances[:, None] * 10000.0 ** (-half / d_model)
    return torch.cat((angles.sin(), angles.cos()), dim=1)[:, :d_model]


def four_terms(query: Tensor, key: Tensor, position_key: Tensor, content_bias: Tensor, position_bias: Tensor) -> Tensor:
    """Scores of every pair, [B, H, T, K], not scaled.

    Args:
        query: [B, H, T, d].
        key: [B, H, K, d].
        position_key: Projected sinusoid of the distance of every pair, [H, T, K, d].
        content_bias: u, [H, d].
        position_bias: v, [H, d].

    Reference:
        Dai et al. 2019, arXiv:1901.02860, section 3.3: terms (a) to (d).
    """
    content_by_content = torch.einsum("bhid,bhjd->bhij", query, key)
    content_by_position = torch.einsum("bhid,hijd->bhij", query, position_key)
    any_by_content = torch.einsum("hd,bhjd->bhj", content_bias, key)[:, :, None]
    any_by_position = torch.einsum("hd,hijd->hij", position_bias, position_key)[None]
    return content_by_content + content_by_position + any_by_content + any_by_position


def reference_segment(
    segment: Tensor, memory: Tensor, weight: Tensor, bias: Tensor, position_weight: Tensor, content_bias: Tensor,
    position_bias: Tensor, key_mask: Tensor, *, is_causal: bool,
) -> Tensor:  # fmt: skip
    """Attention of one segment to itself and to its memory.

    Args:
        segment: Hidden states [B, S, D].
        memory: Hidden states [B, m, D] in front of it; no gradient goes through them.
        weight: Of query, key and value, [3 D, D].
        bias: [3 D].
        position_weight: Of the sinusoids, [D, D].
        content_bias: u, [H, d].
        position_bias: v, [H, d].
        key_mask: bool [B, m + S], False = never attended to.
        is_causal: A token sees none behind itself.

    Returns:
        [B, S, D]; a row that may attend to nothing is zero.
    """
    n_heads, (S, D), m = len(content_bias), segment.shape[1:], memory.shape[1]
    extended = torch.cat((memory.detach(), segment), dim=1)
    query = _by_heads(segment @ weight[:D].T + bias[:D], n_heads)
    key = _by_heads(extended @ weight[D : 2 * D].T + bias[D : 2 * D], n_heads)
    value = _by_heads(extended @ weight[2 * D :].T + bias[2 * D :], n_heads)
    place = torch.arange(m + S, device=segment.device)
    distances = place[m:, None] - place[None, :]
    position_key = sinusoids(distances.flatten().to(segment.dtype), D) @ position_weight.T
    position_key = position_key.view(S, m + S, n_heads, -1).permute(2, 0, 1, 3)
    scores = four_terms(query, key, position_key, content_bias, position_bias) / (D // n_heads) ** 0.5
    allowed = key_mask[:, None, None] & (
        (distances >= 0) if is_causal else torch.ones_like(distances, dtype=torch.bool)
    )
    scores = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1).masked_fill(~allowed, 0.0)
    return (weights @ value).transpose(1, 2).flatten(2)


def reference_segments(
    hidden: Tensor, before: Tensor, *weights: Tensor, key_mask: Tensor, segment: int, memory: int, is_causal: bool
) -> Tensor:
    """Attention of a stretch [B, T, D], segment by segment; ``before`` [B, m, D] stands in front of it.

    Args:
        hidden: Of the stretch.
        before: Kept of the stretches before.
        weights: The five that ``reference_segment`` takes, from ``weight`` to ``position_bias``.
        key_mask: bool [B, m + T].
        segment: Tokens of a segment.
        memory: Most tokens in front of a segment that it sees.
        is_causal: A token sees none behind itself.
    """
    weight, bias, position_weight, content_bias, position_bias = weights
    m, outputs = before.shape[1], []
    whole = torch.cat((before, hidden), dim=1)
    for begin in range(m, whole.shape[1], segment):
        low, end = max(0, begin - memory), min(whole.shape[1], begin + segment)
        own = reference_segment(
            whole[:, begin:end], whole[:, low:begin], weight, bias, position_weight, content_bias, position_bias,
            key_mask[:, low:end], is_causal=is_causal,
        )  # fmt: skip
        outputs.append(own)
    return torch.cat(outputs, dim=1)


def _by_heads(states: Tensor, n_heads: int) -> Tensor:
    """[B, n, D] to [B, H, n, d]."""
    return states.unflatten(-1, (n_heads, -1)).transpose(1, 2)
