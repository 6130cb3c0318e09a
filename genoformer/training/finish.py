"""What a bundle gets when its training has ended: a decoder or confidence maps, fitted on the validation part."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from genoformer.bundle.folder import Bundle, add_calibration, load_bundle
from genoformer.errors import DataError


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


@dataclass(frozen=True)
class Finish:
    """How a task's models are finished.

    Attributes:
        fit: Fits what follows the network.
        lack: What a model cannot do for which there was too little data, in a sentence; "" where that is an error.
    """

    fit: Fit
    lack: str = ""


def finish_bundle(staged: Path, folder: Path, data: Any, finish: Finish, *, precision: str) -> list[str]:
    """Fit on the validation part what follows the network, and write the finished bundle.

    Args:
        staged: The bundle as training has left it; it goes when the finished one is there.
        folder: The bundle to be.
        data: Its data module, set up.
        finish: How.
        precision: Of the model pass, "bfloat16" or "float32".

    Returns:
        Lines for the user: nothing, or what the model lacks.
    """
    bundle, lines, fitted = load_bundle(staged), [], {}
    try:
        fitted = finish.fit(bundle, data, precision)
    except DataError as error:
        if not finish.lack:
            raise
        lines.append(f"warning[{error.code}] {error.message} {finish.lack} {error.fix}")
    add_calibration(staged, bundle, fitted, to=folder)
    shutil.rmtree(staged, ignore_errors=True)
    return lines
