"""A trained model of base pairs, a linear model and ViennaRNA on the same test part, with bootstrap intervals."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np

from genoformer.applications.functions.baseline import bootstrap
from genoformer.applications.rna_pairs.calibrate import choose_weight, fit_pair_calibration
from genoformer.applications.rna_pairs.caller import PairCaller, pair_population
from genoformer.applications.rna_pairs.data import PairData
from genoformer.baselines.pairs import fit_stem_logistic
from genoformer.baselines.run_data import read_run_data
from genoformer.batches.pair_samples import PairSamples
from genoformer.bundle.folder import load_bundle
from genoformer.decoding.base_pairs import nested_structure
from genoformer.metrics.calibration import IsotonicCalibrator, brier, ece
from genoformer.metrics.pairs import mean_pair_scores, pair_scores
from genoformer.structures.folding import fold_probabilities, fold_structure
from genoformer.structures.pair_list import PairProbabilities

ALONE, MIXED, FOLDED = "genoformer", "genoformer_viennarna", "rnafold"
MEASURES = ("precision", "recall", "f1")


def compare_pairs_run(run: Path, seed: int, *, baselines: Collection[str] | None = None) -> dict:
    """Scores of the model of a run and of what it is compared with on the test part.

    Args:
        run: Folder of a finished run of ``fit``.
        seed: Of baselines and bootstrap.
        baselines: All are always fitted: they take seconds.

    Returns:
        "scores" by method with "intervals" of 95 % over RNAs, and under "above_rnafold" the mean gain in F1 with its
        interval. "genoformer" is the network alone, "genoformer_viennarna" together with ViennaRNA; "rnafold" is the
        structure of minimum free energy, "rnafold_mea" that of maximum expected accuracy. Weights of pairs and of
        the network are chosen on validation, for all methods. JSON types only.
    """
    data, bundle = read_run_data(run, PairData), load_bundle(run / "model")
    parts = {part: data.build_samples(members, is_training=False) for part, members in data.parts.items()}
    groups = [member.group for member in data.parts["validation"]]
    methods, weight = _methods(PairCaller.from_bundle(bundle), parts, groups, seed)
    rows, extras = {}, {MIXED: {"weight": weight}}
    for name, probabilities in methods.items():
        found = {part: [probabilities(codes) for codes in parts[part].codes] for part in ("validation", "test")}
        fitted = fit_pair_calibration(found["validation"], parts["validation"].partners, groups)
        rows[name], more = _judge(fitted, found["test"], parts["test"].partners)
        extras[name] = {**extras.get(name, {}), **more}
    test = parts["test"]
    rows[FOLDED] = [pair_scores(fold_structure(c), p) for c, p in zip(test.codes, test.partners, strict=True)]
    return {
        "task": "rna_pairs",
        "seed": seed,
        "n_parameters": sum(tensor.numel() for tensor in bundle.model.parameters()),
        "sizes": {name: len(members) for name, members in data.parts.items()},
        "scores": {
            name: {**mean_pair_scores(found), **extras.get(name, {}), "intervals": _intervals(found, seed)}
            for name, found in rows.items()
        },
        "above_rnafold": {name: _gain(rows[name], rows[FOLDED], seed) for name in (ALONE, MIXED)},
    }


def _methods(
    caller: PairCaller, parts: dict[str, PairSamples], groups: list[str], seed: int
) -> tuple[dict[str, Callable], float]:
    """From base codes to pair probabilities, for each method, and the weight of the network beside ViennaRNA."""
    train, validation = parts["train"], parts["validation"]
    said = {
        codes.tobytes(): caller.probabilities(codes) for part in ("validation", "test") for codes in parts[part].codes
    }
    network = [said[codes.tobytes()] for codes in validation.codes]
    weight = choose_weight(validation.codes, network, validation.partners, groups)
    methods = {
        ALONE: lambda codes: said[codes.tobytes()],
        MIXED: lambda codes: fold_probabilities(codes, said[codes.tobytes()], weight),
        "stem_logistic": fit_stem_logistic(train.codes, train.partners, seed),
        "rnafold_mea": fold_probabilities,
    }
    return methods, weight


def _judge(fitted: dict, found: Sequence[PairProbabilities], partners: Sequence[np.ndarray]) -> tuple[list[dict], dict]:
    """Scores of each test RNA with what was fitted on validation, and their calibration."""
    rows = [pair_scores(nested_structure(p, fitted["gamma"]), t) for p, t in zip(found, partners, strict=True)]
    return rows, {"gamma": fitted["gamma"], **_calibration(fitted, found, partners)}


def _calibration(fitted: dict, found: Sequence[PairProbabilities], partners: Sequence[np.ndarray]) -> dict[str, float]:
    from_isotonic = IsotonicCalibrator.from_dict(fitted["isotonic"])
    populations = [pair_population(*both) for both in zip(found, partners, strict=True)]
    scores, outcomes = (np.concatenate(parts) for parts in zip(*populations, strict=True))
    sure = from_isotonic.apply(scores)
    return {"ece": ece(sure, outcomes), "brier": brier(sure, outcomes), "n_pairs_judged": len(sure)}


def _intervals(rows: list[dict], seed: int) -> dict[str, list[float]]:
    values = np.array([[row[name] for name in MEASURES] for row in rows])
    return bootstrap(lambda chosen: dict(zip(MEASURES, values[chosen].mean(axis=0), strict=True)), len(rows), seed)


def _gain(rows: list[dict], others: list[dict], seed: int) -> dict:
    gains = np.array([mine["f1"] - other["f1"] for mine, other in zip(rows, others, strict=True)])
    intervals = bootstrap(lambda chosen: {"f1": float(gains[chosen].mean())}, len(gains), seed)
    return {"f1": float(gains.mean()), "intervals": intervals}
