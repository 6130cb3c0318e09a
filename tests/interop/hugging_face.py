"""What the tests of both directions share: tiny encoders, batches with padding, calls of the models of transformers."""

import torch

from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder

EXPORTABLE = EncoderConfig(
    vocab_size=69, d_model=16, n_heads=2, n_layers=2, d_ff=24, attention=LongformerConfig(window_radius=4),
    positions="learned", max_tokens=40, norm="post", conv_width=0, n_global_tokens=1,
)  # fmt: skip
LENGTHS = (37, 20, 1)
"""Tokens of the rows of a batch: the longest is no multiple of a window."""


def tiny_encoder(config: EncoderConfig) -> Encoder:
    """An encoder whose weights, norms and biases included, are all random."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        encoder = Encoder(config)
        with torch.no_grad():
            for tensor in encoder.parameters():
                tensor.add_(0.3 * torch.randn_like(tensor))
    return encoder.eval()


def randomise(model: torch.nn.Module) -> torch.nn.Module:
    """Add noise to all weights of a model of transformers, so that no bias is zero and no norm one."""
    generator = torch.Generator().manual_seed(6)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.add_(0.3 * torch.randn(tensor.shape, generator=generator))
    return model.eval()


def make_batch(*, n_global: int = 0, vocab_size: int = 69) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(token_ids, valid_mask, global_mask), each [3, 37], padded on the right with 0."""
    generator = torch.Generator().manual_seed(7)
    index = torch.arange(max(LENGTHS))[None]
    valid = index < torch.tensor(LENGTHS)[:, None]
    token_ids = torch.randint(1, vocab_size, valid.shape, generator=generator).masked_fill(~valid, 0)
    return token_ids, valid, (index < n_global) & valid


def their_hidden(model, token_ids, valid, is_global) -> torch.Tensor:
    """Hidden states of a ``LongformerModel``, [B, T, D]."""
    with torch.no_grad():
        return model(
            input_ids=token_ids, attention_mask=valid.long(), global_attention_mask=is_global.long()
        ).last_hidden_state


def our_hidden(encoder, token_ids, valid, is_global) -> torch.Tensor:
    """Hidden states of our encoder, [B, T, D]."""
    with torch.no_grad():
        return encoder(token_ids, valid_mask=valid, global_mask=is_global)


def assert_equal_hidden(found, expected, valid) -> None:
    """Real tokens agree to what is promised."""
    torch.testing.assert_close(found[valid], expected[valid], atol=1e-4, rtol=0)
