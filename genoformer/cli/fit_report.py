"""The report of a run, on every way out on which there is a model; a fault in it is a warning and no more."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genoformer.bundle.header import CARD, read_header
from genoformer.errors import GenoformerError
from genoformer.metrics.outcomes import Outcomes
from genoformer.report.curves_picture import write_curves_picture
from genoformer.report.run_curves import run_curves
from genoformer.report.training_report import RunFacts, write_training_report
from genoformer.training.run_folder import RunFolder
from genoformer.training.run_history import RunHistory


def write_report(folder: RunFolder, run: RunFacts, *, picture: bool = True) -> None:
    """Write ``report.html`` and ``curves.png``, as far as there is a model; what goes wrong is said and left.

    Args:
        folder: The run.
        run: What was trained; what lies in the folder of the model is added to it.
        picture: Draw ``curves.png``, too: that takes seconds.
    """
    with written_or_said("report.html"):
        history, outcomes = RunHistory.read(folder.metrics), read_outcomes(folder.outcomes)
        write_training_report(folder.report, run, history, outcomes)
    if picture:
        with written_or_said("curves.png"):
            history, outcomes = RunHistory.read(folder.metrics), read_outcomes(folder.outcomes)
            curves = run_curves(history, list(run.scores), run.channels)
            write_curves_picture(folder.curves, f"{run.task}, {run.name}", curves, outcomes)


def model_texts(model: Path) -> tuple[str, dict[str, Any]]:
    """Card and calibration of a model; DataError if there is none."""
    header = read_header(str(model))
    return (model / CARD).read_text(encoding="utf-8"), header.calibration


def read_outcomes(path: Path) -> Outcomes:
    """What the validation found that chose the model; nothing where it was not kept."""
    try:
        found: Outcomes = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found


def ending_of(error: BaseException) -> str:
    """How a run ended that did not end as planned, in a sentence."""
    if isinstance(error, GenoformerError):
        return f"The run ended with an error: {error.message}"
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return "The run was interrupted; the same command continues it."
    return f"The run ended with an error: {type(error).__name__}."


@contextlib.contextmanager
def written_or_said(what: str) -> Iterator[None]:
    """What goes wrong with a report is a warning."""
    try:
        yield
    except GenoformerError as error:
        said = " ".join(filter(None, [error.message, error.fix]))
        print(f"genoformer: warning[CURVES-002] {what} was not written: {said}", file=sys.stderr)
    except Exception as error:
        print(f"genoformer: warning[CURVES-002] {what} was not written: {error!r}.", file=sys.stderr)
