"""Labels of whole sequences: one class of several, any number of terms, or a number.

A sequence may be read in several views (both strands): rows of logits that belong together stand side by side, and
their mean is what counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from genoformer.metrics.functions import multiclass_scores, multilabel_scores, regression_scores
from genoformer.metrics.label_outcomes import class_outcomes, term_outcomes
from genoformer.metrics.outcomes import Outcomes, number_outcomes
from genoformer.nn.heads import POOLINGS
from genoformer.tasks.implied_terms import closure_of, coherent_array, coherent_loss
from genoformer.tasks.options import read_options

name = "function"

KINDS = ("multiclass", "multilabel", "regression")
STRANDS = ("average", "forward")


@dataclass(frozen=True)
class FunctionOptions:
    """Settings of the task; plain JSON types.

    Attributes:
        kind: "multiclass", "multilabel" or "regression".
        strands: "average" where the strand means nothing (promoters), "forward" where it does (coding sequences,
            splice sites).
        pooling: "mean", "cls" or "attention", see ``nn.heads.SequenceHead``.
        max_bp: Longest stretch that is read, from the 5′ end on.
        label_smoothing: Share of the probability that is spread over all classes in training (multi-class).
        head_dropout: Share of the pooled features that are left out in training.
        relatives: Beside the network, the labels of the most similar training sequences count; these are kept in the
            model. For classes or terms of coding sequences in frame, as similar as their proteins are.

    Raises:
        ValueError: If a value is unknown or out of range; the sentence names it.
    """

    kind: str = "multiclass"
    strands: str = "forward"
    pooling: str = "mean"
    max_bp: int = 65_536
    label_smoothing: float = 0.0
    head_dropout: float = 0.0
    relatives: bool = False

    def __post_init__(self) -> None:
        for option, choices in (("kind", KINDS), ("strands", STRANDS), ("pooling", POOLINGS)):
            if getattr(self, option) not in choices:
                raise ValueError(f"{option} must be one of {', '.join(choices)}, not {getattr(self, option)!r}.")
        for option in ("label_smoothing", "head_dropout"):
            value = getattr(self, option)
            if not isinstance(value, int | float) or not 0 <= value < 1:
                raise ValueError(f"{option} must be at least 0 and below 1, not {value!r}.")
        if not isinstance(self.relatives, bool):
            raise ValueError(f"relatives must be true or false, not {self.relatives!r}.")
        if self.relatives and (self.kind == "regression" or self.strands != "forward"):
            raise ValueError("relatives need classes or terms of coding sequences, read forward.")
        if not isinstance(self.max_bp, int) or self.max_bp < 1:
            raise ValueError(f"max_bp must be a positive whole number, not {self.max_bp!r}.")


@dataclass(frozen=True)
class Function:
    """The task with its classes.

    Attributes:
        channels: Names of the classes or terms; one name for a number.
        options: Settings.
        ontology: For terms of an ontology, each by term: "implied", all other outputs that it implies, "names" and
            "namespaces"; empty for terms that have nothing to do with each other.
    """

    channels: tuple[str, ...]
    options: FunctionOptions
    ontology: Mapping = field(default_factory=dict)

    name = name
    initial_logits = None

    @cached_property
    def closure(self) -> Tensor | None:
        """Which outputs say which, see ``implied_terms.closure_of``; None without an ontology."""
        return closure_of(self.channels, self.ontology["implied"]) if self.ontology else None

    @property
    def namespaces(self) -> list[str]:
        """Branch of the ontology that each output belongs to; empty without an ontology."""
        return [self.ontology["namespaces"][term] for term in self.channels] if self.ontology else []

    @property
    def implied_columns(self) -> dict[int, list[int]]:
        """For each output, by number, the others that it implies."""
        numbers = {term: number for number, term in enumerate(self.channels)}
        implied = self.ontology.get("implied", {})
        return {numbers[term]: [numbers[other] for other in others] for term, others in implied.items()}

    def coherent(self, outputs: np.ndarray) -> np.ndarray:
        """Logits [n, C] in which no term is less likely than one that implies it."""
        return outputs if self.closure is None or not len(outputs) else coherent_array(outputs, self.closure)

    @property
    def strands(self) -> str:
        return self.options.strands

    @property
    def head(self) -> dict[str, Any]:
        return {"name": "sequence", "pooling": self.options.pooling, "dropout": self.options.head_dropout}

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean cost of a batch, float32: cross-entropy, binary cross-entropy over all terms, or squared error.

        Args:
            logits: [B * V, C], views of a sequence side by side.
            labels: Class numbers int64 [B], or float32 [B, C].
        """
        logits = merge_views(logits.float(), len(labels))
        if self.options.kind == "multiclass":
            smoothing = self.options.label_smoothing if torch.is_grad_enabled() else 0.0
            return F.cross_entropy(logits, labels, label_smoothing=smoothing)
        if self.closure is not None:
            return coherent_loss(logits, labels, self.closure.to(logits.device))
        if self.options.kind == "multilabel":
            return F.binary_cross_entropy_with_logits(logits, labels)
        return F.mse_loss(logits, labels)

    def loss_weight(self, labels: Tensor) -> Tensor:
        """What ``loss`` divides by: sequences, scalar, float32."""
        return torch.tensor(float(len(labels)), device=labels.device)

    def build_scores(self) -> "FunctionScores":
        return FunctionScores(self)


