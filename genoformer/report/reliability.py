"""A picture of whether probabilities mean what they say."""

from collections.abc import Sequence
from pathlib import Path

from genoformer.files import atomic_path
from genoformer.report.pyplot import load_pyplot

POINT_AREA = 900
"""Area of all points together, in square points."""


def write_reliability_plot(path: str | Path, points: Sequence[dict], *, ece: float, brier: float) -> None:
    """Draw outcomes over probabilities as PNG: points on the diagonal mean what they say, their area is their weight.

    Args:
        path: File to write.
        points: From ``calibration.reliability``.
        ece: Expected calibration error, for the title.
        brier: Brier score.

    Raises:
        UsageError: If matplotlib is not installed.
        OutputWriteError: If the file cannot be written.
    """
    pyplot = load_pyplot("PLOT-001", "--plot")
    figure, axes = pyplot.subplots(figsize=(4.5, 4.5), layout="constrained")
    total = sum(point["n"] for point in points)
    x, y = [point["probability"] for point in points], [point["outcome"] for point in points]
    area = [POINT_AREA * point["n"] / total for point in points]
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    axes.plot(x, y, color="C0", linewidth=1)
    axes.scatter(x, y, s=area, color="C0", alpha=0.6)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability", ylabel="share that is right", aspect="equal")
    axes.set_title(f"ECE {ece:.3f}, Brier {brier:.3f}, n {total:,}", fontsize=10)
    try:
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="png", dpi=150, metadata={"Software": None})
    finally:
        pyplot.close(figure)
