"""A trained model of secondary structure and simple ones on the same test part, with bootstrap intervals."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
from scipy.special import softmax

from genoformer.applications.codon_structure.calibrate import fit_state_calibration
from genoformer.applications.codon_structure.caller import CodonCaller
from genoformer.applications.codon_structure.data import CodonData, CodonSamples
from genoformer.applications.codon_structure.evaluate import score_states
from genoformer.applications.functions.baseline import bootstrap
from genoformer.baselines.codons import Outputs, fit_majority, fit_window
from genoformer.baselines.run_data import read_run_data
from genoformer.bundle.folder import load_bundle
from genoformer.tasks.codon_structure import IGNORED


def compare_codons_run(run: Path, seed: int, *, baselines: Collection[str] | None = None) -> dict:
    """Scores of the model of a run and of its baselines on the test part.

    Args:
        run: Folder of a finished run of ``fit``.
        seed: Of baselines and bootstrap.
        baselines: All are always fitted: they take seconds.

    Returns:
        "scores" by model, with "intervals" of 95 % of the accuracy over sequences; JSON types only.
    """
    data, bundle = read_run_data(run, CodonData), load_bundle(run / "model")
    caller = CodonCaller.from_bundle(bundle)
    train, validation, test = (
        data.build_samples(data.parts[part], is_training=False) for part in ("train", "validation", "test")
    )
    models: dict[str, Outputs] = {
        "genoformer": caller.logits,
        "majority": fit_majority(train.states, len(data.channels)),
        "window_codons": fit_window(train.codes, train.states, seed, amino_acids=False),
        "window_amino_acids": fit_window(train.codes, train.states, seed, amino_acids=True),
    }
    return {
        "task": "codon_structure",
        "states": data.channels,
        "seed": seed,
        "n_parameters": sum(tensor.numel() for tensor in bundle.model.parameters()),
        "sizes": {name: len(members) for name, members in data.parts.items()},
        "codons": {name: _n_known(part) for name, part in (("train", train), ("test", test))},
        "scores": {
            name: _scores_of(outputs, validation, test, caller.task.channels, seed) for name, outputs in models.items()
        },
    }


def _n_known(samples: CodonSamples) -> int:
    return int(sum((states != IGNORED).sum() for states in samples.states))


def _scores_of(
    outputs: Outputs, validation: CodonSamples, test: CodonSamples, names: tuple[str, ...], seed: int
) -> dict:
    """Scores of one model on the test part, with a temperature from validation."""
    fitted = fit_state_calibration([outputs(codes) for codes in validation.codes], validation.states)
    probabilities, known, hits = [], [], []
    for codes, states in zip(test.codes, test.states, strict=True):
        judged = states != IGNORED
        row = softmax(outputs(codes)[judged].astype(np.float64) / fitted["temperature"], axis=1)
        probabilities.append(row)
        known.append(states[judged])
        hits.append([int((row.argmax(axis=1) == states[judged]).sum()), int(judged.sum())])
    scores = score_states(np.concatenate(probabilities), np.concatenate(known), names)
    counts = np.array(hits)

    def accuracy(chosen: np.ndarray) -> dict[str, float]:
        return {"accuracy": float(counts[chosen, 0].sum() / counts[chosen, 1].sum())}

    kept = {name: value for name, value in scores.items() if name != "reliability"}
    return {**kept, "intervals": bootstrap(accuracy, len(counts), seed)}