class FunctionScores:
    """Gathers the outputs of an evaluation and scores them at its end.

    Args:
        task: Classes and kind.
    """

    def __init__(self, task: Function) -> None:
        self.task = task
        self.logits: list[np.ndarray] = []
        self.labels: list[np.ndarray] = []

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch; shapes as in ``Function.loss``."""
        self.logits.append(self.task.coherent(merge_views(logits.float(), len(labels)).cpu().numpy()))
        self.labels.append(labels.cpu().numpy())

    def merge(self, other: "FunctionScores") -> None:
        """Add what another process has gathered."""
        self.logits += other.logits
        self.labels += other.labels

    def compute(self) -> dict[str, float]:
        """Scores by name; those of single classes are left out."""
        logits, labels = np.concatenate(self.logits), np.concatenate(self.labels)
        scores = score(self.task, logits, labels)
        return {key: value for key, value in scores.items() if isinstance(value, float)}

    def outcomes(self) -> Outcomes:
        """What a picture needs, see ``metrics.outcomes``."""
        logits, labels, names = np.concatenate(self.logits), np.concatenate(self.labels), self.task.channels
        if self.task.options.kind == "multiclass":
            return class_outcomes(logits.argmax(axis=1), labels, names, logits)
        if self.task.options.kind == "multilabel":
            return term_outcomes(logits, labels, names)
        return number_outcomes(logits[:, 0], labels[:, 0])


def score(task: Function, outputs: np.ndarray, labels: np.ndarray) -> dict:
    """Scores of a whole data set; any rising function of a term's logit gives the same ones, except at thresholds.

    Args:
        task: Classes and kind.
        outputs: Logits [n, C].
        labels: As in ``Function.loss``, for all sequences.
    """
    if task.options.kind == "multiclass":
        return multiclass_scores(outputs.argmax(axis=1), labels, task.channels)
    if task.options.kind == "multilabel":
        return multilabel_scores(outputs, labels, task.channels)
    return regression_scores(outputs[:, 0], labels[:, 0])


def merge_views(logits: Tensor, n: int) -> Tensor:
    """Mean over the views of each of ``n`` sequences: [n * V, C] to [n, C]."""
    return logits if len(logits) == n else logits.unflatten(0, (n, -1)).mean(dim=1)


def build(
    channels: Sequence[str] = (), options: Mapping[str, Any] | None = None, ontology: Mapping[str, Any] | None = None
) -> Function:
    """The task with these classes; see ``interface.BuildTask``."""
    return Function(tuple(channels), read_options(FunctionOptions, options, name), ontology or {})
