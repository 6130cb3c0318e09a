"""The seam of attention: what an architecture gives, and all that the rest of the package asks of it.

An architecture is one file and one row in ``ATTENTIONS``. The file has a frozen dataclass of its settings
(``AttentionConfig``), a module (``Attention``), and a function that builds the one from the other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn

from genoformer.nn.attention.masks import TokenRoles
from genoformer.nn.layers.positions import Rotary

Kept = tuple[Tensor, ...]
"""What one layer takes from a stretch of a sequence to the next; empty where that is nothing."""


@dataclass(frozen=True)
class Carried:
    """What layers hand on from one stretch of a sequence to the next, of an architecture that does.

    Attributes:
        segment: Tokens of a segment; stretches hold whole ones.
        memory: Tokens in front of a segment that it sees outside of training.
    """

    segment: int
    memory: int


@dataclass(frozen=True)
class Reversible:
    """What the layers around the attention are, of an architecture whose layers are reversible.

    Attributes:
        activation: Of their feed-forward, "gelu" or "relu".
        n_streams: How many of their two streams leave the encoder: 1, the mean, or 2, side by side.
    """

    activation: str
    n_streams: int


class Attention(Protocol):
    """Attention of one layer, an ``nn.Module``: what stands between the norm and the residual sum of ``EncoderLayer``.

    Any length is legal, one token included. How a long input is handled is the architecture's own matter: in pieces, in
    segments, in chunks that it fills up itself. Random numbers come from torch's generator, so that the second forward
    pass of a checkpoint draws the same.
    """

    @property
    def reach_tokens(self) -> int | None:
        """Tokens on each side that the output of a token depends on, global ones aside.

        A caller may cut the input that far from a token without changing its output. None where there is no such
        number: every token counts, or the output depends on where the input begins.
        """

    def __call__(self, hidden: Tensor, *, roles: TokenRoles, rotary: Rotary | None, kept: Kept = ()) -> Tensor:
        """Hidden [B, T, D] to attention output [B, T, D], the output projection included.

        Args:
            hidden: [B, T, D].
            roles: Padding and global tokens.
            rotary: (cosines, sines), each [T, d_head / 2]; None = no turn. An architecture with positions of its own
                does not look at it, and refuses ``positions: rotary`` in ``AttentionConfig.check``.
            kept: What ``keep`` gave for the stretch before; empty for the first.
        """

    def keep(self, hidden: Tensor, *, roles: TokenRoles, kept: Kept) -> Kept:
        """What the next stretch is to be given, from the arguments of the call on this one.

        Copies without a gradient, not views: a view would hold the states of the whole stretch. The first dimension of
        every tensor is B.
        """

    def projections(self) -> dict[str, nn.Linear]:
        """Linear layers between hidden states and what attends, by name, always in the same order.

        Adapters change them; processes that share a sequence look for ``query_global``, ``key_global``,
        ``value_global`` and ``output``.
        """


class ReversibleAttention(Attention, Protocol):
    """Attention of a reversible layer: what it does to states it can do again, to the same bits."""

    def attend(
        self, hidden: Tensor, *, roles: TokenRoles, rotary: Rotary | None, order: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The output of the call, and what it chose; given again as ``order``, nothing is chosen anew."""


class EncoderShape(Protocol):
    """What attention may know of its encoder; ``EncoderConfig`` is one."""

    @property
    def d_model(self) -> int: ...
    @property
    def n_heads(self) -> int: ...
    @property
    def n_layers(self) -> int: ...
    @property
    def n_global_tokens(self) -> int: ...
    @property
    def positions(self) -> str: ...
    @property
    def norm(self) -> str: ...
    @property
    def max_tokens(self) -> int: ...


class AttentionConfig(Protocol):
    """Settings of one architecture: a frozen dataclass of plain JSON types that checks its own values when it is made.

    Attributes:
        name: Key in ``ATTENTIONS``.
        free: Fields that no weight depends on: they may differ from those that the weights were trained with.

    Where layers hand something on along a sequence it also has a property ``carried``, a ``Carried``: prediction then
    reads a strand from its 5′ end, stretch by stretch, and training reads crops that continue each other. Its module
    has ``begin_anew(kept, continues)``: what was kept, with nothing of the rows that jump.

    Other properties that settings may have; ``EncoderConfig`` has one of each name, and is what the rest asks:

    - ``reversible``, a ``Reversible``: layers have two streams and keep nothing for the backward pass; the module is a
      ``ReversibleAttention``;
    - ``d_head``: width of a head where it need not be ``d_model / n_heads``, or None;
    - ``axes``: shape and widths of a table of rows and one of columns that learned positions are, or None;
    - ``sorts_ahead``: which earlier tokens a token sees depends on later ones, whatever ``causal`` says.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    name: ClassVar[str]
    free: ClassVar[tuple[str, ...]]

    def check(self, encoder: EncoderShape) -> None:
        """Compare the settings with those of the encoder.

        Raises:
            ValueError: If they do not go together; the sentence names the field.
        """

    def reaches(self, n_layers: int) -> tuple[int | None, ...]:
        """``Attention.reach_tokens`` of each layer, before any is built."""


@dataclass(frozen=True)
class Architecture:
    """A row of ``ATTENTIONS``.

    Attributes:
        config: Class of its settings.
        build: Settings, encoder and number of the layer to the attention of that layer, with random weights.
    """

    config: type[Any]
    build: Callable[[Any, EncoderShape, int], Attention]
