"""Full attention: every token sees all, so that cost grows with the square of the length."""

from dataclasses import dataclass
from typing import ClassVar

from genoformer.nn.attention.backends import check_backend
from genoformer.nn.attention.interface import EncoderShape
from genoformer.nn.attention.longformer import LongformerSelfAttention, check_causal, check_no_globals
from genoformer.nn.layers.checks import check_share


@dataclass(frozen=True)
class FullConfig:
    """Settings of full attention.

    Args:
        dropout: Share of the attention weights that is dropped in training.
        backend: How attention is computed, see ``backends.BACKENDS``; "auto" chooses by length.
        causal: A token sees none behind itself. Without global tokens.

    Raises:
        ValueError: If a value is out of range; the sentence names it.
    """

    name: ClassVar[str] = "full"
    free: ClassVar[tuple[str, ...]] = ("backend", "causal")

    dropout: float = 0.0
    backend: str = "auto"
    causal: bool = False

    def __post_init__(self) -> None:
        check_share("dropout of attention", self.dropout)
        check_causal(self.causal)
        check_backend(self.backend, self.dropout, self.causal)

    def check(self, encoder: EncoderShape) -> None:
        """Goes with any encoder; ValueError if it is causal and there are global tokens."""
        check_no_globals(self.causal, encoder)

    def reaches(self, n_layers: int) -> tuple[int | None, ...]:
        """Everything, in each layer."""
        return (None,) * n_layers


def build_full(config: FullConfig, encoder: EncoderShape, layer: int) -> LongformerSelfAttention:
    """A window as wide as the input; global tokens have their own projections, as in the Longformer."""
    return LongformerSelfAttention(
        encoder.d_model, encoder.n_heads, window_radius=None, has_global=encoder.n_global_tokens > 0,
        dropout=config.dropout, backend=config.backend, is_causal=config.causal,
    )  # fmt: skip
