"""What a task is made of: one row that names its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from genoformer.inference.parts import Part

if TYPE_CHECKING:
    from pytorch_lightning import Callback

    from genoformer.inference.comparison import Comparison
    from genoformer.inference.formats import Formats
    from genoformer.inference.interface import BundlePredictor, Caller, CommandRequest
    from genoformer.tasks.interface import BuildTask
    from genoformer.training.finish import Finish
    from genoformer.training.interface import TrainingData
    from genoformer.training.recipes import Recipe
    from genoformer.variants.interface import VariantModel


@dataclass(frozen=True)
class Application:
    """One task, from data to files; None where a task has no such part.

    Attributes:
        title: What it is for, in a line of help.
        subject: What is predicted, in a word or two.
        task: Builds the task: outputs, loss, scores.
        data: What it learns from.
        recipe: Chooses settings that follow from the data, for configurations that ask for it (``recipe: true``).
        callbacks: What else happens in training.
        finish: What follows the network, fitted when training has ended.
        request: What a prediction is asked to do; needs no network.
        predictor: The model pass of a prediction, and the files that follow from it.
        caller: A bundle made ready, for programs.
        formats: Words of ``--formats`` and what they stand for.
        compare: Scores of a prediction against a reference.
        baseline: Scores of a finished run beside those of simple models.
        scores: Validation scores that say most, best first: names and what they are. The first of those that there are
            stand beside the bar.
        adaptation: How a model of this task is trained further on the genome at hand.
        variants: Says what variants of a genome change.
        takes_hints: What is known of genes from elsewhere can count (``predict --hints``).
    """

    title: str
    subject: str
    task: Part[BuildTask]
    data: Part[type[TrainingData]]
    recipe: Part[Recipe] | None = None
    callbacks: Part[Callable[[], list[Callback]]] | None = None
    finish: Part[Finish] | None = None
    request: Part[type[CommandRequest]] | None = None
    predictor: Part[type[BundlePredictor]] | None = None
    caller: Part[type[Caller]] | None = None
    formats: Part[Formats] | None = None
    compare: Part[Comparison] | None = None
    baseline: Part[Callable[..., dict[str, Any]]] | None = None
    scores: Mapping[str, str] = field(default_factory=dict)
    adaptation: Part[Any] | None = None
    variants: Part[type[VariantModel]] | None = None
    takes_hints: bool = False
