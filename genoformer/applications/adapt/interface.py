"""What adapting asks of an application: how labels are made, and what is measured and fitted."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from genoformer.bundle.folder import Bundle
from genoformer.decoding.options import CallOptions
from genoformer.decoding.pseudo_labels import PseudoLabelRules
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.tasks.interface import BuildTask


@dataclass(frozen=True)
class Labels:
    """A store to adapt to.

    Attributes:
        store: Its file.
        statistics: Of each genome in it, learned under the given model; None where there is too little sequence, and
            no entry where the model has none.
    """

    store: Path
    statistics: dict[str, Any]


@dataclass(frozen=True)
class Trained:
    """What the weights have become.

    Attributes:
        bundle: The new weights.
        store: Sequences and labels that it was trained on.
        regions: By part of the split.
        n_genes: Whole genes in the validation part.
        is_annotated: The labels are an annotation's, not the model's own calls.
    """

    bundle: Bundle
    store: Store
    regions: dict[str, list[Region]]
    n_genes: int
    is_annotated: bool


class Score(Protocol):
    """Scores a bundle on held-out regions."""

    def __call__(self, finder: Any, bundle: Bundle, store: Store, regions: list[Region], labels: Labels, /) -> dict:
        """Some of ``held_out.SCORES``, "n_predicted" and "n_genes".

        Args:
            finder: Its decoder and tiles are used.
            bundle: Whose weights are scored.
            store: Sequences and labels.
            regions: Where to score.
            labels: With the statistics of each genome.
        """


class OwnLabels(Protocol):
    """Labels of one record from what the model finds in it."""

    def __call__(
        self, finder: Any, codes: np.ndarray, candidates: np.ndarray, options: CallOptions, statistics: Any,
        rules: PseudoLabelRules, /,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """Tracks, uint8 [2, L], and rows of ``GENE_TABLE``.

        Args:
            finder: The model.
            codes: uint8 base codes, forward strand, [L].
            candidates: What the model pass found.
            options: Genetic code; circular or not.
            statistics: Of the genome, or None.
            rules: What is sure, what doubtful.
        """


@dataclass(frozen=True)
class Adaptation:
    """How a model of a task is trained further on the genome at hand.

    Attributes:
        build_task: Of the task.
        find_with: Class of the finder.
        labels: Kind of label tracks, see ``genomes.prepare``.
        own_labels: Makes labels of the model's own calls; None where these are no labels.
        has_statistics: The decoder follows the genome at hand.
        assumes_own_code: Annotations seldom say a genetic code: the model's own counts.
        score: Scores a bundle on held-out regions.
        decoder: Gives the decoder of the new weights, and how it came about, see ``folder.DECODERS``.
    """

    build_task: BuildTask
    find_with: type[Any]
    labels: str
    own_labels: OwnLabels | None
    has_statistics: bool
    assumes_own_code: bool
    score: Score
    decoder: Callable[[Any, Trained], tuple[Any, str]]
