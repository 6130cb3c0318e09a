"""What adapting asks of an application: how labels are made, and what is measured and fitted."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from genoformer.bundle.folder import Bundle
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


@dataclass(frozen=True)
class Adaptation:
    """How a model of a task is trained further on the genome at hand.

    Attributes:
        build_task: Of the task.
        find_with: Class of the finder.
        labels: Kind of label tracks, see ``genomes.prepare``.
        takes_own_calls: The model's own sure calls may be labels.
        has_statistics: The decoder follows the genome at hand.
        assumes_own_code: Annotations seldom say a genetic code: the model's own counts.
        score: Scores a bundle on held-out regions.
        decoder: Gives the decoder of the new weights, and how it came about, see ``folder.DECODERS``.
    """

    build_task: BuildTask
    find_with: type[Any]
    labels: str
    takes_own_calls: bool
    has_statistics: bool
    assumes_own_code: bool
    score: Score
    decoder: Callable[[Any, Trained], tuple[Any, str]]
