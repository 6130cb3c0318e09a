"""What a bundle gets when its training has ended: a decoder or confidence maps.

They are fitted on the validation part or, across genomes, to what networks say of groups that they have not seen.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from genoformer.bundle.folder import Bundle, add_calibration, load_bundle
from genoformer.errors import DataError, counted


@dataclass(frozen=True)
class Fold:
    """A group of genomes, and the network that was trained on all the others.

    Attributes:
        group: Its name.
        left_out: Names of its genomes.
        genomes: Those that are fitted to: without genomes of weight 0, and those that are kept for the test.
        steps: Of the training of the network.
        folder: Of that training.
        model: Bundle of the network.
        passes: Folder for what the network has read, until the model is finished.
    """

    group: str
    left_out: tuple[str, ...]
    genomes: tuple[str, ...]
    steps: int
    folder: Path
    model: Path
    passes: Path


class Fit(Protocol):
    """Fits what follows a network."""

    def __call__(self, bundle: Bundle, data: Any, precision: str, /) -> dict[str, Any]:
        """Entries of ``calibration.json``.

        Args:
            bundle: The finished network.
            data: Its data module, set up.
            precision: Of the model pass, "bfloat16" or "float32".

        Raises:
            DataError: If there is too little to fit to.
        """


class FitAcross(Protocol):
    """Fits what follows a network to what networks like it say of groups of genomes that they have not seen."""

    def __call__(self, bundle: Bundle, data: Any, precision: str, folds: Sequence[Fold], /) -> dict[str, Any]:
        """Entries of ``calibration.json``; arguments as for ``Fit``, and the networks that are trained.

        Raises:
            DataError: If there is too little to fit to.
        """


@dataclass(frozen=True)
class Finish:
    """How a task's models are finished.

    Attributes:
        fit: Fits what follows the network.
        lack: What a model cannot do for which there was too little data, in a sentence; "" where that is an error.
        across: The same as ``fit`` across genomes; None where a task does not do that.
    """

    fit: Fit
    lack: str = ""
    across: FitAcross | None = None


def finish_bundle(
    staged: Path, folder: Path, data: Any, finish: Finish, *, precision: str, folds: Sequence[Fold] = ()
) -> list[str]:
    """Fit what follows the network, and write the finished bundle.

    Args:
        staged: The bundle as training has left it; it goes when the finished one is there.
        folder: The bundle to be.
        data: Its data module, set up.
        finish: How.
        precision: Of the model pass, "bfloat16" or "float32".
        folds: Groups to fit across, their networks trained; none to fit on the validation part.

    Returns:
        Lines for the user: nothing, or what the model lacks.
    """
    bundle, lines, fitted, more = load_bundle(staged), [], {}, ""
    try:
        if folds and finish.across is not None:
            fitted, more = finish.across(bundle, data, precision, folds), _described(folds)
        else:
            fitted = finish.fit(bundle, data, precision)
    except DataError as error:
        if not finish.lack:
            raise
        lines.append(f"warning[{error.code}] {error.message} {finish.lack} {error.fix}")
    add_calibration(staged, bundle, fitted, to=folder, more=more)
    for left in (staged, *(fold.passes for fold in folds)):
        shutil.rmtree(left, ignore_errors=True)
    return lines


def _described(folds: Sequence[Fold]) -> str:
    """What the model card says of a fit across genomes."""
    genomes, groups = counted(sum(len(fold.genomes) for fold in folds), "genome"), counted(len(folds), "group")
    head = (
        f"Fitted across genomes: what follows the network, to {genomes} of {groups}, each as read by a network that "
        f"was trained for {counted(folds[0].steps, 'step')} without its group."
    )
    return "\n".join(["", head, "", *(f"- {fold.group}: {', '.join(fold.genomes)}" for fold in folds)]) + "\n"
