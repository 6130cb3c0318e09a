"""The curves of a training run, as numbers: what report and picture draw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genoformer.training.run_history import RunHistory
from genoformer.training.shown_scores import MEASURES, PREFIX, is_learned, output_score

MAX_PLACES = 200
"""Of a long run, each place of a curve is the mean of so many neighbours that no more are left."""
MAX_OUTPUTS = 8

Curve = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class RunCurves:
    """Curves by name, each as steps and values.

    Attributes:
        loss: Of training and of validation.
        scores: Of the whole task, as far as they say something.
        outputs: MCC of each output per base.
        rate: Learning rate.
    """

    loss: dict[str, Curve]
    scores: dict[str, Curve]
    outputs: dict[str, Curve]
    rate: dict[str, Curve]


def run_curves(history: RunHistory, names: Sequence[str], channels: Sequence[str]) -> RunCurves:
    """The curves of a run.

    Args:
        history: What was logged.
        names: Validation scores that say most, without prefix.
        channels: Outputs.
    """
    loss: dict[str, Curve] = {
        "training": thinned(*history.column("train/loss")),
        "validation": history.column(f"{PREFIX}loss"),
    }
    wanted = [name for name in names if PREFIX + name in history.names] or _others(history, channels)
    scores = {name: _as_far_as_learned(history, name, channels) for name in wanted}
    outputs: dict[str, Curve] = {
        c: history.column(output_score(c, "mcc")) for c in channels if output_score(c, "mcc") in history.names
    }
    return RunCurves(
        _filled(loss),
        _filled(scores),
        dict(list(_filled(outputs).items())[:MAX_OUTPUTS]),
        _filled({"lr": thinned(*history.column("lr"))}),
    )


def thinned(steps: Sequence[float], values: Sequence[float]) -> Curve:
    """A curve of at most ``MAX_PLACES`` places: means of neighbours."""
    n_pieces = min(len(steps), MAX_PLACES)
    if not n_pieces:
        return [], []
    pieces = zip(np.array_split(steps, n_pieces), np.array_split(values, n_pieces), strict=True)
    means = [(float(piece.mean()), float(heights.mean())) for piece, heights in pieces]
    return [step for step, _ in means], [value for _, value in means]


def _others(history: RunHistory, channels: Sequence[str]) -> list[str]:
    """Scores of a task that names none."""
    own = {output_score(channel, measure) for channel in channels for measure in MEASURES}
    return [n.removeprefix(PREFIX) for n in history.names if n.startswith(PREFIX) and n not in {*own, f"{PREFIX}loss"}]


def _as_far_as_learned(history: RunHistory, name: str, channels: Sequence[str]) -> Curve:
    own = {output_score(channel, measure) for channel in channels for measure in MEASURES}
    found = [
        (step, scores[PREFIX + name])
        for step, scores in history.validations()
        if PREFIX + name in scores and (PREFIX + name in own or is_learned(scores, channels))
    ]
    return [step for step, value in found if np.isfinite(value)], [value for _, value in found if np.isfinite(value)]


def _filled(curves: dict[str, Curve]) -> dict[str, Curve]:
    return {name: curve for name, curve in curves.items() if curve[0]}
