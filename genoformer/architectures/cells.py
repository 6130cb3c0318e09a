"""The cells of the comparison: each is measured once, and kept as a file by itself."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from genoformer.architectures.contenders import CONTENDERS
from genoformer.architectures.cost import foreseen, in_child
from genoformer.architectures.distance import DISTANCES_BP, VARIANTS, measure_distances
from genoformer.architectures.learning import Genomes, measure_bases, measure_genes
from genoformer.files import write_json_atomic

PARTS = {"a": "distance", "b": "genes", "c": "bases", "d": "length", "e": "depth"}
"""Letters of ``--parts`` and what they stand for."""
LENGTHS = (512, 2_048, 8_192, 32_768, 131_072)
DEPTHS, DEPTH_TOKENS = (2, 4, 8, 12), 8_192
PASSES = {"forward": False, "training": True}
SECONDS_OF_A_CHILD, SECONDS_BESIDE_TRAINING = 6.0, 25.0
"""What a measurement of d and e, and what follows training in b and c, take about: for the time that is left."""


Results = Callable[[dict[str, Any]], dict[str, Any] | None]
"""From the labels of a cell of the same part to its result; None if it was not measured."""
Measure = Callable[[Results], dict[str, Any]]


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        minutes: Of the processor, for training: of each distance in a, of each cell in b and c.
        seeds: Of all that is trained.
        genomes: Files for b and c.
        call_seconds: Longest call of d and e.
        call_gigabytes: Largest call of d and e.
        lengths: Tokens of d.
        distances_bp: Distances of a.
    """

    minutes: float
    seeds: tuple[int, ...]
    genomes: Genomes | None
    call_seconds: float = 60.0
    call_gigabytes: float = 12.0
    lengths: tuple[int, ...] = LENGTHS
    distances_bp: tuple[int, ...] = DISTANCES_BP


@dataclass(frozen=True)
class Cell:
    """One thing to be measured.

    Attributes:
        part: Of ``PARTS``.
        labels: What is measured, by name; they make its file name.
        settings: What the result depends on beside them.
        measure: Makes it, from the results of cells that came before it, by their labels.
        seconds: About how long it takes.
    """

    part: str
    labels: dict[str, Any]
    settings: dict[str, Any]
    measure: Measure
    seconds: float

    @property
    def file_name(self) -> str:
        words = "-".join(str(value) for value in self.labels.values())
        return f"{PARTS[self.part]}-{words}.json".replace(" ", "_").replace(",", "")


def cells_of(plan: Plan, parts: Sequence[str], folder: Path) -> Iterator[Cell]:
    """All cells, those of one seed before those of the next.

    Args:
        plan: How much.
        parts: Letters, in the order wanted.
        folder: Of the results; stores are made there.
    """
    for part in parts:
        yield from {"a": _distances, "b": _genes, "c": _bases, "d": _lengths, "e": _depths}[part](plan, folder)


def run_cell(cell: Cell, folder: Path) -> dict[str, Any] | None:
    """Measure a cell and write its file; None if it is there, with the same settings."""
    if read_cell(cell, folder) is not None:
        return None

    def other(labels: dict[str, Any]) -> dict[str, Any] | None:
        return read_cell(Cell(cell.part, labels, cell.settings, cell.measure, 0.0), folder)

    begin = time.monotonic()
    found = cell.measure(other)
    record = {"part": PARTS[cell.part], **cell.labels, "settings": cell.settings, "result": found}
    write_json_atomic(folder / cell.file_name, {**record, "wall_seconds": round(time.monotonic() - begin, 1)})
    return found


def read_cell(cell: Cell, folder: Path) -> dict[str, Any] | None:
    """What was measured of a cell with these settings; None if nothing."""
    path = folder / cell.file_name
    if not path.is_file():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    return record["result"] if record["settings"] == json.loads(json.dumps(cell.settings)) else None


