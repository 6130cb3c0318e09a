"""A trained function model and its baselines on the same test part: scores with bootstrap intervals."""

from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path

import numpy as np

from genoformer.applications.functions.calibrate import fit_calibration
from genoformer.applications.functions.caller import FunctionCaller, calibrated
from genoformer.applications.functions.data import TableData
from genoformer.baselines.models import fit_baselines
from genoformer.baselines.run_data import read_run_data
from genoformer.bundle.folder import load_bundle
from genoformer.labels.ontology import information_content
from genoformer.metrics.calibration import brier, ece
from genoformer.metrics.functions import best_threshold, micro_f1, multilabel_scores
from genoformer.metrics.ontology import ontology_scores
from genoformer.tasks.function import Function, score

N_ROUNDS = 200
INTERVAL = (2.5, 97.5)


def compare_run(run: Path, seed: int, *, baselines: Collection[str] | None = None) -> dict:
    """Scores of the model of a run and of all baselines on the test part.

    Args:
        run: Folder of a finished run of ``fit``.
        seed: Of baselines and bootstrap.
        baselines: Only these simple models; None for all that suit the task.

    Returns:
        "scores" by model, each with the measures of ``scores_of`` and their "intervals" of 95 %, and what was compared;
        JSON types only.
    """
    data, bundle = read_run_data(run, TableData), load_bundle(run / "model")
    caller = FunctionCaller.from_bundle(bundle)
    parts = {
        name: ([sequence.codes for sequence in members], data.targets[name]) for name, members in data.parts.items()
    }
    simple = fit_baselines(caller.task, parts["train"], parts["validation"], seed, baselines)
    models = {"genoformer": caller.outputs, **_parts_of(caller), **simple}
    bits = information_content(data.targets["train"], caller.task.implied_columns) if caller.task.ontology else None
    return {
        "task": "function",
        "kind": caller.task.options.kind,
        "seed": seed,
        "n_classes": len(caller.task.channels),
        "n_parameters": sum(tensor.numel() for tensor in bundle.model.parameters()),
        "split": {name: value for name, value in asdict(data.split).items() if value},
        "sizes": {name: len(members) for name, members in data.parts.items()},
        "scores": {
            name: scores_of(
                caller.task,
                outputs,
                parts["validation"],
                parts["test"],
                seed,
                bits,
                fitted=caller.calibration if name == "genoformer" else None,
            )
            for name, outputs in models.items()
        },
    }


def _parts_of(caller: FunctionCaller) -> dict[str, Callable]:
    """Network and relatives by themselves, of a model that has both."""
    relatives = caller.relatives
    if relatives is None:
        return {}
    return {
        "network_alone": caller.network_outputs,
        "relatives_alone": lambda sequences: relatives.alone(relatives.nearest(caller.cut(sequences))),
    }


def scores_of(
    task: Function, outputs: Callable, validation: tuple, test: tuple, seed: int,
    information: np.ndarray | None = None, *, fitted: dict | None = None,
) -> dict:  # fmt: skip
    """Scores of one model on the test part, with what is fitted on validation (temperature, threshold).

    Args:
        task: Classes and kind.
        outputs: From sequences to outputs [n, C].
        validation: Sequences and targets.
        test: The same.
        seed: Of the bootstrap.
        information: Of each term of an ontology, in bits; then there are scores as in CAFA, too.
        fitted: What was fitted; by default it is here.
    """
    if fitted is None:
        fitted = fit_calibration(task, task.coherent(outputs(validation[0])), validation[1], (0.0, 1.0))
    found, targets = task.coherent(outputs(test[0])), test[1]

    def measure(rows: np.ndarray) -> dict[str, float]:
        if task.options.kind == "multilabel":
            scores = multilabel_scores(found[rows], targets[rows], task.channels, fitted["threshold"])
            best = best_threshold(found[rows], targets[rows])
            scores["micro_fmax"] = micro_f1(found[rows] >= best, targets[rows])
            scores |= _cafa(task, found[rows], targets[rows], information, fitted["threshold"])
        else:
            scores = score(task, found[rows], targets[rows])
        return {name: value for name, value in scores.items() if isinstance(value, float) and name != "threshold"}

    return {
        **measure(np.arange(len(targets))),
        **_calibration(task, calibrated(task, found, fitted), targets),
        "intervals": bootstrap(measure, len(targets), seed),
    }


def _cafa(task: Function, outputs: np.ndarray, targets: np.ndarray, information, threshold: float) -> dict:
    """Scores by branch, "cellular_component fmax" and so on; none without an ontology."""
    if information is None:
        return {}
    found = ontology_scores(outputs, targets, task.namespaces, information, outputs >= threshold)
    return {
        f"{branch} {measure}": value
        for branch, row in found.items()
        for measure, value in row.items()
        if isinstance(value, float)
    }


def bootstrap(measure: Callable[[np.ndarray], dict[str, float]], n: int, seed: int) -> dict[str, list[float]]:
    """Interval of 95 % of each measure over samples drawn with replacement.

    Args:
        measure: From numbers of samples to measures by name.
        n: Number of samples.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    rounds = [measure(rng.integers(0, n, n)) for _ in range(N_ROUNDS)]
    return {name: np.percentile([found[name] for found in rounds], INTERVAL).tolist() for name in rounds[0]}


def _calibration(task: Function, probabilities: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    if task.options.kind == "regression":
        return {}
    if task.options.kind == "multiclass":
        outcomes = (probabilities.argmax(axis=1) == targets).astype(float)
        probabilities = probabilities.max(axis=1)
    else:
        outcomes, probabilities = targets.ravel(), probabilities.ravel()
    return {"ece": ece(probabilities, outcomes), "brier": brier(probabilities, outcomes)}
