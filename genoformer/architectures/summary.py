"""All cells that were measured, in one document, one table and two pictures."""

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from genoformer.architectures.cells import PARTS
from genoformer.architectures.contenders import CONTENDERS
from genoformer.files import atomic_path
from genoformer.report.pyplot import load_pyplot

FITTED_FROM = 2_048
"""Tokens: exponents are those of longer calls, as shorter ones cost as much for what does not grow."""
Document = dict[str, list[dict[str, Any]]]


def read_cells(folder: Path) -> Document:
    """Every cell of a folder by its part, in the order of their file names."""
    found: Document = {name: [] for name in PARTS.values()}
    for path in sorted(folder.glob("*-*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(record, dict) and record.get("part") in found:
            found[record["part"]].append({key: value for key, value in record.items() if key != "part"})
    return found


def growth(cells: Iterable[dict[str, Any]], field: str) -> float | None:
    """Slope of the logarithms over the tokens: 1 is linear, 2 quadratic; None with fewer than three lengths."""
    points = [
        (cell["tokens"], cell["result"][field])
        for cell in cells
        if cell["result"].get(field) and cell["tokens"] >= FITTED_FROM
    ]
    if len(points) < 3:
        return None
    tokens, values = np.log(np.array(sorted(points), float)).T
    return round(float(np.polyfit(tokens, values, 1)[0]), 2)


def table(document: Document) -> list[list[str]]:
    """One row for each figure, one column for each architecture; "–" where nothing was measured."""
    rows = [["", *CONTENDERS]]
    for label, field, digits in (("3′ F1", "three_prime_f1", 3), ("exact F1", "exact_f1", 3)):
        rows.append([f"genes, {label}", *(_of_seeds(document["genes"], name, field, digits) for name in CONTENDERS)])
    rows.append(["bits per base", *(_of_seeds(document["bases"], name, "bits_per_base", 4) for name in CONTENDERS)])
    rows.append(["kb read in training, bases", *(_of_seeds(document["bases"], n, "bases", 0, 1e3) for n in CONTENDERS)])
    rows.append(["kb read in training, genes", *(_of_seeds(document["genes"], n, "bases", 0, 1e3) for n in CONTENDERS)])
    for of_pass in ("forward", "training"):
        rows += _length_rows(document["length"], of_pass)
    for layers in sorted({cell["layers"] for cell in document["depth"]}):
        cells = [cell for cell in document["depth"] if cell["layers"] == layers]
        rows.append([f"MB in training, {layers} layers", *(_one(cells, n, "bytes", 1e6, 0) for n in CONTENDERS)])
    return rows


def _length_rows(cells: list[dict[str, Any]], of_pass: str) -> list[list[str]]:
    cells = [cell for cell in cells if cell["pass"] == of_pass]
    rows = []
    for label, field, unit, digits in (("µs per token", "seconds", 1e-6, 1), ("kB per token", "bytes", 1e3, 1)):
        for n_tokens in sorted({cell["tokens"] for cell in cells}):
            own = [cell for cell in cells if cell["tokens"] == n_tokens]
            values = (_one(own, name, field, unit * n_tokens, digits) for name in CONTENDERS)
            rows.append([f"{of_pass}, {label}, {n_tokens:,} tokens", *values])
        slopes = [growth([cell for cell in cells if cell["name"] == name], field) for name in CONTENDERS]
        what = "time" if field == "seconds" else "memory"
        rows.append([f"{of_pass}, exponent of {what}", *("–" if s is None else f"{s:.2f}" for s in slopes)])
    return rows


def _of_seeds(cells: list[dict[str, Any]], name: str, field: str, digits: int, unit: float = 1.0) -> str:
    """Mean and range over the seeds."""
    values = [cell["result"][field] / unit for cell in cells if cell["name"] == name and field in cell["result"]]
    if not values:
        return "–"
    average, low, high = (f"{value:,.{digits}f}" for value in (mean(values), min(values), max(values)))
    seeds = "seed" if len(values) == 1 else "seeds"
    return f"{average}, {len(values)} {seeds}" if low == high else f"{average} ({low}–{high}), {len(values)} {seeds}"


def _one(cells: list[dict[str, Any]], name: str, field: str, unit: float, digits: int) -> str:
    found = [cell["result"][field] / unit for cell in cells if cell["name"] == name and field in cell["result"]]
    return f"{found[0]:,.{digits}f}" if found else "–"


def draw(document: Document, folder: Path) -> list[Path]:
    """Two pictures: accuracy over distance; time and memory over length and depth. Without cells there is none.

    Raises:
        UsageError: If matplotlib is not installed.
    """
    pyplot = load_pyplot("PLOT-001", "--plot")
    drawn = []
    for name, panels, paint in (("distance", 1, _draw_distance), ("cost", 3, _draw_cost)):
        if not document["distance" if name == "distance" else "length"]:
            continue
        figure, axes = pyplot.subplots(1, panels, figsize=(7 if panels == 1 else 12, 4), layout="constrained")
        paint(document, axes)
        drawn.append(folder / f"architectures-{name}.png")
        try:
            with atomic_path(drawn[-1]) as temporary:
                figure.savefig(temporary, format="png", dpi=100, metadata={"Software": None})
        finally:
            pyplot.close(figure)
    return drawn


def _draw_distance(document: Document, axes: Any) -> None:
    cells, markers = document["distance"], "osv^DxP*X<>"
    for number, name in enumerate(dict.fromkeys(cell["name"] for cell in cells)):
        runs = [cell["result"]["rows"] for cell in cells if cell["name"] == name]
        at = [row["distance_bp"] for row in runs[0]]
        values = np.array([[row["accuracy"] for row in rows] for rows in runs])
        middle = values.mean(axis=0)
        # Lines lie on one another: each a little to the right of the last.
        shifted = np.array(at) * 1.04**number
        spread = [middle - values.min(axis=0), values.max(axis=0) - middle]
        axes.errorbar(shifted, middle, spread, marker=markers[number % len(markers)], label=name, alpha=0.8, capsize=2)
    axes.axhline(0.5, color="grey", linestyle=":", label="chance")
    axes.set(xscale="log", xlabel="distance of motif and site, bp", ylabel="accuracy", ylim=(0.3, 1.03))
    axes.legend(fontsize=7)


def _draw_cost(document: Document, axes: Any) -> None:
    for number, name in enumerate(CONTENDERS):
        own = sorted(
            (
                c
                for c in document["length"]
                if (c["name"], c["pass"]) == (name, "training") and "seconds" in c["result"]
            ),
            key=lambda cell: cell["tokens"],
        )
        tokens = [cell["tokens"] for cell in own]
        for panel, field, unit in ((0, "seconds", 1e-6), (1, "bytes", 1e3)):
            values = [cell["result"][field] / unit / cell["tokens"] for cell in own]
            axes[panel].plot(tokens, values, marker="osv^"[number], label=name)
        deep = sorted(
            (c for c in document["depth"] if c["name"] == name and "bytes" in c["result"]), key=lambda c: c["layers"]
        )
        axes[2].plot([c["layers"] for c in deep], [c["result"]["bytes"] / 1e6 for c in deep], marker="osv^"[number])
    axes[0].set(xscale="log", yscale="log", xlabel="tokens", ylabel="training, µs per token")
    axes[1].set(xscale="log", yscale="log", xlabel="tokens", ylabel="training, kB per token")
    axes[2].set(xlabel="layers", ylabel="training, MB", ylim=(0, None))
    axes[0].legend(fontsize=8)