def _alone(measure: Callable[..., dict[str, Any]], *values: Any, **settings: Any) -> Measure:
    """A measurement that looks at no other."""
    return lambda _: measure(*values, **settings)


def _torch() -> str:
    return torch.__version__.partition("+")[0]


def _distances(plan: Plan, folder: Path) -> Iterator[Cell]:
    settings = {"minutes": plan.minutes, "distances_bp": list(plan.distances_bp), "torch": _torch()}
    for seed in plan.seeds:
        for name in VARIANTS:
            yield Cell(
                "a", {"name": name, "seed": seed}, settings,
                _alone(measure_distances, name, seed, 60 * plan.minutes, plan.distances_bp),
                1.5 * 60 * plan.minutes,
            )  # fmt: skip


def _genes(plan: Plan, folder: Path) -> Iterator[Cell]:
    yield from _trained("b", measure_genes, plan, folder)


def _bases(plan: Plan, folder: Path) -> Iterator[Cell]:
    yield from _trained("c", measure_bases, plan, folder)


def _trained(part: str, measure: Callable[..., dict], plan: Plan, folder: Path) -> Iterator[Cell]:
    genomes = plan.genomes
    if genomes is None:
        return
    files = {"train": Path(genomes.train).name, **({"test": Path(genomes.test).name} if part == "b" else {})}
    settings = {"minutes": plan.minutes, **files, "torch": _torch()}
    stores = folder / f"stores-{PARTS[part]}"
    for seed in plan.seeds:
        for name in CONTENDERS:
            yield Cell(
                part, {"name": name, "seed": seed}, settings,
                _alone(measure, name, seed, 60 * plan.minutes, genomes, stores),
                60 * plan.minutes + SECONDS_BESIDE_TRAINING,
            )  # fmt: skip


def _lengths(plan: Plan, folder: Path) -> Iterator[Cell]:
    limits = {"call_seconds": plan.call_seconds, "call_gigabytes": plan.call_gigabytes, "torch": _torch()}
    for of_pass in PASSES:
        for name in CONTENDERS:
            for i, n_tokens in enumerate(plan.lengths):
                labels = {"name": name, "pass": of_pass, "tokens": n_tokens}
                yield Cell("d", labels, limits, _length_measure(plan, labels, plan.lengths[:i]), SECONDS_OF_A_CHILD)


def _length_measure(plan: Plan, labels: dict[str, Any], shorter: tuple[int, ...]) -> Measure:
    max_bytes = plan.call_gigabytes * 1e9

    def measure(other: Results) -> dict[str, Any]:
        known = [(n, found) for n in shorter if (found := other({**labels, "tokens": n})) is not None]
        if any("blank" in found for _, found in known):
            return {"blank": "a shorter call takes too much"}
        seconds, size = foreseen([found for _, found in known], [n for n, _ in known], labels["tokens"])
        if seconds > plan.call_seconds or size > max_bytes:
            return {"blank": f"one call would take {seconds:.0f} s and {size / 1e9:.1f} GB"}
        call = {"name": labels["name"], "n_tokens": labels["tokens"], "training": PASSES[labels["pass"]]}
        return in_child(call, max_seconds=plan.call_seconds, max_bytes=max_bytes)

    return measure


def _depths(plan: Plan, folder: Path) -> Iterator[Cell]:
    n_tokens = min(DEPTH_TOKENS, max(plan.lengths))
    limits = {"call_seconds": plan.call_seconds, "tokens": n_tokens, "torch": _torch()}
    for name in CONTENDERS:
        for depth in DEPTHS:
            call = {"name": name, "n_tokens": n_tokens, "training": True, "n_layers": depth}
            yield Cell(
                "e", {"name": name, "layers": depth}, limits,
                _alone(in_child, call, max_seconds=plan.call_seconds, max_bytes=plan.call_gigabytes * 1e9),
                SECONDS_OF_A_CHILD,
            )  # fmt: skip
