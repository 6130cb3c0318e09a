"""Whole networks by the name of their head."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import GenomeModel, build_model, build_token_model
from genoformer.nn.pair_head import PairModel, build_pair_model

Network = GenomeModel | PairModel
BuildNetwork = Callable[..., Network]
"""From encoder, number of outputs and initial logits, with the settings of the head by name, to a network."""


def _base(encoder: EncoderConfig, n_outputs: int, initial_logits: Sequence[float] | None) -> GenomeModel:
    return build_model(encoder, n_outputs, initial_logits)


def _token(encoder: EncoderConfig, n_outputs: int, initial_logits: Sequence[float] | None) -> GenomeModel:
    return build_token_model(encoder, n_outputs)


def _sequence(
    encoder: EncoderConfig, n_outputs: int, initial_logits: Sequence[float] | None, *, pooling: str = "mean",
    dropout: float = 0.0,
) -> GenomeModel:  # fmt: skip
    return build_model(encoder, n_outputs, pooling=pooling, head_dropout=dropout)


def _pair(encoder: EncoderConfig, n_outputs: int, initial_logits: Sequence[float] | None, **settings: Any) -> PairModel:
    return build_pair_model(encoder, **settings)


HEADS: dict[str, BuildNetwork] = {"base": _base, "token": _token, "sequence": _sequence, "pair": _pair}
"""Outputs per base, per token, per sequence, or per pair of tokens."""


def build_network(
    encoder: EncoderConfig, head: Mapping[str, Any], n_outputs: int, initial_logits: Sequence[float] | None = None
) -> Network:
    """A network with random weights; seed torch before.

    Args:
        encoder: The architecture.
        head: "name", a key of ``HEADS``, and the settings of that head.
        n_outputs: Outputs per base, token or sequence, C.
        initial_logits: What outputs per base are about before training, C numbers; see ``heads.BaseHead``.

    Raises:
        ValueError: If the head is unknown, or a setting makes no network.
        TypeError: If a setting is unknown.
    """
    settings = dict(head)
    name = settings.pop("name", None)
    if name not in HEADS:
        raise ValueError(f"the head must be one of {', '.join(HEADS)}, not {name!r}.")
    return HEADS[name](encoder, n_outputs, initial_logits, **settings)
