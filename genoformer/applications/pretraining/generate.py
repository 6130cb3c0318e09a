"""New sequence from a causal language model: one token after the other, drawn from what it expects next."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from genoformer.bundle.folder import Bundle, model_device
from genoformer.errors import UsageError
from genoformer.inference.bundle_parts import check_task
from genoformer.sequence.alphabet import N_CODE
from genoformer.sequence.records import Record
from genoformer.stream import refusals_explained
from genoformer.tasks import clm

N_BASES = len(clm.channels)


@dataclass(frozen=True)
class Drawing:
    """How bases are drawn.

    Attributes:
        seed: Sequence ``i`` is a function of the seed and ``i``.
        temperature: Divides the logits: below 1 likely bases become likelier.
        top_k: Only so many of the likeliest bases may be drawn, 1 to 4; 1 always takes the likeliest.

    Raises:
        UsageError: If a number is out of range.
    """

    seed: int = 0
    temperature: float = 1.0
    top_k: int = N_BASES

    def __post_init__(self) -> None:
        if self.seed < 0 or not 0 < self.temperature < float("inf") or not 1 <= self.top_k <= N_BASES:
            raise UsageError(
                "GENERATE-001", f"expected a seed of at least 0, a temperature above 0 and top-k from 1 to {N_BASES}, "
                f"found {self.seed}, {self.temperature} and {self.top_k}.", where="--seed, --temperature, --top-k",
            )  # fmt: skip

    def draw(self, logits: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Base codes of the next token, uint8 [k], from float logits [k, 4]."""
        scores = logits.astype(np.float64) / self.temperature
        lowest = np.sort(scores, axis=1)[:, -self.top_k, None]
        shares = np.exp(np.where(scores >= lowest, scores - scores.max(axis=1, keepdims=True), -np.inf)).cumsum(axis=1)
        drawn = generator.random((len(scores), 1)) * shares[:, -1:]
        return (shares <= drawn).sum(axis=1).clip(max=N_BASES - 1).astype(np.uint8)


def generate(
    bundle: Bundle, *, n_sequences: int, length_bp: int, drawing: Drawing, prompt: np.ndarray | None = None
) -> Iterator[Record]:
    """New sequences, one after the other.

    Args:
        bundle: Of the task clm.
        n_sequences: How many.
        length_bp: Bases of each, those of the prompt among them.
        drawing: How bases are drawn.
        prompt: Base codes that each sequence begins with, uint8; whole tokens.

    Raises:
        DataError: If the bundle is of another task.
        UsageError: If there is nothing to generate, the prompt is longer, or does not end with a token.
    """
    check_task(bundle, clm.name)
    prompt = np.empty(0, np.uint8) if prompt is None else prompt
    k = bundle.config.k
    if n_sequences < 1 or length_bp < 1:
        raise UsageError("GENERATE-002", f"{n_sequences} sequences of {length_bp} bp are none.", where="--length-bp")
    if len(prompt) % k or len(prompt) > length_bp or (prompt >= N_CODE).any():
        raise UsageError(
            "GENERATE-003", f"expected a prompt of A, C, G and T, in whole tokens of {k} bp and no longer than "
            f"{length_bp} bp, found {len(prompt)} bp.", where="--prompt",
        )  # fmt: skip
    for number in range(n_sequences):
        generator = np.random.Generator(np.random.Philox(key=[drawing.seed, number]))
        codes = list(prompt)
        with torch.inference_mode(), refusals_explained():
            reader = _reader_of(bundle)
            logits = reader.read(bundle.tokenizer.encode(np.concatenate((np.full(k, N_CODE, np.uint8), prompt))))
            while len(codes) < length_bp:
                token = drawing.draw(logits, generator)
                codes += token.tolist()
                if len(codes) < length_bp:
                    logits = reader.read(bundle.tokenizer.encode(token))
        yield Record(f"generated_{number + 1}", np.array(codes[:length_bp], np.uint8))


class WholeReader:
    """Reads all tokens anew with each that is added, as far back as layers see.

    Args:
        bundle: The model.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.network: Any = bundle.model
        self.device, self.k, config = model_device(bundle.model), bundle.config.k, bundle.model.encoder.config
        # Learned positions count from the beginning.
        self.reach = None if config.positions == "learned" else config.receptive_field_tokens
        self.tokens: list[int] = []

    def read(self, token_ids: np.ndarray) -> np.ndarray:
        """Logits [k, 4] behind all tokens so far and these."""
        self.tokens += token_ids.tolist()
        if self.reach is not None:
            self.tokens = self.tokens[-self.reach - 1 :]
        return _last(self.network(torch.tensor([self.tokens], device=self.device)), self.k)


class CarryingReader:
    """Reads the tokens of the segment at hand anew with each that is added, behind what was kept of those before.

    Args:
        bundle: The model; its layers hand something on.
        segment: Tokens of a segment.
    """

    def __init__(self, bundle: Bundle, segment: int) -> None:
        self.network: Any = bundle.model
        self.device, self.k, self.segment, self.kept = model_device(bundle.model), bundle.config.k, segment, None
        self.tokens: list[int] = []

    def read(self, token_ids: np.ndarray) -> np.ndarray:
        """Logits [k, 4] behind all tokens so far and these."""
        self.tokens += token_ids.tolist()
        while True:
            own = torch.tensor([self.tokens[: self.segment]], device=self.device)
            logits, kept = self.network.read_stretch(own, kept=self.kept)
            if len(self.tokens) >= self.segment:
                self.kept, self.tokens = kept, self.tokens[self.segment :]
            if not self.tokens or own.shape[1] < self.segment:
                return _last(logits, self.k)


def _reader_of(bundle: Bundle) -> WholeReader | CarryingReader:
    carried = bundle.model.encoder.config.carried
    return WholeReader(bundle) if carried is None else CarryingReader(bundle, carried.segment)


def _last(logits: torch.Tensor, k: int) -> np.ndarray:
    """Of the bases behind the last token, [k, 4]."""
    return logits[0, -k:].float().cpu().numpy()
