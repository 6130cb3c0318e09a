"""``curves.png``: a training run in one picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genoformer.files import atomic_path
from genoformer.metrics.outcomes import Outcomes
from genoformer.report.pyplot import load_pyplot
from genoformer.report.run_curves import Curve, RunCurves

PANEL_INCHES = (4.4, 3.2)
N_COLUMNS = 3
MAX_BARS = 24


def write_curves_picture(path: str | Path, title: str, curves: RunCurves, outcomes: Outcomes) -> None:
    """Draw a run as PNG.

    Args:
        path: File to write.
        title: What was trained.
        curves: What was logged.
        outcomes: Of the validation that chose the model.

    Raises:
        UsageError: If matplotlib is not installed.
        OutputWriteError: If the file cannot be written.
    """
    pyplot = load_pyplot("PLOT-001", "curves.png")
    panels = _panels(curves, outcomes)
    n_rows = -(-len(panels) // N_COLUMNS)
    size = (PANEL_INCHES[0] * N_COLUMNS, PANEL_INCHES[1] * n_rows + 0.4)
    figure, axes = pyplot.subplots(n_rows, N_COLUMNS, figsize=size, layout="constrained", squeeze=False)
    try:
        figure.suptitle(title)
        for place in axes.flat[len(panels) :]:
            place.set_axis_off()
        for place, (draw, data) in zip(axes.flat, panels, strict=False):
            draw(place, data)
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="png", dpi=110, metadata={"Software": None})
    finally:
        pyplot.close(figure)


def _panels(curves: RunCurves, outcomes: Outcomes) -> list[tuple[Any, Any]]:
    lines = [("loss", curves.loss), ("validation score", curves.scores), ("MCC of an output", curves.outputs)]
    lines.append(("learning rate", curves.rate))
    panels: list[tuple[Any, Any]] = [(_draw_lines, pair) for pair in lines if pair[1]]
    panels += [
        (draw, outcomes.get(key))
        for key, draw in (
            ("reliability", _draw_reliability), ("confusion", _draw_confusion), ("numbers", _draw_numbers)
        )
        if outcomes.get(key)
    ]  # fmt: skip
    if "confusion" not in outcomes and "table" in outcomes:
        panels.append((_draw_table, outcomes["table"]))
    return panels


def _draw_lines(axes: Any, data: tuple[str, Mapping[str, Curve]]) -> None:
    label, curves = data
    for name, (steps, values) in curves.items():
        axes.plot(steps, values, label=name, marker="." if len(steps) < 30 else None, linewidth=1.5)
    axes.set(xlabel="step", ylabel=label)
    axes.grid(alpha=0.3)
    if len(curves) > 1:
        axes.legend(fontsize=8)


def _draw_reliability(axes: Any, curves: Mapping[str, Any]) -> None:
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    for name, points in curves.items():
        axes.plot([p["probability"] for p in points], [p["outcome"] for p in points], marker=".", label=name)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability", ylabel="share that is right")
    axes.grid(alpha=0.3)
    if len(curves) > 1:
        axes.legend(fontsize=8)


def _draw_confusion(axes: Any, matrix: Mapping[str, Any]) -> None:
    names, counts = matrix["names"], matrix["counts"]
    shares = [[count / max(1, sum(row)) for count in row] for row in counts]
    axes.imshow(shares, vmin=0, vmax=1, cmap="Greens")
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set(xlabel="said", ylabel="right")


def _draw_numbers(axes: Any, numbers: Mapping[str, list[float]]) -> None:
    ends = [min(*numbers["right"], *numbers["said"]), max(*numbers["right"], *numbers["said"])]
    axes.plot(ends, ends, color="0.6", linewidth=1)
    axes.plot(numbers["right"], numbers["said"], ".", alpha=0.6)
    axes.set(xlabel="right", ylabel="said")


def _draw_table(axes: Any, table: Mapping[str, Any]) -> None:
    column = next(name for name in ("f1", "aupr") if name in table["columns"])
    names, values = table["names"][:MAX_BARS], table["columns"][column][:MAX_BARS]
    axes.barh(range(len(names)), [value or 0.0 for value in values])
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel=column, xlim=(0, 1))
